"""Orders under way: each new state of the source becomes the steps that lead to it here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce import inventory, payments, reservations
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.orders import (
    ADDRESS_NEEDS,
    Order,
    OrderLine,
    OrderState,
    cancel_order,
    change_address,
    confirm_order,
    sources_of,
)
from opsbot.commerce.payments import PaymentKind
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.connectors.bulk import insert_rows, take_ids
from opsbot.connectors.finished import (
    Ground,
    has_just_left,
    history_row,
    link_row,
    order_row,
)
from opsbot.connectors.foreign import ForeignLine, ForeignOrder, ForeignParcel
from opsbot.connectors.links import LinkKind, SourceLink, keep_link
from opsbot.connectors.parcels import find_new_parcels, follow_parcels, units_by_line
from opsbot.connectors.returned import follow_returns
from opsbot.errors import ConflictError
from opsbot.formats import format_money

NO_STOCK = "there is not enough stock"


def create_order(session: Session, ground: Ground, foreign: ForeignOrder) -> None:
    """Write down an order that is under way, and follow it to where it is.

    Raises:
        ConflictError: a step that the source reports is not possible here.
    """
    key = take_ids(session, Order, 1)[0]
    start = order_row(ground, key, foreign) | {"state": OrderState.PENDING}
    insert_rows(session, Order, [start | {"delivered_at": None}])
    for line in foreign.lines:
        session.add(_new_line(key, line))
    session.add(SourceLink(**link_row(ground, key, foreign)))
    session.flush()
    order = load_order(session, key)
    record_event(session, order, "order_placed", actor=ground.actor, at=foreign.placed_at)
    event = history_row(ground, key, foreign)
    record_event(
        session, order, event["event"], actor=ground.actor, at=ground.now, **event["detail"]
    )
    follow_order(session, ground, order, foreign)


def _new_line(key: int, line: ForeignLine) -> OrderLine:
    return OrderLine(
        order_id=key,
        sku=line.sku,
        title=line.title,
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        quantity=line.quantity,
        personalization=line.personalization,
    )


def load_order(session: Session, key: int) -> Order:
    """Return an order as it is now, with lines and items, locked until the transaction ends."""
    return session.scalars(
        select(Order)
        .where(Order.id == key)
        .options(selectinload(Order.lines).joinedload(OrderLine.item), joinedload(Order.customer))
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).one()


def follow_order(session: Session, ground: Ground, order: Order, foreign: ForeignOrder) -> None:
    """Bring an order to the state its source reports, step by step; what is done stays done.

    Raises:
        ConflictError: a step is not possible here; the text says which.
        StaleError: someone changed the order meanwhile.
    """
    _check_same_lines(order, foreign)
    _follow_money(session, order, foreign)
    for refund in foreign.refunds:
        remember_refund(session, ground, order, refund)
    _follow_cancelled(session, ground, order, foreign)
    if order.state is not OrderState.CANCELLED:
        _follow_address(session, ground, order, foreign)
        ready = foreign.ready and foreign.cancelled_at is None
        send_parcels(session, ground, order, foreign.parcels, ready=ready)
        follow_returns(session, ground, order, foreign.returns)


def send_parcels(
    session: Session,
    ground: Ground,
    order: Order,
    parcels: Sequence[ForeignParcel],
    *,
    ready: bool,
) -> None:
    """Confirm an order that is to be sent, and pack and send what its source has.

    Raises:
        ConflictError: the parcels do not fit what is left of the order.
    """
    new = find_new_parcels(session, ground, order, parcels)
    old = [one for one in new if not (ground.live and has_just_left(one, ground.now))]
    packed = units_by_line(session, order, new)
    _bring_in(session, ground, order, packed, units_by_line(session, order, old))
    _follow_stock(session, ground, order, packed, ready=ready)
    follow_parcels(session, ground, order, parcels, new)


def remember_refund(session: Session, ground: Ground, order: Order, refund: str) -> None:
    """Note that this refund of the source is in the order's payments."""
    keep_link(
        session,
        ground.source,
        LinkKind.REFUND,
        refund,
        record=order.id,
        changed_at=ground.now,
    )


def _check_same_lines(order: Order, foreign: ForeignOrder) -> None:
    ours = [(line.sku, line.quantity) for line in order.lines]
    theirs = [(line.sku, line.quantity) for line in foreign.lines]
    if ours != theirs:
        changed = sorted({sku for sku, _ in set(ours) ^ set(theirs)})
        raise ConflictError(
            f"The lines of order {order.number} were edited at the source ({', '.join(changed)}); "
            "a person must change them here."
        )


def _follow_money(session: Session, order: Order, foreign: ForeignOrder) -> None:
    """Append to the ledger what moved since; nothing is ever taken back from it."""
    ledger = payments.payments_of(session, order.id)
    money = foreign.money
    steps = (
        (PaymentKind.AUTHORIZATION, money.authorized, foreign.placed_at),
        (PaymentKind.VOID, money.authorized if money.voided else 0, foreign.changed_at),
        (PaymentKind.CAPTURE, money.captured, money.captured_at or foreign.placed_at),
        (PaymentKind.REFUND, money.refunded, money.refunded_at or foreign.changed_at),
    )
    for kind, whole, at in steps:
        more = whole - sum(line.amount_minor for line in ledger if line.kind is kind)
        if more > 0:
            payments.record_payment(
                session,
                order,
                kind,
                more,
                method=money.method,
                reference=foreign.external_id,
                at=at,
            )


