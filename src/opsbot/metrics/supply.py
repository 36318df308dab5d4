"""What is on order at suppliers, and how they deliver."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.errors import AmbiguousError, NotFoundError
from opsbot.metrics.stock import ON_ORDER
from opsbot.planning.periods import Period, local_day
from opsbot.planning.suppliers import DeliveredLine, Scorecard, scorecard, supplier_score

_COUNTED = (*ON_ORDER, PurchaseOrderState.RECEIVED)


@dataclass(frozen=True)
class OpenOrder:
    """A purchase order that has not come, or not whole."""

    number: str
    supplier: str
    state: PurchaseOrderState
    ordered_on: date
    promised_on: date
    days_late: int
    """From the promised day; 0: it is not late."""
    open_units: int
    items: tuple[Item, ...]
    value_minor: int
    """Of what is open."""
    currency: str


@dataclass(frozen=True)
class SupplierFigures:
    """How one supplier delivered in a period."""

    supplier: Supplier
    card: Scorecard
    score: float | None
    """0 to 100; None: nothing is known."""


def find_supplier(session: Session, words: str) -> Supplier:
    """Return the supplier that words name.

    Raises:
        NotFoundError: none is called so.
        AmbiguousError: several are; with their names.
    """
    said = set(_words(words))
    named = list(session.scalars(select(Supplier).order_by(Supplier.name)))
    hits = {one.name: len(said & set(_words(one.name))) for one in named}
    best = max(hits.values(), default=0)
    found = [one for one in named if best and hits[one.name] == best]
    if not found:
        raise NotFoundError("a supplier called", words.strip()[:60])
    if len(found) > 1:
        names = [one.name for one in found]
        raise AmbiguousError("Which supplier do you mean?", candidates=names)
    return found[0]


def open_purchase_orders(
    session: Session, *, now: datetime, zone: str, supplier: Supplier | None = None
) -> list[OpenOrder]:
    """Return the purchase orders that are sent and not yet received, the longest due first.

    Args:
        session: a session to read in.
        now: the present moment.
        zone: the shop's time zone.
        supplier: only this one's; None: of all.
    """
    statement = (
        select(PurchaseOrder)
        .where(PurchaseOrder.state.in_(ON_ORDER))
        .options(
            joinedload(PurchaseOrder.supplier),
            selectinload(PurchaseOrder.lines).joinedload(PurchaseOrderLine.item),
        )
        .order_by(PurchaseOrder.promised_at, PurchaseOrder.number)
    )
    if supplier is not None:
        statement = statement.where(PurchaseOrder.supplier_id == supplier.id)
    today = local_day(now, zone)
    return [_open_order(order, today, zone) for order in session.scalars(statement)]


def supplier_figures(
    session: Session, period: Period, *, now: datetime, supplier: Supplier | None = None
) -> list[SupplierFigures]:
    """Measure the purchase orders placed in a period, by supplier, the best score first.

    Cancelled orders and drafts do not count.

    Args:
        session: a session to read in.
        period: in which orders were placed.
        now: the present moment; what is open past its day counts as late.
        supplier: only this one; None: all that got an order.
    """
    statement = (
        select(PurchaseOrder, PurchaseOrderLine, Supplier)
        .join(PurchaseOrderLine, PurchaseOrderLine.purchase_order_id == PurchaseOrder.id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .where(PurchaseOrder.state.in_(_COUNTED), PurchaseOrder.ordered_at >= period.start)
        .where(PurchaseOrder.ordered_at < period.end)
    )
    if supplier is not None:
        statement = statement.where(Supplier.id == supplier.id)
    suppliers: dict[int, Supplier] = {}
    lines: defaultdict[int, list[DeliveredLine]] = defaultdict(list)
    for order, line, source in session.execute(statement):
        suppliers[source.id] = source
        lines[source.id].append(_delivered(order, line, period.zone))
    today = local_day(now, period.zone)
    cards = {key: scorecard(lines[key], today=today) for key in suppliers}
    found = [
        SupplierFigures(source, cards[key], supplier_score(cards[key]))
        for key, source in suppliers.items()
    ]
    return sorted(found, key=lambda one: (-(one.score or 0), one.supplier.name))


def _open_order(order: PurchaseOrder, today: date, zone: str) -> OpenOrder:
    lines = [line for line in order.lines if line.received < line.ordered]
    promised = local_day(order.promised_at, zone)
    return OpenOrder(
        number=order.number,
        supplier=order.supplier.name,
        state=order.state,
        ordered_on=local_day(order.ordered_at, zone),
        promised_on=promised,
        days_late=max(0, (today - promised).days),
        open_units=sum(line.ordered - line.received for line in lines),
        items=tuple(line.item for line in lines),
        value_minor=sum(line.value_of(line.ordered - line.received) for line in lines),
        currency=order.currency,
    )


def _delivered(order: PurchaseOrder, line: PurchaseOrderLine, zone: str) -> DeliveredLine:
    return DeliveredLine(
        sku=line.sku,
        ordered_on=local_day(order.ordered_at, zone),
        promised_on=local_day(order.promised_at, zone),
        received_on=local_day(order.received_at, zone) if order.received_at else None,
        ordered=line.ordered,
        received=line.received,
        rejected=line.rejected,
        unit_price=line.unit_price_minor / line.price_per,
    )


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.casefold()).split()
