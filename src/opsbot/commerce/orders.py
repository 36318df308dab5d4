"""What customers bought. An order has a life of its own; payment and fulfilment are derived."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, bindparam, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

from opsbot.commerce import payments, reservations
from opsbot.commerce.customers import Customer
from opsbot.commerce.payments import Payment
from opsbot.commerce.products import Item
from opsbot.commerce.records import Sourced, Versioned, change_state, record_event
from opsbot.db import Base
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError


class SalesChannelKind(StrEnum):
    """How an order reached the shop."""

    WEB_STORE = "web_store"
    OWN_STORE = "own_store"
    MARKETPLACE = "marketplace"
    RETAIL_PARTNER = "retail_partner"


class OrderState(StrEnum):
    """The order's own life: pending → confirmed → in_fulfillment → completed, or cancelled."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    IN_FULFILLMENT = "in_fulfillment"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.PENDING: frozenset({OrderState.CONFIRMED, OrderState.CANCELLED}),
    OrderState.CONFIRMED: frozenset({OrderState.IN_FULFILLMENT, OrderState.CANCELLED}),
    OrderState.IN_FULFILLMENT: frozenset({OrderState.COMPLETED}),
    OrderState.COMPLETED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}
"""Where an order may go from each state."""

ADDRESS_NEEDS = ("name", "line1", "city", "postal_code", "country")
"""What a shipping address cannot do without."""


class Fulfilment(StrEnum):
    """How much of an order has left and arrived; derived from the lines."""

    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"


class SalesChannel(Base):
    """The web store, a shop, a marketplace, a partner."""

    __tablename__ = "sales_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[SalesChannelKind]
    fee_pct: Mapped[float] = mapped_column(default=0.0, server_default="0")
    """What the channel and the payment through it cost, in percent of the goods without tax."""


class Order(Sourced, Versioned, Base):
    """One purchase of one customer. Prices and addresses are frozen copies."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_state_promised_ship_by", "state", "promised_ship_by"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """What the customer reads: `#1001`."""
    channel_id: Mapped[int] = mapped_column(ForeignKey("sales_channels.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    state: Mapped[OrderState] = mapped_column(default=OrderState.PENDING)
    on_hold: Mapped[bool] = mapped_column(default=False)
    hold_reason: Mapped[str | None]
    cancel_reason: Mapped[str | None]
    currency: Mapped[str]
    items_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    shipping_minor: Mapped[int] = mapped_column(default=0)
    tax_minor: Mapped[int] = mapped_column(default=0)
    """Contained in the other amounts; prices are gross."""
    total_minor: Mapped[int]
    """items - discount + shipping."""
    ship_to: Mapped[dict[str, Any]]
    """Keys: name, line1, line2, city, region, postal_code, country."""
    placed_at: Mapped[datetime] = mapped_column(index=True)
    promised_ship_by: Mapped[datetime]
    promised_delivery_by: Mapped[datetime]
    delivered_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the last parcel arrived."""
    cancelled_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship(lazy="raise")
    channel: Mapped[SalesChannel] = relationship(lazy="raise")
    lines: Mapped[list["OrderLine"]] = relationship(
        lazy="raise", back_populates="order", order_by="OrderLine.id"
    )
    payments: Mapped[list[Payment]] = relationship(lazy="raise", order_by=Payment.id)

    @property
    def fulfilment(self) -> Fulfilment:
        """How far the goods are; needs the lines loaded."""
        open_lines = [line for line in self.lines if line.quantity > line.cancelled]
        if open_lines and all(line.delivered >= line.wanted for line in open_lines):
            return Fulfilment.DELIVERED
        if open_lines and all(line.shipped >= line.wanted for line in open_lines):
            return Fulfilment.FULFILLED
        if any(line.shipped for line in open_lines):
            return Fulfilment.PARTIAL
        return Fulfilment.UNFULFILLED


