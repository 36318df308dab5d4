"""Money in and out: an append-only ledger. Never any card data."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.effects import request_effect
from opsbot.db import Base
from opsbot.errors import ConflictError

PORT = "payments"
"""Name of the port that moves money."""


class PaymentKind(StrEnum):
    """What one line of the ledger did."""

    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    REFUND = "refund"
    VOID = "void"


class PaymentStatus(StrEnum):
    """Where the money of an order is; derived from the ledger."""

    NOT_PAID = "not_paid"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class Payment(Base):
    """One line of the ledger."""

    __tablename__ = "payments"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[PaymentKind]
    amount_minor: Mapped[int]
    method: Mapped[str]
    """How the customer paid: `card`, `paypal`, `invoice`, `bank_transfer`."""
    gateway_ref: Mapped[str]
    """What the payment provider calls it; empty for what no provider knows."""
    at: Mapped[datetime]


class Payable(Protocol):
    """What payments belong to: an order."""

    @property
    def id(self) -> int:
        """The order's key."""
        ...

    @property
    def number(self) -> str:
        """What the customer reads."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        ...


def payment_status(total_minor: int, payments: Iterable[Payment]) -> PaymentStatus:
    """Tell where the money of an order with this total is."""
    sums = dict.fromkeys(PaymentKind, 0)
    for payment in payments:
        sums[payment.kind] += payment.amount_minor
    captured, refunded = sums[PaymentKind.CAPTURE], sums[PaymentKind.REFUND]
    if refunded:
        return PaymentStatus.REFUNDED if refunded >= captured else PaymentStatus.PARTIALLY_REFUNDED
    if captured:
        return PaymentStatus.PAID if captured >= total_minor else PaymentStatus.PARTIALLY_PAID
    if sums[PaymentKind.VOID]:
        return PaymentStatus.VOIDED
    if sums[PaymentKind.AUTHORIZATION]:
        return PaymentStatus.AUTHORIZED
    return PaymentStatus.NOT_PAID


def payments_of(session: Session, order_id: int) -> list[Payment]:
    """Return the ledger of one order, oldest first."""
    found = select(Payment).where(Payment.order_id == order_id).order_by(Payment.at, Payment.id)
    return list(session.scalars(found))


def refundable(payments: Iterable[Payment]) -> int:
    """Return how much of what was captured has not been given back, in minor units."""
    signs = {PaymentKind.CAPTURE: 1, PaymentKind.REFUND: -1}
    return sum(signs.get(payment.kind, 0) * payment.amount_minor for payment in payments)


def refund(
    session: Session, order: Payable, amount_minor: int, *, reference: str, now: datetime
) -> Payment:
    """Give money back, the way it was paid, and have the payment provider do so.

    Args:
        session: an open transaction.
        order: whose money it is.
        amount_minor: how much, more than 0.
        reference: the document behind it, such as `RMA-00009`.
        now: the time of the refund.

    Raises:
        ConflictError: that much was never captured, or was given back already.
    """
    _lock(session, order)
    ledger = payments_of(session, order.id)
    if not 0 < amount_minor <= refundable(ledger):
        message = f"{amount_minor} cannot be refunded on order {order.number}: "
        raise ConflictError(f"{message}{refundable(ledger)} of what was paid is left.")
    captured = next(payment for payment in ledger if payment.kind is PaymentKind.CAPTURE)
    refunded = _append(session, captured, PaymentKind.REFUND, amount_minor, reference, now)
    _request(session, order, refunded, captured, now=now)
    return refunded


def void(session: Session, order: Payable, *, reference: str, now: datetime) -> Payment | None:
    """Give up an authorization that was never captured; None when there is none."""
    _lock(session, order)
    ledger = payments_of(session, order.id)
    kinds = {payment.kind for payment in ledger}
    if PaymentKind.AUTHORIZATION not in kinds or kinds & {PaymentKind.CAPTURE, PaymentKind.VOID}:
        return None
    authorized = next(p for p in ledger if p.kind is PaymentKind.AUTHORIZATION)
    amount = authorized.amount_minor
    voided = _append(session, authorized, PaymentKind.VOID, amount, reference, now)
    _request(session, order, voided, authorized, now=now)
    return voided


def record_payment(
    session: Session,
    order: Payable,
    kind: PaymentKind,
    amount_minor: int,
    *,
    method: str,
    reference: str,
    at: datetime,
) -> Payment:
    """Write down money that moved elsewhere: at the shop's payment provider.

    Raises:
        ConflictError: it is a refund of more than was captured.
    """
    _lock(session, order)
    left = refundable(payments_of(session, order.id))
    if kind is PaymentKind.REFUND and amount_minor > left:
        raise ConflictError(
            f"{amount_minor} cannot be refunded on order {order.number}: {left} is left."
        )
    payment = Payment(
        order_id=order.id,
        kind=kind,
        amount_minor=amount_minor,
        method=method,
        gateway_ref=f"{kind}:{reference}",
        at=at,
    )
    session.add(payment)
    session.flush()
    return payment


def _request(
    session: Session, order: Payable, line: Payment, origin: Payment, *, now: datetime
) -> None:
    """Have the provider do what a line of the ledger says, where one holds the money."""
    if not origin.gateway_ref:
        return
    payload = {
        "order": order.number,
        "amount_minor": line.amount_minor,
        "currency": order.currency,
        "method": origin.method,
        "gateway_ref": origin.gateway_ref,
        "reference": line.gateway_ref,
    }
    operation = str(line.kind)
    key = f"{operation}:{line.id}"
    request_effect(session, port=PORT, operation=operation, payload=payload, key=key, now=now)


def _lock(session: Session, order: Payable) -> None:
    """Let refunds of one order wait for each other (SQLite has one writer anyway)."""
    rows = select(Payment.id).where(Payment.order_id == order.id).order_by(Payment.id)
    session.execute(rows.with_for_update()).all()


def _append(
    session: Session,
    origin: Payment,
    kind: PaymentKind,
    amount_minor: int,
    reference: str,
    now: datetime,
) -> Payment:
    payment = Payment(
        order_id=origin.order_id,
        kind=kind,
        amount_minor=amount_minor,
        method=origin.method,
        gateway_ref=f"{kind}:{reference}",
        at=now,
    )
    session.add(payment)
    session.flush()
    return payment
