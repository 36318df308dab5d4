"""How good forecasts were, what lies beyond them, and how often shelves stood empty."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from opsbot.commerce.inventory import Location, StockLevel, StockMove
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.products import Item, ItemStatus
from opsbot.errors import NotFoundError
from opsbot.metrics.counting import Row, add_up
from opsbot.metrics.empty_shelves import empty_days
from opsbot.metrics.grouping import GOODS, TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Currency, Groups, Measure, Metric, Unit, share
from opsbot.metrics.weekly_demand import read_demand
from opsbot.planning.forecasting import Forecast, forecast_items
from opsbot.planning.inventory_health import COVER_WEEKS, excess_units
from opsbot.planning.periods import DAY, local_day, midnight

HORIZON = 4
"""Weeks over which forecasts are judged."""
WANTED_DAYS = 84
"""An item is wanted when it sold within so many days before the period, or in it."""

Names = dict[Dimension, tuple[str, str]]


def forecast_error(session: Session, part: Slice) -> Groups:
    """Divide the sizes of the past errors of all forecasts by the demand; n: forecasts tried."""
    rows = [
        Row(names, (sum(abs(error) for error in tried.errors), tried.demand, tried.origins))
        for names, one in _forecasts(session, part, HORIZON)
        if (tried := one.backtest).origins
    ]
    return {
        key: Counted(label, (share(size, demand),), round(origins))
        for key, (label, (size, demand, origins), _) in add_up(part, rows, 3).items()
    }


def forecast_bias(session: Session, part: Slice) -> Groups:
    """Divide the sum of the past errors by the demand; above 0: more was sold than forecast."""
    rows = [
        Row(names, (sum(tried.errors), tried.demand, tried.origins))
        for names, one in _forecasts(session, part, HORIZON)
        if (tried := one.backtest).origins
    ]
    return {
        key: Counted(label, (share(error, demand),), round(origins))
        for key, (label, (error, demand, origins), _) in add_up(part, rows, 3).items()
    }


def excess_stock(session: Session, part: Slice) -> Groups:
    """Value what is on hand beyond the forecast of twelve weeks; n: items with such."""
    forecasts = {
        names[Dimension.ITEM][0]: one.total / COVER_WEEKS
        for names, one in _forecasts(session, part, COVER_WEEKS)
    }
    rows = []
    for names, item, on_hand in _stocked(session, part):
        units = excess_units(on_hand, forecasts[item.sku]) if item.sku in forecasts else 0
        if units:
            rows.append(Row(names, (units * item.cost_minor, units)))
    return {
        key: Counted(label, (round(value), round(units)), n)
        for key, (label, (value, units), n) in add_up(part, rows, 2).items()
    }


def stockout_rate(session: Session, part: Slice) -> Groups:
    """Tell on which share of its days an item that is asked for had empty shelves; n: item-days."""
    today = local_day(part.now, part.period.zone)
    pieces = part.pieces or [part.period]
    stocked = list(_stocked(session, part))
    out = empty_days(session, first=part.period.first, today=today, zone=part.period.zone)
    wanted, since = _wanted(session, part), _first_days(session, part.period.zone)
    rows = []
    for names, item, _ in stocked:
        if item.sku not in wanted or item.sku not in since:
            continue
        for number, piece in enumerate(pieces):
            first, last = max(piece.first, since[item.sku]), min(piece.last, today - DAY)
            days = (last - first).days + 1
            if days > 0:
                empty = sum(first <= day <= last for day in out.get(item.sku, ()))
                rows.append(Row(_placed(names, part, number), (empty, days)))
    return {
        key: Counted(label, (share(empty, days), round(empty)), round(days))
        for key, (label, (empty, days), _) in add_up(part, rows, 2).items()
    }


def _placed(names: Names, part: Slice, number: int) -> dict[Dimension, Any]:
    """Add the piece of time, whose key is its number."""
    if part.by is None or not part.by.is_time:
        return dict(names)
    return {**names, part.by: (number, "")}


def _forecasts(session: Session, part: Slice, horizon: int) -> Iterator[tuple[Names, Forecast]]:
    """Yield the forecast of each stocked item of a slice that has a history."""
    found = {item.sku: names for names, item, _ in _stocked(session, part)}
    if not found:
        return
    try:
        history = read_demand(session, list(found), now=part.now, zone=part.period.zone)
    except NotFoundError:
        return  # nothing was sold yet
    skus = list(history.by_item)
    table = np.stack([history.by_item[sku].units for sku in skus])
    for sku, one in zip(skus, forecast_items(table, horizon=horizon), strict=True):
        if one is not None:
            yield found[sku], one


def _stocked(session: Session, part: Slice) -> Iterator[tuple[Names, Item, int]]:
    """Yield what is kept at a place that sells: its names, the item, and what is on hand there."""
    product = aliased(Item)
    rows = session.execute(
        select(Item, product.title, func.sum(StockLevel.on_hand))
        .join(StockLevel, StockLevel.sku == Item.sku)
        .join(Location, Location.id == StockLevel.location_id)
        .outerjoin(product, product.sku == Item.variant_of)
        .where(Location.sellable, Item.sellable, Item.status == ItemStatus.ACTIVE)
        .group_by(Item.sku, product.title)
        .order_by(Item.sku)
    )
    for item, title, on_hand in rows:
        names = {
            Dimension.PRODUCT: (item.variant_of or item.sku, title or item.title),
            Dimension.ITEM: (item.sku, item.title),
            Dimension.CATEGORY: (item.category, item.category),
        }
        if part.holds(names):
            yield names, item, int(on_hand)


def _wanted(session: Session, part: Slice) -> set[str]:
    start = midnight(part.period.first - timedelta(days=WANTED_DAYS), part.period.zone)
    sold = (
        select(OrderLine.sku)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= start, Order.placed_at < part.period.end)
        .where(Order.state != OrderState.CANCELLED)
        .distinct()
    )
    return set(session.scalars(sold))


def _first_days(session: Session, zone: str) -> dict[str, date]:
    rows = session.execute(
        select(StockMove.sku, func.min(StockMove.at))
        .join(Location, Location.id == StockMove.location_id)
        .where(Location.sellable)
        .group_by(StockMove.sku)
    )
    return {sku: local_day(at, zone) for sku, at in rows}


_FORECAST = (
    "Forecasts of the sums of four weeks, as they would have been made at each of the last 13 "
    "weeks; items in stock only."
)
METRICS = (
    Metric(
        key="forecast_error",
        title="Forecast error (WAPE)",
        definition=f"Sizes of the errors in the demand. {_FORECAST}",
        counts="forecasts",
        dimensions=GOODS,
        measures=(Measure("forecast_error", "Forecast error", Unit.SHARE),),
        function=forecast_error,
        snapshot=True,
    ),
    Metric(
        key="forecast_bias",
        title="Forecast bias",
        definition="Demand less forecast, in the demand: above 0 more was sold than forecast. "
        f"{_FORECAST}",
        counts="forecasts",
        dimensions=GOODS,
        measures=(Measure("forecast_bias", "Forecast bias", Unit.SHARE),),
        function=forecast_bias,
        snapshot=True,
    ),
    Metric(
        key="excess_stock",
        title="Excess stock",
        definition=f"Value at cost of the units on hand beyond {COVER_WEEKS} weeks of forecast, of "
        "items whose demand is known.",
        counts="items",
        dimensions=GOODS,
        measures=(
            Measure("excess_stock", "Value", Unit.MONEY),
            Measure("excess_units", "Units", Unit.COUNT),
        ),
        function=excess_stock,
        by=Dimension.ITEM,
        snapshot=True,
        adds_up=True,
        currency=Currency.ITEMS,
    ),
    Metric(
        key="stockout_rate",
        title="Empty shelves",
        definition="Share of the days of the period, up to yesterday, that ended with empty "
        f"shelves: days of each item in stock that sold in the period or the {WANTED_DAYS} days "
        "before it, from the day it first came in.",
        counts="item-days",
        dimensions=(*TIME, *GOODS),
        measures=(
            Measure("stockout_rate", "Empty", Unit.SHARE),
            Measure("stockout_days", "Days", Unit.COUNT),
        ),
        function=stockout_rate,
        period="last 90 days",
    ),
)