class OrderLine(Base):
    """One item of an order, with how much of it went where."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("cancelled + shipped <= quantity", name="shipped_within_ordered"),
        CheckConstraint("delivered <= shipped", name="delivered_within_shipped"),
        CheckConstraint("returned <= delivered", name="returned_within_delivered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    title: Mapped[str]
    unit_price_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    """Of the whole line."""
    quantity: Mapped[int]
    cancelled: Mapped[int] = mapped_column(default=0)
    shipped: Mapped[int] = mapped_column(default=0)
    delivered: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    held_back: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that leave in a later parcel, because the order was split."""
    personalization: Mapped[str | None]

    order: Mapped[Order] = relationship(lazy="raise", back_populates="lines")
    item: Mapped[Item] = relationship(lazy="raise")

    @property
    def wanted(self) -> int:
        """Units the customer still wants or has."""
        return self.quantity - self.cancelled


def sources_of(state: OrderState) -> list[OrderState]:
    """Return the states from which an order may go to `state`."""
    return [source for source, targets in TRANSITIONS.items() if state in targets]


def find_order(session: Session, number: str, *, customer_id: int | None) -> Order:
    """Return an order with its lines, items, channel and customer.

    Args:
        session: an open session.
        number: as people write it: "1001", "#1001", "order 1001".
        customer_id: whose order it must be; None for staff, who see every order.

    Raises:
        NotFoundError: there is no such order, or it belongs to someone else.
            The two look alike on purpose.
    """
    digits = re.fullmatch(r"\D*?#?\s*(\d{1,12})\W*", number.strip(), re.ASCII)
    if digits is None:
        raise NotFoundError("order", number.strip()[:40])
    wanted = f"#{digits[1]}"
    # One statement: a second one for the lines takes as long again as all of this.
    values = {"number": wanted, "customer": customer_id}
    found = session.scalars(_by_number(own=customer_id is not None), values)
    order = found.unique().one_or_none()
    if order is None:
        raise NotFoundError("order", wanted)
    return order


def orders_of(session: Session, customer_id: int, limit: int = 20) -> list[Order]:
    """Return the customer's latest orders, newest first, loaded as by `find_order`."""
    latest = _latest().limit(limit)
    return list(session.scalars(latest, {"customer": customer_id}))


@cache  # putting it together takes as long as a small query
def _by_number(*, own: bool) -> Select[Order]:
    goods = joinedload(Order.lines).joinedload(OrderLine.item)
    found = _loaded().options(goods).where(Order.number == bindparam("number"))
    return found.where(Order.customer_id == bindparam("customer")) if own else found


@cache
def _latest() -> Select[Order]:
    goods = selectinload(Order.lines).joinedload(OrderLine.item)
    own = _loaded().options(goods).where(Order.customer_id == bindparam("customer"))
    return own.order_by(Order.placed_at.desc(), Order.id.desc())


def _loaded() -> Select[Order]:
    return select(Order).options(joinedload(Order.channel), joinedload(Order.customer))


