"""Orders that are over, written down at once with all that followed from them.

What left before we knew of it had been in stock: a line of the ledger brings the units in where the
file begins, and the sale takes them out, so that today's stock stays as it is counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import MoveReason, StockLevel, StockMove
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.records import History
from opsbot.commerce.shipments import (
    Direction,
    Shipment,
    ShipmentLine,
    ShipmentState,
    TrackingEvent,
    dedupe_key,
)
from opsbot.connectors.bulk import insert_rows, take_ids
from opsbot.connectors.foreign import ForeignOrder, ForeignParcel, spread
from opsbot.connectors.links import LinkKind, SourceLink

SHIPS_IN = timedelta(days=2)
ARRIVES_IN = timedelta(days=7)
"""What an order promises when its source names no day."""

JUST_LEFT = timedelta(days=3)
"""Senders repeat a delivery for two days at most."""

Rows = dict[type[Any], list[dict[str, Any]]]
TABLES = (
    Order,
    OrderLine,
    Payment,
    Shipment,
    ShipmentLine,
    TrackingEvent,
    StockMove,
    History,
    SourceLink,
)
"""In the order in which they refer to each other."""


@dataclass(frozen=True)
class Ground:
    """What the orders of one batch stand on."""

    source: str
    channel_id: int
    shelf_id: int
    customers: Mapping[str, int]
    """Ids by e-mail address."""
    now: datetime
    live: bool = False
    """Whether it is told as it happens: what has just left was in the stock that we count."""

    @property
    def actor(self) -> str:
        """Who did what the source reports."""
        return f"source:{self.source}"


def has_just_left(parcel: ForeignParcel, now: datetime) -> bool:
    """Tell whether a parcel was packed so lately that its units were in stock when we counted."""
    return parcel.packed_at > now - JUST_LEFT


def is_finished(order: ForeignOrder) -> bool:
    """Tell whether nothing is left to happen to an order but returns."""
    if order.is_cancelled:
        return True
    return order.cancelled_at is None and order.is_delivered and not order.returns


def write_finished(session: Session, ground: Ground, orders: Sequence[ForeignOrder]) -> None:
    """Insert finished orders. Their items and customers must be there.

    Args:
        session: an open transaction.
        ground: what they stand on.
        orders: for which `is_finished` holds, none of them known yet.
    """
    if not orders:
        return
    rows: Rows = {table: [] for table in TABLES}
    ids = take_ids(session, Order, len(orders))
    for key, order in zip(ids, orders, strict=True):
        _add_order(rows, ground, key, order)
    _number(session, rows)
    _add_openings(session, rows, ground)
    for table in TABLES:
        insert_rows(session, table, rows[table])


def _add_order(rows: Rows, ground: Ground, key: int, order: ForeignOrder) -> None:
    rows[Order].append(order_row(ground, key, order))
    lines: list[dict[str, Any]] = []
    for line in order.lines:
        cancelled = line.quantity if order.is_cancelled else line.cancelled
        sent = line.quantity - cancelled
        lines.append(
            {
                "order_id": key,
                "sku": line.sku,
                "title": line.title,
                "unit_price_minor": line.unit_price_minor,
                "discount_minor": line.discount_minor,
                "quantity": line.quantity,
                "cancelled": cancelled,
                "shipped": sent,
                "delivered": sent,
                "returned": 0,
                "personalization": line.personalization,
            }
        )
    rows[OrderLine].extend(lines)
    rows[Payment].extend(payment_rows(key, order))
    room = [line["shipped"] for line in lines]
    for parcel in () if order.is_cancelled else order.parcels:
        _add_parcel(rows, ground, key, order, parcel, lines, room)
    rows[History].append(history_row(ground, key, order))
    rows[SourceLink].append(link_row(ground, key, order))


def order_row(ground: Ground, key: int, order: ForeignOrder) -> dict[str, Any]:
    """Return the row of an order: completed, cancelled, or pending when it is neither."""
    cancelled, delivered = order.is_cancelled, order.is_delivered and not order.is_cancelled
    arrived = max((p.delivered_at for p in order.parcels if p.delivered_at), default=None)
    state = OrderState.PENDING
    if is_finished(order):
        state = OrderState.CANCELLED if cancelled else OrderState.COMPLETED
    return {
        "id": key,
        "number": order.number,
        "channel_id": ground.channel_id,
        "customer_id": ground.customers[order.customer.address(ground.source)],
        "state": state,
        "on_hold": False,
        "hold_reason": None,
        "cancel_reason": order.cancel_reason if state is OrderState.CANCELLED else None,
        "currency": order.currency,
        "items_minor": order.items_minor,
        "discount_minor": order.discount_minor,
        "shipping_minor": order.shipping_minor,
        "tax_minor": order.tax_minor,
        "total_minor": order.total,
        "ship_to": dict(order.ship_to),
        "placed_at": order.placed_at,
        "promised_ship_by": order.placed_at + SHIPS_IN,
        "promised_delivery_by": order.placed_at + ARRIVES_IN,
        "delivered_at": arrived if delivered and state is OrderState.COMPLETED else None,
        "cancelled_at": order.cancelled_at if state is OrderState.CANCELLED else None,
        "created_at": order.placed_at,
        "source": ground.source,
        "external_id": order.external_id,
        "version": 1,
    }


def payment_rows(key: int, order: ForeignOrder) -> list[dict[str, Any]]:
    """Return the ledger of an order, as far as its source knows it."""
    money = order.money
    lines = [
        (PaymentKind.AUTHORIZATION, money.authorized, order.placed_at),
        (PaymentKind.VOID, money.authorized if money.voided else 0, order.changed_at),
        (PaymentKind.CAPTURE, money.captured, money.captured_at or order.placed_at),
        (PaymentKind.REFUND, money.refunded, money.refunded_at or order.changed_at),
    ]
    return [
        {
            "order_id": key,
            "kind": kind,
            "amount_minor": amount,
            "method": money.method,
            "gateway_ref": f"{kind}:{order.external_id}",
            "at": at,
        }
        for kind, amount, at in lines
        if amount
    ]


def history_row(ground: Ground, key: int, order: ForeignOrder) -> dict[str, Any]:
    """Return the line of history that says where an order is from."""
    return {
        "subject": Order.__tablename__,
        "subject_id": str(key),
        "event": "order_imported",
        "detail": {"source": ground.source, "external_id": order.external_id},
        "actor": ground.actor,
        "at": ground.now,
    }


def link_row(ground: Ground, key: int, order: ForeignOrder) -> dict[str, Any]:
    """Return the link between an order and its source's."""
    return {
        "source": ground.source,
        "kind": LinkKind.ORDER,
        "external_id": order.external_id,
        "record": str(key),
        "changed_at": order.changed_at,
        "digest": order.digest,
    }


