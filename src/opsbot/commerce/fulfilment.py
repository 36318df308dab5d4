"""What people of the warehouse do with an order: hold it, let it go, pack a part of it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, reservations
from opsbot.commerce.effects import request_effect
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.commerce.shipments import (
    Direction,
    Shipment,
    ShipmentLine,
    ShipmentState,
    make_parcel,
)
from opsbot.errors import ConflictError, InvalidInputError

HOLDABLE = (OrderState.PENDING, OrderState.CONFIRMED)
PACKABLE = (OrderState.CONFIRMED, OrderState.IN_FULFILLMENT)
SPLITTABLE = (*HOLDABLE, OrderState.IN_FULFILLMENT)
LABELS = "labels"
"""The port that buys labels of carriers."""


def hold_order(session: Session, order: Order, reason: str, *, actor: str, now: datetime) -> None:
    """Keep an order from being packed.

    Raises:
        ConflictError: it is on hold already, or packed, completed or cancelled.
        StaleError: somebody changed it a moment ago.
    """
    if order.on_hold:
        raise ConflictError(f"Order {order.number} is on hold already: {order.hold_reason}.")
    change_state(session, order, order.state, allowed=HOLDABLE, on_hold=True, hold_reason=reason)
    record_event(session, order, "order_held", actor=actor, at=now, reason=reason)


def release_order(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    """Let an order that is on hold go on.

    Raises:
        ConflictError: it is not on hold.
        StaleError: somebody changed it a moment ago.
    """
    if not order.on_hold:
        raise ConflictError(f"Order {order.number} is not on hold.")
    change_state(session, order, order.state, allowed=HOLDABLE, on_hold=False, hold_reason=None)
    record_event(session, order, "order_released", actor=actor, at=now)


def reserve_missing(session: Session, order: Order, *, actor: str, now: datetime) -> dict[str, int]:
    """Hold stock back for what an order still lacks; return the units by item.

    Raises:
        ConflictError: nothing of what it lacks is free, or it is not waiting to be packed.
    """
    change_state(session, order, order.state, allowed=HOLDABLE)
    packed = packed_units(session, order)
    held = _held_units(session, order)
    got: dict[str, int] = {}
    for line in order.lines:
        lacks = line.wanted - packed.get(line.id, 0) - held.get(line.id, 0)
        part = min(lacks, inventory.available(session, line.sku))
        if part > 0:
            reservations.reserve(session, line.sku, part, order_line_id=line.id, at=now)
            got[line.title] = got.get(line.title, 0) + part
    if not got:
        raise ConflictError(f"Nothing that order {order.number} lacks is free in stock.")
    record_event(session, order, "order_reallocated", actor=actor, at=now, units=got)
    return got


def _held_units(session: Session, order: Order) -> dict[int, int]:
    rows = session.execute(
        select(Reservation.order_line_id, func.sum(Reservation.quantity))
        .where(
            Reservation.order_line_id.in_([line.id for line in order.lines]),
            Reservation.state == ReservationState.ACTIVE,
        )
        .group_by(Reservation.order_line_id)
    )
    return {line: int(units) for line, units in rows if line is not None}


def packed_units(session: Session, order: Order) -> dict[int, int]:
    """Return how many units of each line lie in parcels, by the line's id."""
    rows = session.execute(
        select(ShipmentLine.order_line_id, func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            Shipment.order_id == order.id,
            Shipment.direction == Direction.OUTBOUND,
            Shipment.state != ShipmentState.CANCELLED,
        )
        .group_by(ShipmentLine.order_line_id)
    )
    return {line: int(units) for line, units in rows}


def open_units(session: Session, order: Order) -> dict[int, int]:
    """Return how many units of each line still have to be packed."""
    packed = packed_units(session, order)
    left = {line.id: line.wanted - packed.get(line.id, 0) for line in order.lines}
    return {line: units for line, units in left.items() if units > 0}


