"""Parcels that a shop system reports, beside those we know."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import reservations
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.shipments import (
    Direction,
    Shipment,
    ShipmentState,
    make_parcel,
    record_tracking_event,
    shipments_of,
)
from opsbot.connectors.finished import Ground, made_up_number
from opsbot.connectors.foreign import ForeignParcel, spread
from opsbot.connectors.links import LinkKind, keep_link, links_of
from opsbot.errors import ConflictError


def find_new_parcels(
    session: Session, ground: Ground, order: Order, parcels: Sequence[ForeignParcel]
) -> list[ForeignParcel]:
    """Return the parcels that we do not have; one we have under another name is linked."""
    ids = [parcel.external_id for parcel in parcels]
    known = links_of(session, ground.source, LinkKind.PARCEL, ids)
    new = []
    for parcel in parcels:
        if parcel.external_id in known:
            continue
        ours = _same_parcel(session, ground, order, parcel)
        if ours is None:
            new.append(parcel)
        else:
            _link(session, ground, parcel, ours)
    return new


def _same_parcel(
    session: Session, ground: Ground, order: Order, parcel: ForeignParcel
) -> Shipment | None:
    """Find a parcel by its tracking number, or one that a file told of without any."""
    for ours in shipments_of(session, order.id):
        if ours.tracking_number == parcel.tracking_number:
            return ours
        units: Counter[str] = Counter()
        for part in ours.lines:
            units[part.order_line.sku] += part.quantity
        nameless = ours.tracking_number.startswith(f"{ground.source}:")
        if nameless and units == Counter(parcel.units):
            return ours
    return None


def _link(session: Session, ground: Ground, parcel: ForeignParcel, ours: Shipment) -> None:
    keep_link(
        session,
        ground.source,
        LinkKind.PARCEL,
        parcel.external_id,
        record=ours.id,
        changed_at=ground.now,
    )


def units_by_line(
    session: Session, order: Order, parcels: Sequence[ForeignParcel]
) -> dict[int, int]:
    """Return how many units of each line these parcels hold, by the line's id.

    Raises:
        ConflictError: they hold more than is left to pack.
    """
    shares = _share(session, order, parcels)
    whole: Counter[int] = Counter()
    for share in shares:
        whole.update(share)
    return dict(whole)


def _share(
    session: Session, order: Order, parcels: Sequence[ForeignParcel]
) -> list[dict[int, int]]:
    packed: Counter[int] = Counter()
    for ours in shipments_of(session, order.id) if parcels else ():
        if ours.direction is Direction.OUTBOUND:
            packed.update({part.order_line_id: part.quantity for part in ours.lines})
    room = [line.wanted - packed[line.id] for line in order.lines]
    skus = [line.sku for line in order.lines]
    shares = []
    for parcel in parcels:
        units = spread(skus, room, parcel.units)
        if sum(units) != sum(parcel.units.values()):
            message = f"Parcel {parcel.external_id} holds more of order {order.number}"
            raise ConflictError(f"{message} than is left to pack.")
        pairs = zip(order.lines, units, strict=True)
        shares.append({line.id: count for line, count in pairs if count})
    return shares


def follow_parcels(
    session: Session,
    ground: Ground,
    order: Order,
    parcels: Sequence[ForeignParcel],
    new: Sequence[ForeignParcel],
) -> None:
    """Pack what the source has packed, and report where its parcels are.

    The stock of the new parcels must be held back for their lines.

    Raises:
        ConflictError: the order cannot be packed in its state.
    """
    for parcel, units in zip(new, _share(session, order, new), strict=True):
        _pack(session, ground, order, parcel, units)
    ids = [parcel.external_id for parcel in parcels]
    known = links_of(session, ground.source, LinkKind.PARCEL, ids)
    for parcel in parcels:
        key = int(known[parcel.external_id].record)
        ours = session.scalars(select(Shipment).where(Shipment.id == key)).one()
        _rename(ours, ground, parcel)
        _report(session, ground, ours, parcel)


def _pack(
    session: Session,
    ground: Ground,
    order: Order,
    parcel: ForeignParcel,
    units: Mapping[int, int],
) -> None:
    change_state(
        session,
        order,
        OrderState.IN_FULFILLMENT,
        allowed=[OrderState.CONFIRMED, OrderState.IN_FULFILLMENT],
    )
    packed_at = max(parcel.packed_at, order.placed_at)
    for line_id, count in units.items():
        reservations.consume(
            session, line_id, count, reference=order.number, actor=ground.actor, at=packed_at
        )
    ours = make_parcel(
        order,
        units,
        carrier=parcel.carrier,
        service=parcel.service,
        tracking_number=parcel.tracking_number or made_up_number(ground.source, parcel),
        tracking_url=parcel.tracking_url,
        packed_at=packed_at,
    )
    session.add(ours)
    session.flush()
    _link(session, ground, parcel, ours)
    number = ours.tracking_number
    record_event(session, order, "order_packed", actor=ground.actor, at=packed_at, tracking=number)


def _rename(ours: Shipment, ground: Ground, parcel: ForeignParcel) -> None:
    """Take over what a label that was made later says."""
    if parcel.tracking_number and ours.tracking_number.startswith(f"{ground.source}:"):
        ours.tracking_number = parcel.tracking_number
        ours.carrier, ours.tracking_url = parcel.carrier, parcel.tracking_url


def _report(session: Session, ground: Ground, ours: Shipment, parcel: ForeignParcel) -> None:
    """Say that a parcel left and arrived, unless its carrier has told us itself."""
    steps = (
        (ShipmentState.IN_TRANSIT, parcel.shipped_at, ours.shipped_at, parcel.message),
        (ShipmentState.DELIVERED, parcel.delivered_at, ours.delivered_at, parcel.delivery_message),
    )
    for status, at, known, message in steps:
        if at is not None and known is None:
            record_tracking_event(
                session,
                ours,
                status=status,
                message=message,
                place=None,
                occurred_at=max(at, ours.packed_at),
                received_at=ground.now,
            )
