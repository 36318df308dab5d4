"""Purchase orders and suppliers, on deliveries that can be counted by hand."""

import pytest

from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.db import Database
from opsbot.errors import AmbiguousError, NotFoundError
from tests.factories import DAY, NOON, make_item
from tests.integration.staff_tools.conftest import Ask, rows_of


def _order(
    number: str,
    supplier: Supplier,
    lines: list[PurchaseOrderLine],
    state: PurchaseOrderState,
    *,
    ordered: int,
    promised: int,
    received: int | None = None,
) -> PurchaseOrder:
    """Make a purchase order; days count from noon of today."""
    return PurchaseOrder(
        number=number,
        supplier=supplier,
        state=state,
        currency="EUR",
        ordered_at=NOON + ordered * DAY,
        promised_at=NOON + promised * DAY,
        received_at=None if received is None else NOON + received * DAY,
        lines=lines,
    )


def _line(
    item: Item, ordered: int, price: int, received: int = 0, rejected: int = 0
) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        item=item, ordered=ordered, received=received, rejected=rejected, unit_price_minor=price
    )


@pytest.fixture
def suppliers(database: Database) -> Database:
    """Two suppliers with orders, one without.

    | order    | supplier   | promised | came     | what                                       |
    |----------|------------|----------|----------|--------------------------------------------|
    | PO-00001 | Kiln & Co  | -80      | -80      | 100 bases at 5.00, 2 rejected              |
    | PO-00002 | Kiln & Co  | -50      | -47      | 100 bases at 5.50                          |
    | PO-00003 | Kiln & Co  | -6       | open     | 40 bases and 10 shades, 30 bases have come |
    | PO-00004 | Kiln & Co  | +9       | open     | 60 bases, not confirmed                    |
    | PO-00005 | Kiln & Co  | -20      | canceled | 500 bases                                  |
    | PO-00006 | Havel      | -10      | -12      | 20 shades                                  |
    """
    oak = make_item("LL-OAK-01", "Oak base", category="spares")
    shade = make_item("LL-SHD-01", "Linen shade", category="spares")
    kiln = Supplier(name="Kiln & Co", country="PT", currency="EUR", lead_days=20)
    havel = Supplier(name="Papier Havel", country="DE", currency="EUR", lead_days=10)
    idle = Supplier(name="Papier Nord", country="DE", currency="EUR", lead_days=10)
    done, cancelled = PurchaseOrderState.RECEIVED, PurchaseOrderState.CANCELLED
    part, sent = PurchaseOrderState.PARTIALLY_RECEIVED, PurchaseOrderState.SENT
    two = [_line(oak, 40, 550, received=30), _line(shade, 10, 900)]
    orders = [
        _order(
            "PO-00001",
            kiln,
            [_line(oak, 100, 500, 100, 2)],
            done,
            ordered=-100,
            promised=-80,
            received=-80,
        ),
        _order(
            "PO-00002",
            kiln,
            [_line(oak, 100, 550, 100)],
            done,
            ordered=-70,
            promised=-50,
            received=-47,
        ),
        _order("PO-00003", kiln, two, part, ordered=-26, promised=-6),
        _order("PO-00004", kiln, [_line(oak, 60, 550)], sent, ordered=-1, promised=9),
        _order("PO-00005", kiln, [_line(oak, 500, 550)], cancelled, ordered=-40, promised=-20),
        _order(
            "PO-00006",
            havel,
            [_line(shade, 20, 900, 20)],
            done,
            ordered=-20,
            promised=-10,
            received=-12,
        ),
    ]
    with database.write() as session:
        session.add_all([idle, *orders])
    return database


@pytest.mark.usefixtures("suppliers")
def test_open_purchase_orders_show_what_has_not_come_the_latest_first(ask: Ask) -> None:
    result = ask("purchase_orders")

    both = "Oak base and Linen shade"
    assert result.say.splitlines() == [
        "**2 purchase orders are open, 1 late.**",
        "",
        f"- The longest overdue is PO-00003 of Kiln & Co: 6 days, 20 units of {both}",
        "- Next to come: PO-00004, promised for 29 November 2026",
        "- 1 not confirmed by the supplier yet",
    ]
    assert [
        (row["number"], row["late"], row["units"], row["value"], row["state"])
        for row in rows_of(result)
    ] == [
        ("PO-00003", 6, 20, "€145.00", "partially received"),
        ("PO-00004", 0, 60, "€330.00", "sent, not confirmed"),
    ]
    assert (result.facts["count"], result.facts["late"]) == (2, 1)


@pytest.mark.usefixtures("suppliers")
def test_late_purchase_orders_are_called_late(ask: Ask) -> None:
    result = ask("purchase_orders", which="late", supplier="kiln")

    assert result.say.startswith("**1 purchase order is late at Kiln & Co.**")
    assert result.table is not None
    assert result.table.caption.startswith("Late purchase orders at Kiln & Co, as of")


@pytest.mark.usefixtures("suppliers")
def test_a_supplier_is_found_by_a_word_of_its_name(ask: Ask) -> None:
    assert len(rows_of(ask("purchase_orders", supplier="the kiln"))) == 2
    assert ask("purchase_orders", supplier="Havel").say == (
        "**No purchase order is open at Papier Havel.**"
    )
    with pytest.raises(AmbiguousError) as caught:
        ask("purchase_orders", supplier="papier")
    assert caught.value.candidates == ("Papier Havel", "Papier Nord")
    with pytest.raises(NotFoundError, match="a supplier called Acme"):
        ask("purchase_orders", supplier="Acme")


@pytest.mark.usefixtures("suppliers")
def test_a_scorecard_counts_open_lines_past_their_day_as_late(ask: Ask) -> None:
    havel, kiln = rows_of(ask("supplier_scorecard"))

    assert (havel["supplier"], havel["score"], havel["on_time"], havel["lead"]) == (
        "Papier Havel",
        100,
        100,
        8,
    )
    # Four lines were due: one came in time, one late, and the two of PO-00003 are overdue.
    assert (kiln["supplier"], kiln["due"], kiln["on_time"]) == ("Kiln & Co", 4, 25)
    assert (kiln["lead"], kiln["quoted"]) == (21.5, 20)
    assert kiln["ppm"] == round(2 / 230 * 1_000_000)
    assert kiln["price"] == 10


@pytest.mark.usefixtures("suppliers")
def test_a_score_says_what_it_weighs(ask: Ask) -> None:
    result = ask("supplier_scorecard", supplier="Kiln")

    # 50 of punctuality x 25 %, 35 of quality x (1 - 8,696 / 20,000), nothing for the price.
    score = round(50 * 0.25 + 35 * (1 - 2 / 230 * 50))
    assert f"- Kiln & Co: score {score}, 25% of 4 lines on time, 22 days to deliver" in result.say
    assert "weighs punctuality by 50" in result.facts["definition"]
    assert result.chart is None


@pytest.mark.usefixtures("suppliers")
def test_only_orders_placed_in_the_period_count(ask: Ask) -> None:
    kiln = {
        row["supplier"]: row for row in rows_of(ask("supplier_scorecard", period="last 30 days"))
    }

    assert kiln["Kiln & Co"]["due"] == 2
    assert kiln["Kiln & Co"]["price"] == 0  # the base of both orders at 5.50

    nothing = ask("supplier_scorecard", supplier="Papier Nord")
    assert nothing.say.startswith("**Nothing was ordered from Papier Nord")
