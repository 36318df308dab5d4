"""Changes that can be taken back: by a change of their own, proposed and confirmed, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.conversation.outcomes import event_of
from opsbot.db import Database
from opsbot.errors import ConflictError, NotAllowedError, NotFoundError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import NOON
from tests.integration.toolkit.ledger_shop import MUG, TOOLS, People, add_people, stock_of
from tests.shop_fixtures import NO_KNOWLEDGE, Shop, fill_shop, open_shop


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, with a change that can be undone."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    executor = Executor(database, settings, TOOLS, NO_KNOWLEDGE, policies, runs_per_minute=1000)
    return replace(opened, executor=executor)


@pytest.fixture
def people(shop: Shop) -> People:
    """Who works there."""
    return add_people(shop)


@pytest.fixture
def done(shop: Shop, people: People) -> Preview:
    """Otto has put three mugs on the shelf."""
    preview = shop.propose("change_stock", people.otto, sku=MUG, units=3)
    return shop.executor.confirm(people.otto, preview.id, now=NOON).preview


def test_undo_is_a_proposal_and_does_nothing_by_itself(
    shop: Shop, people: People, done: Preview
) -> None:
    preview = shop.executor.undo(people.otto, done.id, now=NOON)

    assert done.can_undo
    assert (preview.state, preview.details) == (ProposalState.PROPOSED, ("-3",))
    assert stock_of(shop) == 23
    shop.executor.confirm(people.otto, preview.id, now=NOON)
    assert stock_of(shop) == 20


def test_a_way_back_names_what_it_undoes(shop: Shop, people: People, done: Preview) -> None:
    preview = shop.executor.undo(people.otto, done.id, now=NOON)

    told = event_of(shop.executor.confirm(people.otto, preview.id, now=NOON))

    assert (told["state"], told["can_undo"], told["undone"]) == ("executed", True, done.id)
    again = event_of(shop.executor.confirm(people.otto, done.id, now=NOON))
    assert (again["can_undo"], again["undone"]) == (False, None), "it was taken back"


def test_a_change_is_undone_once(shop: Shop, people: People, done: Preview) -> None:
    previews = [
        shop.executor.undo(people.otto, done.id, now=NOON, conversation_id=f"talk {n}")
        for n in range(2)
    ]

    first = shop.executor.confirm(people.otto, previews[0].id, now=NOON)
    second = shop.executor.confirm(people.otto, previews[1].id, now=NOON)
    renewed = second.renewed
    assert renewed is not None
    third = shop.executor.confirm(people.otto, renewed.id, now=NOON)

    assert first.preview.state is ProposalState.EXECUTED
    assert third.preview.state is ProposalState.FAILED
    assert third.preview.say == "That was taken back already."
    assert stock_of(shop) == 20
    with pytest.raises(ConflictError, match="taken back already"):
        shop.executor.undo(people.otto, done.id, now=NOON)


def test_an_undo_can_be_undone(shop: Shop, people: People, done: Preview) -> None:
    back = shop.executor.undo(people.otto, done.id, now=NOON)
    shop.executor.confirm(people.otto, back.id, now=NOON)

    forth = shop.executor.undo(people.otto, back.id, now=NOON)
    shop.executor.confirm(people.otto, forth.id, now=NOON)

    assert stock_of(shop) == 23


def test_only_who_may_use_the_tool_undoes_with_it(
    shop: Shop, people: People, done: Preview
) -> None:
    with pytest.raises(NotAllowedError):
        shop.executor.undo(people.mara, done.id, now=NOON)
    with pytest.raises(NotFoundError):
        shop.executor.undo(shop.ada, done.id, now=NOON)


def test_what_was_not_done_or_has_no_way_back_is_not_undone(shop: Shop, people: People) -> None:
    open_one = shop.propose("change_stock", people.otto, sku=MUG, units=3)
    paid = shop.propose("give_back", people.mara, order_number="#1001", cents=100)
    final = shop.executor.confirm(people.mara, paid.id, now=NOON).preview

    with pytest.raises(ConflictError, match="was not done"):
        shop.executor.undo(people.otto, open_one.id, now=NOON)
    with pytest.raises(ConflictError, match="cannot be taken back"):
        shop.executor.undo(people.mara, final.id, now=NOON)
    assert not final.can_undo


def test_staff_see_what_they_may_take_back(shop: Shop, people: People, done: Preview) -> None:
    other = shop.propose("give_back", people.mara, order_number="#1001", cents=100)
    shop.executor.confirm(people.mara, other.id, now=NOON)

    def seen_by(caller: Caller, *, since: datetime = NOON, limit: int = 9) -> list[str]:
        found = shop.executor.undoable(caller, since=since, limit=limit)
        return [one.preview.id for one in found]

    [row] = shop.executor.undoable(people.otto, since=NOON, limit=9)
    assert (row.preview.id, row.done_by, row.done_at) == (done.id, "Otto", NOON)
    assert seen_by(people.mara) == [], "the tool is not for her"
    assert seen_by(shop.ada) == []
    assert seen_by(people.otto, since=NOON + timedelta(seconds=1)) == []

    preview = shop.executor.undo(people.otto, done.id, now=NOON, apart=True)
    assert [one.id for one in shop.executor.open_proposals(people.otto, now=NOON)] == [preview.id]
    shop.executor.confirm(people.otto, preview.id, now=NOON)
    assert seen_by(people.otto) == [preview.id], "what took it back can be taken back in turn"
