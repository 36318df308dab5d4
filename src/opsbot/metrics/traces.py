"""Where a lot went: into work orders, their lots, and orders of customers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import Location, MoveReason, StockMove
from opsbot.commerce.lots import Lot, lot_places
from opsbot.commerce.orders import Order
from opsbot.commerce.production import WorkOrder
from opsbot.commerce.products import Item

MOST_LEVELS = 10


@dataclass(frozen=True)
class Sale:
    """Units of a lot that an order took."""

    number: str
    customer: str
    units: int
    at: datetime
    lot: str


@dataclass(frozen=True)
class WorkUse:
    """Units of a lot that a work order took."""

    number: str
    title: str
    units: int
    at: datetime
    lot: str


@dataclass
class Trace:
    """Where a lot is and went, through what was made of it."""

    left: dict[str, int] = field(default_factory=dict)
    """Units of the lot itself, by the place's name."""
    works: list[WorkUse] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    """Of the lot, and of lots that were made with it."""


def trace(session: Session, lot: Lot) -> Trace:
    """Follow a lot downwards: work orders that used it, their lots, and so on, to the orders."""
    seen = Trace()
    for place, units in lot_places(session, lot.id).items():
        seen.left[session.get_one(Location, place).name] = units
    waiting, known = [lot], {lot.id}
    for _ in range(MOST_LEVELS):
        if not waiting:
            break
        following: list[Lot] = []
        for one in waiting:
            seen.sales += _sales(session, one)
            uses = list(_uses(session, one))
            seen.works += uses
            numbers = [use.number for use in uses]
            made = session.scalars(
                select(Lot)
                .join(WorkOrder, WorkOrder.id == Lot.work_order_id)
                .where(WorkOrder.number.in_(numbers))
            )
            following += [child for child in made if child.id not in known]
            known |= {child.id for child in following}
        waiting = following
    return seen


def lot_units(session: Session, lot_id: int) -> int:
    """Return the units a lot came in with."""
    came = (MoveReason.OPENING, MoveReason.RECEIPT, MoveReason.PRODUCE)
    found = session.scalar(
        select(func.coalesce(func.sum(StockMove.quantity), 0)).where(
            StockMove.lot_id == lot_id, StockMove.reason.in_(came)
        )
    )
    return int(found or 0)


def _sales(session: Session, lot: Lot) -> Iterator[Sale]:
    rows = session.execute(
        select(Order.number, Customer.name, StockMove.quantity, StockMove.at)
        .join(Order, Order.number == StockMove.reference)
        .join(Customer, Customer.id == Order.customer_id)
        .where(StockMove.lot_id == lot.id, StockMove.reason == MoveReason.SALE)
        .order_by(StockMove.at, StockMove.id)
    )
    for number, name, units, at in rows:
        yield Sale(number, name, -units, at, lot.number)


def _uses(session: Session, lot: Lot) -> Iterator[WorkUse]:
    rows = session.execute(
        select(WorkOrder.number, Item.title, StockMove.quantity, StockMove.at)
        .join(WorkOrder, WorkOrder.number == StockMove.reference)
        .join(Item, Item.sku == WorkOrder.sku)
        .where(StockMove.lot_id == lot.id, StockMove.reason == MoveReason.CONSUME)
        .order_by(StockMove.at, StockMove.id)
    )
    for number, title, units, at in rows:
        yield WorkUse(number, title, -units, at, lot.number)
