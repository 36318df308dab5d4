"""Whether items can be bought just in time: how their supplier delivers, and how they are used."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.inventory import MoveReason, StockMove
from opsbot.commerce.products import Item
from opsbot.commerce.purchase_orders import source_of
from opsbot.commerce.purchasing import SupplierItem
from opsbot.metrics.supply import SupplierFigures, supplier_figures
from opsbot.planning.demand import SteadinessClass, ValueClass, steadiness_class, value_classes
from opsbot.planning.just_in_time import just_in_time_fit
from opsbot.planning.periods import DAY, Period, local_day

HISTORY_WEEKS = 26
_OUT = (MoveReason.SALE, MoveReason.CONSUME)


def fits(
    session: Session, skus: Collection[str], *, now: datetime, zone: str
) -> dict[str, tuple[str, ...]]:
    """Return for each item what speaks against buying it just in time; nothing: it fits."""
    today = local_day(now, zone)
    period = Period(today - 365 * DAY, today + DAY, zone)
    cards = {one.supplier.id: one for one in supplier_figures(session, period, now=now)}
    used = weekly_use(session, now=now, zone=zone)
    costs = {
        sku: cost / per
        for sku, cost, per in session.execute(select(Item.sku, Item.cost_minor, Item.cost_per))
    }
    worth = {sku: sum(weeks) * costs.get(sku, 0) for sku, weeks in used.items()}
    classes = value_classes(worth) if any(worth.values()) else {}
    return {sku: _against(session, sku, cards, used, classes) for sku in skus}


def weekly_use(session: Session, *, now: datetime, zone: str) -> dict[str, list[float]]:
    """Return what left the shelves of each item, sold or used, in each of the last 26 weeks."""
    today = local_day(now, zone)
    start = now - HISTORY_WEEKS * 7 * DAY
    weeks: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * HISTORY_WEEKS)
    for sku, at, units in session.execute(
        select(StockMove.sku, StockMove.at, StockMove.quantity).where(
            StockMove.reason.in_(_OUT), StockMove.at >= start
        )
    ):
        place = HISTORY_WEEKS - 1 - (today - local_day(at, zone)).days // 7
        if 0 <= place < HISTORY_WEEKS:
            weeks[sku][place] -= units
    return dict(weeks)


def _against(
    session: Session,
    sku: str,
    cards: dict[int, SupplierFigures],
    used: dict[str, list[float]],
    classes: dict[str, ValueClass],
) -> tuple[str, ...]:
    source = source_of(session, sku)
    if source is None:
        return ("It is made here.",)
    figures = cards.get(source.supplier_id)
    lead = figures.card.lead_times if figures else None
    if figures is None or figures.card.on_time is None or lead is None:
        return ("Nothing is known of how its supplier delivers.",)
    weeks = used.get(sku, [])
    steady = steadiness_class(weeks) if any(weeks) else SteadinessClass.Z
    sources = session.scalar(
        select(func.count()).select_from(SupplierItem).where(SupplierItem.sku == sku)
    )
    fit = just_in_time_fit(
        on_time=figures.card.on_time,
        lead_variation=lead.deviation / lead.mean if lead.mean else 0.0,
        steadiness=steady,
        value=classes.get(sku, ValueClass.C),
        sources=int(sources or 0),
    )
    return fit.reasons
