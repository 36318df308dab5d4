"""Forecasts and safety stock of a shelf whose demand can be counted by hand."""

from datetime import timedelta
from typing import Any

import pytest

from opsbot.commerce.inventory import Location, MoveReason, StockLevel, StockMove
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.products import Item
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.db import Database
from opsbot.errors import InvalidInputError, NotFoundError
from opsbot.planning.forecasting import forecast
from opsbot.toolkit.results import Result
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

MONDAY = NOON - 4 * DAY
"""Of the week that is still running."""
WEEKS = 20
INK = [2, 6, 4, 8, 3, 5, 7, 1, 4, 9, 2, 6, 3, 5, 8, 4, 2, 7, 5, 3]


@pytest.fixture
def shelf(database: Database) -> Database:
    """Twenty weeks of orders, the last one whole; three days of the next.

    | item  | a week                                  | in stock                          |
    |-------|-----------------------------------------|-----------------------------------|
    | moss  | 7, in single pieces; none in weeks 9-12 | not in weeks 9-12                 |
    | ink   | `INK`                                   | always                            |
    | lamp  | 1, in the last two weeks                | since two weeks                   |

    Beside them an order of 100 moss mugs at once, and one of 30 that was cancelled.
    """
    mug = make_item("LL-MUG-01", "Kiln mug", sellable=False)
    moss = make_item(variant_of="LL-MUG-01", options={"glaze": "moss"})
    ink = make_item("LL-MUG-01-INK", "Kiln mug, ink", variant_of="LL-MUG-01")
    lamp = make_item("LL-LMP-02", "Ember bedside lamp", category="lamps")
    berlin = make_location()
    orders = _orders(moss, ink, lamp)
    with database.write() as session:
        session.add_all([mug, moss, ink, lamp, berlin, *orders])
        session.flush()
        session.add_all(_stock(berlin))
        session.add(StockPolicy(sku=moss.sku, reorder_point=9, order_up_to=20, safety_stock=3))
    return database


def _orders(moss: Item, ink: Item, lamp: Item) -> list[Order]:
    ada, web = make_customer(), make_channel()
    orders: list[Order] = []

    def order(week: int, lines: list[tuple[Item, int]], **values: Any) -> None:
        placed = MONDAY - (WEEKS - week) * timedelta(weeks=1) + 2 * DAY
        kept = [make_line(item, quantity) for item, quantity in lines]
        number = f"#{5000 + len(orders)}"
        orders.append(make_order(ada, number, lines=kept, channel=web, placed_at=placed, **values))

    order(0, [(ink, INK[0])])
    orders[0].placed_at = MONDAY - WEEKS * timedelta(weeks=1)  # the shop opens on a Monday
    for week in range(WEEKS):
        mugs = 0 if 9 <= week + 1 <= 12 else 7
        order(week, [(moss, 1)] * mugs + [(ink, INK[week])] * (week > 0))
    for week in (WEEKS - 2, WEEKS - 1):
        order(week, [(lamp, 1)])
    order(3, [(moss, 100)])
    order(4, [(moss, 30)], state=OrderState.CANCELLED)
    order(WEEKS, [(moss, 5)])
    return orders


def _stock(berlin: Location) -> list[StockLevel | StockMove]:
    def move(sku: str, units: int, weeks: int) -> StockMove:
        return StockMove(
            sku=sku,
            location_id=berlin.id,
            quantity=units,
            reason=MoveReason.ADJUST,
            reference="count",
            actor="system",
            at=MONDAY - weeks * timedelta(weeks=1),
        )

    return [
        *(move("LL-MUG-01-MOS", units, weeks) for units, weeks in ((90, 30), (-90, 12), (90, 8))),
        move("LL-MUG-01-INK", 300, 30),
        move("LL-LMP-02", 20, 2),
        StockLevel(sku="LL-MUG-01-MOS", location_id=berlin.id, on_hand=90),
        StockLevel(sku="LL-MUG-01-INK", location_id=berlin.id, on_hand=300),
        StockLevel(sku="LL-LMP-02", location_id=berlin.id, on_hand=20),
    ]


def by_sku(result: Result) -> dict[str, dict[str, object]]:
    return {str(row["sku"]): row for row in rows_of(result)}


