"""Every order that has not left, and what it waits for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.orders import Order
from opsbot.metrics.lateness import NOT_LEFT, held_units, unshipped, why_not_shipped

_KINDS = {
    "on hold": "on_hold",
    "not paid": "unpaid",
    "not in stock": "out_of_stock",
    "ready": "ready",
    "packed": "packed",
    "partly": "packed",
}


@dataclass(frozen=True)
class OpenOrder:
    """An order that has not left."""

    order: Order
    """With customer, channel and lines."""
    reason: str
    kind: str
    """on_hold, unpaid, out_of_stock, ready or packed."""


def open_orders(session: Session, *, now: datetime) -> list[OpenOrder]:
    """Return the orders that have not left, by when they were promised to."""
    orders = session.scalars(
        select(Order)
        .where(Order.state.in_(NOT_LEFT), Order.placed_at <= now, unshipped())
        .options(joinedload(Order.customer), joinedload(Order.channel), selectinload(Order.lines))
        .order_by(Order.promised_ship_by, Order.id)
    ).all()
    held = held_units(session, [line.id for order in orders for line in order.lines])
    found = []
    for order in orders:
        reason = why_not_shipped(order, held)
        kind = next((word for start, word in _KINDS.items() if reason.startswith(start)), "ready")
        found.append(OpenOrder(order, reason, kind))
    return found
