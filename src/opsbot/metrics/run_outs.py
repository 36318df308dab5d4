"""What runs out when, and how much to order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.metrics.empty_shelves import empty_days
from opsbot.metrics.stock import Incoming, incoming_stock
from opsbot.planning.cover import (
    Arrival,
    Cover,
    daily_demand,
    order_quantity,
    order_up_to_level,
    plan_cover,
)
from opsbot.planning.periods import DAY, local_day, midnight

DEMAND_DAYS = 56
"""Eight whole weeks, so that every weekday counts as often."""
REVIEW_DAYS = 28
"""How long an order lasts where no stock policy says it."""


@dataclass(frozen=True)
class RunOut:
    """How long the stock of one item lasts, and what to order."""

    item: Item
    available: int
    """Units that can be sold, less those that orders wait for."""
    incoming: int
    demand: float
    """Units a day."""
    days_out: int
    """Days of the window without stock, left out of the demand."""
    cover: Cover
    quantity: int
    """What to order now to fill up; 0: enough is on its way."""


def run_outs(
    session: Session, *, now: datetime, zone: str, days: int, category: str = ""
) -> list[RunOut]:
    """Return what runs out within so many days, the earliest first.

    Items that are kept in stock only: sellable, active, and with a stock level at a place that
    sells. Demand is the mean of the last eight weeks, without days on which nothing was in stock.

    Args:
        session: a session to read in.
        now: the present moment.
        zone: the shop's time zone.
        days: how far to look.
        category: only items of it; empty: all.
    """
    today = local_day(now, zone)
    levels = _sellable_stock(session, category)
    demand = _demand(session, levels, today=today, zone=zone)
    waiting = backorders(session)
    incoming: defaultdict[str, list[Incoming]] = defaultdict(list)
    for arrival in incoming_stock(session, levels.keys(), zone=zone):
        incoming[arrival.sku].append(arrival)
    policies = {policy.sku: policy for policy in session.scalars(select(StockPolicy))}
    found = [
        _run_out(
            item,
            available - waiting[sku],
            demand[sku],
            incoming[sku],
            policies.get(sku),
            today=today,
        )
        for sku, (item, available) in levels.items()
    ]
    until = today + timedelta(days=days)
    ending = [one for one in found if one.cover.runs_out_on and one.cover.runs_out_on <= until]
    return sorted(ending, key=lambda one: (one.cover.runs_out_on or until, one.item.title))


def _run_out(
    item: Item,
    available: int,
    demand: tuple[float, int],
    incoming: Sequence[Incoming],
    policy: StockPolicy | None,
    *,
    today: date,
) -> RunOut:
    rate, days_out = demand
    arrivals = [Arrival(one.due_on, one.quantity) for one in incoming if one.confirmed]
    cover = plan_cover(available, rate, arrivals, today=today, lead_days=item.lead_time_days)
    coming = sum(one.quantity for one in incoming)
    if policy is None:
        level = order_up_to_level(rate, lead_days=item.lead_time_days, review_days=REVIEW_DAYS)
    else:
        level = policy.order_up_to
    return RunOut(
        item=item,
        available=available,
        incoming=coming,
        demand=rate,
        days_out=days_out,
        cover=cover,
        quantity=order_quantity(available + coming, level),
    )


def _sellable_stock(session: Session, category: str) -> dict[str, tuple[Item, int]]:
    statement = (
        select(Item, func.sum(StockLevel.on_hand - StockLevel.reserved))
        .join(StockLevel, StockLevel.sku == Item.sku)
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.sellable, Item.sellable, Item.status == ItemStatus.ACTIVE)
        .group_by(Item.sku)
    )
    if category:
        statement = statement.where(Item.category == category)
    return {item.sku: (item, int(free)) for item, free in session.execute(statement)}


def _demand(
    session: Session, skus: Iterable[str], *, today: date, zone: str
) -> dict[str, tuple[float, int]]:
    """Return units a day, and the days without stock, by item."""
    start, end = midnight(today - DEMAND_DAYS * DAY, zone), midnight(today, zone)
    sold = session.execute(
        select(OrderLine.sku, func.sum(OrderLine.quantity - OrderLine.cancelled))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state != OrderState.CANCELLED)
        .where(Order.placed_at >= start, Order.placed_at < end)
        .group_by(OrderLine.sku)
    )
    units = {sku: int(count) for sku, count in sold}
    out = empty_days(session, first=today - DEMAND_DAYS * DAY, today=today, zone=zone)
    days_out = {sku: len(out.get(sku, ())) for sku in skus}
    return {
        sku: (daily_demand(units.get(sku, 0), days=DEMAND_DAYS, days_out=days), days)
        for sku, days in days_out.items()
    }


def backorders(session: Session) -> Counter[str]:
    """Return units that open orders wait for and no reservation holds, by item."""
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .where(
            Reservation.order_line_id == OrderLine.id,
            Reservation.state == ReservationState.ACTIVE,
        )
        .correlate(OrderLine)
        .scalar_subquery()
    )
    wanted = OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped
    rows = session.execute(
        select(OrderLine.sku, wanted - held)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state == OrderState.CONFIRMED, wanted > held)
    )
    waiting: Counter[str] = Counter()
    for sku, units in rows:
        waiting[sku] += int(units)
    return waiting