@pytest.mark.usefixtures("shelf")
def test_a_forecast_leaves_out_empty_shelves_giants_cancelled_orders_and_the_running_week(
    ask: Ask,
) -> None:
    result = ask("forecast_demand", item="moss mug", days="3 weeks")

    assert [(row["week"], row["expected"], row["high"]) for row in rows_of(result)] == [
        ("16 November 2026", 7, 7),
        ("23 November 2026", 7, 7),
        ("30 November 2026", 7, 7),
    ]
    assert "**About 21 of Kiln mug, moss in the 3 weeks to 6 December 2026.**" in result.say
    assert "Ordered in the 3 weeks before: 21" in result.say
    assert "Left out: 1 order of up to 100 units at once" in result.say
    assert result.facts["demand_class"] == "smooth"
    assert result.chart is not None
    assert result.chart.y == ("expected", "low", "high")


@pytest.mark.usefixtures("shelf")
def test_a_product_is_forecast_as_the_sum_of_its_variants(ask: Ask) -> None:
    result = ask("forecast_demand", item="Kiln mug", days=28)

    # In the weeks without moss only the ink is known, and counts alone.
    series = [units + 7 * (not 9 <= week + 1 <= 12) for week, units in enumerate(INK)]
    expected = forecast(series, horizon=4)
    assert result.facts["expected"] == round(expected.total)
    assert result.facts["error_share"] == expected.backtest.wape
    assert rows_of(result)[0]["low"] == round(expected.periods[0].low, 1)


@pytest.mark.usefixtures("shelf")
def test_the_accuracy_is_said_beside_that_of_the_naive_forecast(ask: Ask) -> None:
    result = ask("forecast_demand", item="LL-MUG-01-INK", days=7)

    assert "tried 13 times on the past, it was off by" in result.say
    assert "and repeating the last week by" in result.say
    assert result.chart is None  # one week is no line


@pytest.mark.usefixtures("shelf")
def test_two_weeks_of_sales_are_no_history(ask: Ask) -> None:
    with pytest.raises(InvalidInputError, match="4 known weeks"):
        ask("forecast_demand", item="Ember bedside lamp")

    assert "too little history of Ember bedside lamp" in ask("safety_stock", item="LL-LMP-02").say


@pytest.mark.usefixtures("shelf")
def test_even_demand_needs_stock_for_the_lead_time_and_none_for_doubt(ask: Ask) -> None:
    result = ask("safety_stock", item="moss mug")

    # One a day: 14 in the lead time, 42 with the review.
    (row,) = rows_of(result)
    assert (row["expected"], row["safety"], row["point"], row["up_to"]) == (14, 0, 14, 42)
    assert row["policy"] == 3
    assert "The safety stock in use is 3" in result.say


@pytest.mark.usefixtures("shelf")
def test_more_service_takes_more_stock_where_demand_is_uneven(ask: Ask) -> None:
    usual = by_sku(ask("safety_stock", item="Kiln mug"))["LL-MUG-01-INK"]
    high = by_sku(ask("safety_stock", item="Kiln mug", service_level=99))["LL-MUG-01-INK"]

    assert isinstance(usual["safety"], int)
    assert isinstance(high["safety"], int)
    assert 0 < usual["safety"] < high["safety"]
    assert usual["policy"] is None


@pytest.mark.usefixtures("shelf")
def test_several_items_tell_how_many_have_too_little(ask: Ask) -> None:
    result = ask("safety_stock", item="ceramics")

    assert result.say.startswith("**Safety stock of 2 items of ceramics for 95 % of cycles.**")
    assert "- 0 of them have less now" in result.say


@pytest.mark.usefixtures("shelf")
def test_a_category_is_found_among_words_that_name_no_item(ask: Ask) -> None:
    result = ask("safety_stock", item="recommended buffer for the ceramics")

    assert by_sku(result).keys() == {"LL-MUG-01-MOS", "LL-MUG-01-INK"}


@pytest.mark.usefixtures("shelf")
def test_an_item_nobody_sells_is_not_found(ask: Ask) -> None:
    for name in ("forecast_demand", "safety_stock"):
        with pytest.raises(NotFoundError, match="trampoline"):
            ask(name, item="trampoline")


def test_a_shop_that_has_sold_nothing_has_no_forecast(database: Database, ask: Ask) -> None:
    with database.write() as session:
        session.add(make_item("LL-LMP-02", "Ember bedside lamp", category="lamps"))

    with pytest.raises(NotFoundError, match="any orders before 2026-11-20"):
        ask("forecast_demand", item="Ember bedside lamp")
