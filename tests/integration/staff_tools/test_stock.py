"""Stock and run-outs of a shelf that can be counted by hand."""

from datetime import timedelta
from typing import Any

import pytest

from opsbot.commerce.inventory import LocationKind, MoveReason, StockLevel, StockMove
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.db import Database
from opsbot.errors import NotFoundError
from tests.factories import (
    DAY,
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
)
from tests.integration.staff_tools.conftest import Ask, rows_of


@pytest.fixture
def shelf(database: Database) -> Database:
    """Moss mugs sell 2 a day and last 7 days; ink mugs last long; lamps sold while they were there.

    | item | to sell | in quarantine | sold in 56 days | days out | on its way                    |
    |------|---------|---------------|-----------------|----------|-------------------------------|
    | moss | 20 - 6  | 4             | 112             | 0        | 10 unconfirmed, due in 2 days |
    | ink  | 300     | 0             | 56              | 0        | 30 overdue, 5 due in 3 days   |
    | lamp | 0       | 0             | 28              | 28       | nothing                       |
    """
    mug = make_item("LL-MUG-01", "Kiln mug", sellable=False)
    moss = make_item(variant_of="LL-MUG-01", options={"glaze": "moss"})
    ink = make_item(
        "LL-MUG-01-INK", "Kiln mug, ink", variant_of="LL-MUG-01", options={"glaze": "ink"}
    )
    lamp = make_item("LL-LMP-02", "Ember bedside lamp", category="lamps", lead_time_days=10)
    berlin = make_location()
    quarantine = make_location(
        "QUA", name="Quarantine", kind=LocationKind.QUARANTINE, sellable=False
    )
    ada, web = make_customer(), make_channel()
    orders = [
        make_order(
            ada,
            f"#{6000 + index}",
            lines=[make_line(item, quantity)],
            channel=web,
            delivered_at=NOON - 20 * DAY,
            placed_at=NOON - 25 * DAY,
        )
        for index, (item, quantity) in enumerate([(moss, 112), (ink, 56), (lamp, 28)])
    ]
    with database.write() as session:
        session.add_all([mug, moss, ink, lamp, berlin, quarantine, *orders])
        session.flush()
        session.add_all(_levels(berlin.id, quarantine.id) + _moves(berlin.id))
        supplier = Supplier(name="Kiln & Co", country="PT", currency="EUR", lead_days=20)
        session.add_all(
            [
                _purchase("PO-00001", supplier, moss.sku, 10, 2, PurchaseOrderState.SENT),
                _purchase("PO-00002", supplier, ink.sku, 30, -4, PurchaseOrderState.ACKNOWLEDGED),
                WorkOrder(
                    number="WO-00001",
                    sku=ink.sku,
                    state=WorkOrderState.IN_PROGRESS,
                    planned=8,
                    produced=2,
                    scrapped=1,
                    created_at=NOON,
                    due_at=NOON + 3 * DAY,
                ),
            ]
        )
    return database


def _levels(berlin: int, quarantine: int) -> list[Any]:
    return [
        StockLevel(sku="LL-MUG-01-MOS", location_id=berlin, on_hand=20, reserved=6),
        StockLevel(sku="LL-MUG-01-MOS", location_id=quarantine, on_hand=4),
        StockLevel(sku="LL-MUG-01-INK", location_id=berlin, on_hand=300),
        StockLevel(sku="LL-LMP-02", location_id=berlin, on_hand=0),
        StockPolicy(sku="LL-MUG-01-MOS", reorder_point=30, order_up_to=100, safety_stock=10),
    ]


def _moves(berlin: int) -> list[Any]:
    """The lamp's ledger: 28 until noon 28 days ago, then none. The mugs' moves are long past."""

    def move(sku: str, quantity: int, reason: MoveReason, days: float) -> StockMove:
        return StockMove(
            sku=sku,
            location_id=berlin,
            quantity=quantity,
            reason=reason,
            reference="opening",
            actor="system",
            at=NOON - timedelta(days=days),
        )

    return [
        move("LL-MUG-01-MOS", 20, MoveReason.OPENING, 300),
        move("LL-MUG-01-INK", 300, MoveReason.OPENING, 300),
        move("LL-LMP-02", 28, MoveReason.OPENING, 300),
        move("LL-LMP-02", -28, MoveReason.SALE, 28),
    ]