def ready_units(session: Session, order: Order) -> dict[int, int]:
    """Return the units of each line that the next parcel takes: those open and not held back.

    When nothing else is left, the turn of what was held back has come.
    """
    left = open_units(session, order)
    back = {line.id: line.held_back for line in order.lines}
    now = {line: units - min(units, back[line]) for line, units in left.items()}
    return {line: units for line, units in now.items() if units} or left


def split_order(
    session: Session, order: Order, later: Mapping[int, int], *, actor: str, now: datetime
) -> None:
    """Part an order: these units leave in a later parcel, the others need not wait for them.

    Args:
        session: an open transaction.
        order: with its lines loaded.
        later: units by line; empty: it is one parcel again.
        actor: who decides it.
        now: the time.

    Raises:
        InvalidInputError: it is not so many units, or all that are open.
        ConflictError: everything is packed, or the order is completed or cancelled.
        StaleError: somebody changed it a moment ago.
    """
    left = open_units(session, order)
    if not left:
        raise ConflictError(f"Everything of order {order.number} is packed.")
    if any(n < 1 or n > left.get(line, 0) for line, n in later.items()):
        raise InvalidInputError(f"So many units of order {order.number} are not open to pack.")
    if dict(later) == left:
        raise InvalidInputError(f"Nothing of order {order.number} would leave now.")
    change_state(session, order, order.state, allowed=SPLITTABLE)
    for line in order.lines:
        line.held_back = later.get(line.id, 0)
    session.flush()
    event = "order_split" if later else "order_joined"
    units = {line.title: n for line in order.lines if (n := later.get(line.id))}
    record_event(session, order, event, actor=actor, at=now, units=units)


def missing_units(session: Session, order: Order) -> dict[int, int]:
    """Return the open units of each line that no stock is held for."""
    held = _held_units(session, order)
    left = open_units(session, order)
    return {line: n for line, units in left.items() if (n := units - held.get(line, 0)) > 0}


def ship_units(
    session: Session,
    order: Order,
    units: Mapping[int, int],
    *,
    carrier: str,
    service: str,
    package: str,
    cost_minor: int,
    actor: str,
    now: datetime,
) -> Shipment:
    """Pack units of an order into one parcel and ask for its label. The rest leaves later.

    Needs lines and items loaded.

    Raises:
        InvalidInputError: there are no units, or more than are open.
        ConflictError: the order is on hold, not confirmed, or its stock is not reserved.
        StaleError: somebody changed it a moment ago.
    """
    if order.on_hold:
        raise ConflictError(f"Order {order.number} is on hold: {order.hold_reason}.")
    left = open_units(session, order)
    if not units or any(n < 1 or n > left.get(line, 0) for line, n in units.items()):
        raise InvalidInputError(f"So many units of order {order.number} are not open to pack.")
    change_state(session, order, OrderState.IN_FULFILLMENT, allowed=PACKABLE)
    for line, count in units.items():
        reservations.consume(session, line, count, reference=order.number, actor=actor, at=now)
    known = select(func.count()).select_from(Shipment).where(Shipment.order_id == order.id)
    ours = f"OB{order.number.lstrip('#')}-{(session.scalar(known) or 0) + 1}"
    parcel = make_parcel(
        order,
        units,
        carrier=carrier,
        service=service,
        tracking_number=ours,
        cost_minor=cost_minor,
        packed_at=now,
    )
    session.add(parcel)
    session.flush()
    payload = {
        "parcel": ours,
        "order": order.number,
        "carrier": carrier,
        "service": service,
        "package": package,
        "weight_g": parcel.weight_g,
        "ship_to": dict(order.ship_to),
    }
    request_effect(
        session, port=LABELS, operation="buy_label", payload=payload, key=f"label:{ours}", now=now
    )
    record_event(session, order, "order_packed", actor=actor, at=now, tracking=ours)
    return parcel
