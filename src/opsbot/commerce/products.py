"""What the shop sells, and what it makes it from: items, variants, materials."""

from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.records import Sourced
from opsbot.db import Base


class ItemStatus(StrEnum):
    """Where an item is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    DISCONTINUED = "discontinued"


class StockUnit(StrEnum):
    """What an item is counted in: so small that stock is a whole number."""

    EACH = "each"
    GRAM = "g"
    MILLIMETRE = "mm"
    MILLILITRE = "ml"


class Item(Sourced, Base):
    """A product, one variant of a product, or a material.

    A product with variants is not sold itself: it has `sellable=False`, and each variant names it
    in `variant_of`. A product without variants is sold as it is.
    """

    __tablename__ = "items"

    sku: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    """With the variant's options: "Kiln mug, moss"."""
    variant_of: Mapped[str | None] = mapped_column(ForeignKey("items.sku"), index=True)
    options: Mapped[dict[str, str]] = mapped_column(default=dict)
    """Such as {"glaze": "moss"}."""
    category: Mapped[str]
    return_class: Mapped[str]
    price_minor: Mapped[int]
    cost_minor: Mapped[int]
    currency: Mapped[str]
    weight_g: Mapped[int]
    manufactured: Mapped[bool]
    sellable: Mapped[bool]
    status: Mapped[ItemStatus] = mapped_column(default=ItemStatus.ACTIVE)
    warranty_months: Mapped[int]
    lead_time_days: Mapped[int]
    """Calendar days to make or buy one more."""
    purchasable: Mapped[bool] = mapped_column(default=False)
    """Whether suppliers sell it to us."""
    component: Mapped[bool] = mapped_column(default=False)
    """Whether it goes into something the shop makes."""
    lot_tracked: Mapped[bool] = mapped_column(default=False)
    serial_tracked: Mapped[bool] = mapped_column(default=False)
    stock_unit: Mapped[StockUnit] = mapped_column(default=StockUnit.EACH)
    cost_per: Mapped[int] = mapped_column(default=1)
    """Stock units that `cost_minor` is the cost of: 1000 where a gram costs less than a cent."""
    barcode: Mapped[str | None]
    """GTIN."""
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    fragile: Mapped[bool] = mapped_column(default=False)
    hs_code: Mapped[str | None]
    """Number in the customs tariff (Harmonized System), six digits or more."""
    origin_country: Mapped[str | None]
    """Where it was made, for customs: ISO 3166 alpha-2."""

    product: Mapped["Item | None"] = relationship(remote_side=[sku], lazy="raise")
