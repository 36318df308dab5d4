"""How often one caller may use one tool."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from opsbot.db import Database
from opsbot.errors import (
    InvalidInputError,
    OpsbotError,
    RateLimitedError,
    UnavailableError,
)
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.limits import Limit, ToolUse, count_use, counted_as, read_limit
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool
from tests.factories import NOON
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

HOUR = timedelta(hours=1)


@tool(examples=["look"], label="Looking", limits=("2/hour", "3/day"))
def look(ctx: ToolContext) -> Result:
    """Look at something."""
    return Result("Seen.")


@tool(examples=["note"], label="Noting", effect="write", limits=("2/hour", "3/day"))
def note(ctx: ToolContext, words: str = "") -> Change:
    """Note something."""
    return Change("Note it?", [], "Note it", {}, lambda: Result("Noted."))


@tool(examples=["rogue"], label="Being rogue")
def be_rogue(ctx: ToolContext) -> Result:
    """Raise an error whose code nobody knows."""
    error = OpsbotError("the secret")
    error.code = "made_up"
    raise error


TOOLS: Mapping[str, AnyTool] = {"look": look, "note": note, "be_rogue": be_rogue}


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """The shop with tools of its own, on SQLite and on PostgreSQL."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    return replace(opened, executor=Executor(database, settings, TOOLS, NO_KNOWLEDGE, policies))


def test_reads_are_limited_for_each_caller_and_window(shop: Shop) -> None:
    shop.read("look")
    shop.read("look")
    with pytest.raises(RateLimitedError) as raised:
        shop.read("look")
    shop.read("look", shop.eve)
    shop.run("look", now=NOON + HOUR)

    assert raised.value.retry_after == 3600
    with pytest.raises(RateLimitedError):
        shop.run("look", now=NOON + HOUR)  # the day's third was used up
    shop.run("look", now=NOON + 24 * HOUR)


def test_changes_are_counted_in_the_database(
    shop: Shop, settings: Settings, policies: Policies
) -> None:
    shop.propose("note")
    shop.propose("note")
    restarted = replace(
        shop, executor=Executor(shop.database, settings, TOOLS, NO_KNOWLEDGE, policies)
    )

    with pytest.raises(RateLimitedError):
        restarted.propose("note")
    restarted.propose("note", shop.eve)
    with shop.database.read() as session:
        kept = session.scalar(select(func.count()).select_from(ToolUse))
    assert kept == 4  # two callers, an hour and a day each


def test_what_is_refused_for_its_arguments_is_not_counted(shop: Shop) -> None:
    for _ in range(4):
        with pytest.raises(InvalidInputError):
            shop.propose("note", words=1)

    shop.propose("note")


def test_windows_that_are_over_leave_no_rows(shop: Shop) -> None:
    for hour in range(3):
        shop.run("note", now=NOON + hour * 24 * HOUR)

    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ToolUse)) == 2


def test_many_at_once_are_counted_one_by_one(database: Database) -> None:
    caller = Caller(Audience.STAFF, "console", staff_id=1)
    start, outcomes = threading.Barrier(8), list[bool]()

    def use() -> None:
        start.wait()
        try:
            with database.write() as session:
                count_use(session, caller, "note", [Limit(5, "hour")], now=NOON)
        except RateLimitedError:
            outcomes.append(False)
        else:
            outcomes.append(True)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False] * 3 + [True] * 5


def test_a_visitor_is_counted_by_network_because_a_new_id_costs_nothing() -> None:
    visitor = Caller(Audience.CUSTOMER, "widget", visitor="a", origin="192.0.2.0/24")

    assert counted_as(visitor) == counted_as(replace(visitor, visitor="b"))
    assert counted_as(replace(visitor, origin="")) == "visitor:a"
    assert counted_as(replace(visitor, level=Level.ORDER, customer_id=7)) == "customer:7"


@pytest.mark.parametrize("text", ["5", "5/week", "0/hour", "-1/day", "5 / hour", "x/minute", ""])
def test_a_limit_that_is_no_limit_is_refused_at_start(text: str) -> None:
    with pytest.raises(InvalidInputError, match="A limit is written like 5/hour"):
        read_limit(text)


def test_a_limit_reads_as_it_was_written() -> None:
    assert str(read_limit("20/day")) == "20/day"


def test_an_error_with_a_code_of_its_own_does_not_leave(shop: Shop) -> None:
    with pytest.raises(UnavailableError) as raised:
        shop.run("be_rogue")

    assert "secret" not in str(raised.value)


def test_a_declaration_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must be confirmed"):
        tool(examples=[], label="x", effect="irreversible", confirm="none")
    with pytest.raises(InvalidInputError, match="needs no confirmation"):
        tool(examples=[], label="x", confirm="self")
    with pytest.raises(InvalidInputError, match="no error code nope"):
        tool(examples=[], label="x", errors=("nope",))
