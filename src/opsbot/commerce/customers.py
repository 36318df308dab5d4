"""Who buys."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from opsbot.commerce.records import Sourced, record_event
from opsbot.db import Base
from opsbot.errors import NotFoundError

ADDRESS_PARTS = ("name", "line1", "line2", "city", "region", "postal_code", "country")
"""What an address is made of."""


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
    newsletter_since: Mapped[datetime | None]
    """Since when they want the newsletter; unset: they do not."""
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


def addresses_of(session: Session, customer_id: int) -> list[Address]:
    """Return a customer's addresses, the default one first."""
    own = select(Address).where(Address.customer_id == customer_id)
    return list(session.scalars(own.order_by(Address.is_default.desc(), Address.id)))


def set_default_address(
    session: Session, customer: Customer, address: Mapping[str, Any], *, actor: str, now: datetime
) -> Address:
    """Make an address the customer's default; it is added when the customer does not have it yet.

    The one before stays as a further address. Orders keep the address they have.

    Args:
        session: an open transaction.
        customer: whose address it is.
        address: name, line1, line2, city, region, postal_code, country.
        actor: who changes it.
        now: the time.
    """
    parts = {key: address.get(key) for key in ADDRESS_PARTS}
    # Two changes at once wait for each other here, so that one default remains.
    session.execute(select(Customer.id).where(Customer.id == customer.id).with_for_update()).one()
    own = addresses_of(session, customer.id)
    before = next((a for a in own if a.is_default), None)
    same = next((a for a in own if all(getattr(a, k) == v for k, v in parts.items())), None)
    session.execute(
        update(Address).where(Address.customer_id == customer.id).values(is_default=False)
    )
    if same is None:
        same = Address(customer_id=customer.id, **parts)
        session.add(same)
    same.is_default = True
    session.flush()
    old = {key: getattr(before, key) for key in ADDRESS_PARTS} if before else None
    record_event(
        session, customer, "default_address_changed", actor=actor, at=now, old=old, new=parts
    )
    return same
