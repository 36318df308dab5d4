"""Products that customers registered, also those bought from partners."""

import re
from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from opsbot.commerce.products import Item
from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base
from opsbot.errors import ConflictError, InvalidInputError

_SERIAL = re.compile(r"[A-Z0-9]{4,32}")


class Registration(Base):
    """One piece of a product, and who has it."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("sku", "serial"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str]
    """Upper case letters and digits."""
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    bought_on: Mapped[date]
    seller: Mapped[str]
    """The shop or partner it was bought from."""
    proof: Mapped[str]
    """What the customer says to have: the number of a receipt or an order."""
    repaired_on: Mapped[date | None]
    """When we repaired it last under the guarantee."""
    registered_at: Mapped[datetime]

    item: Mapped[Item] = relationship(lazy="raise")


def plain_serial(text: str) -> str:
    """Return a serial number as it is kept.

    Raises:
        InvalidInputError: it is none.
    """
    serial = "".join(c for c in text.upper() if c.isascii() and c.isalnum())
    if not _SERIAL.fullmatch(serial):
        raise InvalidInputError(
            "A serial number has 4 to 32 letters and digits. It stands on the base of the product."
        )
    return serial


def register(
    session: Session,
    *,
    serial: str,
    sku: str,
    customer_id: int,
    bought_on: date,
    seller: str,
    proof: str,
    now: datetime,
) -> Registration:
    """Register one piece.

    Raises:
        InvalidInputError: the serial number is none.
        ConflictError: this piece is registered already.
    """
    plain = plain_serial(serial)
    known = insert_or_ignore(
        session,
        Registration,
        serial=plain,
        sku=sku,
        customer_id=customer_id,
        bought_on=bought_on,
        seller=seller,
        proof=proof,
        registered_at=now,
    )
    if not known:
        raise ConflictError(
            f"A piece with the serial number {plain} is registered already. If it is yours now, "
            "a person can change that."
        )
    found = select(Registration).where(Registration.serial == plain, Registration.sku == sku)
    return session.scalars(found).one()


def registrations_of(session: Session, customer_id: int) -> list[Registration]:
    """Return what a customer has registered, with the items, the newest first."""
    own = select(Registration).where(Registration.customer_id == customer_id)
    loaded = own.options(joinedload(Registration.item)).order_by(Registration.id.desc())
    return list(session.scalars(loaded))
