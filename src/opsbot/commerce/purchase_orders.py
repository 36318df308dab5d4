"""What happens to a purchase order: written, approved, sent, confirmed, received, closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.inventory import MoveReason, move
from opsbot.commerce.lots import Lot, LotState, make_lot
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.purchasing import (
    PURCHASE_ORDER_EDGES,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Receipt,
    Supplier,
    SupplierItem,
)
from opsbot.commerce.records import advance, change_state, record_event
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError

OVER_PERCENT = 10
"""So many percent more than ordered may be received."""
RECEIVABLE = (
    PurchaseOrderState.SENT,
    PurchaseOrderState.ACKNOWLEDGED,
    PurchaseOrderState.PARTIALLY_RECEIVED,
)


@dataclass(frozen=True)
class Wanted:
    """One line to order."""

    sku: str
    units: int


@dataclass(frozen=True)
class Priced:
    """A line as the supplier sells it: whole packs, not fewer than the least quantity."""

    source: SupplierItem
    units: int
    """After rounding up."""
    price_minor: int
    """Of `source.price_per` units at that quantity."""

    @property
    def value_minor(self) -> int:
        """Of the line, rounded half up."""
        per = self.source.price_per
        return (2 * self.units * self.price_minor + per) // (2 * per)


@dataclass(frozen=True)
class Received:
    """What came on one line."""

    line: PurchaseOrderLine
    units: int
    rejected: int = 0


def find_purchase_order(session: Session, number: str) -> PurchaseOrder:
    """Return a purchase order with supplier, lines and items; `42` and `PO-00042` are the same.

    Raises:
        NotFoundError: there is none.
    """
    digits = "".join(c for c in number if c.isdigit())
    written = f"PO-{int(digits or 0):05}"
    order = session.scalar(
        select(PurchaseOrder)
        .where(PurchaseOrder.number == written)
        .options(
            joinedload(PurchaseOrder.supplier),
            selectinload(PurchaseOrder.lines).joinedload(PurchaseOrderLine.item),
        )
    )
    if order is None:
        raise NotFoundError("purchase order", number.strip()[:40])
    return order


def order_value(order: PurchaseOrder) -> int:
    """Return what an order costs, in minor units of its currency."""
    return sum(line.value_of(line.ordered) for line in order.lines)


def source_of(session: Session, sku: str, supplier_id: int | None = None) -> SupplierItem | None:
    """Return who sells an item: the named supplier, else the preferred one, else the cheapest."""
    statement = (
        select(SupplierItem)
        .where(SupplierItem.sku == sku)
        .options(joinedload(SupplierItem.supplier))
    )
    if supplier_id is not None:
        statement = statement.where(SupplierItem.supplier_id == supplier_id)
    found = list(session.scalars(statement))
    key = lambda one: (not one.preferred, one.price_minor / one.price_per, one.id)  # noqa: E731
    return min(found, key=key, default=None)


def price_line(source: SupplierItem, units: int) -> Priced:
    """Round a quantity up to what the supplier sells, and find its price."""
    packs = -(-max(units, source.minimum) // source.pack_multiple)
    rounded = packs * source.pack_multiple
    return Priced(source, rounded, source.price_at(rounded))


def draft_purchase_order(
    session: Session,
    supplier: Supplier,
    lines: Sequence[Priced],
    *,
    location_id: int | None = None,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """Write an order that nobody has seen yet.

    Raises:
        InvalidInputError: there are no lines.
        ConflictError: an item is discontinued.
    """
    if not lines:
        raise InvalidInputError("A purchase order needs at least one line.")
    for line in lines:
        item = session.get(Item, line.source.sku)
        if item is None or item.status is ItemStatus.DISCONTINUED:
            raise ConflictError(f"{line.source.sku} is discontinued and cannot be ordered.")
    lead = max(line.source.lead_days for line in lines)
    order = PurchaseOrder(
        number=next_number(session, NumberKind.PURCHASE_ORDER),
        supplier_id=supplier.id,
        state=PurchaseOrderState.DRAFT,
        currency=supplier.currency,
        ordered_at=now,
        promised_at=now + timedelta(days=lead),
        location_id=location_id,
        lines=[
            PurchaseOrderLine(
                sku=line.source.sku,
                ordered=line.units,
                unit_price_minor=line.price_minor,
                price_per=line.source.price_per,
            )
            for line in lines
        ],
    )
    session.add(order)
    session.flush()
    record_event(session, order, "purchase_order_drafted", actor=actor, at=now)
    return order


def approve_purchase_order(
    session: Session, order: PurchaseOrder, *, actor: str, now: datetime
) -> None:
    """Approve a draft and send it off: from now it counts as ordered.

    Raises:
        ConflictError: it is no draft, or it is on hold.
    """
    _refuse_held(order)
    advance(session, order, PurchaseOrderState.APPROVED, PURCHASE_ORDER_EDGES, approved_by=actor)
    record_event(session, order, "purchase_order_approved", actor=actor, at=now)
    lead = order.promised_at - order.ordered_at
    advance(
        session,
        order,
        PurchaseOrderState.SENT,
        PURCHASE_ORDER_EDGES,
        ordered_at=now,
        promised_at=now + lead,
    )
    record_event(session, order, "purchase_order_sent", actor=actor, at=now)


def acknowledge_purchase_order(
    session: Session,
    order: PurchaseOrder,
    *,
    promised_at: datetime | None,
    actor: str,
    now: datetime,
) -> None:
    """Write down that the supplier has confirmed the order, and for when.

    Raises:
        ConflictError: it was not sent.
    """
    promised = promised_at or order.promised_at
    change_state(
        session,
        order,
        PurchaseOrderState.ACKNOWLEDGED,
        allowed=(PurchaseOrderState.SENT, PurchaseOrderState.ACKNOWLEDGED),
        promised_at=promised,
    )
    detail = {"promised_at": promised.isoformat()}
    record_event(session, order, "purchase_order_acknowledged", actor=actor, at=now, **detail)


def cancel_purchase_order(
    session: Session, order: PurchaseOrder, *, actor: str, now: datetime
) -> None:
    """Call an order off of which nothing has come.

    Raises:
        ConflictError: something has come, or it is over.
    """
    advance(session, order, PurchaseOrderState.CANCELLED, PURCHASE_ORDER_EDGES)
    record_event(session, order, "purchase_order_cancelled", actor=actor, at=now)


def close_purchase_order(
    session: Session, order: PurchaseOrder, *, actor: str, now: datetime
) -> None:
    """End an order whose rest will not come, or that is settled.

    Raises:
        ConflictError: nothing of it has come.
    """
    advance(session, order, PurchaseOrderState.CLOSED, PURCHASE_ORDER_EDGES)
    record_event(session, order, "purchase_order_closed", actor=actor, at=now)


def hold_purchase_order(
    session: Session, order: PurchaseOrder, *, on_hold: bool, actor: str, now: datetime
) -> None:
    """Stop an order from being approved or received for now, or go on with it.

    Raises:
        ConflictError: it is over.
    """
    running = [state for state, following in PURCHASE_ORDER_EDGES.items() if following]
    change_state(session, order, order.state, allowed=running, on_hold=on_hold)
    event = "purchase_order_held" if on_hold else "purchase_order_resumed"
    record_event(session, order, event, actor=actor, at=now)


def receive_purchase_order(
    session: Session,
    order: PurchaseOrder,
    came: Sequence[Received],
    *,
    location_id: int,
    quarantine_id: int,
    actor: str,
    now: datetime,
) -> list[Lot]:
    """Take in what came: good units for use, rejected ones to quarantine, each as a lot.

    Raises:
        ConflictError: it was not sent, is on hold, or more came than the order allows.
        InvalidInputError: nothing came, or more was rejected than came.
    """
    _refuse_held(order)
    if not came:
        raise InvalidInputError("Please say what came.")
    lots = []
    for one in came:
        _check_received(one)
        one.line.received += one.units
        one.line.rejected += one.rejected
        lots += _take_in(session, order, one, location_id, quarantine_id, actor=actor, now=now)
    done = all(line.received >= line.ordered for line in order.lines)
    change_state(
        session,
        order,
        PurchaseOrderState.RECEIVED if done else PurchaseOrderState.PARTIALLY_RECEIVED,
        allowed=RECEIVABLE,
        received_at=now if done else None,
    )
    detail = {one.line.sku: [one.units, one.rejected] for one in came}
    record_event(session, order, "purchase_order_received", actor=actor, at=now, lines=detail)
    return lots


def _check_received(one: Received) -> None:
    line = one.line
    if one.units < 1 or not 0 <= one.rejected <= one.units:
        raise InvalidInputError("Not more can be rejected than came, and something must have come.")
    most = line.ordered * (100 + OVER_PERCENT) // 100
    if line.received + one.units > most:
        raise ConflictError(
            f"{line.ordered} of {line.sku} were ordered and {line.received} have come; at most "
            f"{most - line.received} more can be taken in."
        )


def _take_in(
    session: Session,
    order: PurchaseOrder,
    one: Received,
    location_id: int,
    quarantine_id: int,
    *,
    actor: str,
    now: datetime,
) -> list[Lot]:
    sku, good = one.line.sku, one.units - one.rejected
    parts: Mapping[LotState, tuple[int, int]] = {
        LotState.RELEASED: (location_id, good),
        LotState.QUARANTINE: (quarantine_id, one.rejected),
    }
    lots: dict[LotState, Lot] = {}
    tracked = session.get_one(Item, sku).lot_tracked
    for state, (place, units) in parts.items():
        if not units:
            continue
        if tracked:
            lots[state] = make_lot(
                session,
                sku,
                reference=order.number,
                at=now,
                state=state,
                supplier_id=order.supplier_id,
                reason="rejected on receipt" if state is LotState.QUARANTINE else None,
            )
        move(
            session,
            sku,
            place,
            units,
            reason=MoveReason.RECEIPT,
            reference=order.number,
            actor=actor,
            at=now,
            lot_id=lots[state].id if state in lots else None,
        )
    _add_receipt(session, one, lots, actor=actor, now=now)
    return list(lots.values())


def _add_receipt(
    session: Session,
    one: Received,
    lots: Mapping[LotState, Lot],
    *,
    actor: str,
    now: datetime,
) -> None:
    kept = lots.get(LotState.RELEASED) or lots.get(LotState.QUARANTINE)
    session.add(
        Receipt(
            purchase_order_line_id=one.line.id,
            received=one.units,
            rejected=one.rejected,
            lot_id=kept.id if kept else None,
            received_at=now,
            actor=actor,
        )
    )
    session.flush()


def _refuse_held(order: PurchaseOrder) -> None:
    if order.on_hold:
        raise ConflictError(f"{order.number} is on hold.")


def expect_state(order: PurchaseOrder, states: Sequence[PurchaseOrderState]) -> None:
    """Refuse what only makes sense in other states.

    Raises:
        ConflictError: the order is in none of these.
    """
    if order.state not in states:
        raise ConflictError(
            f"{order.number} is {order.state.replace('_', ' ')}.",
            state=order.state,
            allowed=tuple(states),
        )