def confirm_order(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    """Confirm a pending order and hold its stock back. Needs the lines loaded.

    Raises:
        ConflictError: the order is not pending, or there is not enough stock.
    """
    change_state(session, order, OrderState.CONFIRMED, allowed=sources_of(OrderState.CONFIRMED))
    for line in order.lines:
        if line.wanted:
            reservations.reserve(session, line.sku, line.wanted, order_line_id=line.id, at=now)
    record_event(session, order, "order_confirmed", actor=actor, at=now)


def cancel_order(
    session: Session,
    order: Order,
    *,
    lines: Mapping[int, int] | None = None,
    reason: str,
    actor: str,
    now: datetime,
    refund: bool = True,
) -> int:
    """Cancel an order that has not been packed, or some units of it. Needs the lines loaded.

    Stock that was held back is free again; what was paid for the units goes back, in proportion to
    the ways it was paid.

    Args:
        session: an open transaction.
        order: the order, as it was shown to whoever decides.
        lines: units to cancel by the id of their line; None for the whole order.
        reason: why, in words.
        actor: who cancels.
        now: the time.
        refund: whether the money goes back from here; False: another system has seen to it.

    Returns:
        Minor units that are refunded; 0 when nothing had been captured.

    Raises:
        ConflictError: it is packed, completed or cancelled already, or fewer units are left.
        StaleError: someone changed it since it was read.
    """
    units = _units_to_cancel(order, lines)
    whole = all(line.wanted == units.get(line.id, 0) for line in order.lines)
    back = cancellation_value(order, units)
    change_state(
        session,
        order,
        OrderState.CANCELLED if whole else order.state,
        allowed=sources_of(OrderState.CANCELLED),
        cancelled_at=now if whole else None,
        cancel_reason=reason if whole else None,
    )
    for line in order.lines:
        line.cancelled += units.get(line.id, 0)
        reservations.release(session, line.id, units.get(line.id, 0))
    refunded = _give_back(session, order, back, whole=whole, now=now) if refund else 0
    event = "order_cancelled" if whole else "lines_cancelled"
    goods = [(line.sku, units[line.id]) for line in order.lines if units.get(line.id)]
    detail = {
        "units": {str(key): count for key, count in units.items()},
        "items": [{"sku": sku, "quantity": count} for sku, count in goods],
    }
    record_event(
        session, order, event, actor=actor, at=now, reason=reason, refund_minor=refunded, **detail
    )
    return refunded


def cancellation_value(order: Order, units: Mapping[int, int]) -> int:
    """Return what these units cost the customer; with the last units goes the shipping too."""
    if all(line.wanted == units.get(line.id, 0) for line in order.lines):
        return amount_due(order)
    return sum(
        value_of(line, line.cancelled + units.get(line.id, 0)) - value_of(line, line.cancelled)
        for line in order.lines
    )


def amount_due(order: Order) -> int:
    """Return what an order comes to without the units that were cancelled."""
    return order.total_minor - sum(value_of(line, line.cancelled) for line in order.lines)


def value_of(line: OrderLine, count: int) -> int:
    """Return the price of `count` units, with their share of the line's discount."""
    return line.unit_price_minor * count - line.discount_minor * count // line.quantity


def _units_to_cancel(order: Order, lines: Mapping[int, int] | None) -> dict[int, int]:
    left = {line.id: line.wanted for line in order.lines}
    units = {key: count for key, count in (left if lines is None else lines).items() if count}
    if any(count < 0 or count > left.get(key, 0) for key, count in units.items()):
        raise ConflictError(f"Order {order.number} does not have that many units to cancel.")
    if not units and any(left.values()):
        raise InvalidInputError("Say which units to cancel.")
    return units


def _give_back(
    session: Session, order: Order, amount_minor: int, *, whole: bool, now: datetime
) -> int:
    reference = f"cancel {order.number}"
    ledger = payments.payments_of(session, order.id)
    if amount := min(amount_minor, payments.refundable(ledger)):
        ways = payments.in_proportion(payments.paid_by(ledger), amount)
        payments.refund(session, order, amount, reference=reference, now=now, ways=ways)
    if whole:
        payments.void(session, order, reference=reference, now=now)
    return amount


def change_address(
    session: Session, order: Order, address: Mapping[str, Any], *, actor: str, now: datetime
) -> None:
    """Send an order that has not been packed somewhere else.

    Raises:
        InvalidInputError: the address lacks a part; the text names it.
        ConflictError: the order is packed, completed or cancelled.
        StaleError: someone changed it since it was read.
    """
    missing = [key for key in ADDRESS_NEEDS if not str(address.get(key) or "").strip()]
    if missing:
        raise InvalidInputError(f"The address needs {', '.join(missing).replace('_', ' ')}.")
    keys = (*ADDRESS_NEEDS, "line2", "region")
    new = {key: address.get(key) for key in keys}
    old = dict(order.ship_to)
    changeable = sources_of(OrderState.CANCELLED)
    change_state(session, order, order.state, allowed=changeable, ship_to=new)
    record_event(session, order, "address_changed", actor=actor, at=now, old=old, new=new)