def _follow_cancelled(
    session: Session, ground: Ground, order: Order, foreign: ForeignOrder
) -> None:
    if order.state is OrderState.CANCELLED:
        return
    if foreign.is_cancelled:
        when = foreign.cancelled_at or foreign.changed_at
        cancel_units(session, ground, order, None, foreign.cancel_reason, when)
        return
    units = {
        line.id: theirs.cancelled - line.cancelled
        for line, theirs in zip(order.lines, foreign.lines, strict=True)
        if theirs.cancelled > line.cancelled
    }
    if units:
        reason = "The shop took them out of the order."
        cancel_units(session, ground, order, units, reason, foreign.changed_at)
    if foreign.cancelled_at is not None and not any(p.shipped_at for p in foreign.parcels):
        left = foreign.money.captured - foreign.money.refunded
        amount = format_money(left, order.currency)
        _hold(session, ground, order, f"it is cancelled at the source, which still has {amount}")


def cancel_units(
    session: Session,
    ground: Ground,
    order: Order,
    units: Mapping[int, int] | None,
    reason: str,
    when: datetime,
) -> None:
    """Take units out of an order as its source did, which sees to the money itself.

    Args:
        session: an open transaction.
        ground: where it is from.
        order: with its lines loaded.
        units: how many, by the line's id; None for the whole order.
        reason: why, in words.
        when: when the source did.

    Raises:
        ConflictError: fewer are left, or the whole order is packed already.
    """
    if units is not None and all(line.wanted == units.get(line.id, 0) for line in order.lines):
        paid = payments.refundable(payments.payments_of(session, order.id))
        if paid:
            amount = format_money(paid, order.currency)
            _hold(session, ground, order, f"nothing of it is to be sent, and {amount} is paid")
            return
    if order.state is OrderState.IN_FULFILLMENT and units is not None:
        # Some of it has left; what is still here will not.
        for line in order.lines:
            line.cancelled += units.get(line.id, 0)
            reservations.release(session, line.id, units.get(line.id, 0))
        session.flush()
        detail = {str(key): count for key, count in units.items()}
        record_event(session, order, "lines_cancelled", actor=ground.actor, at=when, units=detail)
        return
    cancel_order(
        session, order, lines=units, reason=reason, actor=ground.actor, now=when, refund=False
    )


def _hold(session: Session, ground: Ground, order: Order, reason: str) -> None:
    if order.on_hold and order.hold_reason == reason:
        return
    allowed = [order.state]
    change_state(session, order, order.state, allowed=allowed, on_hold=True, hold_reason=reason)
    record_event(session, order, "order_held", actor=ground.actor, at=ground.now, reason=reason)


def _follow_address(session: Session, ground: Ground, order: Order, foreign: ForeignOrder) -> None:
    new = dict(foreign.ship_to)
    changeable = order.state in sources_of(OrderState.CANCELLED)
    complete = all(new.get(key) for key in ADDRESS_NEEDS)
    if changeable and complete and any(order.ship_to.get(k) != value for k, value in new.items()):
        change_address(session, order, new, actor=ground.actor, now=ground.now)


def _bring_in(
    session: Session,
    ground: Ground,
    order: Order,
    packed: Mapping[int, int],
    old: Mapping[int, int],
) -> None:
    """Have in stock what was packed elsewhere without being held back here.

    What left before we counted is not part of what is counted now: it is brought in for the
    purpose. Of what has just left, only what our count lacks is.
    """
    for line in order.lines:
        missing = packed.get(line.id, 0) - _held(session, line.id)
        counted = 0 if old.get(line.id) else inventory.available(session, line.sku)
        if missing > max(0, counted):
            inventory.move(
                session,
                line.sku,
                ground.shelf_id,
                missing - max(0, counted),
                reason=MoveReason.OPENING,
                reference=f"import {ground.source}",
                actor=ground.actor,
                at=order.placed_at,
            )


def _follow_stock(
    session: Session, ground: Ground, order: Order, packed: Mapping[int, int], *, ready: bool
) -> None:
    """Confirm the order and hold its stock back."""
    if order.state is OrderState.PENDING and (ready or packed):
        _confirm(session, ground, order, must=bool(packed))
    for line in order.lines:
        missing = packed.get(line.id, 0) - _held(session, line.id)
        if missing > 0:
            reservations.reserve(session, line.sku, missing, order_line_id=line.id, at=ground.now)


def _confirm(session: Session, ground: Ground, order: Order, *, must: bool) -> None:
    """Confirm an order; without enough stock it waits, unless some of it has left already."""
    try:
        with session.begin_nested():
            confirm_order(session, order, actor=ground.actor, now=ground.now)
    except ConflictError as error:
        session.refresh(order, ["state", "version"])
        if not must:
            _hold(session, ground, order, f"{NO_STOCK}: {error}")
            return
        allowed = sources_of(OrderState.CONFIRMED)
        change_state(session, order, OrderState.CONFIRMED, allowed=allowed)
    if order.on_hold and (order.hold_reason or "").startswith(NO_STOCK):
        allowed = [order.state]
        change_state(session, order, order.state, allowed=allowed, on_hold=False, hold_reason=None)


def _held(session: Session, line_id: int) -> int:
    held = select(func.coalesce(func.sum(Reservation.quantity), 0)).where(
        Reservation.order_line_id == line_id, Reservation.state == ReservationState.ACTIVE
    )
    return session.scalar(held) or 0
