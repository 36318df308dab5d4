"""What to order now, of goods and of what they are made from, where, and why."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.purchase_orders import Priced, price_line
from opsbot.commerce.purchasing import Supplier, SupplierItem, value_of
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.metrics.just_in_time import weekly_use
from opsbot.metrics.run_outs import backorders
from opsbot.metrics.stock import incoming_stock
from opsbot.planning.cover import Arrival, plan_cover
from opsbot.planning.periods import local_day
from opsbot.planning.replenishment import Method, Position, Rule, propose

_LAST_WEEKS = 8
"""Weeks whose use tells how long stock lasts."""


@dataclass(frozen=True)
class Line:
    """One item to order."""

    item: Item
    available: int
    incoming: int
    quantity: int
    priced: Priced | None
    """As its supplier sells it; None: it is made here."""
    value_minor: int
    order_by: date | None
    """Last day to order without running out; None: not foreseeable."""
    why: str


def replenishment_lines(
    session: Session, *, now: datetime, zone: str, days: int, supplier: Supplier | None = None
) -> list[Line]:
    """Return what to order now, the most urgent first.

    Args:
        session: a session to read in.
        now: the present moment.
        zone: the shop's time zone.
        days: what has more time than that is left out.
        supplier: only what this one is the first choice for.
    """
    today = local_day(now, zone)
    free = _free(session)
    coming: defaultdict[str, list[Arrival]] = defaultdict(list)
    total: Counter[str] = Counter()
    for one in incoming_stock(session, zone=zone):
        total[one.sku] += one.quantity
        if one.confirmed:
            coming[one.sku].append(Arrival(one.due_on, one.quantity))
    waiting = backorders(session)
    used = weekly_use(session, now=now, zone=zone)
    sources = _sources(session)
    found = []
    for policy, item in session.execute(
        select(StockPolicy, Item)
        .join(Item, Item.sku == StockPolicy.sku)
        .where(Item.status == ItemStatus.ACTIVE)
    ):
        source = sources.get(item.sku)
        if supplier is not None and (source is None or source.supplier_id != supplier.id):
            continue
        position = Position(free.get(item.sku, 0), total[item.sku], 0, waiting[item.sku])
        daily = sum(used.get(item.sku, [0.0])[-_LAST_WEEKS:]) / (7 * _LAST_WEEKS)
        cover = plan_cover(
            position.on_hand - position.backorders,
            daily,
            coming[item.sku],
            today=today,
            lead_days=source.lead_days if source else item.lead_time_days,
        )
        line = _line(item, policy, position, source, cover.order_by, today)
        if line is not None and (line.order_by is None or (line.order_by - today).days <= days):
            found.append(line)
    return sorted(found, key=lambda one: (one.order_by or date.max, one.item.title))


def _line(
    item: Item,
    policy: StockPolicy,
    position: Position,
    source: SupplierItem | None,
    order_by: date | None,
    today: date,
) -> Line | None:
    rule = Rule(Method.MIN_MAX, reorder_point=policy.reorder_point, order_up_to=policy.order_up_to)
    proposal = propose(rule, position, today=today)
    if not proposal.quantity or (source is None and not item.manufactured):
        return None
    priced = price_line(source, proposal.quantity) if source and not item.manufactured else None
    units = priced.units if priced else proposal.quantity
    worth = priced.value_minor if priced else value_of(units, item.cost_minor, item.cost_per)
    return Line(
        item, position.on_hand, position.incoming, units, priced, worth, order_by, proposal.because
    )


def _free(session: Session) -> Mapping[str, int]:
    rows = session.execute(
        select(StockLevel.sku, func.sum(StockLevel.on_hand - StockLevel.reserved))
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.sellable)
        .group_by(StockLevel.sku)
    )
    return {sku: int(units) for sku, units in rows}


def _sources(session: Session) -> dict[str, SupplierItem]:
    """Return the preferred supplier of each item that is bought."""
    found = session.scalars(
        select(SupplierItem)
        .where(SupplierItem.preferred)
        .options(joinedload(SupplierItem.supplier))
    )
    return {one.sku: one for one in found}
