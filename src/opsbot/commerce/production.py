"""What the shop makes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.products import Item
from opsbot.commerce.records import Versioned
from opsbot.db import Base


class WorkOrderState(StrEnum):
    """draft → released → in_progress → completed; or cancelled."""

    DRAFT = "draft"
    RELEASED = "released"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class WorkOrder(Versioned, Base):
    """An order to make a number of one item."""

    __tablename__ = "work_orders"
    __table_args__ = (CheckConstraint("planned > 0", name="planned_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`WO-00017`."""
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    state: Mapped[WorkOrderState] = mapped_column(default=WorkOrderState.DRAFT)
    planned: Mapped[int]
    produced: Mapped[int] = mapped_column(default=0)
    scrapped: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    item: Mapped[Item] = relationship(lazy="raise")
