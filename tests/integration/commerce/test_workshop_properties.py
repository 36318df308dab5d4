"""Whatever staff do in the workshop, in any order, the ledger adds up."""

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.lot_changes import block_lot, release_lot
from opsbot.commerce.lots import Lot, LotState
from opsbot.commerce.products import Item
from opsbot.commerce.purchase_orders import (
    Received,
    approve_purchase_order,
    draft_purchase_order,
    find_purchase_order,
    price_line,
    receive_purchase_order,
    source_of,
)
from opsbot.commerce.work_orders import (
    cancel_work_order,
    complete_work_order,
    create_work_order,
    find_work_order,
    release_work_order,
    report_work,
)
from opsbot.db import Database
from opsbot.errors import OpsbotError
from tests.factories import DAY, NOON
from tests.workshop_fixtures import BERLIN, CLAY, GLAZE, MUG, QUARANTINE, STORE, fill_workshop

pytestmark = pytest.mark.slow

RULES = {
    "levels are the sums of the moves": """
        SELECT l.sku FROM stock_levels l LEFT JOIN stock_moves m
            ON m.sku = l.sku AND m.location_id = l.location_id
        GROUP BY l.sku, l.location_id, l.on_hand
        HAVING l.on_hand <> COALESCE(SUM(m.quantity), 0)""",
    "what is reserved is the sum of the active reservations": """
        SELECT l.sku FROM stock_levels l LEFT JOIN reservations r
            ON r.sku = l.sku AND r.location_id = l.location_id AND r.state = 'active'
        GROUP BY l.sku, l.location_id, l.reserved
        HAVING l.reserved <> COALESCE(SUM(r.quantity), 0)""",
    "nothing reserves more than there is": "SELECT sku FROM stock_levels WHERE reserved > on_hand",
    "transfers sum to zero": """
        SELECT reference FROM stock_moves WHERE reason = 'transfer'
        GROUP BY reference, sku, lot_id HAVING SUM(quantity) <> 0""",
    "no place has less than nothing of a lot": """
        SELECT lot_id FROM stock_moves WHERE lot_id IS NOT NULL
        GROUP BY lot_id, location_id HAVING SUM(quantity) < 0""",
    "a lot that is not released lies where nothing is used from": """
        SELECT t.number FROM lots t JOIN stock_moves m ON m.lot_id = t.id
            JOIN locations p ON p.id = m.location_id AND p.sellable
        WHERE t.state <> 'released' GROUP BY t.number HAVING SUM(m.quantity) <> 0""",
    "receipts add up to what came": """
        SELECT l.id FROM purchase_order_lines l
            LEFT JOIN receipts r ON r.purchase_order_line_id = l.id
        GROUP BY l.id, l.received, l.rejected
        HAVING l.received <> COALESCE(SUM(r.received), 0)
            OR l.rejected <> COALESCE(SUM(r.rejected), 0)""",
}
WHO: dict[str, Any] = {"actor": "test", "now": NOON}
STEP = st.tuples(
    st.sampled_from(
        ["adjust", "transfer", "make", "release", "report", "complete", "cancel", "buy",
         "receive", "block", "unblock"]
    ),
    st.integers(1, 12),
    st.integers(0, 3),
)  # fmt: skip
STEPS = st.lists(STEP, min_size=3, max_size=18)
LONG = st.lists(STEP, min_size=20, max_size=60)


@pytest.fixture
def filled(database: Database) -> Database:
    """The workshop. Its rows keep their ids: what an example does is rolled back."""
    with database.write() as session:
        fill_workshop(session)
    return database


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_the_ledger_adds_up_after_any_steps(
    filled: Database, steps: list[tuple[str, int, int]]
) -> None:
    _follow(filled, steps)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=LONG)
def test_the_ledger_adds_up_after_many_steps(
    filled: Database, steps: list[tuple[str, int, int]]
) -> None:
    _follow(filled, steps)


def _follow(filled: Database, steps: list[tuple[str, int, int]]) -> None:
    """Take the steps in a transaction that is rolled back; look at every rule after each."""
    options = filled.engine.execution_options(write=True, durable=False)
    with options.connect() as connection, Session(connection) as session:
        for step in steps:
            try:
                with session.begin_nested():
                    _do(session, *step)
            except OpsbotError:
                session.expire_all()  # refused: then nothing may have changed
            session.flush()
            broken = [rule for rule, sql in RULES.items() if session.execute(sa.text(sql)).all()]
            assert broken == [], step


def _do(session: Session, what: str, units: int, which: int) -> None:
    if what == "adjust":
        sku = (MUG, CLAY, GLAZE, MUG)[which]
        reason = MoveReason.ADJUST
        change = units if which == 3 else -units
        inventory.move(
            session, sku, BERLIN, change, reason=reason, reference="ADJ", actor="test", at=NOON
        )
    elif what == "transfer":
        ways = ((BERLIN, STORE), (STORE, BERLIN), (BERLIN, STORE), (STORE, BERLIN))
        start, end = ways[which]
        inventory.transfer(
            session, MUG, units, from_id=start, to_id=end, reference=f"T{units}", actor="test",
            at=NOON,
        )  # fmt: skip
    elif what in {"block", "unblock"}:
        _judge(session, what, which)
    elif what in {"buy", "receive"}:
        _buy(session, what, units, which)
    else:
        _make(session, what, units, which)


def _judge(session: Session, what: str, which: int) -> None:
    lots = session.scalars(sa.select(Lot).order_by(Lot.id)).all()
    lot = lots[which % len(lots)]
    if what == "block":
        to = LotState.RECALLED if which == 3 else LotState.BLOCKED
        block_lot(session, lot, to, reason="test", **WHO)
    else:
        release_lot(session, lot, location_id=BERLIN, reason="test", **WHO)


def _buy(session: Session, what: str, units: int, which: int) -> None:
    if what == "buy":
        source = source_of(session, (GLAZE, CLAY)[which % 2])
        assert source is not None
        line = price_line(source, 1000 * units)
        order = draft_purchase_order(session, source.supplier, [line], **WHO)
        approve_purchase_order(session, order, **WHO)
        return
    order = find_purchase_order(session, str(which + 1))
    came = [Received(order.lines[0], 500 * units, 100 * which)]
    receive_purchase_order(
        session, order, came, location_id=BERLIN, quarantine_id=QUARANTINE, **WHO
    )


def _make(session: Session, what: str, units: int, which: int) -> None:
    if what == "make":
        item = session.get_one(Item, MUG)
        create_work_order(session, item, units, due_at=NOON + DAY, **WHO)
        return
    order = find_work_order(session, str(which + 1))
    if what == "release":
        release_work_order(session, order, **WHO)
    elif what == "report":
        report_work(session, order, good=units, scrap=which, **WHO)
    elif what == "complete":
        complete_work_order(session, order, location_id=BERLIN, **WHO)
    else:
        cancel_work_order(session, order, **WHO)
