"""A change is rehearsed for its preview: what would be refused is not shown, and nothing stays."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from illegal_calls import contents

from opsbot.commerce.effects import request_effect
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import cancel_order as cancel_in_shop
from opsbot.commerce.orders import find_order
from opsbot.commerce.returns import ReturnReason
from opsbot.db import Database
from opsbot.errors import ConflictError, NotFoundError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import ProposalState
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool
from tests.factories import NOON
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop

FILES: list[str] = []
"""What a tool wrote outside of the database."""


@tool(examples=["drop"], label="Dropping", effect="write", level=Level.SIGNED_IN)
def drop(ctx: ToolContext, order_number: str) -> Change:
    """Cancel an order without looking whether it can be; the facts change with the doing."""
    order = find_order(ctx.session, order_number, customer_id=ctx.caller.customer_id)
    facts = {"state": order.state.value}

    def apply() -> Result:
        back = cancel_in_shop(ctx.session, order, reason="x", actor="x", now=ctx.now)
        facts["state"] = order.state.value
        key = f"note:{order.number}"
        request_effect(ctx.session, port="notes", operation="note", payload={}, key=key,
                       now=ctx.now)  # fmt: skip
        return Result(f"{next_number(ctx.session, NumberKind.CASE)}: {back} go back.")

    return Change("Drop it?", [f"It is {order.state.value}."], "Drop it", facts, apply)


@tool(examples=["file"], label="Filing", effect="write", level=Level.SIGNED_IN)
def write_file(ctx: ToolContext, name: str) -> Change:
    """Write outside of the database, which no rollback takes back."""

    def apply() -> Result:
        FILES.append(name)
        return Result("Written.")

    return Change("Write?", [], "Write", {}, apply, can_be_rehearsed=False)


@tool(examples=["note"], label="Noting", effect="write", confirm="none", level=Level.SIGNED_IN)
def note_down(ctx: ToolContext, word: str) -> Change:
    """Do something at once."""

    def apply() -> Result:
        FILES.append(word)
        if word == "bad":
            raise ConflictError("That word is not kept.")
        return Result("Noted.")

    return Change("Note?", [], "Note", {}, apply)


TOOLS: Mapping[str, AnyTool] = {"drop": drop, "write_file": write_file, "note_down": note_down}


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, with tools that look at little before they act."""
    FILES.clear()
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    return replace(opened, executor=Executor(database, settings, TOOLS, NO_KNOWLEDGE, policies))


def test_what_the_doing_would_refuse_is_refused_before_it_is_shown(shop: Shop) -> None:
    with pytest.raises(ConflictError, match="#1002 is completed"):
        shop.run("drop", order_number="#1002")
    with pytest.raises(NotFoundError):
        shop.run("drop", order_number="#2001")

    assert shop.executor.open_proposal("talk", now=NOON) is None


def test_a_preview_leaves_nothing_of_what_it_tried(shop: Shop) -> None:
    before = contents(shop.database)

    preview = shop.propose("drop", order_number="#1001")

    assert contents(shop.database) == before
    assert preview.details == ("It is confirmed.",)


def test_what_was_rehearsed_is_done_once_with_the_facts_that_were_shown(shop: Shop) -> None:
    for _ in range(3):
        preview = shop.propose("drop", order_number="#1001")

    done = shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert done.preview.state is ProposalState.EXECUTED
    assert done.result is not None
    assert done.result.say == "CS-00001: 5290 go back.", "no number was used up"


def test_what_no_rollback_takes_back_is_not_rehearsed(shop: Shop) -> None:
    preview = shop.propose("write_file", name="a")
    assert FILES == []

    shop.executor.confirm(shop.ada, preview.id, now=NOON)

    assert FILES == ["a"]


def test_what_is_done_at_once_is_not_rehearsed(shop: Shop) -> None:
    shop.run("note_down", word="good")
    with pytest.raises(ConflictError, match="not kept"):
        shop.run("note_down", word="bad")

    assert FILES == ["good", "bad"]


def test_a_return_is_rehearsed_without_using_its_number_up(
    shop: Shop, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> None:
    real = open_shop(shop.database, settings, tools, policies)
    wanted = {"order_number": "#1002", "items": ["Ember bedside lamp"],
              "reason": ReturnReason.CHANGED_MIND}  # fmt: skip
    real.propose("request_return", **wanted)

    preview = real.propose("request_return", **wanted)
    done = real.executor.confirm(real.ada, preview.id, now=NOON)

    assert done.result is not None
    assert done.result.facts["return_number"] == "RMA-00001"
