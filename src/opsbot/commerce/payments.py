"""Money in and out: an append-only ledger. Never any card data."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Protocol

from sqlalchemy import CheckConstraint, ForeignKey, Select, bindparam, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from opsbot.commerce.effects import request_effect
from opsbot.commerce.payment_methods import (
    BALANCES,
    CreditReason,
    PaymentMethod,
    change_balance,
)
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
    payment_method_id: Mapped[int | None] = mapped_column(
        ForeignKey("payment_methods.id"), index=True, default=None
    )
    """The stored payment method; None: the customer has not stored it here."""
    gateway_ref: Mapped[str]
    """What the payment provider calls it; empty for what no provider knows."""
    at: Mapped[datetime]

    payment_method: Mapped[PaymentMethod | None] = relationship(lazy="raise")


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
        """ISO 4217 code of its amounts."""
        ...


def payment_status(
    total_minor: int, payments: Iterable[Payment], *, due_minor: int | None = None
) -> PaymentStatus:
    """Tell where the money of an order is.

    Args:
        total_minor: what it came to when it was placed.
        payments: its ledger.
        due_minor: what it comes to without the units that were cancelled; None: the total.
    """
    due = total_minor if due_minor is None else due_minor
    sums = dict.fromkeys(PaymentKind, 0)
    for payment in payments:
        sums[payment.kind] += payment.amount_minor
    captured, refunded = sums[PaymentKind.CAPTURE], sums[PaymentKind.REFUND]
    if refunded and captured - refunded < total_minor:
        return PaymentStatus.REFUNDED if refunded >= captured else PaymentStatus.PARTIALLY_REFUNDED
    if captured:
        return PaymentStatus.PAID if captured >= due else PaymentStatus.PARTIALLY_PAID
    if sums[PaymentKind.AUTHORIZATION] > sums[PaymentKind.VOID]:
        return PaymentStatus.AUTHORIZED
    if sums[PaymentKind.VOID]:
        return PaymentStatus.VOIDED
    return PaymentStatus.NOT_PAID


def payments_of(session: Session, order_id: int) -> list[Payment]:
    """Return the ledger of one order, oldest first."""
    return list(session.scalars(_ledger(), {"order": order_id}))


@cache  # putting it together takes as long as a small query
def _ledger() -> Select[Payment]:
    own = select(Payment).where(Payment.order_id == bindparam("order"))
    return own.order_by(Payment.at, Payment.id).options(joinedload(Payment.payment_method))


def refundable(payments: Iterable[Payment]) -> int:
    """Return how much of what was captured has not been given back, in minor units."""
    signs = {PaymentKind.CAPTURE: 1, PaymentKind.REFUND: -1}
    return sum(signs.get(payment.kind, 0) * payment.amount_minor for payment in payments)


def paid_by(payments: Iterable[Payment]) -> list[tuple[Payment, int]]:
    """Return how an order was paid, the oldest way first, each with what of it is still ours.

    Beside the amount stands the first line of the ledger that was charged this way.
    """
    ways: dict[tuple[str, int | None], tuple[Payment, int]] = {}
    for line in payments:
        key = (line.method, line.payment_method_id)
        if line.kind is PaymentKind.CAPTURE:
            first, sum_minor = ways.get(key, (line, 0))
            ways[key] = (first, sum_minor + line.amount_minor)
        elif line.kind is PaymentKind.REFUND and key in ways:
            first, sum_minor = ways[key]
            ways[key] = (first, sum_minor - line.amount_minor)
    return [(first, sum_minor) for first, sum_minor in ways.values() if sum_minor > 0]


def in_proportion(
    ways: Sequence[tuple[Payment, int]], amount_minor: int
) -> list[tuple[Payment, int]]:
    """Part an amount among ways of payment, by what of each is still ours.

    The parts add up to the amount: minor units that rounding leaves over go where rounding took
    most, the oldest way first.

    Args:
        ways: of `paid_by`.
        amount_minor: not more than all of them together.
    """
    whole = sum(left for _, left in ways)
    if not whole:
        return []
    parts = [amount_minor * left // whole for _, left in ways]
    cut = [amount_minor * left % whole for _, left in ways]
    by_cut = sorted(range(len(ways)), key=lambda place: -cut[place])
    for place in by_cut[: amount_minor - sum(parts)]:
        parts[place] += 1
    return [(first, part) for (first, _), part in zip(ways, parts, strict=True) if part]


def refund(
    session: Session,
    order: Payable,
    amount_minor: int,
    *,
    reference: str,
    now: datetime,
    to: PaymentMethod | None = None,
    ways: Sequence[tuple[Payment, int]] | None = None,
    actor: str = "system",
) -> list[Payment]:
    """Give money back: the way it was paid, or to one of the customer's payment methods.

    What goes to a gift card or store credit is on it at once; the rest the payment provider does.

    Args:
        session: an open transaction.
        order: whose money it is.
        amount_minor: how much, more than 0.
        reference: the document behind it, such as `RMA-00009`.
        now: the time of the refund.
        to: where it goes; None: the way it was paid, the oldest payment first.
        ways: of `paid_by` or `in_proportion`: what goes back by which way, where it is not the
            oldest payment first.
        actor: who gives it back.

    Raises:
        ConflictError: that much was never captured, or was given back already.
    """
    _lock(session, order)
    ledger = payments_of(session, order.id)
    if not 0 < amount_minor <= refundable(ledger):
        message = f"{amount_minor} cannot be refunded on order {order.number}: "
        raise ConflictError(f"{message}{refundable(ledger)} of what was paid is left.")
    if to is not None:
        line = _line(order, PaymentKind.REFUND, amount_minor, to.kind.value, to, reference, now)
        return [_append(session, order, line, to.reference, actor)]
    lines, left = [], amount_minor
    for captured, still_ours in paid_by(ledger) if ways is None else ways:
        part = min(left, still_ours)
        if part:
            method = captured.payment_method
            line = _line(order, PaymentKind.REFUND, part, captured.method, method, reference, now)
            lines.append(_append(session, order, line, captured.gateway_ref, actor))
        left -= part
    return lines


def charge(
    session: Session,
    order: Payable,
    method: PaymentMethod,
    amount_minor: int,
    *,
    reference: str,
    now: datetime,
    later: bool = False,
    actor: str = "system",
) -> Payment:
    """Take money by one of the customer's payment methods.

    Args:
        session: an open transaction.
        order: what it is for.
        method: where it comes from; from a gift card or store credit it is taken at once.
        amount_minor: how much, more than 0.
        reference: the document behind it.
        now: the time.
        later: only reserve it now, as the order's other money is.
        actor: who pays.

    Raises:
        ConflictError: so much is not on the gift card or the credit.
    """
    _lock(session, order)
    reserved = later and method.kind not in BALANCES
    kind = PaymentKind.AUTHORIZATION if reserved else PaymentKind.CAPTURE
    line = _line(order, kind, amount_minor, method.kind.value, method, reference, now)
    return _append(session, order, line, method.reference, actor)


def void(session: Session, order: Payable, *, reference: str, now: datetime) -> list[Payment]:
    """Give up the authorizations that were never captured; empty when there are none."""
    _lock(session, order)
    lines = []
    for held, amount in reserved_by(payments_of(session, order.id)):
        method = held.payment_method
        line = _line(order, PaymentKind.VOID, amount, held.method, method, reference, now)
        lines.append(_append(session, order, line, held.gateway_ref, "system"))
    return lines


def reserved_by(payments: Iterable[Payment]) -> list[tuple[Payment, int]]:
    """Return what is reserved and was neither charged nor given up, by the way of payment."""
    ways: dict[tuple[str, int | None], tuple[Payment, int]] = {}
    charged = set()
    for line in payments:
        key = (line.method, line.payment_method_id)
        first, sum_minor = ways.get(key, (line, 0))
        if line.kind is PaymentKind.AUTHORIZATION:
            ways[key] = (first, sum_minor + line.amount_minor)
        elif line.kind is PaymentKind.VOID:
            ways[key] = (first, sum_minor - line.amount_minor)
        elif line.kind is PaymentKind.CAPTURE:
            charged.add(key)
    return [way for key, way in ways.items() if way[1] > 0 and key not in charged]


def record_payment(
    session: Session,
    order: Payable,
    kind: PaymentKind,
    amount_minor: int,
    *,
    method: str,
    reference: str,
    at: datetime,
    payment_method: PaymentMethod | None = None,
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
        payment_method=payment_method,
        gateway_ref=f"{kind}:{reference}",
        at=at,
    )
    session.add(payment)
    session.flush()
    return payment


def _lock(session: Session, order: Payable) -> None:
    """Let refunds of one order wait for each other (SQLite has one writer anyway)."""
    rows = select(Payment.id).where(Payment.order_id == order.id).order_by(Payment.id)
    session.execute(rows.with_for_update()).all()


def _line(
    order: Payable,
    kind: PaymentKind,
    amount_minor: int,
    method: str,
    stored: PaymentMethod | None,
    reference: str,
    now: datetime,
) -> Payment:
    return Payment(
        order_id=order.id,
        kind=kind,
        amount_minor=amount_minor,
        method=method,
        payment_method=stored,
        gateway_ref=f"{kind}:{reference}",
        at=now,
    )


def _append(
    session: Session, order: Payable, line: Payment, origin_ref: str, actor: str
) -> Payment:
    """Write a line, and move the money: on a balance of ours at once, else by the provider."""
    session.add(line)
    session.flush()
    stored = line.payment_method
    if stored is not None and stored.has_balance:
        charged = line.kind is PaymentKind.CAPTURE
        change_balance(
            session,
            stored,
            -line.amount_minor if charged else line.amount_minor,
            reason=CreditReason.SPENT if charged else CreditReason.REFUNDED,
            reference=line.gateway_ref,
            actor=actor,
            at=line.at,
        )
    elif origin_ref:
        _request(session, order, line, origin_ref)
    return line


def _request(session: Session, order: Payable, line: Payment, origin_ref: str) -> None:
    """Have the provider do what a line of the ledger says."""
    payload = {
        "order": order.number,
        "amount_minor": line.amount_minor,
        "currency": order.currency,
        "method": line.method,
        "gateway_ref": origin_ref,
        "reference": line.gateway_ref,
    }
    operation = str(line.kind)
    key = f"{operation}:{line.id}"
    request_effect(session, port=PORT, operation=operation, payload=payload, key=key, now=line.at)
