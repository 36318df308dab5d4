"""Who buys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from opsbot.commerce.records import Sourced
from opsbot.db import Base
from opsbot.errors import NotFoundError


class CustomerKind(StrEnum):
    """Whether consumer law applies."""

    CONSUMER = "consumer"
    BUSINESS = "business"


class Customer(Sourced, Base):
    """A person or company the shop knows."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """What people call it by: `C-1001`. The subject of a signed token."""
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    phone: Mapped[str | None]
    kind: Mapped[CustomerKind] = mapped_column(default=CustomerKind.CONSUMER)
    company: Mapped[str | None]
    locale: Mapped[str] = mapped_column(default="en")
    country: Mapped[str]
    """ISO 3166 alpha-2."""
    survey_opt_out_at: Mapped[datetime | None]
    anonymized_at: Mapped[datetime | None]

    addresses: Mapped[list["Address"]] = relationship(lazy="raise", back_populates="customer")


class Address(Base):
    """One of a customer's addresses. Orders keep a copy of the one they use."""

    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[str]
    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    region: Mapped[str | None]
    postal_code: Mapped[str]
    country: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)

    customer: Mapped[Customer] = relationship(lazy="raise", back_populates="addresses")


def find_customer(session: Session, text: str) -> Customer:
    """Return the customer with this e-mail address, number, or exact name (for staff).

    Raises:
        NotFoundError: no customer fits.
    """
    key = text.strip()
    by_key = select(Customer).where(
        (Customer.email == key.lower()) | (Customer.number == key.upper())
    )
    customer = session.scalar(by_key) or session.scalar(
        select(Customer).where(Customer.name.ilike(key)).order_by(Customer.id).limit(1)
    )
    if customer is None:
        raise NotFoundError("customer", key)
    return customer
