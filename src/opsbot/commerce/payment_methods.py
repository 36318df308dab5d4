"""How customers pay: stored payment methods, and the balances of gift cards and store credit.

Never any card data: a reference of the payment provider, a brand and the last four digits are all
that is kept. A balance is the sum of its entries; it changes by one conditional UPDATE together
with the entry, so that no two payments overdraw it.
"""

import re
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import Sourced
from opsbot.db import Base
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError

_CARD_NUMBER = re.compile(r"(?:\d[ -]?){13,19}")
_LAST_FOUR = re.compile(r"[0-9A-Z]{4}")


class MethodKind(StrEnum):
    """What kind of payment method it is."""

    CARD = "card"
    PAYPAL = "paypal"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"
    BANK_TRANSFER = "bank_transfer"
    INVOICE = "invoice"


BALANCES = frozenset({MethodKind.GIFT_CARD, MethodKind.STORE_CREDIT})
"""Kinds whose money lies with us, so that it moves at once."""


class CreditReason(StrEnum):
    """Why a balance went up or down."""

    ISSUED = "issued"
    SPENT = "spent"
    REFUNDED = "refunded"
    ADJUSTED = "adjusted"


class PaymentMethod(Sourced, Base):
    """One way in which one customer pays."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        CheckConstraint("balance_minor >= 0", name="balance_not_negative"),
        UniqueConstraint("customer_id", "kind", "reference"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[MethodKind]
    reference: Mapped[str]
    """What the payment provider calls it, or our own number of a gift card or credit."""
    brand: Mapped[str | None]
    """Of a card: `visa`, `mastercard`."""
    last4: Mapped[str | None]
    """The last four digits of a card, or characters of a gift card's code."""
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(default=0)
    """Sum of the entries; always 0 where the money does not lie with us."""
    active: Mapped[bool] = mapped_column(default=True)

    @property
    def has_balance(self) -> bool:
        """Whether its money lies with us."""
        return self.kind in BALANCES


class CreditEntry(Base):
    """One line of the ledger of gift cards and store credit. Never changed, never deleted."""

    __tablename__ = "credit_entries"
    __table_args__ = (CheckConstraint("amount_minor != 0", name="amount_not_zero"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_method_id: Mapped[int] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    amount_minor: Mapped[int]
    """Positive: in. Negative: out."""
    reason: Mapped[CreditReason]
    reference: Mapped[str]
    """The document behind it, such as `#1001` or `RMA-00009`."""
    actor: Mapped[str]
    at: Mapped[datetime]


def add_method(
    session: Session,
    *,
    customer_id: int,
    kind: MethodKind,
    reference: str,
    currency: str,
    now: datetime,
    brand: str | None = None,
    last4: str | None = None,
    source: str = "opsbot",
    external_id: str | None = None,
) -> PaymentMethod:
    """Store a payment method of a customer, with a balance of 0.

    Raises:
        InvalidInputError: something looks like the number of a card, which is never kept.
    """
    texts = (reference, brand or "", last4 or "")
    if any(_CARD_NUMBER.search(text) and _passes_luhn(text) for text in texts):
        raise InvalidInputError("That looks like a card number. Card numbers are never kept here.")
    if last4 is not None and not _LAST_FOUR.fullmatch(last4):
        raise InvalidInputError("Of a card only the last four characters are kept.")
    method = PaymentMethod(
        customer_id=customer_id,
        kind=kind,
        reference=reference,
        brand=brand,
        last4=last4,
        currency=currency,
        balance_minor=0,
        active=True,
        created_at=now,
        source=source,
        external_id=external_id,
    )
    session.add(method)
    session.flush()
    return method


def methods_of(session: Session, customer_id: int) -> list[PaymentMethod]:
    """Return the payment methods a customer can use, the oldest first."""
    own = select(PaymentMethod).where(
        PaymentMethod.customer_id == customer_id, PaymentMethod.active
    )
    return list(session.scalars(own.order_by(PaymentMethod.id)))


def find_method(session: Session, method_id: int, *, customer_id: int) -> PaymentMethod:
    """Return one payment method of a customer, also one that is not used any more.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    own = select(PaymentMethod).where(
        PaymentMethod.id == method_id, PaymentMethod.customer_id == customer_id
    )
    method = session.scalar(own)
    if method is None:
        raise NotFoundError("payment method", str(method_id))
    return method


def store_credit_of(
    session: Session, customer_id: int, currency: str, *, now: datetime
) -> PaymentMethod:
    """Return a customer's store credit in a currency; it is opened when there is none."""
    known = select(PaymentMethod).where(
        PaymentMethod.customer_id == customer_id,
        PaymentMethod.kind == MethodKind.STORE_CREDIT,
        PaymentMethod.currency == currency,
        PaymentMethod.active,
    )
    found = session.scalar(known.order_by(PaymentMethod.id).limit(1))
    return found or add_method(
        session,
        customer_id=customer_id,
        kind=MethodKind.STORE_CREDIT,
        reference=f"credit-{currency}",
        currency=currency,
        now=now,
    )


def change_balance(
    session: Session,
    method: PaymentMethod,
    amount_minor: int,
    *,
    reason: CreditReason,
    reference: str,
    actor: str,
    at: datetime,
) -> CreditEntry:
    """Write a line of the ledger and change the balance with it.

    Args:
        session: an open transaction.
        method: a gift card or store credit.
        amount_minor: positive for in, negative for out.
        reason: why.
        reference: the document behind it.
        actor: who did it.
        at: when.

    Raises:
        ConflictError: it has no balance, is not used any more, or has less than that on it.
    """
    if not method.has_balance or not amount_minor:
        raise ConflictError("Only gift cards and store credit have a balance that can change.")
    session.flush()
    changed = session.execute(
        update(PaymentMethod)
        .where(
            PaymentMethod.id == method.id,
            PaymentMethod.active,
            PaymentMethod.balance_minor + amount_minor >= 0,
        )
        .values(balance_minor=PaymentMethod.balance_minor + amount_minor)
        .execution_options(synchronize_session=False)
    )
    session.refresh(method, ["balance_minor", "active"])
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
        raise ConflictError("There is not enough left on that balance. Nothing was done.")
    entry = CreditEntry(
        payment_method_id=method.id,
        amount_minor=amount_minor,
        reason=reason,
        reference=reference,
        actor=actor,
        at=at,
    )
    session.add(entry)
    session.flush()
    return entry


def entries_of(session: Session, method_id: int) -> list[CreditEntry]:
    """Return the ledger of one balance, oldest first."""
    found = select(CreditEntry).where(CreditEntry.payment_method_id == method_id)
    return list(session.scalars(found.order_by(CreditEntry.id)))


def _passes_luhn(text: str) -> bool:
    """Tell whether the digits of a text have the check digit of a card number."""
    digits = [int(c) for c in text if c.isdecimal() and c.isascii()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]  # noqa: PLR2004  (of two digits)
    return bool(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
