"""What the customer gets when a return ends: money where it was agreed to go, or other goods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import payments, reservations
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order, OrderLine, OrderState, value_of
from opsbot.commerce.payment_methods import (
    CreditReason,
    PaymentMethod,
    change_balance,
    find_method,
    store_credit_of,
)
from opsbot.commerce.products import Item
from opsbot.commerce.records import record_event

EXCHANGE_SOURCE = "exchange"
"""`source` of an order that replaces goods that came back; its `external_id` is the return's."""


@dataclass(frozen=True)
class Replacement:
    """Units that came back, and what the customer gets in their place."""

    line: OrderLine
    quantity: int
    sku: str
    price_minor: int
    """Of one unit, as it was agreed."""


@dataclass(frozen=True)
class Settlement:
    """What was agreed about a return."""

    number: str
    """Of the return."""
    order: Order
    resolution: str
    refund_minor: int
    payment_method_id: int | None
    """Where a refund goes or a difference comes from; None: the way the order was paid."""
    replacements: Sequence[Replacement]


def settle_return(session: Session, opened: Settlement, *, actor: str, now: datetime) -> None:
    """Give the customer what a return ends with.

    A refund goes where it was agreed to go; store credit is on the customer's account at once. An
    exchange for other items becomes an order of its own, with the difference charged or refunded.

    Raises:
        ConflictError: the refund is more than was paid; the gift card has less on it than the
            difference; a replacement is not in stock.
    """
    customer_id, resolution = opened.order.customer_id, opened.resolution
    method = (
        find_method(session, opened.payment_method_id, customer_id=customer_id)
        if opened.payment_method_id is not None
        else None
    )
    if resolution == "refund" and opened.refund_minor:
        _refund(session, opened, opened.refund_minor, method, actor=actor, now=now)
    if resolution == "store_credit" and opened.refund_minor:
        credit = store_credit_of(session, customer_id, opened.order.currency, now=now)
        change_balance(
            session,
            credit,
            opened.refund_minor,
            reason=CreditReason.ISSUED,
            reference=opened.number,
            actor=actor,
            at=now,
        )
    if resolution == "exchange" and opened.replacements:
        _replace(session, opened, method, actor=actor, now=now)


def _refund(
    session: Session,
    opened: Settlement,
    amount: int,
    method: PaymentMethod | None,
    *,
    actor: str,
    now: datetime,
) -> None:
    payments.refund(
        session,
        opened.order,
        amount,
        reference=opened.number,
        now=now,
        to=method,
        actor=actor,
    )


def _replace(
    session: Session,
    opened: Settlement,
    method: PaymentMethod | None,
    *,
    actor: str,
    now: datetime,
) -> Order:
    """Place the order of the new items: it costs what they cost more than the old ones."""
    old = opened.order
    items = _items_of(session, [one.sku for one in opened.replacements])
    credit = sum(value_of(one.line, one.quantity) for one in opened.replacements)
    lines = []
    for one in opened.replacements:
        discount = min(credit, one.price_minor * one.quantity)
        credit -= discount
        lines.append(_line(items[one.sku], one.price_minor, one.quantity, discount))
    order = _order(session, old, opened.number, lines, now=now)
    session.add(order)
    session.flush()
    for new in order.lines:
        reservations.reserve(session, new.sku, new.quantity, order_line_id=new.id, at=now)
    if order.total_minor and method is not None:
        payments.charge(
            session, order, method, order.total_minor, reference=opened.number, now=now, actor=actor
        )
    if credit:
        _refund(session, opened, credit, method, actor=actor, now=now)
    detail = {"number": opened.number, "difference_minor": order.total_minor - credit}
    record_event(session, order, "replacement_ordered", actor=actor, at=now, **detail)
    return order


def _items_of(session: Session, skus: list[str]) -> dict[str, Item]:
    return {item.sku: item for item in session.scalars(select(Item).where(Item.sku.in_(skus)))}


def _line(item: Item, price_minor: int, quantity: int, discount_minor: int) -> OrderLine:
    return OrderLine(
        item=item,
        sku=item.sku,
        title=item.title,
        unit_price_minor=price_minor,
        discount_minor=discount_minor,
        quantity=quantity,
        cancelled=0,
        shipped=0,
        delivered=0,
        returned=0,
        personalization=None,
    )


def _order(
    session: Session, old: Order, number: str, lines: list[OrderLine], *, now: datetime
) -> Order:
    items = sum(line.unit_price_minor * line.quantity for line in lines)
    discount = sum(line.discount_minor for line in lines)
    total = items - discount
    taken = old.promised_ship_by - old.placed_at, old.promised_delivery_by - old.placed_at
    return Order(
        number=next_number(session, NumberKind.ORDER),
        channel_id=old.channel_id,
        customer_id=old.customer_id,
        state=OrderState.CONFIRMED,
        currency=old.currency,
        items_minor=items,
        discount_minor=discount,
        shipping_minor=0,
        tax_minor=old.tax_minor * total // old.total_minor if old.total_minor else 0,
        total_minor=total,
        ship_to=dict(old.ship_to),
        placed_at=now,
        promised_ship_by=now + taken[0],
        promised_delivery_by=now + taken[1],
        created_at=now,
        source=EXCHANGE_SOURCE,
        external_id=number,
        lines=lines,
    )
