"""Staff change stock, make, buy and judge: shown first, done once, and the ledger adds up."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.effects import Effect
from opsbot.commerce.inventory import StockLevel, StockMove
from opsbot.commerce.lots import Lot
from opsbot.commerce.products import Item
from opsbot.commerce.reservations import Reservation, ReservationState, reserve
from opsbot.commerce.stock_policies import PolicySource, StockPolicy, compute_levels
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError
from opsbot.planning.safety import OrderPoint
from opsbot.staff import Staff
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Confirmation, Preview, ProposalState
from tests.factories import NOON, make_line, make_order
from tests.workshop_fixtures import BERLIN, CLAY, GLAZE, MUG, QUARANTINE, STORE, fill_workshop

Propose = Callable[..., Preview]
Do = Callable[..., Confirmation]

PLANNER = Caller(
    Audience.STAFF, "console", staff_id=7, roles=frozenset({"ops", "planner", "quality"})
)
LEAD = Caller(Audience.STAFF, "console", staff_id=8, roles=frozenset({"lead", "manager"}))


@pytest.fixture
def workshop(database: Database) -> Database:
    """The workshop of `fill_workshop`, and the two who work in it."""
    with database.write() as session:
        fill_workshop(session)
        session.add_all(
            Staff(
                id=one.staff_id,
                email=f"{one.staff_id}@shop.example",
                name="Somebody",
                password_hash="none",  # noqa: S106  (nobody signs in)
                roles=sorted(one.roles),
            )
            for one in (PLANNER, LEAD)
        )
    return database


@pytest.fixture
def propose(workshop: Database, executor: Executor) -> Propose:
    """Ask for a change and look at its preview."""

    def run(name: str, **arguments: Any) -> Preview:
        preview = executor.run(PLANNER, name, arguments, now=NOON)
        assert isinstance(preview, Preview)
        return preview

    return run


@pytest.fixture
def do(propose: Propose, executor: Executor) -> Do:
    """Ask for a change and confirm it."""

    def run(name: str, **arguments: Any) -> Confirmation:
        return executor.confirm(PLANNER, propose(name, **arguments).id, now=NOON)

    return run


def _level(database: Database, sku: str, place: int) -> tuple[int, int]:
    with database.read() as session:
        level = session.get(StockLevel, (sku, place))
        return (level.on_hand, level.reserved) if level else (0, 0)


def _said(done: Confirmation) -> str:
    assert done.result is not None, (done.preview.state, done.preview.say)
    return done.result.say


def test_a_correction_shows_the_books_before_and_after_and_can_be_taken_back(
    workshop: Database, propose: Propose, do: Do, executor: Executor
) -> None:
    preview = propose("adjust_stock", item="moss mug", quantity=3, reason="damaged")
    assert "On hand there: 20 → 17." in preview.details
    assert "Worth €24.00 at cost." in preview.details

    done = executor.confirm(PLANNER, preview.id, now=NOON)

    assert "17 on hand now (ADJ-00001)" in _said(done)
    assert _level(workshop, MUG, BERLIN) == (17, 0)
    do("adjust_stock", item=MUG, quantity=3, reason="too_few_booked")
    assert _level(workshop, MUG, BERLIN) == (20, 0)


def test_a_correction_confirmed_twice_is_booked_once(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    preview = propose("adjust_stock", item=MUG, quantity=3, reason="lost")

    for _ in range(2):
        executor.confirm(PLANNER, preview.id, now=NOON)

    assert _level(workshop, MUG, BERLIN) == (17, 0)


def test_a_correction_of_facts_that_changed_is_not_booked(
    workshop: Database, propose: Propose, do: Do, executor: Executor
) -> None:
    preview = propose("adjust_stock", item=MUG, quantity=3, reason="lost")
    do("adjust_stock", item=MUG, quantity=1, reason="damaged")

    done = executor.confirm(PLANNER, preview.id, now=NOON)

    assert done.result is None
    assert done.renewed is not None
    assert "On hand there: 19 → 16." in done.renewed.details
    assert _level(workshop, MUG, BERLIN) == (19, 0)


def test_a_large_correction_waits_for_somebody_else(
    workshop: Database, propose: Propose, executor: Executor
) -> None:
    preview = propose("count_stock", item=MUG, quantity=60)

    waiting = executor.confirm(PLANNER, preview.id, now=NOON)
    assert waiting.preview.state is ProposalState.WAITING
    assert _level(workshop, MUG, BERLIN) == (20, 0)

    done = executor.approve(LEAD, preview.id, now=NOON)
    assert "60 on hand now" in _said(done)
    assert _level(workshop, MUG, BERLIN) == (60, 0)


def test_more_than_is_free_cannot_leave(workshop: Database, propose: Propose) -> None:
    with pytest.raises(ConflictError, match="At Berlin there are 20 of Kiln mug, moss"):
        propose("adjust_stock", item=MUG, quantity=21, reason="damaged")
    with pytest.raises(ConflictError, match="there are 0"):
        propose("transfer_stock", item=MUG, quantity=1, to_place="Berlin", from_place="store")


def test_a_transfer_is_two_moves_of_one_lot_that_sum_to_zero(workshop: Database, do: Do) -> None:
    do("transfer_stock", item="moss mugs", quantity=8, to_place="the Berlin store")

    assert (_level(workshop, MUG, BERLIN)[0], _level(workshop, MUG, STORE)[0]) == (12, 8)
    with workshop.read() as session:
        moves = session.execute(
            sa.select(StockMove.quantity, StockMove.lot_id)
            .where(StockMove.reference == "ADJ-00001")
            .order_by(StockMove.id)
        ).all()
    assert moves == [(-8, 1), (8, 1)]


def test_what_a_person_set_is_flagged_and_not_overwritten(workshop: Database, do: Do) -> None:
    do("set_stock_policy", item=MUG, reorder_point=12, order_up_to=30, safety_stock=4)
    computed = OrderPoint(safety_stock=9, reorder_point=20, order_up_to=50)

    with workshop.write() as session:
        compute_levels(session, MUG, computed, service_level_pct=95, actor="system", now=NOON)

    with workshop.read() as session:
        policy = session.get_one(StockPolicy, MUG)
        assert policy.levels == OrderPoint(4, 12, 30)
        assert policy.source is PolicySource.MANUAL
        assert policy.suggested == {"safety_stock": 9, "reorder_point": 20, "order_up_to": 50}


def test_a_work_order_holds_its_parts_uses_them_and_makes_a_lot(workshop: Database, do: Do) -> None:
    assert "**WO-00001** is planned: 10 x Kiln mug, moss." in _said(
        do("create_work_order", item="moss mug", quantity=10)
    )
    do("release_work_order", work_order="WO-00001")
    assert _level(workshop, CLAY, BERLIN) == (10_000, 4000)
    assert _level(workshop, GLAZE, BERLIN) == (500, 100)

    do("report_production", work_order="1", good=7, scrap=1, reason="glaze run")
    assert "7 x Kiln mug, moss as LOT-00002" in _said(do("complete_work_order", work_order="1"))

    assert _level(workshop, CLAY, BERLIN) == (10_000 - 8 * 400, 0)
    assert _level(workshop, GLAZE, BERLIN) == (500 - 8 * 10, 0)
    assert _level(workshop, MUG, BERLIN) == (27, 0)


def test_a_work_order_without_parts_does_not_begin(
    workshop: Database, do: Do, propose: Propose
) -> None:
    said = _said(do("create_work_order", item=MUG, quantity=60))
    assert "Parts are missing for it: 14000 of MT-CLY, 100 of MT-GLZ." in said

    with pytest.raises(ConflictError, match="14000 of MT-CLY"):
        propose("release_work_order", work_order="WO-00001")
    assert _level(workshop, CLAY, BERLIN) == (10_000, 0)


def test_a_cancelled_work_order_gives_its_parts_back(workshop: Database, do: Do) -> None:
    do("create_work_order", item=MUG, quantity=10)
    do("release_work_order", work_order="WO-00001")

    do("change_work_order", work_order="WO-00001", action="cancel")

    assert _level(workshop, CLAY, BERLIN) == (10_000, 0)
    with workshop.read() as session:
        states = set(session.scalars(sa.select(Reservation.state)))
    assert states == {ReservationState.RELEASED}


def test_no_more_is_made_than_was_planned(workshop: Database, do: Do) -> None:
    do("create_work_order", item=MUG, quantity=10)
    do("release_work_order", work_order="WO-00001")

    with pytest.raises(ConflictError, match="at most 10 may be made"):
        do("report_production", work_order="WO-00001", good=12)


def test_an_order_goes_out_once_and_comes_in_with_rejects_in_quarantine(
    workshop: Database, do: Do
) -> None:
    said = _said(do("draft_purchase_order", item="glaze powder", quantity=4200))
    # whole packs of 1,000, and 5,000 cost 8.00 EUR a thousand
    assert said == "**PO-00001** to Kiln & Co is drafted, €40.00. It waits for approval."

    do("approve_purchase_order", purchase_order="PO-00001")
    with workshop.read() as session:
        (effect,) = session.scalars(sa.select(Effect)).all()
    assert (effect.port, effect.operation) == ("suppliers", "send_order")
    assert effect.payload["lines"] == [
        {"sku": GLAZE, "title": "Glaze powder", "quantity": 5000, "price_minor": 800,
         "price_per": 1000}
    ]  # fmt: skip

    do("receive_purchase_order", purchase_order="PO-00001", received=3000, rejected=200)
    assert _level(workshop, GLAZE, BERLIN) == (500 + 2800, 0)
    assert _level(workshop, GLAZE, QUARANTINE) == (200, 0)
    assert "is received" in _said(do("receive_purchase_order", purchase_order="PO-00001"))
    with workshop.read() as session:
        states = session.scalars(sa.select(Lot.state).where(Lot.sku == GLAZE).order_by(Lot.id))
        found = [state.value for state in states]
    assert found == ["released", "quarantine", "released"]


def test_an_order_above_the_limit_needs_a_manager_who_did_not_write_it(
    workshop: Database, do: Do, propose: Propose, executor: Executor
) -> None:
    do("draft_purchase_order", item="glaze powder", quantity=700_000)
    preview = propose("approve_purchase_order", purchase_order="PO-00001")

    assert executor.confirm(PLANNER, preview.id, now=NOON).preview.state is ProposalState.WAITING
    with pytest.raises(NotAllowedError):
        executor.approve(PLANNER, preview.id, now=NOON)
    assert "goes to Kiln & Co" in _said(executor.approve(LEAD, preview.id, now=NOON))


def test_a_purchase_order_on_hold_is_not_sent(workshop: Database, do: Do) -> None:
    do("draft_purchase_order", item="glaze powder", quantity=2000)
    do("change_purchase_order", purchase_order="PO-00001", action="hold")

    with pytest.raises(ConflictError, match=r"PO-00001 is on hold\."):
        do("approve_purchase_order", purchase_order="PO-00001")


def test_a_rejected_lot_goes_to_quarantine_and_comes_back_only_with_a_second_person(
    workshop: Database, do: Do, propose: Propose, executor: Executor
) -> None:
    # a lot of 20: sample 5 at AQL 2.5, no defect is accepted
    said = _said(do("record_inspection", lot="LOT-00001", major=1, defect="glaze run"))
    assert "**LOT-00001** is rejected" in said
    assert (_level(workshop, MUG, BERLIN)[0], _level(workshop, MUG, QUARANTINE)[0]) == (0, 20)

    preview = propose("release_lot", lot="LOT-00001", reason="use as it is")
    assert executor.confirm(PLANNER, preview.id, now=NOON).preview.state is ProposalState.WAITING
    assert "20 are at Berlin" in _said(executor.approve(LEAD, preview.id, now=NOON))
    assert _level(workshop, MUG, BERLIN) == (20, 0)


def test_an_accepted_lot_stays_where_it_is(workshop: Database, do: Do) -> None:
    assert "is accepted" in _said(do("record_inspection", lot="1"))
    assert _level(workshop, MUG, BERLIN) == (20, 0)


def test_more_defects_than_pieces_looked_at_are_refused(
    workshop: Database, propose: Propose
) -> None:
    with pytest.raises(InvalidInputError, match="sample is 5"):
        propose("record_inspection", lot="LOT-00001", minor=6)


def test_blocking_a_lot_takes_it_from_orders_too_and_says_whose(workshop: Database, do: Do) -> None:
    with workshop.write() as session:
        order = make_order(lines=[make_line(session.get_one(Item, MUG), 6)])
        session.add(order)
        session.flush()
        reserve(session, MUG, 6, order_line_id=order.lines[0].id, at=NOON)
    assert _level(workshop, MUG, BERLIN) == (20, 6)

    said = _said(do("block_lot", lot="LOT-00001", action="blocked", reason="bad glue"))

    assert said == "**LOT-00001** is blocked; 20 are in quarantine. These wait again: #1001."
    assert _level(workshop, MUG, BERLIN) == (0, 0)
    assert _level(workshop, MUG, QUARANTINE) == (20, 0)
