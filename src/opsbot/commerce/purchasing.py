"""What the shop buys from its suppliers: prices, orders, receipts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.products import Item
from opsbot.commerce.records import Edges, Versioned
from opsbot.db import Base


class PurchaseOrderState(StrEnum):
    """draft → approved → sent → acknowledged → partially_received → received → closed."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


PURCHASE_ORDER_EDGES: Edges[PurchaseOrderState] = {
    PurchaseOrderState.DRAFT: frozenset(
        {PurchaseOrderState.APPROVED, PurchaseOrderState.CANCELLED}
    ),
    PurchaseOrderState.APPROVED: frozenset({PurchaseOrderState.SENT, PurchaseOrderState.CANCELLED}),
    PurchaseOrderState.SENT: frozenset(
        {
            PurchaseOrderState.ACKNOWLEDGED,
            PurchaseOrderState.PARTIALLY_RECEIVED,
            PurchaseOrderState.RECEIVED,
            PurchaseOrderState.CANCELLED,
        }
    ),
    PurchaseOrderState.ACKNOWLEDGED: frozenset(
        {
            PurchaseOrderState.PARTIALLY_RECEIVED,
            PurchaseOrderState.RECEIVED,
            PurchaseOrderState.CANCELLED,
        }
    ),
    PurchaseOrderState.PARTIALLY_RECEIVED: frozenset(
        {
            PurchaseOrderState.PARTIALLY_RECEIVED,
            PurchaseOrderState.RECEIVED,
            PurchaseOrderState.CLOSED,
        }
    ),
    PurchaseOrderState.RECEIVED: frozenset({PurchaseOrderState.CLOSED}),
    PurchaseOrderState.CLOSED: frozenset(),
    PurchaseOrderState.CANCELLED: frozenset(),
}


class Supplier(Base):
    """A company the shop buys from."""

    __tablename__ = "suppliers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str]
    currency: Mapped[str]
    lead_days: Mapped[int]
    """Calendar days, as quoted."""
    incoterm: Mapped[str | None]
    """Who pays freight and duty: `DAP`, `FCA`."""
    email: Mapped[str | None]
    """Where orders go."""


class SupplierItem(Base):
    """What a supplier asks for an item."""

    __tablename__ = "supplier_items"
    __table_args__ = (
        UniqueConstraint("supplier_id", "sku"),
        Index(
            "uq_supplier_items_preferred",
            "sku",
            unique=True,
            sqlite_where=text("preferred"),
            postgresql_where=text("preferred"),
        ),
        CheckConstraint("price_minor > 0 AND price_per > 0", name="price_positive"),
        CheckConstraint("minimum >= 0 AND pack_multiple > 0", name="packs_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("suppliers.id"))
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    supplier_sku: Mapped[str | None]
    price_minor: Mapped[int]
    price_per: Mapped[int] = mapped_column(default=1)
    """Stock units that the price is for."""
    breaks: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Lower prices of larger orders: `{"from": 100, "price_minor": 950}`, in rising order."""
    minimum: Mapped[int] = mapped_column(default=0)
    """Least stock units of an order (MOQ)."""
    pack_multiple: Mapped[int] = mapped_column(default=1)
    """Stock units of a pack; only whole packs are sold."""
    lead_days: Mapped[int]
    """Calendar days, as quoted."""
    preferred: Mapped[bool] = mapped_column(default=False)
    """Whether we order it here; one supplier of an item."""

    supplier: Mapped[Supplier] = relationship(lazy="raise")

    def price_at(self, quantity: int) -> int:
        """Return the price of `price_per` units in an order of a quantity."""
        prices = [one["price_minor"] for one in self.breaks if quantity >= one["from"]]
        return int(min([self.price_minor, *prices]))


class PurchaseOrder(Versioned, Base):
    """One order at one supplier."""

    __tablename__ = "purchase_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`PO-00042`."""
    supplier_id: Mapped[int] = mapped_column(ForeignKey("suppliers.id"), index=True)
    state: Mapped[PurchaseOrderState] = mapped_column(default=PurchaseOrderState.DRAFT)
    currency: Mapped[str]
    ordered_at: Mapped[datetime]
    """When it was written; once sent, when it was sent."""
    promised_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    """Where the goods shall go; None: the first warehouse."""
    on_hold: Mapped[bool] = mapped_column(default=False)
    approved_by: Mapped[str | None]

    supplier: Mapped[Supplier] = relationship(lazy="raise")
    lines: Mapped[list["PurchaseOrderLine"]] = relationship(
        lazy="raise", order_by="PurchaseOrderLine.id"
    )


class PurchaseOrderLine(Base):
    """One item of a purchase order."""

    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        CheckConstraint("ordered > 0", name="ordered_positive"),
        CheckConstraint("rejected <= received", name="rejected_within_received"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_order_id: Mapped[int] = mapped_column(ForeignKey("purchase_orders.id"), index=True)
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    ordered: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    unit_price_minor: Mapped[int]
    price_per: Mapped[int] = mapped_column(default=1)
    """Stock units that the price is for."""

    item: Mapped[Item] = relationship(lazy="raise")

    def value_of(self, units: int) -> int:
        """Return what so many units cost, in minor units, rounded half up."""
        return value_of(units, self.unit_price_minor, self.price_per)


class Receipt(Base):
    """Goods that came on one line of a purchase order: append-only."""

    __tablename__ = "receipts"
    __table_args__ = (
        CheckConstraint("received > 0", name="received_positive"),
        CheckConstraint("rejected >= 0 AND rejected <= received", name="rejected_within_received"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_order_line_id: Mapped[int] = mapped_column(
        ForeignKey("purchase_order_lines.id"), index=True
    )
    received: Mapped[int]
    rejected: Mapped[int] = mapped_column(default=0)
    """Of these, not taken on stock for use."""
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lots.id"))
    """Of the good ones."""
    received_at: Mapped[datetime]
    actor: Mapped[str]


def value_of(units: int, price_minor: int, price_per: int) -> int:
    """Return what units cost at a price for so many of them, in minor units, rounded half up."""
    return (2 * units * price_minor + price_per) // (2 * price_per)
