"""How long suppliers took lately, and what late goods hold up, counted by hand."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.work_orders import create_work_order
from opsbot.db import Database
from opsbot.metrics.blocked import Blocked, blocked_by
from opsbot.metrics.lead_times import (
    SupplierPace,
    lead_days,
    pace_caveats,
    supplier_paces,
    usual_lateness,
)
from opsbot.metrics.promises import possible
from tests.factories import DAY, NOON, make_line, make_order
from tests.workshop_fixtures import GLAZE, MUG, fill_workshop

ZONE = "Europe/Berlin"


@pytest.fixture
def workshop(database: Database) -> Database:
    """The workshop of `fill_workshop`."""
    with database.write() as session:
        fill_workshop(session)
    return database


def buy(
    database: Database, took: list[int], *, promised: int = 14, name: str = "Kiln & Co"
) -> None:
    """Add received orders of glaze, promised after 14 days, that took so many days."""
    with database.write() as session:
        supplier = session.scalars(select(Supplier).where(Supplier.name == name)).one()
        for number, days in enumerate(took):
            ordered = NOON - (2000 - 60 * number) * DAY
            session.add(
                PurchaseOrder(
                    number=f"PO-9{number:04}",
                    supplier_id=supplier.id,
                    state=PurchaseOrderState.RECEIVED,
                    currency="EUR",
                    ordered_at=ordered,
                    promised_at=ordered + promised * DAY,
                    received_at=ordered + days * DAY,
                    lines=[
                        PurchaseOrderLine(
                            sku=GLAZE, ordered=1000, received=1000, unit_price_minor=900
                        )
                    ],
                )
            )


def owe(database: Database, sku: str, *, due: timedelta, units: int = 5000) -> None:
    """Add a confirmed order that has not come."""
    with database.write() as session:
        supplier = session.scalars(select(Supplier)).one()
        session.add(
            PurchaseOrder(
                number="PO-00001",
                supplier_id=supplier.id,
                state=PurchaseOrderState.ACKNOWLEDGED,
                currency="EUR",
                ordered_at=NOON - 30 * DAY,
                promised_at=NOON + due,
                lines=[PurchaseOrderLine(sku=sku, ordered=units, received=0, unit_price_minor=9)],
            )
        )


def test_nine_of_ten_receipts_took_no_longer(workshop: Database) -> None:
    # Of 10, 12, 14, 16, 18, 20 days the 90th percentile is 19. None late: 16, 18, 20 are too few.
    buy(workshop, [10, 12, 14, 16, 18, 20])

    with workshop.read() as session:
        paces = supplier_paces(session, zone=ZONE)
    assert paces == {"Kiln & Co": SupplierPace(receipts=6, lead_days=19, late_days=None)}
    assert lead_days(paces, "Kiln & Co", 14) == 19
    assert usual_lateness(paces, "Kiln & Co") == 7
    assert pace_caveats(paces, {"Kiln & Co"}) == []


def test_only_the_last_twenty_receipts_count_and_lateness_is_that_of_the_late(
    workshop: Database,
) -> None:
    # The first five took 60 days and are forgotten; then fifteen in time and five late by 1 to 5.
    buy(workshop, [60] * 5 + [10] * 15 + [15, 16, 17, 18, 19])

    with workshop.read() as session:
        pace = supplier_paces(session, zone=ZONE)["Kiln & Co"]
    # lead: place 0.9 x 19 = 17.1 of the twenty: between 17 and 18; late: 0.9 x 4 = 3.6: 4.6
    assert (pace.receipts, pace.lead_days, pace.late_days) == (20, 18, 5)


def test_too_few_receipts_leave_what_is_quoted_and_say_so(workshop: Database) -> None:
    buy(workshop, [40, 40])

    with workshop.read() as session:
        paces = supplier_paces(session, zone=ZONE)
    assert lead_days(paces, "Kiln & Co", 14) == 14
    [caveat] = pace_caveats(paces, {"Kiln & Co", "Nobody"})
    assert caveat.startswith("Fewer than 5 receipts of Kiln & Co (2), Nobody (0)")


@pytest.mark.parametrize(("took", "days"), [([], 7), ([15, 16, 17, 18, 19], 5)])
def test_an_overdue_order_counts_by_its_supplier_s_lateness(
    workshop: Database, took: list[int], days: int
) -> None:
    buy(workshop, took)
    owe(workshop, GLAZE, due=-3 * DAY)

    with workshop.read() as session:
        answer = possible(
            session, session.get_one(Item, GLAZE), 3000, needed_on=None, now=NOON, zone=ZONE
        )
    assert answer.from_stock_on == (NOON + days * DAY).date()
    assert bool(answer.caveats) is not bool(took)


def test_parts_take_as_long_as_they_did_lately(workshop: Database) -> None:
    days = []
    for took in ([], [30] * 5):
        buy(workshop, took)
        with workshop.read() as session:
            mug = session.get_one(Item, MUG)
            answer = possible(session, mug, 120, needed_on=None, now=NOON, zone=ZONE)
        assert answer.making is not None
        days.append(answer.making.on)

    # 100 mugs lack 500 g of glaze: quoted in 14 days, clay is quoted in 20; both from Kiln & Co.
    assert days[1] - days[0] >= timedelta(days=10)


def test_late_goods_hold_up_work_and_the_orders_that_wait_for_it(workshop: Database) -> None:
    owe(workshop, GLAZE, due=-3 * DAY)
    with workshop.write() as session:
        mug = session.get_one(Item, MUG)
        create_work_order(session, mug, 100, due_at=NOON + 9 * DAY, actor="test", now=NOON)
        session.add(make_order(number="#1001", lines=[make_line(mug, 30)]))

    with workshop.read() as session:
        found = blocked_by(session, {GLAZE, MUG})
    # 100 mugs take 1,000 g of glaze, 500 g are there; 40 kg of clay, 10 kg are there
    assert found[GLAZE] == Blocked(("WO-00001",), ("#1001",))
    assert found[MUG] == Blocked((), ("#1001",))
