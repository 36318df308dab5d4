"""What the shop buys from its suppliers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.products import Item
from opsbot.commerce.records import Versioned
from opsbot.db import Base


class PurchaseOrderState(StrEnum):
    """draft → sent → acknowledged → partially_received → received; or cancelled."""

    DRAFT = "draft"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class Supplier(Base):
    """A company the shop buys from."""

    __tablename__ = "suppliers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str]
    currency: Mapped[str]
    lead_days: Mapped[int]
    """Calendar days, as quoted."""


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
    promised_at: Mapped[datetime]
    received_at: Mapped[datetime | None]

    supplier: Mapped[Supplier] = relationship(lazy="raise")
    lines: Mapped[list["PurchaseOrderLine"]] = relationship(lazy="raise")


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

    item: Mapped[Item] = relationship(lazy="raise")
