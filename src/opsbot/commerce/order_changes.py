"""Changing an order that has not been packed: other variants of its items, another payment method.

Each is one conditional UPDATE of the order with the money and the stock in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce import payments, reservations
from opsbot.commerce.orders import Order, OrderLine, OrderState, amount_due, sources_of
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.payments import payments_of, refundable
from opsbot.commerce.products import Item
from opsbot.commerce.records import History, change_state, record_event
from opsbot.errors import ConflictError, InvalidInputError

ITEMS_CHANGED = "items_changed"
PAYMENT_CHANGED = "payment_changed"


@dataclass(frozen=True)
class Swap:
    """Units of one line that are to become another item."""

    line: OrderLine
    item: Item
    quantity: int

    @property
    def difference_minor(self) -> int:
        """What the customer pays more, or less when it is negative."""
        return (self.item.price_minor - self.line.unit_price_minor) * self.quantity


def difference_of(swaps: Sequence[Swap]) -> int:
    """Return what the customer pays more for all of them together; negative: less."""
    return sum(swap.difference_minor for swap in swaps)


def count_changes(session: Session, order: Order, event: str) -> int:
    """Return how often something was changed on an order: `items_changed`, `payment_changed`."""
    counted = select(func.count()).select_from(History)
    mine = (History.subject == Order.__tablename__, History.subject_id == str(order.id))
    return session.scalar(counted.where(*mine, History.event == event)) or 0


def change_items(
    session: Session,
    order: Order,
    swaps: Sequence[Swap],
    *,
    method: PaymentMethod | None,
    actor: str,
    now: datetime,
) -> int:
    """Make other items of lines of an order that has not been packed. Needs the lines loaded.

    Stock of the old items is free again and that of the new ones held back; the discount of the
    units stays. What was paid already is made up for the difference by `method`.

    Args:
        session: an open transaction.
        order: the order, as it was shown to whoever decides.
        swaps: which units become what; at least one.
        method: of the same customer; where a difference is charged, and where one that was paid
            too much goes. None: money goes back the way it was paid.
        actor: who changes it.
        now: the time.

    Returns:
        What the customer pays more in minor units; negative: gets back.

    Raises:
        InvalidInputError: there is nothing to change, or the difference has no payment method.
        ConflictError: it is packed, completed or cancelled already; an item is not in stock; a
            gift card has less on it than the difference.
        StaleError: someone changed it since it was read.
    """
    _check(order, swaps, method)
    difference = difference_of(swaps)
    old = [[swap.line.sku, swap.item.sku, swap.quantity] for swap in swaps]
    change_state(
        session,
        order,
        order.state,
        allowed=sources_of(OrderState.CANCELLED),
        items_minor=order.items_minor + difference,
        total_minor=order.total_minor + difference,
        tax_minor=_share(order.tax_minor, order.total_minor + difference, order.total_minor),
    )
    held = order.state is not OrderState.PENDING
    for swap in swaps:
        _swap(session, order, swap, held=held, now=now)
    _settle(session, order, difference, method, actor=actor, now=now)
    record_event(
        session,
        order,
        ITEMS_CHANGED,
        actor=actor,
        at=now,
        items=old,
        difference_minor=difference,
        payment_method_id=method.id if method else None,
    )
    return difference


def change_payment(
    session: Session, order: Order, method: PaymentMethod, *, actor: str, now: datetime
) -> int:
    """Have an order that has not been packed paid by another payment method.

    What was paid is charged to the new one and goes back the way it came; what was only reserved
    is reserved there instead. Needs the lines loaded.

    Args:
        session: an open transaction.
        order: the order, as it was shown to whoever decides.
        method: of the same customer.
        actor: who changes it.
        now: the time.

    Returns:
        What is charged or reserved by the new method, in minor units.

    Raises:
        ConflictError: it is packed, completed or cancelled already; the gift card has less on it
            than the order comes to; nothing is to be paid.
        StaleError: someone changed it since it was read.
    """
    _check_owner(order, method)
    change_state(session, order, order.state, allowed=sources_of(OrderState.CANCELLED))
    reference = f"payment {order.number}"
    ledger = payments_of(session, order.id)
    paid = refundable(ledger)
    reserved = sum(amount for _way, amount in payments.reserved_by(ledger))
    if not (paid or reserved):
        reserved = amount_due(order)
    if paid + reserved <= 0:
        raise ConflictError(f"Nothing is left to be paid on order {order.number}.")
    if paid:
        payments.charge(session, order, method, paid, reference=reference, now=now, actor=actor)
        # To what it was paid by until now: it may have been paid by the new method before.
        ways = payments.paid_by(ledger)
        payments.refund(session, order, paid, reference=reference, now=now, ways=ways, actor=actor)
    if reserved:
        payments.void(session, order, reference=reference, now=now)
        payments.charge(
            session, order, method, reserved, reference=reference, now=now, later=True, actor=actor
        )
    moved = {"amount_minor": paid + reserved, "payment_method_id": method.id}
    record_event(session, order, PAYMENT_CHANGED, actor=actor, at=now, **moved)
    return paid + reserved


def _check(order: Order, swaps: Sequence[Swap], method: PaymentMethod | None) -> None:
    if not swaps or len({swap.line.id for swap in swaps}) != len(swaps):
        raise InvalidInputError("Say which items to change, each line once.")
    if method is not None:
        _check_owner(order, method)
    own = {line.id for line in order.lines}
    for swap in swaps:
        if swap.line.id not in own or not 0 < swap.quantity <= swap.line.wanted:
            raise ConflictError(f"Order {order.number} does not have that many units to change.")
        if swap.item.sku == swap.line.sku or not swap.item.sellable:
            raise InvalidInputError(f"{swap.line.title} cannot become {swap.item.title}.")
        if swap.item.currency != order.currency:
            raise ConflictError(f"{swap.item.title} is sold in another currency.")
        if swap.item.price_minor * swap.line.quantity < swap.line.discount_minor:
            raise ConflictError(f"{swap.item.title} costs less than the discount on the old item.")


def _check_owner(order: Order, method: PaymentMethod) -> None:
    if method.customer_id != order.customer_id or not method.active:
        raise ConflictError("That payment method cannot be used for this order.")
    if method.currency != order.currency:
        raise ConflictError("That payment method is in another currency.")


def _swap(session: Session, order: Order, swap: Swap, *, held: bool, now: datetime) -> None:
    """Make the line the new item's, or part the units that change off as a line of their own."""
    old, item = swap.line, swap.item
    reservations.release(session, old.id, swap.quantity)
    line = old
    if swap.quantity < old.quantity:
        discount = old.discount_minor * swap.quantity // old.quantity
        line = OrderLine(
            order_id=order.id, quantity=swap.quantity, discount_minor=discount, cancelled=0,
            shipped=0, delivered=0, returned=0, held_back=0, personalization=None,
            sku=item.sku, title=item.title, unit_price_minor=item.price_minor,
        )  # fmt: skip
        old.quantity -= swap.quantity
        old.held_back = min(old.held_back, old.quantity)
        old.discount_minor -= discount
        order.lines.append(line)
    line.item = item
    line.sku, line.title, line.unit_price_minor = item.sku, item.title, item.price_minor
    session.flush()
    if held:
        reservations.reserve(session, item.sku, swap.quantity, order_line_id=line.id, at=now)


def _settle(
    session: Session,
    order: Order,
    difference: int,
    method: PaymentMethod | None,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Charge or give back the difference; what is not paid yet is paid with the rest."""
    reference = f"items {order.number}"
    ledger = payments_of(session, order.id)
    paid = refundable(ledger)
    reserved = payments.reserved_by(ledger)
    if difference > 0 and (paid or reserved):
        if method is None:
            raise InvalidInputError("Say how the difference is paid.")
        payments.charge(
            session,
            order,
            method,
            difference,
            reference=reference,
            now=now,
            later=not paid,
            actor=actor,
        )
    if difference < 0 and (back := min(-difference, paid)):
        payments.refund(session, order, back, reference=reference, now=now, to=method, actor=actor)


def _share(amount: int, part: int, whole: int) -> int:
    """Return the share of an amount, rounded half up."""
    return (2 * amount * part + whole) // (2 * whole) if whole else 0
