"""What waits for goods that have not come: work that cannot begin, and orders of customers."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.commerce.work_orders import draft_work_orders, shortages_of


@dataclass(frozen=True)
class Blocked:
    """What one item holds up."""

    work_orders: tuple[str, ...]
    """Numbers of those that lack it."""
    orders: tuple[str, ...]
    """Numbers of those that wait for it, or for what that work makes; the oldest first."""


def blocked_by(session: Session, skus: Collection[str]) -> dict[str, Blocked]:
    """Return what each of these items holds up; what holds up nothing is absent."""
    work: defaultdict[str, list[str]] = defaultdict(list)
    made: defaultdict[str, list[str]] = defaultdict(list)
    drafts = draft_work_orders(session)  # the others hold their parts
    for order, missing in zip(drafts, shortages_of(session, drafts), strict=True):
        for lacking in missing:
            work[lacking.sku].append(order.number)
            made[lacking.sku].append(order.sku)
    waiting = _waiting_orders(session)
    found = {}
    for sku in skus:
        goods = {sku, *made.get(sku, ())}
        orders = [number for number, wanted in waiting if wanted in goods]
        if work.get(sku) or orders:
            found[sku] = Blocked(tuple(work.get(sku, ())), tuple(dict.fromkeys(orders)))
    return found


def _waiting_orders(session: Session) -> list[tuple[str, str]]:
    """Return number and item of confirmed orders that no stock is held for, the oldest first."""
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .where(Reservation.order_line_id == OrderLine.id)
        .where(Reservation.state == ReservationState.ACTIVE)
        .correlate(OrderLine)
        .scalar_subquery()
    )
    wanted = OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped
    rows = session.execute(
        select(Order.number, OrderLine.sku)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state == OrderState.CONFIRMED, wanted > held)
        .order_by(Order.placed_at, Order.id)
    )
    return [(number, sku) for number, sku in rows]