def _purchase(
    number: str, supplier: Supplier, sku: str, units: int, days: int, state: PurchaseOrderState
) -> PurchaseOrder:
    line = PurchaseOrderLine(sku=sku, ordered=units, unit_price_minor=800)
    return PurchaseOrder(
        number=number,
        supplier=supplier,
        state=state,
        currency="EUR",
        ordered_at=NOON - 20 * DAY,
        promised_at=NOON + days * DAY,
        lines=[line],
    )


@pytest.mark.usefixtures("shelf")
def test_stock_of_a_product_shows_its_variants_by_place_and_what_is_coming(ask: Ask) -> None:
    result = ask("stock_of", item="the Kiln mug")

    assert result.say.splitlines()[0] == "**314 of Kiln mug can be sold now.**"
    assert "320 on hand, 6 reserved for orders; 4 more are not for sale" in result.say
    assert (
        "45 on their way, next 10 on 22 November 2026 (PO-00001); 30 of them overdue" in result.say
    )
    assert [
        (row["sku"], row["place"], row["available"], row["incoming"], row["note"])
        for row in rows_of(result)
    ] == [
        ("LL-MUG-01-INK", "Berlin", 300, None, ""),
        ("LL-MUG-01-MOS", "Berlin", 14, None, ""),
        ("LL-MUG-01-MOS", "Quarantine", 4, None, "not for sale"),
        ("LL-MUG-01-INK", "PO-00002, Kiln & Co", None, 30, "overdue since 16 November 2026"),
        ("LL-MUG-01-MOS", "PO-00001, Kiln & Co", None, 10, "due 22 November 2026, not confirmed"),
        ("LL-MUG-01-INK", "WO-00001, own workshop", None, 5, "due 23 November 2026"),
    ]


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("words", "available"),
    [("LL-MUG-01-INK", 300), ("moss mug", 14), ("our ceramics", 314), ("lamps", 0)],
)
def test_stock_is_found_by_number_words_and_category(ask: Ask, words: str, available: int) -> None:
    assert ask("stock_of", item=words).facts["available"] == available


@pytest.mark.usefixtures("shelf")
def test_an_item_nobody_sells_is_not_found(ask: Ask) -> None:
    with pytest.raises(NotFoundError, match="trampoline"):
        ask("stock_of", item="trampoline")


@pytest.mark.usefixtures("shelf")
def test_what_runs_out_has_a_date_an_order_date_and_a_quantity(ask: Ask) -> None:
    result = ask("runs_out")

    lamp, moss = rows_of(result)
    # No lamp is left; 28 were sold on the 28 days on which there were any.
    assert (lamp["sku"], lamp["demand"], lamp["cover"]) == ("LL-LMP-02", 7, 0)
    assert lamp["runs_out"] == "20 November 2026"
    assert lamp["order_by"] == "10 November 2026 (past)"
    # 1 a day for 10 + 28 days, and nothing there
    assert lamp["quantity"] == 38
    # 14 to sell at 2 a day; the purchase order is not confirmed and does not put it off
    assert (moss["available"], moss["demand"], moss["cover"]) == (14, 14, 7)
    assert moss["runs_out"] == "27 November 2026"
    assert moss["order_by"] == "13 November 2026 (past)"
    # up to 100, with 14 there and 10 ordered
    assert moss["quantity"] == 76
    assert result.say.splitlines()[0] == "**2 items run out within 21 days.**"
    assert result.chart is not None
    assert result.chart.y == ("cover",)


@pytest.mark.usefixtures("shelf")
def test_a_category_narrows_what_runs_out_and_an_unknown_one_is_said(ask: Ask) -> None:
    lamps = ask("runs_out", category="the lamps")
    toys = ask("runs_out", category="toys")

    assert [row["sku"] for row in rows_of(lamps)] == ["LL-LMP-02"]
    assert len(rows_of(toys)) == 2
    assert "I know no category of that name, so these are all items" in toys.say


@pytest.mark.usefixtures("shelf")
def test_nothing_runs_out_within_a_shorter_time(ask: Ask) -> None:
    assert "Kiln mug, moss" not in ask("runs_out", days=5).say
    assert len(rows_of(ask("runs_out", days="a week"))) == 2
