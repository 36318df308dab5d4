"""Planners change what things are made of: shown first, from a day on, and taken back."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.boms import activate_due_boms, read_boms, read_routings
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.records import History
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError
from opsbot.planning.boms import Part
from opsbot.staff import Staff
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import DAY, NOON, make_item
from tests.workshop_fixtures import CLAY, GLAZE, MUG, fill_workshop

PLANNER = Caller(Audience.STAFF, "console", staff_id=7, roles=frozenset({"planner"}))
PACKER = Caller(Audience.STAFF, "console", staff_id=8, roles=frozenset({"ops"}))
PAD = "MT-PAD"

Propose = Callable[..., Preview]


@pytest.fixture
def workshop(database: Database) -> Database:
    """The workshop of `fill_workshop`, with a felt pad that nothing is made of yet."""
    part = {"category": "materials", "sellable": False, "component": True, "manufactured": False}
    with database.write() as session:
        fill_workshop(session)
        session.add(make_item(PAD, "Felt pad", cost_minor=5, **part))
        session.add_all(
            Staff(id=one, email=f"{one}@shop.example", name="Somebody", password_hash="x", roles=[])  # noqa: S106
            for one in (7, 8)
        )
    return database


@pytest.fixture
def propose(workshop: Database, executor: Executor) -> Propose:
    """Ask for a change as the planner."""

    def run(now: Any = NOON, **arguments: Any) -> Preview:
        arguments = {"product": MUG, **arguments}
        preview = executor.run(PLANNER, "change_bom", arguments, now=now)
        assert isinstance(preview, Preview)
        return preview

    return run


def parts(database: Database) -> dict[str, Decimal]:
    with database.read() as session:
        return {part.sku: part.quantity for part in read_boms(session)[MUG]}


def test_a_new_part_counts_at_once_with_the_same_steps_and_can_be_taken_back(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    with workshop.read() as session:
        steps = read_routings(session)[MUG]
    preview = propose(step="add", component="felt pad", quantity=3)
    told = "\n".join(preview.details)

    assert "Felt pad for one: none, becomes 3." in told
    assert "Counts at once." in told
    # clay 400 g at 1.50 a kilogram, glaze 10 g at 10.00: 70; work 2 min at 36.00 and 18.00: 180
    assert "€2.50 to make now, then €2.65" in told
    assert parts(workshop) == {CLAY: 400, GLAZE: 10}

    done = executor.confirm(PLANNER, preview.id, now=NOON)

    assert done.preview.state is ProposalState.EXECUTED
    assert parts(workshop) == {CLAY: 400, GLAZE: 10, PAD: 3}
    with workshop.read() as session:
        assert read_routings(session)[MUG] == steps
    back = executor.undo(PLANNER, preview.id, now=NOON)
    executor.confirm(PLANNER, back.id, now=NOON)
    assert parts(workshop) == {CLAY: 400, GLAZE: 10}


def test_a_planned_change_waits_for_its_day(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    for arguments in (
        {"step": "change", "component": "glaze", "quantity": 12, "scrap_percent": 5},
        {"step": "add", "component": "felt pad", "quantity": 1},
    ):
        preview = propose(**arguments, effective="1 December")
        executor.confirm(PLANNER, preview.id, now=NOON)

    assert parts(workshop) == {CLAY: 400, GLAZE: 10}
    with pytest.raises(ConflictError, match="planned for"):
        propose(step="remove", component="glaze")
    with workshop.write() as session:
        assert activate_due_boms(session, now=NOON + 9 * DAY) == 0
        assert activate_due_boms(session, now=NOON + 11 * DAY) == 1
        assert activate_due_boms(session, now=NOON + 11 * DAY) == 0
        assert read_boms(session)[MUG][1] == Part(GLAZE, Decimal(12), Decimal("0.05"))
    assert parts(workshop) == {CLAY: 400, GLAZE: 12, PAD: 1}


def test_a_planned_change_can_be_dropped(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    preview = propose(step="remove", component="glaze", effective="1 December")
    executor.confirm(PLANNER, preview.id, now=NOON)
    back = executor.undo(PLANNER, preview.id, now=NOON)
    assert "Drop the planned change" in back.title
    executor.confirm(PLANNER, back.id, now=NOON)

    with workshop.write() as session:
        assert activate_due_boms(session, now=NOON + 30 * DAY) == 0
    with pytest.raises(ConflictError, match="No change"):
        propose(step="drop")


def test_what_became_impossible_meanwhile_is_given_up_with_its_reason(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    preview = propose(step="add", component="felt pad", quantity=1, effective="1 December")
    executor.confirm(PLANNER, preview.id, now=NOON)
    with workshop.write() as session:
        session.get_one(Item, PAD).status = ItemStatus.DISCONTINUED
        assert activate_due_boms(session, now=NOON + 11 * DAY) == 0

    assert parts(workshop) == {CLAY: 400, GLAZE: 10}
    with workshop.read() as session:
        told = session.scalars(sa.select(History).where(History.event == "bom_not_activated"))
        assert "discontinued" in str(told.one().detail)


def test_of_two_changes_that_were_shown_the_second_is_shown_again(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    first = propose(step="add", component="felt pad", quantity=1)
    second = propose(step="change", component="clay", quantity=410)
    executor.confirm(PLANNER, first.id, now=NOON)
    done = executor.confirm(PLANNER, second.id, now=NOON + timedelta(minutes=1))

    assert done.preview.state is not ProposalState.EXECUTED
    assert parts(workshop) == {CLAY: 400, GLAZE: 10, PAD: 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"step": "add", "component": "glaze", "quantity": 1}, "among the parts already"),
        ({"step": "add", "component": "felt pad"}, "more than 0"),
        ({"step": "change", "component": "felt pad", "quantity": 2}, "not among the parts"),
        ({"step": "change", "component": "glaze", "quantity": 10}, "like that already"),
        ({"step": "remove", "component": "felt pad"}, "not among the parts"),
        ({"step": "remove"}, "name the part"),
        ({"product": CLAY, "step": "remove", "component": "glaze"}, "no bill of materials"),
        ({"step": "remove", "component": "glaze", "effective": "2020-01-01"}, "has passed"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    propose: Propose, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises((ConflictError, InvalidInputError), match=words):
        propose(**arguments)


def test_a_product_cannot_contain_itself(workshop: Database, propose: Propose) -> None:
    with pytest.raises(InvalidInputError, match="itself"):
        propose(step="add", component=MUG, quantity=1)
    assert parts(workshop) == {CLAY: 400, GLAZE: 10}


def test_only_planners_change_parts_lists(workshop: Database, executor: Executor) -> None:
    with pytest.raises(NotAllowedError):
        executor.run(
            PACKER, "change_bom", {"product": MUG, "step": "remove", "component": GLAZE}, now=NOON
        )