def _add_parcel(
    rows: Rows,
    ground: Ground,
    key: int,
    order: ForeignOrder,
    parcel: ForeignParcel,
    lines: list[dict[str, Any]],
    room: list[int],
) -> None:
    """Add a delivered parcel with its scans and what it took off the shelf."""
    packed_at = max(parcel.packed_at, order.placed_at)
    shipped_at = max(parcel.shipped_at or packed_at, packed_at)
    delivered_at = max(parcel.delivered_at or shipped_at, shipped_at)
    shipment: dict[str, Any] = {
        "order_id": key,
        "direction": Direction.OUTBOUND,
        "state": ShipmentState.DELIVERED,
        "carrier": parcel.carrier,
        "service": parcel.service,
        "tracking_number": parcel.tracking_number or made_up_number(ground.source, parcel),
        "tracking_url": parcel.tracking_url,
        "weight_g": 0,
        "cost_minor": 0,
        "packed_at": packed_at,
        "shipped_at": shipped_at,
        "eta": None,
        "promised_by": order.placed_at + ARRIVES_IN,
        "delivered_at": delivered_at,
        "version": 1,
    }
    rows[Shipment].append(shipment)
    skus = [line.sku for line in order.lines]
    for line, units in zip(lines, spread(skus, room, parcel.units), strict=True):
        if units:
            # The ids are given out later, when it is known how many there are.
            rows[ShipmentLine].append({"shipment": shipment, "line": line, "quantity": units})
    for status, at, message in (
        (ShipmentState.IN_TRANSIT, shipped_at, parcel.message),
        (ShipmentState.DELIVERED, delivered_at, parcel.delivery_message),
    ):
        event = {"status": status, "message": message, "place": None, "occurred_at": at}
        dedupe = dedupe_key(status, message, None, at)
        rows[TrackingEvent].append(
            {"shipment": shipment, **event, "received_at": at, "dedupe": dedupe}
        )
    for sku, units in parcel.units.items():
        rows[StockMove].append(
            move_row(ground, sku, -units, MoveReason.SALE, order.number, packed_at)
        )


def made_up_number(source: str, parcel: ForeignParcel) -> str:
    """Return what stands for a tracking number that the source does not have."""
    return f"{source}:{parcel.external_id}"


def move_row(
    ground: Ground, sku: str, units: int, reason: MoveReason, reference: str, at: datetime
) -> dict[str, Any]:
    """Return a line of the stock ledger; the level must be changed with it."""
    return {
        "sku": sku,
        "location_id": ground.shelf_id,
        "quantity": units,
        "reason": reason,
        "reference": reference,
        "actor": ground.actor,
        "at": at,
    }


def _number(session: Session, rows: Rows) -> None:
    """Give ids to lines and parcels, and put them where others refer to them."""
    for table in (OrderLine, Shipment):
        for key, row in zip(take_ids(session, table, len(rows[table])), rows[table], strict=True):
            row["id"] = key
    for part in rows[ShipmentLine]:
        part["shipment_id"] = part.pop("shipment")["id"]
        part["order_line_id"] = part.pop("line")["id"]
    for event in rows[TrackingEvent]:
        event["shipment_id"] = event.pop("shipment")["id"]


def _add_openings(session: Session, rows: Rows, ground: Ground) -> None:
    """Put into the ledger, before everything else, what the orders take out of it."""
    moves = rows[StockMove]
    if not moves:
        return
    begun = min(move["at"] for move in moves)
    taken: Counter[str] = Counter()
    for move in moves:
        taken[move["sku"]] -= move["quantity"]
    reference = f"import {ground.source}"
    rows[StockMove] = [
        move_row(ground, sku, units, MoveReason.OPENING, reference, begun)
        for sku, units in taken.items()
    ] + moves
    add_levels(session, ground.shelf_id, taken)


def add_levels(session: Session, shelf_id: int, skus: Iterable[str]) -> None:
    """Make the stock levels, of nothing, that items do not have at a location yet."""
    wanted = list(skus)
    here = select(StockLevel.sku).where(
        StockLevel.location_id == shelf_id, StockLevel.sku.in_(wanted)
    )
    known = set(session.scalars(here))
    nothing = {"location_id": shelf_id, "on_hand": 0, "reserved": 0}
    insert_rows(session, StockLevel, [{"sku": s, **nothing} for s in wanted if s not in known])
