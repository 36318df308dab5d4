"""Everything about one order, or one customer, in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.cases import ENDED, Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine, OrderState, amount_due, find_order
from opsbot.commerce.payments import Payment, PaymentKind, PaymentStatus, payment_status
from opsbot.commerce.records import History
from opsbot.commerce.returns import Return, ReturnLine
from opsbot.commerce.shipments import Shipment, shipments_of
from opsbot.errors import AmbiguousError, NotFoundError
from opsbot.formats import format_items

MOST_ORDERS = 200
"""Orders of one customer that are looked at, newest first."""
MOST_NAMED = 5
"""Customers of one name that are listed to choose from."""


@dataclass(frozen=True)
class Moment:
    """One thing that happened."""

    at: datetime
    what: str
    who: str


@dataclass(frozen=True)
class OrderOverview:
    """One order with all that belongs to it."""

    order: Order
    """With lines, items, channel and customer."""
    payment: PaymentStatus
    payments: list[Payment]
    """Oldest first."""
    shipments: list[Shipment]
    returns: list[Return]
    cases: list[Case]
    history: list[Moment]
    """Newest first; of the order, its parcels and its returns."""


@dataclass(frozen=True)
class CustomerOverview:
    """One customer with all that belongs to them."""

    customer: Customer
    orders: list[Order]
    """Newest first, at most 200, with lines and channel."""
    payments: dict[int, PaymentStatus]
    """By the id of the order."""
    spent_minor: dict[str, int]
    """What was captured less what was refunded, by currency."""
    returns: list[Return]
    cases: list[Case]

    @property
    def open_orders(self) -> list[Order]:
        """Orders that are neither completed nor cancelled."""
        done = (OrderState.COMPLETED, OrderState.CANCELLED)
        return [order for order in self.orders if order.state not in done]

    @property
    def open_cases(self) -> list[Case]:
        """Cases that wait for somebody."""
        return [case for case in self.cases if case.state not in ENDED]


def order_overview(session: Session, number: str) -> OrderOverview:
    """Gather all there is about an order.

    Raises:
        NotFoundError: there is no such order.
    """
    order = find_order(session, number, customer_id=None)
    payments = _payments(session, [order.id])
    shipments = shipments_of(session, order.id, contents=False)
    returns = _returns(session, Return.order_id == order.id)
    return OrderOverview(
        order=order,
        payment=payment_status(order.total_minor, payments, due_minor=amount_due(order)),
        payments=payments,
        shipments=shipments,
        returns=returns,
        cases=_cases(session, Case.order_id == order.id),
        history=_history(session, order, shipments, returns),
    )


def customer_overview(session: Session, text: str) -> CustomerOverview:
    """Gather all there is about a customer.

    Args:
        session: a session to read in.
        text: e-mail address, number, or name; part of a name if it is one customer's only.

    Raises:
        NotFoundError: no customer fits.
        AmbiguousError: several do; it names up to five.
    """
    customer = _find_customer(session, text)
    orders = list(
        session.scalars(
            select(Order)
            .where(Order.customer_id == customer.id)
            .options(selectinload(Order.lines), selectinload(Order.channel))
            .order_by(Order.placed_at.desc(), Order.id.desc())
            .limit(MOST_ORDERS)
        )
    )
    payments = _payments(session, [order.id for order in orders])
    spent: dict[str, int] = {}
    for order in orders:
        own = [payment for payment in payments if payment.order_id == order.id]
        kept = _sum(own, PaymentKind.CAPTURE) - _sum(own, PaymentKind.REFUND)
        spent[order.currency] = spent.get(order.currency, 0) + kept
    return CustomerOverview(
        customer=customer,
        orders=orders,
        payments={
            order.id: payment_status(
                order.total_minor,
                [one for one in payments if one.order_id == order.id],
                due_minor=amount_due(order),
            )
            for order in orders
        },
        spent_minor=spent,
        returns=_returns(session, Return.customer_id == customer.id),
        cases=_cases(session, Case.customer_id == customer.id),
    )


def _find_customer(session: Session, text: str) -> Customer:
    key = text.strip()
    by_key = or_(Customer.email == key.lower(), Customer.number == key.upper())
    if key and (customer := session.scalar(select(Customer).where(by_key))):
        return customer
    named = or_(
        Customer.name.icontains(key, autoescape=True),
        Customer.company.icontains(key, autoescape=True),
    )
    found = list(
        session.scalars(select(Customer).where(named).order_by(Customer.name, Customer.id))
    )
    found = [one for one in found if one.name.lower() == key.lower()] or found
    if not key or not found:
        raise NotFoundError("customer", key[:60])
    if len(found) > 1:
        names = [f"{customer.name} ({customer.number})" for customer in found[:MOST_NAMED]]
        raise AmbiguousError(
            f"{len(found)} customers are called {key[:60]!r}, such as {format_items(names)}. "
            "Which one?",
            candidates=names,
        )
    return found[0]


def _payments(session: Session, orders: Sequence[int]) -> list[Payment]:
    statement = select(Payment).where(Payment.order_id.in_(orders)).order_by(Payment.at, Payment.id)
    return list(session.scalars(statement))


def _sum(payments: Sequence[Payment], kind: PaymentKind) -> int:
    return sum(payment.amount_minor for payment in payments if payment.kind is kind)


def _returns(session: Session, condition: ColumnElement[bool]) -> list[Return]:
    statement = (
        select(Return)
        .where(condition)
        .options(
            selectinload(Return.lines)
            .selectinload(ReturnLine.order_line)
            .load_only(OrderLine.title)
        )
        .order_by(Return.requested_at.desc(), Return.id.desc())
    )
    return list(session.scalars(statement))


def _cases(session: Session, condition: ColumnElement[bool]) -> list[Case]:
    statement = select(Case).where(condition)
    return list(session.scalars(statement.order_by(Case.created_at.desc(), Case.id.desc())))


def _history(
    session: Session, order: Order, shipments: Sequence[Shipment], returns: Sequence[Return]
) -> list[Moment]:
    subjects = [
        (Order.__tablename__, [str(order.id)]),
        (Shipment.__tablename__, [str(shipment.id) for shipment in shipments]),
        (Return.__tablename__, [str(one.id) for one in returns]),
    ]
    written = session.scalars(
        select(History).where(
            or_(
                *(
                    (History.subject == subject) & History.subject_id.in_(keys)
                    for subject, keys in subjects
                )
            )
        )
    )
    moments = [
        Moment(row.at, row.event.replace("_", " "), row.actor.split(":")[0]) for row in written
    ]
    moments += [
        Moment(event.occurred_at, f"{shipment.carrier}: {event.message}", "carrier")
        for shipment in shipments
        for event in shipment.events
    ]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)
