"""How suppliers deliver: by line, as promised, how fast, and how much is sent back."""

from math import sqrt
from typing import Any

from sqlalchemy import Select, case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.metrics.clock import seconds_between
from opsbot.metrics.counting import shares, spans, sums
from opsbot.metrics.facts import Product, goods_columns
from opsbot.metrics.grouping import GOODS, TIME, Dimension, Slice, days_of
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share

NOT_SENT = (
    PurchaseOrderState.DRAFT,
    PurchaseOrderState.APPROVED,
    PurchaseOrderState.CANCELLED,
)
MILLION = 1_000_000
SIDES = (*TIME, Dimension.SUPPLIER, *GOODS)
_DAY_S = 86_400


def supplier_on_time(session: Session, part: Slice) -> Groups:
    """Tell which share of the purchase lines due in the period came by the promised day."""
    days = days_of(part.period)
    promised = PurchaseOrder.promised_at
    in_time = case((PurchaseOrder.received_at < days.c.ends, 1), else_=0)
    facts = (
        line_facts(promised)
        .join(days, (promised >= days.c.starts) & (promised < days.c.ends))
        .add_columns(in_time.label("in_time"))
    )
    return shares(session, part.up_to_now, facts, "in_time", "*")


def supplier_lead_time(session: Session, part: Slice) -> Groups:
    """Give the days from order to receipt, of lines received in the period; n: lines."""
    facts = line_facts(PurchaseOrder.received_at)
    found = spans(session, part, facts, first="ordered_at", last="received_at")
    squares = sums(session, part, facts, ("days", "days_squared", "*"))
    return {
        key: Counted(
            one.label,
            (one.points[0], one.mean, _deviation(*squares[key][1:]), one.points[1]),
            one.n,
        )
        for key, one in found.items()
    }


def supplier_ppm(session: Session, part: Slice) -> Groups:
    """Return the units rejected in a million received in the period; n: units received."""
    facts = line_facts(PurchaseOrder.received_at)
    found = sums(session, part, facts, ("rejected", "received"))
    return {
        key: Counted(label, (_in_a_million(rejected, received), int(rejected)), int(received))
        for key, (label, rejected, received) in found.items()
    }


def line_facts(at: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return one row for each line of each purchase order that was sent, placed in time by `at`.

    Further columns: `supplier`, the goods, `ordered_at`, `received_at`, `received`, `rejected`
    (units), `days` (from order to receipt), `days_squared`.
    """
    days = seconds_between(PurchaseOrder.ordered_at, PurchaseOrder.received_at) / _DAY_S
    return (
        select(
            at.label("at"),
            PurchaseOrder.id.label("order_id"),
            Supplier.name.label("supplier"),
            *goods_columns(),
            PurchaseOrder.ordered_at.label("ordered_at"),
            PurchaseOrder.received_at.label("received_at"),
            PurchaseOrderLine.received.label("received"),
            PurchaseOrderLine.rejected.label("rejected"),
            days.label("days"),
            (days * days).label("days_squared"),
        )
        .select_from(PurchaseOrderLine)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .join(Item, Item.sku == PurchaseOrderLine.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(PurchaseOrder.state.not_in(NOT_SENT))
    )


def _in_a_million(hits: int, whole: int) -> float | None:
    part = share(float(hits), whole)
    return None if part is None else part * MILLION


def _deviation(total: float, squares: float, n: int) -> float:
    """Return the standard deviation of a sample; 0 of a single one."""
    if n < 2:  # noqa: PLR2004  (a sample)
        return 0.0
    spread: float = max(0.0, (squares - total * total / n) / (n - 1))
    return sqrt(spread)


METRICS = (
    Metric(
        key="supplier_on_time",
        title="Suppliers on time",
        definition="Share of the purchase lines promised for the period, up to now, that were "
        "received by the promised day; what has not come has failed.",
        counts="lines due",
        dimensions=SIDES,
        measures=(Measure("supplier_on_time", "On time", Unit.SHARE),),
        function=supplier_on_time,
        by=Dimension.SUPPLIER,
        period="last 12 months",
        score_scale=100,
    ),
    Metric(
        key="supplier_lead_time",
        title="Lead time of suppliers",
        definition="Calendar days from order to receipt of the purchase lines received in the "
        "period: median, mean, standard deviation, and the time 90 % stay within.",
        counts="lines",
        dimensions=SIDES,
        measures=(
            Measure("supplier_lead_time", "Median", Unit.DAYS),
            Measure("lead_time_mean", "Mean", Unit.DAYS),
            Measure("lead_time_deviation", "Deviation", Unit.DAYS),
            Measure("lead_time_p90", "90 % within", Unit.DAYS),
        ),
        function=supplier_lead_time,
        by=Dimension.SUPPLIER,
        period="last 12 months",
    ),
    Metric(
        key="supplier_ppm",
        title="Rejects of suppliers",
        definition="Units rejected in a million units received in the period.",
        counts="units received",
        dimensions=SIDES,
        measures=(
            Measure("supplier_ppm", "Rejected (ppm)", Unit.PPM),
            Measure("supplier_rejected", "Rejected", Unit.COUNT),
        ),
        function=supplier_ppm,
        by=Dimension.SUPPLIER,
        period="last 12 months",
    ),
)
