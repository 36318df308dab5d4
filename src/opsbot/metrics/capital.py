"""What stock is worth, how long it lasts, and how much of it does nothing."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, case, cast, exists, select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import Location, MoveReason, StockLevel, StockMove
from opsbot.commerce.products import Item
from opsbot.metrics.clock import seconds_between
from opsbot.metrics.counting import sums
from opsbot.metrics.facts import Product, goods_columns
from opsbot.metrics.grouping import GOODS, Dimension, Slice
from opsbot.metrics.measures import Counted, Currency, Groups, Measure, Metric, Unit, share
from opsbot.planning.inventory_health import DEAD_DAYS, YEAR_DAYS

NOT_USED = (
    MoveReason.OPENING,
    MoveReason.TRANSFER,
    MoveReason.ADJUST,
    MoveReason.COUNT,
    MoveReason.DAMAGE,
    MoveReason.SCRAP,
    MoveReason.WRITE_OFF,
)
"""Moves out of a location that are no use of the goods. All others are: sale, consumption."""
STOCK = (*GOODS, Dimension.LOCATION)
_DAY_S = 86_400


def stock_value(session: Session, part: Slice) -> Groups:
    """Value what is on hand now at cost; n: items."""
    found = sums(session, part, level_facts(), ("value_minor", "units", "items"))
    return {
        key: Counted(label, (int(value), int(units)), n)
        for key, (label, value, units, n) in found.items()
    }


def dead_stock(session: Session, part: Slice) -> Groups:
    """Value what came in before the period and was not used in it; n: items."""
    start = part.period.start
    used = exists().where(
        StockMove.sku == StockLevel.sku,
        StockMove.at >= start,
        StockMove.quantity < 0,
        StockMove.reason.not_in(NOT_USED),
    )
    old = exists().where(
        StockMove.sku == StockLevel.sku, StockMove.at < start, StockMove.quantity > 0
    )
    facts = level_facts().where(old, ~used)
    found = sums(session, part, facts, ("value_minor", "units", "items"))
    return {
        key: Counted(label, (int(value), int(units), n), n)
        for key, (label, value, units, n) in found.items()
    }


def days_of_stock(session: Session, part: Slice) -> Groups:
    """Divide the mean value of stock by the cost of what was sold, in days; n: items."""
    return {
        key: Counted(label, (share(mean * days, sold), round(mean), round(sold)), n)
        for key, (label, mean, sold, days, n) in _mean_and_sold(session, part).items()
    }


def turns(session: Session, part: Slice) -> Groups:
    """Divide the cost of what was sold by the mean value of stock; n: items."""
    return {
        key: Counted(
            label, (share(sold * YEAR_DAYS, mean * days), share(sold, mean), round(mean)), n
        )
        for key, (label, mean, sold, days, n) in _mean_and_sold(session, part).items()
    }


def level_facts() -> Select[Any]:
    """Return one row for each item at each location that is on hand now, at cost."""
    return (
        select(
            *goods_columns(),
            *_place_columns(),
            Item.currency.label("currency"),
            StockLevel.on_hand.label("units"),
            (StockLevel.on_hand * Item.cost_minor).label("value_minor"),
        )
        .select_from(StockLevel)
        .join(Item, Item.sku == StockLevel.sku)
        .join(Location, Location.id == StockLevel.location_id)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(StockLevel.on_hand > 0)
    )


def _mean_and_sold(
    session: Session, part: Slice
) -> dict[Any, tuple[str, float, float, float, int]]:
    """Return label, mean value of stock, cost of sales, days, and items by group.

    A move counts from its moment to the end of the period, or to now: the mean is over time, as of
    the levels of every moment, not of the two ends.
    """
    start, end = part.period.start, min(part.period.end, part.now)
    length = (end - start).total_seconds()
    if length <= 0:
        return {}
    there = case((StockMove.at <= start, length), else_=seconds_between(StockMove.at, end)) / cast(
        length, Float
    )
    cost = cast(StockMove.quantity, Float) * Item.cost_minor
    sold = case(((StockMove.reason == MoveReason.SALE) & (StockMove.at >= start), -cost), else_=0.0)
    facts = (
        select(
            *goods_columns(),
            *_place_columns(),
            Item.currency.label("currency"),
            (cost * there).label("mean_minor"),
            sold.label("sold_minor"),
        )
        .select_from(StockMove)
        .join(Item, Item.sku == StockMove.sku)
        .join(Location, Location.id == StockMove.location_id)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(StockMove.at < end)
    )
    found = sums(session, part, facts, ("mean_minor", "sold_minor", "items"))
    return {
        key: (label, float(mean), float(cost_of_sales), length / _DAY_S, n)
        for key, (label, mean, cost_of_sales, n) in found.items()
    }


def _place_columns() -> tuple[ColumnElement[Any], ...]:
    return Location.code.label("location"), Location.name.label("location_label")


_of_stock = partial(
    Metric,
    counts="items",
    dimensions=STOCK,
    period="last 12 months",
    currency=Currency.ITEMS,
)
METRICS = (
    Metric(
        key="stock_value",
        title="Value of stock",
        definition="Units on hand now, everywhere, at today's cost.",
        counts="items",
        dimensions=STOCK,
        measures=(
            Measure("stock_value", "Value", Unit.MONEY),
            Measure("stock_units", "Units", Unit.COUNT),
        ),
        function=stock_value,
        snapshot=True,
        adds_up=True,
        currency=Currency.ITEMS,
    ),
    Metric(
        key="dead_stock",
        title="Dead stock",
        definition="Value at cost of the units on hand now of items that came in before the period "
        "and of which no unit was sold or used in it.",
        counts="items",
        dimensions=STOCK,
        measures=(
            Measure("dead_stock", "Value", Unit.MONEY),
            Measure("dead_units", "Units", Unit.COUNT),
            Measure("dead_items", "Items", Unit.COUNT),
        ),
        function=dead_stock,
        period=f"last {DEAD_DAYS} days",
        by=Dimension.ITEM,
        adds_up=True,
        currency=Currency.ITEMS,
    ),
    _of_stock(
        key="dio",
        title="Days of stock",
        definition="Mean value of stock over the period at cost, divided by the cost of what was "
        "sold in it, times its days. The mean is over time, not of the two ends.",
        measures=(
            Measure("dio", "Days of stock", Unit.DAYS),
            Measure("mean_stock", "Mean stock", Unit.MONEY),
            Measure("cost_of_sales", "Cost of sales", Unit.MONEY),
        ),
        function=days_of_stock,
    ),
    _of_stock(
        key="turns",
        title="Stock turns",
        definition="Cost of what was sold in the period divided by the mean value of stock over "
        "it, as if for a year; beside it for the period itself.",
        measures=(
            Measure("turns", "Turns a year", Unit.NUMBER),
            Measure("turns_in_period", "In the period", Unit.NUMBER),
            Measure("turns_mean_stock", "Mean stock", Unit.MONEY),
        ),
        function=turns,
    ),
)
