"""What the shop sells: items and their variants."""

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


class Item(Sourced, Base):
    """A product, or one variant of a product.

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

    product: Mapped["Item | None"] = relationship(remote_side=[sku], lazy="raise")
