"""Where and how the shop sells and sends: markets, partners, delivery services, boxes."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.products import Item
from opsbot.commerce.records import Versioned
from opsbot.db import Base


class DutyMode(StrEnum):
    """Who pays duties and import tax."""

    INSIDE = "inside"
    """There is no customs border."""
    DDP = "ddp"
    """The shop: it is in the price."""
    DAP = "dap"
    """The customer, on delivery."""


class Market(Versioned, Base):
    """A country, and what selling there asks for."""

    __tablename__ = "markets"

    country: Mapped[str] = mapped_column(primary_key=True)
    """ISO 3166 alpha-2."""
    name: Mapped[str]
    enabled: Mapped[bool]
    languages: Mapped[list[str]]
    duty_mode: Mapped[DutyMode]
    duty_note: Mapped[str] = mapped_column(default="")
    """What a customer pays, in a sentence."""
    tax_number: Mapped[str | None]
    """Our registration there; unset: none."""
    restricted: Mapped[list[str]] = mapped_column(default=list)
    """Item numbers (of products) that do not go there."""
    documents: Mapped[list[str]] = mapped_column(default=list)
    """Papers that a parcel or the goods need."""
    packaging: Mapped[list[str]] = mapped_column(default=list)
    """Rules about packaging and labels."""


class PartnerKind(StrEnum):
    """What a partner does."""

    RETAILER = "retailer"
    DISTRIBUTOR = "distributor"
    MARKETPLACE = "marketplace"
    STORE = "store"
    """A store of our own."""
    POPUP = "popup"


class PartnerState(StrEnum):
    """prospect → active ⇄ paused → ended."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Partner(Versioned, Base):
    """Somebody who sells our things, or a store of ours."""

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[PartnerKind]
    state: Mapped[PartnerState] = mapped_column(index=True)
    country: Mapped[str]
    city: Mapped[str]
    address: Mapped[str]
    """Street and opening, as customers read it."""
    territory: Mapped[list[str]] = mapped_column(default=list)
    categories: Mapped[list[str]] = mapped_column(default=list)
    """Categories of items it sells; empty: all."""
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """The customer under whose name it orders."""
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    """Where its consignment stock lies."""
    terms_days: Mapped[int] = mapped_column(default=0)
    discount_pct: Mapped[int] = mapped_column(default=0)
    contact: Mapped[str | None]
    since: Mapped[datetime | None]


class DeliveryService(Base):
    """One way to send a parcel to a country, and its price."""

    __tablename__ = "delivery_services"
    __table_args__ = (
        UniqueConstraint("country", "name"),
        CheckConstraint("days_from <= days_to", name="days_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    carriers: Mapped[list[str]]
    price_minor: Mapped[int]
    free_from_minor: Mapped[int | None]
    """Value of the goods from which it is free."""
    currency: Mapped[str]
    days_from: Mapped[int]
    """Working days, as promised."""
    days_to: Mapped[int]
    excluded: Mapped[list[str]] = mapped_column(default=list)
    """Item numbers of products that it does not take."""


class PackageType(Base):
    """A box or bag."""

    __tablename__ = "package_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    length_mm: Mapped[int]
    """Inside."""
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    tare_g: Mapped[int]
    max_g: Mapped[int]
    cost_minor: Mapped[int]
    protective: Mapped[bool] = mapped_column(default=False)
    """Made for what breaks."""
    recyclable: Mapped[bool] = mapped_column(default=True)

    @property
    def volume_mm3(self) -> int:
        """What fits into it."""
        return self.length_mm * self.width_mm * self.height_mm


def product_numbers(items: Sequence[Item]) -> set[str]:
    """Return the numbers of the products that items are, or are variants of."""
    return {item.variant_of or item.sku for item in items}


def services_to(session: Session, country: str, items: Sequence[Item]) -> list[DeliveryService]:
    """Return the services to a country that take all of the items, the cheapest first."""
    query = select(DeliveryService).where(DeliveryService.country == country)
    numbers = product_numbers(items)
    found = session.scalars(query.order_by(DeliveryService.price_minor, DeliveryService.name))
    return [service for service in found if not numbers & set(service.excluded)]


def sellers(session: Session, country: str = "", category: str = "") -> list[Partner]:
    """Return the active partners and stores, in a country and for a category if they are named."""
    query = select(Partner).where(Partner.state == PartnerState.ACTIVE)
    found = session.scalars(query.order_by(Partner.country, Partner.city, Partner.name))
    return [
        partner
        for partner in found
        if (not country or country in {partner.country, *partner.territory})
        and (not category or not partner.categories or category in partner.categories)
    ]
