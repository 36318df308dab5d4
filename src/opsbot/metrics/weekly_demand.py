"""What was asked for of each item, week by week, from the orders."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.errors import NotFoundError
from opsbot.metrics.empty_shelves import empty_days
from opsbot.planning.demand_weeks import WEEK, DemandWeeks, Sold, demand_weeks, giant_limit
from opsbot.planning.periods import local_day, midnight
from opsbot.planning.smoothing import Floats

HISTORY_WEEKS = 156
"""Three years, so that two whole ones are known."""


@dataclass(frozen=True)
class DemandHistory:
    """The demand of some items, week by week, up to the last whole week."""

    first: date
    """The first week's Monday."""
    by_item: dict[str, DemandWeeks]

    @property
    def next_week(self) -> date:
        """The Monday of the week that follows the last known one."""
        return self.first + self.weeks * WEEK

    @property
    def weeks(self) -> int:
        """How many weeks it covers."""
        return len(next(iter(self.by_item.values())).units)

    def together(self) -> Floats:
        """Return the demand of all items in one row; NaN in weeks when none of them is known."""
        table = np.array([weeks.units for weeks in self.by_item.values()])
        known = ~np.isnan(table)
        total = np.where(known, table, 0).sum(axis=0)
        return np.where(known.any(axis=0), total, np.nan)


def read_demand(
    session: Session, skus: Collection[str], *, now: datetime, zone: str
) -> DemandHistory:
    """Read the demand of items: what was ordered and not cancelled.

    Weeks of empty shelves are not known, and orders ten times as large as the largest usual one
    are left out (`DemandWeeks.giants`).

    Args:
        session: a session to read in.
        skus: the items, one at least.
        now: the present moment.
        zone: the shop's time zone.

    Raises:
        NotFoundError: the shop has not sold anything yet.
        InvalidInputError: there is no whole week of history.
    """
    today = local_day(now, zone)
    opened = session.scalar(select(func.min(Order.placed_at)))
    if opened is None:
        raise NotFoundError("any orders before", f"{today}")
    first = max(local_day(opened, zone), today - HISTORY_WEEKS * WEEK - timedelta(days=6))
    start = midnight(first, zone)
    usual = session.scalars(
        select(OrderLine.quantity)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state != OrderState.CANCELLED, Order.placed_at >= start)
    ).all()
    sold: defaultdict[str, list[Sold]] = defaultdict(list)
    for sku, one in _sold(session, skus, start, zone):
        sold[sku].append(one)
    out = empty_days(session, first=first, today=today, zone=zone)
    limit = giant_limit(usual) if usual else float("inf")
    by_item = {
        sku: demand_weeks(
            sold[sku],
            first=first,
            after=today,
            days_out=out.get(sku, ()),
            giant_above=limit,
        )
        for sku in skus
    }
    return DemandHistory(next(iter(by_item.values())).first, by_item)


def _sold(
    session: Session, skus: Collection[str], start: datetime, zone: str
) -> Iterator[tuple[str, Sold]]:
    units = OrderLine.quantity - OrderLine.cancelled
    rows = session.execute(
        select(OrderLine.sku, Order.placed_at, units)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state != OrderState.CANCELLED, Order.placed_at >= start)
        .where(OrderLine.sku.in_(skus), units > 0)
    )
    for sku, placed_at, quantity in rows:
        yield sku, Sold(local_day(placed_at, zone), int(quantity))
