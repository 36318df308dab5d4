"""Where stock lies, and what is on its way."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.planning.periods import local_day

ON_ORDER = (
    PurchaseOrderState.SENT,
    PurchaseOrderState.ACKNOWLEDGED,
    PurchaseOrderState.PARTIALLY_RECEIVED,
)
FILLERS = frozenset({"the", "our", "all", "any", "in", "of", "category", "item", "product", "my"})
"""Words beside a category's name that change nothing; without a plural s."""
UNDER_WAY = (WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS)


@dataclass(frozen=True)
class Incoming:
    """Units on their way into stock."""

    sku: str
    number: str
    """`PO-00042` or `WO-00017`."""
    source: str
    """The supplier, or that it is made here."""
    quantity: int
    due_on: date
    confirmed: bool
    """Whether the supplier has acknowledged it."""


def find_category(session: Session, words: str, *, among_others: bool = False) -> str:
    """Return the category that words name, such as "the lamps"; empty when they name none.

    Args:
        session: a session to read in.
        words: what was said.
        among_others: the words may say more than the category, as in "our oak lamps".
    """
    said = {word.rstrip("s") for word in words.lower().split()} - FILLERS
    categories = session.scalars(select(Item.category).distinct().order_by(Item.category))
    for category in categories:
        named = {word.rstrip("s") for word in category.lower().split()}
        if named == said or (among_others and named <= said):
            return category
    return ""


def skus_of_category(session: Session, category: str) -> list[str]:
    """Return the SKUs of what is sold in a category."""
    return list(session.scalars(select(Item.sku).where(Item.category == category, Item.sellable)))


def stock_levels(session: Session, skus: Collection[str]) -> list[StockLevel]:
    """Return the levels of items, with item and location, by title and location."""
    found = session.scalars(
        select(StockLevel)
        .join(StockLevel.item)
        .join(StockLevel.location)
        .options(contains_eager(StockLevel.item), contains_eager(StockLevel.location))
        .where(StockLevel.sku.in_(skus))
        .order_by(Item.title, Location.code)
    )
    return list(found)


def incoming_stock(
    session: Session, skus: Collection[str] | None = None, *, zone: str
) -> list[Incoming]:
    """Return open purchase and work orders of items (None: of all), earliest first."""
    found = [*_bought(session, skus, zone), *_made(session, skus, zone)]
    return sorted(found, key=lambda incoming: (incoming.due_on, incoming.number))


def _bought(session: Session, skus: Collection[str] | None, zone: str) -> list[Incoming]:
    statement = (
        select(PurchaseOrderLine, PurchaseOrder, Supplier)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .where(PurchaseOrder.state.in_(ON_ORDER))
        .where(PurchaseOrderLine.received < PurchaseOrderLine.ordered)
    )
    if skus is not None:
        statement = statement.where(PurchaseOrderLine.sku.in_(skus))
    return [
        Incoming(
            sku=line.sku,
            number=order.number,
            source=supplier.name,
            quantity=line.ordered - line.received,
            due_on=local_day(order.promised_at, zone),
            confirmed=order.state is not PurchaseOrderState.SENT,
        )
        for line, order, supplier in session.execute(statement)
    ]


def _made(session: Session, skus: Collection[str] | None, zone: str) -> list[Incoming]:
    statement = select(WorkOrder).where(
        WorkOrder.state.in_(UNDER_WAY),
        WorkOrder.produced + WorkOrder.scrapped < WorkOrder.planned,
    )
    if skus is not None:
        statement = statement.where(WorkOrder.sku.in_(skus))
    return [
        Incoming(
            sku=order.sku,
            number=order.number,
            source="own workshop",
            quantity=order.planned - order.produced - order.scrapped,
            due_on=local_day(order.due_at, zone),
            confirmed=True,
        )
        for order in session.scalars(statement)
    ]
