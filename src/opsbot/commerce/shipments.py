"""Parcels and what carriers say about them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import ForeignKey, Select, UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

from opsbot.commerce import reservations
from opsbot.commerce.orders import Fulfilment, Order, OrderLine, OrderState, sources_of
from opsbot.commerce.records import Versioned, change_state, insert_or_ignore, record_event
from opsbot.db import Base
from opsbot.errors import ConflictError


class Direction(StrEnum):
    """Which way a parcel goes."""

    OUTBOUND = "outbound"
    RETURN = "return"


class ShipmentState(StrEnum):
    """The common words for what carriers report (each carrier has its own)."""

    PACKED = "packed"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    ATTEMPT_FAILED = "attempt_failed"
    DELAYED = "delayed"
    RETURNING = "returning"
    EXCEPTION = "exception"
    CANCELLED = "cancelled"


class NeededAction(StrEnum):
    """What a carrier waits for before it goes on."""

    ADDRESS = "address"
    """The address is wrong, or lacks something."""
    FEES = "fees"
    """Duty, tax or postage must be paid."""
    DOCUMENTS = "documents"
    """Papers or facts are missing, such as for customs."""
    PICKUP = "pickup"
    """Somebody must collect it."""
    CONTACT = "contact"
    """Somebody must get in touch; the carrier does not say about what."""


ON_ITS_WAY = frozenset(ShipmentState) - {
    ShipmentState.PACKED,
    ShipmentState.PRE_TRANSIT,
    ShipmentState.CANCELLED,
}
"""States in which the carrier has, or had, the parcel."""


class Shipment(Versioned, Base):
    """One parcel of one order."""

    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    direction: Mapped[Direction] = mapped_column(default=Direction.OUTBOUND)
    state: Mapped[ShipmentState] = mapped_column(default=ShipmentState.PACKED, index=True)
    carrier: Mapped[str]
    service: Mapped[str]
    tracking_number: Mapped[str] = mapped_column(unique=True)
    tracking_url: Mapped[str | None]
    weight_g: Mapped[int]
    cost_minor: Mapped[int]
    packed_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    eta: Mapped[datetime | None]
    promised_by: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    needs: Mapped[NeededAction | None] = mapped_column(default=None)
    """What the carrier waits for, as of its last word."""

    order: Mapped[Order] = relationship(lazy="raise")
    lines: Mapped[list["ShipmentLine"]] = relationship(lazy="raise")
    events: Mapped[list["TrackingEvent"]] = relationship(
        lazy="raise", order_by="TrackingEvent.occurred_at, TrackingEvent.received_at"
    )


class ShipmentLine(Base):
    """What a parcel holds."""

    __tablename__ = "shipment_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    quantity: Mapped[int]

    order_line: Mapped[OrderLine] = relationship(lazy="raise")


class TrackingEvent(Base):
    """One scan or message of the carrier."""

    __tablename__ = "tracking_events"
    __table_args__ = (UniqueConstraint("shipment_id", "dedupe"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), index=True)
    status: Mapped[ShipmentState]
    message: Mapped[str]
    place: Mapped[str | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    needs: Mapped[NeededAction | None] = mapped_column(default=None)
    """What the carrier waits for."""
    dedupe: Mapped[str]
    """Hash of status, message, time, place and what is needed: carriers send events twice."""


def shipments_of(session: Session, order_id: int, *, contents: bool = True) -> list[Shipment]:
    """Return the parcels of an order with their events, first packed first.

    Args:
        session: an open session.
        order_id: of which order.
        contents: whether their lines are wanted too.
    """
    found = session.scalars(_of_order(contents=contents), {"order": order_id})
    return list(found.unique())


@cache  # putting it together takes as long as a small query
def _of_order(*, contents: bool) -> Select[Shipment]:
    found = select(Shipment).where(Shipment.order_id == bindparam("order"))
    found = found.options(joinedload(Shipment.events))
    if contents:
        lines = selectinload(Shipment.lines).joinedload(ShipmentLine.order_line)
        found = found.options(lines)
    return found.order_by(Shipment.packed_at, Shipment.id)


def pack_order(
    session: Session,
    order: Order,
    *,
    carrier: str,
    service: str,
    tracking_number: str,
    cost_minor: int,
    actor: str,
    now: datetime,
) -> Shipment:
    """Put all open units of a confirmed order into one parcel. Needs lines and items loaded.

    Raises:
        ConflictError: the order is on hold, not confirmed, or its stock is not reserved.
        StaleError: someone changed it since it was read.
    """
    if order.on_hold:
        raise ConflictError(f"Order {order.number} is on hold: {order.hold_reason}.")
    allowed = sources_of(OrderState.IN_FULFILLMENT)
    change_state(session, order, OrderState.IN_FULFILLMENT, allowed=allowed)
    units = {line.id: line.wanted for line in order.lines if line.wanted}
    for line_id, count in units.items():
        reservations.consume(session, line_id, count, reference=order.number, actor=actor, at=now)
    parcel = make_parcel(
        order,
        units,
        carrier=carrier,
        service=service,
        tracking_number=tracking_number,
        cost_minor=cost_minor,
        packed_at=now,
    )
    session.add(parcel)
    record_event(session, order, "order_packed", actor=actor, at=now, tracking=tracking_number)
    session.flush()
    return parcel


def make_parcel(
    order: Order,
    units: Mapping[int, int],
    *,
    carrier: str,
    service: str,
    tracking_number: str,
    packed_at: datetime,
    cost_minor: int = 0,
    tracking_url: str | None = None,
) -> Shipment:
    """Return a parcel that is not stored yet. Needs lines and items loaded.

    Args:
        order: whose it is.
        units: how many of each line it holds, by the line's id.
        carrier: who brings it.
        service: of the carrier.
        tracking_number: of the carrier.
        packed_at: when.
        cost_minor: what sending it costs the shop.
        tracking_url: where the customer can follow it.
    """
    held = [(line, units[line.id]) for line in order.lines if units.get(line.id)]
    return Shipment(
        order=order,
        carrier=carrier,
        service=service,
        tracking_number=tracking_number,
        tracking_url=tracking_url,
        weight_g=sum(line.item.weight_g * count for line, count in held),
        cost_minor=cost_minor,
        packed_at=packed_at,
        promised_by=order.promised_delivery_by,
        lines=[ShipmentLine(order_line=line, quantity=count) for line, count in held],
    )


@dataclass(frozen=True)
class Journey:
    """What the events of a parcel add up to."""

    state: ShipmentState
    shipped_at: datetime | None
    """When the carrier first had it."""
    delivered_at: datetime | None
    """When it was first delivered."""
    needs: NeededAction | None
    """What the carrier waits for; nothing once it is over."""


def fold(events: Iterable[TrackingEvent], *, start: ShipmentState) -> Journey:
    """Tell where a parcel is. The order in which the events came in does not matter.

    The last event decides, except that a delivered parcel stays delivered unless it goes back.
    """
    ranks = {state: rank for rank, state in enumerate(ShipmentState)}
    ordered = sorted(
        events,
        key=lambda e: (e.occurred_at, e.received_at, ranks[e.status], e.needs or "", e.dedupe),
    )
    state, needs = start, None
    for event in ordered:
        if state is not ShipmentState.DELIVERED or event.status is ShipmentState.RETURNING:
            state, needs = event.status, event.needs
    moving = (event.occurred_at for event in ordered if event.status in ON_ITS_WAY)
    arrived = (e.occurred_at for e in ordered if e.status is ShipmentState.DELIVERED)
    over = state in {ShipmentState.DELIVERED, ShipmentState.CANCELLED}
    return Journey(state, next(moving, None), next(arrived, None), None if over else needs)


def dedupe_key(
    status: ShipmentState,
    message: str,
    place: str | None,
    occurred_at: datetime,
    needs: NeededAction | None = None,
) -> str:
    """Return what two deliveries of the same event have in common."""
    text = f"{status}|{message}|{occurred_at.timestamp()}|{place or ''}"
    text += f"|{needs}" if needs else ""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def record_tracking_event(
    session: Session,
    shipment: Shipment,
    *,
    status: ShipmentState,
    message: str,
    place: str | None,
    occurred_at: datetime,
    received_at: datetime,
    needs: NeededAction | None = None,
) -> bool:
    """Keep what a carrier reports, and bring the parcel, its lines and its order up to date.

    Events may come twice and in any order; the outcome is the same. Relations of `shipment` that
    were loaded before must be read again.

    Returns:
        False when the event was known already.
    """
    session.flush()
    order = session.scalars(
        select(Order)
        .where(Order.id == shipment.order_id)
        .options(selectinload(Order.lines))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    dedupe = dedupe_key(status, message, place, occurred_at, needs)
    new = insert_or_ignore(
        session,
        TrackingEvent,
        shipment_id=shipment.id,
        status=status,
        message=message,
        place=place,
        occurred_at=occurred_at,
        received_at=received_at,
        needs=needs,
        dedupe=dedupe,
    )
    if not new:
        _keep_first_receipt(session, shipment, dedupe, received_at)
    _follow_events(session, shipment, at=received_at)
    if shipment.direction is Direction.OUTBOUND:
        _follow_parcels(session, order, at=received_at)
    return new


def _keep_first_receipt(
    session: Session, shipment: Shipment, dedupe: str, received_at: datetime
) -> None:
    session.execute(
        update(TrackingEvent)
        .where(TrackingEvent.shipment_id == shipment.id, TrackingEvent.dedupe == dedupe)
        .where(TrackingEvent.received_at > received_at)
        .values(received_at=received_at)
        .execution_options(synchronize_session=False)
    )


def _follow_events(session: Session, shipment: Shipment, *, at: datetime) -> None:
    """Set the parcel to what its events add up to."""
    session.refresh(shipment, ["version", "state", "shipped_at", "delivered_at", "needs"])
    session.expire(shipment, ["events"])
    events = session.scalars(
        select(TrackingEvent)
        .where(TrackingEvent.shipment_id == shipment.id)
        .execution_options(populate_existing=True)
    )
    before = Journey(shipment.state, shipment.shipped_at, shipment.delivered_at, shipment.needs)
    journey = fold(events, start=ShipmentState.PACKED)
    if journey == before:
        return
    change_state(
        session,
        shipment,
        journey.state,
        allowed=list(ShipmentState),
        shipped_at=journey.shipped_at,
        delivered_at=journey.delivered_at,
        needs=journey.needs,
    )
    if journey.state is not before.state:
        detail = {"from": before.state, "to": journey.state}
        record_event(session, shipment, "parcel_moved", actor="carrier", at=at, **detail)
    if journey.needs not in {None, before.needs}:
        record_event(
            session, shipment, "action_needed", actor="carrier", at=at, needs=journey.needs
        )


def _follow_parcels(session: Session, order: Order, *, at: datetime) -> None:
    """Set an order's quantities and state to what its parcels say."""
    parcels = [
        parcel
        for parcel in shipments_of(session, order.id)
        if parcel.direction is Direction.OUTBOUND
    ]
    for line in order.lines:
        held = [(p, part.quantity) for p in parcels for part in p.lines if part.order_line is line]
        line.shipped = max(line.shipped, sum(n for p, n in held if p.shipped_at))
        line.delivered = max(line.delivered, sum(n for p, n in held if p.delivered_at))
    if order.state is OrderState.CONFIRMED and any(line.shipped for line in order.lines):
        allowed = sources_of(OrderState.IN_FULFILLMENT)
        change_state(session, order, OrderState.IN_FULFILLMENT, allowed=allowed)
    arrived = max((p.delivered_at for p in parcels if p.delivered_at), default=None)
    if arrived is None or order.fulfilment is not Fulfilment.DELIVERED:
        return
    if order.state is OrderState.IN_FULFILLMENT:
        allowed = sources_of(OrderState.COMPLETED)
        change_state(session, order, OrderState.COMPLETED, allowed=allowed, delivered_at=arrived)
        record_event(session, order, "order_delivered", actor="carrier", at=at)
    elif order.state is OrderState.COMPLETED and order.delivered_at != arrived:
        change_state(session, order, order.state, allowed=[order.state], delivered_at=arrived)
