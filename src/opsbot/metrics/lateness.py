"""Orders that should have left, and parcels that should have arrived, with the reason why not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.commerce.shipments import (
    Direction,
    NeededAction,
    Shipment,
    ShipmentState,
    TrackingEvent,
)

TROUBLE = {
    ShipmentState.EXCEPTION: "problem reported",
    ShipmentState.ATTEMPT_FAILED: "delivery failed",
    ShipmentState.DELAYED: "delay reported",
    ShipmentState.RETURNING: "coming back to us",
}
"""States of a parcel that somebody must look at."""
NEEDS = {
    NeededAction.ADDRESS: "the carrier needs a right address",
    NeededAction.FEES: "the carrier waits for fees to be paid",
    NeededAction.DOCUMENTS: "the carrier waits for papers or facts",
    NeededAction.PICKUP: "the carrier waits for it to be collected",
    NeededAction.CONTACT: "the carrier asks to be contacted",
}
"""What a carrier waits for, as staff read it."""
NOT_LEFT = (OrderState.PENDING, OrderState.CONFIRMED, OrderState.IN_FULFILLMENT)
ON_THE_WAY = (
    ShipmentState.PRE_TRANSIT,
    ShipmentState.IN_TRANSIT,
    ShipmentState.OUT_FOR_DELIVERY,
    ShipmentState.READY_FOR_PICKUP,
    *TROUBLE,
)


@dataclass(frozen=True)
class LateOrder:
    """An order that has not left by the time promised for it."""

    order: Order
    """With customer, channel and lines."""
    late_by: timedelta
    reason: str


@dataclass(frozen=True)
class LateShipment:
    """A parcel that needs a look."""

    shipment: Shipment
    """With its order."""
    last_scan: TrackingEvent | None
    silent_for: timedelta
    """Since the last scan, or since it left."""
    late_by: timedelta | None
    """Past the promised time; None: still in time."""
    reasons: tuple[str, ...]


def late_orders(session: Session, *, now: datetime) -> list[LateOrder]:
    """Return the orders that should have left by now and have not, the latest first."""
    orders = session.scalars(
        select(Order)
        .where(Order.state.in_(NOT_LEFT), Order.promised_ship_by < now, unshipped())
        .options(joinedload(Order.customer), joinedload(Order.channel), selectinload(Order.lines))
        .order_by(Order.promised_ship_by, Order.id)
    ).all()
    held = held_units(session, [line.id for order in orders for line in order.lines])
    return [
        LateOrder(order, now - order.promised_ship_by, why_not_shipped(order, held))
        for order in orders
    ]


def count_due(session: Session, *, after: datetime, before: datetime) -> int:
    """Count the orders that must leave in a stretch of time and have not."""
    statement = (
        select(func.count())
        .select_from(Order)
        .where(Order.promised_ship_by >= after, Order.promised_ship_by < before)
        .where(Order.state.in_(NOT_LEFT), unshipped())
    )
    return session.scalar(statement) or 0


def late_shipments(session: Session, *, now: datetime, silence: timedelta) -> list[LateShipment]:
    """Return parcels on their way to customers that need a look, the longest silent first.

    A parcel does when nothing was scanned for `silence`, when it is past the promised time, or when
    the carrier reports trouble or waits for somebody to act. One that waits at a parcel shop is not
    silent.
    """
    last_scan = (
        select(func.max(TrackingEvent.occurred_at))
        .where(TrackingEvent.shipment_id == Shipment.id)
        .correlate(Shipment)
        .scalar_subquery()
    )
    shipments = session.scalars(
        select(Shipment)
        .where(
            Shipment.direction == Direction.OUTBOUND,
            Shipment.state.in_(ON_THE_WAY),
            or_(
                Shipment.state.in_(TROUBLE),
                Shipment.needs.is_not(None),
                Shipment.promised_by < now,
                func.coalesce(last_scan, Shipment.shipped_at, Shipment.packed_at) < now - silence,
            ),
        )
        .options(joinedload(Shipment.order), selectinload(Shipment.events))
    )
    found = [_judge_shipment(shipment, now=now, silence=silence) for shipment in shipments]
    needing = [late for late in found if late.reasons]
    return sorted(needing, key=lambda late: (-late.silent_for, late.shipment.id))


def unshipped() -> ColumnElement[bool]:
    """Return the condition that something of an order has not left."""
    return exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.shipped < OrderLine.quantity - OrderLine.cancelled,
    )


def _judge_shipment(shipment: Shipment, *, now: datetime, silence: timedelta) -> LateShipment:
    last = shipment.events[-1] if shipment.events else None
    since = last.occurred_at if last else shipment.shipped_at or shipment.packed_at
    silent_for = now - since
    late_by = now - shipment.promised_by if shipment.promised_by < now else None
    waits = shipment.state is ShipmentState.READY_FOR_PICKUP
    reasons = [] if shipment.needs is None else [NEEDS[shipment.needs]]
    if shipment.state in TROUBLE:
        reasons.append(TROUBLE[shipment.state])
    if silent_for > silence and not waits:
        reasons.append(f"no scan for {silent_for.days} days")
    if late_by is not None:
        reasons.append("waits at the parcel shop" if waits else "past the promised day")
    return LateShipment(shipment, last, silent_for, late_by, tuple(reasons))


def held_units(session: Session, lines: list[int]) -> dict[int, int]:
    """Return the units that active reservations hold, by order line."""
    rows = session.execute(
        select(Reservation.order_line_id, func.sum(Reservation.quantity))
        .where(Reservation.order_line_id.in_(lines), Reservation.state == ReservationState.ACTIVE)
        .group_by(Reservation.order_line_id)
    )
    return {line: int(units) for line, units in rows if line is not None}


def why_not_shipped(order: Order, held: dict[int, int]) -> str:
    """Tell in words what an order waits for."""
    if order.on_hold:
        return f"on hold: {order.hold_reason}" if order.hold_reason else "on hold"
    if order.state is OrderState.PENDING:
        return "not paid yet"
    if order.state is OrderState.IN_FULFILLMENT:
        partly = any(line.shipped for line in order.lines)
        return "partly shipped" if partly else "packed, waits for the carrier"
    short = [
        f"{n} x {line.title}"
        for line in order.lines
        if (n := line.wanted - line.shipped - line.held_back - held.get(line.id, 0)) > 0
    ]
    if short:
        return f"not in stock: {', '.join(short)}"
    later = [f"{line.held_back} x {line.title}" for line in order.lines if line.held_back]
    rest = f"; {', '.join(later)} leaves later" if later else ""
    return f"ready, waits to be packed{rest}"
