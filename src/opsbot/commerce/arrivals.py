"""When more of an item comes in: from what is on order, and what is being made."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.purchasing import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState

_UNDER_WAY = (WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS)
_ON_ORDER = (
    PurchaseOrderState.SENT,
    PurchaseOrderState.ACKNOWLEDGED,
    PurchaseOrderState.PARTIALLY_RECEIVED,
)


def next_arrival(session: Session, sku: str, *, now: datetime) -> datetime | None:
    """Return when more of an item is promised to arrive; None when no open document says so.

    A promise that has passed is no promise any more.
    """
    made = session.scalar(
        select(func.min(WorkOrder.due_at)).where(
            WorkOrder.sku == sku, WorkOrder.state.in_(_UNDER_WAY), WorkOrder.due_at > now
        )
    )
    bought = session.scalar(
        select(func.min(PurchaseOrder.promised_at))
        .join(PurchaseOrderLine, PurchaseOrderLine.purchase_order_id == PurchaseOrder.id)
        .where(
            PurchaseOrderLine.sku == sku,
            PurchaseOrderLine.received < PurchaseOrderLine.ordered,
            PurchaseOrder.state.in_(_ON_ORDER),
            PurchaseOrder.promised_at > now,
        )
    )
    return min((moment for moment in (made, bought) if moment is not None), default=None)
