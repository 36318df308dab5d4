"""What the shop makes: bills of materials, work centres, routings, work orders."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.products import Item
from opsbot.commerce.records import Edges, Versioned
from opsbot.db import Base


class BomState(StrEnum):
    """draft → active → retired. One of an item is active."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class CenterKind(StrEnum):
    """Where work is done."""

    IN_HOUSE = "in_house"
    OUTSOURCED = "outsourced"


class ExceptionReason(StrEnum):
    """Why a work centre has more or less time than usual on a day."""

    MAINTENANCE = "maintenance"
    ABSENCE = "absence"
    HOLIDAY = "holiday"
    OVERTIME = "overtime"


class WorkOrderState(StrEnum):
    """draft → released → in_progress ⇄ paused → completed → closed; or cancelled before."""

    DRAFT = "draft"
    RELEASED = "released"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


WORK_ORDER_EDGES: Edges[WorkOrderState] = {
    WorkOrderState.DRAFT: frozenset({WorkOrderState.RELEASED, WorkOrderState.CANCELLED}),
    WorkOrderState.RELEASED: frozenset(
        {WorkOrderState.IN_PROGRESS, WorkOrderState.COMPLETED, WorkOrderState.CANCELLED}
    ),
    WorkOrderState.IN_PROGRESS: frozenset(
        {WorkOrderState.PAUSED, WorkOrderState.COMPLETED, WorkOrderState.CANCELLED}
    ),
    WorkOrderState.PAUSED: frozenset({WorkOrderState.IN_PROGRESS, WorkOrderState.CANCELLED}),
    WorkOrderState.COMPLETED: frozenset({WorkOrderState.CLOSED}),
    WorkOrderState.CLOSED: frozenset(),
    WorkOrderState.CANCELLED: frozenset(),
}

OPEN_WORK = (
    WorkOrderState.DRAFT,
    WorkOrderState.RELEASED,
    WorkOrderState.IN_PROGRESS,
    WorkOrderState.PAUSED,
)
"""States of a work order that is still to be done."""


class Bom(Base):
    """What a quantity of an item is made from; later versions replace earlier ones."""

    __tablename__ = "boms"
    __table_args__ = (
        UniqueConstraint("sku", "revision"),
        Index(
            "uq_boms_active",
            "sku",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    revision: Mapped[int]
    state: Mapped[BomState] = mapped_column(default=BomState.DRAFT)
    created_at: Mapped[datetime]
    effective_at: Mapped[datetime | None]
    """Of a draft: when it becomes the active one by itself; None: when a person says so."""

    lines: Mapped[list["BomLine"]] = relationship(lazy="raise", order_by="BomLine.seq")
    operations: Mapped[list["RoutingOp"]] = relationship(lazy="raise", order_by="RoutingOp.seq")


class BomLine(Base):
    """One part of a bill of materials."""

    __tablename__ = "bom_lines"
    __table_args__ = (
        UniqueConstraint("bom_id", "component"),
        CheckConstraint("quantity_e4 > 0", name="quantity_positive"),
        CheckConstraint("scrap_permille >= 0 AND scrap_permille < 1000", name="scrap_share"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bom_id: Mapped[int] = mapped_column(ForeignKey("boms.id"), index=True)
    seq: Mapped[int]
    component: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    quantity_e4: Mapped[int]
    """For one of the product, in ten-thousandths of the part's stock unit."""
    scrap_permille: Mapped[int] = mapped_column(default=0)
    """Thousandths that are lost on the way into the product."""

    @property
    def quantity(self) -> Decimal:
        """For one of the product, in the part's stock unit."""
        return Decimal(self.quantity_e4).scaleb(-4)


class WorkCenter(Base):
    """A machine, a bench, or a company that does work for us."""

    __tablename__ = "work_centers"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[CenterKind]
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("suppliers.id"))
    """Of an outsourced one."""
    weekdays: Mapped[str] = mapped_column(default="12345")
    """Days it works, 1 for Monday to 7."""
    minutes_per_day: Mapped[int]
    efficiency_pct: Mapped[int] = mapped_column(default=100)
    cost_minor_per_hour: Mapped[int]


class CapacityException(Base):
    """More or less time than usual at a work centre on one day."""

    __tablename__ = "capacity_exceptions"
    __table_args__ = (Index("ix_capacity_exceptions_center_day", "work_center_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    work_center_id: Mapped[int] = mapped_column(ForeignKey("work_centers.id"))
    day: Mapped[date]
    minutes: Mapped[int]
    """Negative: less."""
    reason: Mapped[ExceptionReason]


class RoutingOp(Base):
    """One step of making an item."""

    __tablename__ = "routing_ops"
    __table_args__ = (UniqueConstraint("bom_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bom_id: Mapped[int] = mapped_column(ForeignKey("boms.id"))
    seq: Mapped[int]
    name: Mapped[str]
    work_center_id: Mapped[int] = mapped_column(ForeignKey("work_centers.id"), index=True)
    setup_minutes: Mapped[int]
    """Once a job."""
    run_seconds: Mapped[int]
    """For one unit."""
    queue_days: Mapped[int] = mapped_column(default=0)
    """Calendar days that parts wait before it."""


class WorkOrder(Versioned, Base):
    """An order to make a number of one item."""

    __tablename__ = "work_orders"
    __table_args__ = (CheckConstraint("planned > 0", name="planned_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`WO-00017`."""
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    bom_id: Mapped[int | None] = mapped_column(ForeignKey("boms.id"))
    """The bill of materials it is made by; None: its parts are not recorded."""
    state: Mapped[WorkOrderState] = mapped_column(default=WorkOrderState.DRAFT)
    planned: Mapped[int]
    produced: Mapped[int] = mapped_column(default=0)
    scrapped: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    planned_start: Mapped[datetime | None]
    due_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    item: Mapped[Item] = relationship(lazy="raise")
    operations: Mapped[list["WorkOrderOp"]] = relationship(lazy="raise", order_by="WorkOrderOp.seq")


class WorkOrderOp(Base):
    """One step of a work order: what was planned, and what came of it."""

    __tablename__ = "work_order_ops"
    __table_args__ = (
        UniqueConstraint("work_order_id", "seq"),
        CheckConstraint("good >= 0 AND scrap >= 0", name="counts_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"))
    seq: Mapped[int]
    name: Mapped[str]
    work_center_id: Mapped[int] = mapped_column(ForeignKey("work_centers.id"), index=True)
    planned_minutes: Mapped[int]
    actual_minutes: Mapped[int | None]
    good: Mapped[int] = mapped_column(default=0)
    scrap: Mapped[int] = mapped_column(default=0)
    scrap_reason: Mapped[str | None]
    """Why most of the scrap was scrap, in words."""
    done_at: Mapped[datetime | None]
