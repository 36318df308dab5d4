"""What stock is worth, how fast it turns, and what of it is too much or dead."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import Location, MoveReason, StockLevel, StockMove
from opsbot.commerce.products import Item
from opsbot.metrics.just_in_time import weekly_use
from opsbot.planning.demand import (
    SteadinessClass,
    ValueClass,
    steadiness_class,
    value_classes,
)
from opsbot.planning.inventory_health import (
    DEAD_DAYS,
    GridCell,
    days_of_inventory,
    excess_units,
    grid,
    is_dead,
    mean_stock_value,
    turns,
)
from opsbot.planning.periods import DAY, local_day

YEAR = 365
_OUT = (MoveReason.SALE, MoveReason.CONSUME)
_RECENT_WEEKS = 12


@dataclass(frozen=True)
class ItemStock:
    """The stock of one item, and how it works for its money."""

    item: Item
    on_hand: int
    value: float
    """At cost, minor units."""
    value_class: ValueClass
    steadiness: SteadinessClass
    last_out: date | None
    dead: bool
    excess: int
    """Units above twelve weeks of use."""
    excess_value: float


@dataclass(frozen=True)
class Health:
    """All the stock together."""

    items: Sequence[ItemStock]
    """The most valuable first."""
    grid: Sequence[GridCell]
    value: float
    days: float | None
    """Days of inventory; None: nothing left the shelves in a year."""
    turns: float | None

    @property
    def dead_value(self) -> float:
        """Value of what has not moved out for half a year."""
        return sum(one.value for one in self.items if one.dead)

    @property
    def excess_value(self) -> float:
        """Value of what is more than twelve weeks of use."""
        return sum(one.excess_value for one in self.items)


def inventory_health(session: Session, *, now: datetime, zone: str) -> Health:
    """Look at all that is on hand, goods and materials, at every place."""
    today = local_day(now, zone)
    used = weekly_use(session, now=now, zone=zone)
    costs, stock = {}, {}
    for item, units in session.execute(
        select(Item, func.sum(StockLevel.on_hand))
        .join(StockLevel, StockLevel.sku == Item.sku)
        .join(Location, Location.id == StockLevel.location_id)
        .group_by(Item.sku)
    ):
        costs[item.sku] = item.cost_minor / item.cost_per
        stock[item.sku] = (item, int(units))
    worth = {sku: sum(used.get(sku, [0.0])) * cost for sku, cost in costs.items()}
    classes = value_classes(worth) if any(worth.values()) else dict.fromkeys(worth, ValueClass.C)
    dates = _dates(session, zone)
    found = []
    for sku, (item, units) in stock.items():
        weeks = used.get(sku, [])
        steady = steadiness_class(weeks) if any(weeks) else SteadinessClass.Z
        first, last = dates.get(sku, (today, None))
        weekly = sum(weeks[-_RECENT_WEEKS:]) / _RECENT_WEEKS
        excess = excess_units(units, weekly)
        dead = units > 0 and is_dead(last, first, today=today, days=DEAD_DAYS)
        value = units * costs[sku]
        found.append(
            ItemStock(
                item, units, value, classes[sku], steady, last, dead, excess, excess * costs[sku]
            )
        )
    found.sort(key=lambda one: (-one.value, one.item.sku))
    mean, sold = _turnover(session, costs, now=now, zone=zone)
    return Health(
        items=found,
        grid=grid(
            {one.item.sku: one.value_class for one in found},
            {one.item.sku: one.steadiness for one in found},
            {one.item.sku: one.value for one in found},
        ),
        value=sum(one.value for one in found),
        days=days_of_inventory(mean, sold) if sold else None,
        turns=turns(mean, sold) if mean else None,
    )


def _dates(session: Session, zone: str) -> dict[str, tuple[date, date | None]]:
    """Return the day each item first came in, and the day it last went out."""
    first: dict[str, date] = {}
    for sku, at in session.execute(
        select(StockMove.sku, func.min(StockMove.at)).group_by(StockMove.sku)
    ):
        first[sku] = local_day(at, zone)
    last: dict[str, date] = {}
    for sku, at in session.execute(
        select(StockMove.sku, func.max(StockMove.at))
        .where(StockMove.reason.in_(_OUT))
        .group_by(StockMove.sku)
    ):
        last[sku] = local_day(at, zone)
    return {sku: (day, last.get(sku)) for sku, day in first.items()}


def _turnover(
    session: Session, costs: dict[str, float], *, now: datetime, zone: str
) -> tuple[float, float]:
    """Return the mean value of stock over the last year, day by day, and the cost of sales.

    Sales are what customers took; what went into other goods is counted when those are sold.
    """
    today = local_day(now, zone)
    changes: defaultdict[date, float] = defaultdict(float)
    sold = 0.0
    total = 0.0
    for sku, at, units, reason in session.execute(
        select(StockMove.sku, StockMove.at, StockMove.quantity, StockMove.reason)
    ):
        value = units * costs.get(sku, 0.0)
        total += value
        day = local_day(at, zone)
        changes[day] += value
        if reason is MoveReason.SALE and (today - day).days < YEAR:
            sold -= value
    levels, level = [], total
    for back in range(YEAR):
        day = today - back * DAY
        levels.append(level)
        level -= changes[day]
    return mean_stock_value(levels), sold
