"""How production does: when work orders are done, and how much of what is made is good."""

from typing import Any

from sqlalchemy import Select, case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.products import Item
from opsbot.commerce.quality import Inspection, InspectionResult
from opsbot.metrics.counting import shares, sums
from opsbot.metrics.facts import Product, goods_columns
from opsbot.metrics.grouping import GOODS, TIME, Dimension, Slice, days_of
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share

MILLION = 1_000_000
_NOT_WORK = (WorkOrderState.DRAFT, WorkOrderState.CANCELLED)


def schedule_adherence(session: Session, part: Slice) -> Groups:
    """Tell which share of the work orders due in the period were done by their day; n: those."""
    days = days_of(part.period)
    due = WorkOrder.due_at
    facts = (
        work_facts(due)
        .join(days, (due >= days.c.starts) & (due < days.c.ends))
        .add_columns(case((WorkOrder.completed_at < days.c.ends, 1), else_=0).label("in_time"))
    )
    return shares(session, part.up_to_now, facts, "in_time", "*")


def first_pass_yield(session: Session, part: Slice) -> Groups:
    """Tell which share of the units started were good; of work orders done in the period."""
    return shares(session, part, work_facts(WorkOrder.completed_at), "good", "made")


def scrap_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of what was made is scrap; of work orders done in the period."""
    return shares(session, part, work_facts(WorkOrder.completed_at), "scrap", "made")


def dpmo(session: Session, part: Slice) -> Groups:
    """Return defects in a million units looked at, of the inspections of the period."""
    names = ("defects", "lots_rejected", "looked_at")
    found = sums(session, part, inspection_facts(), names)
    return {
        key: Counted(
            label,
            (None if (one := share(defects, looked)) is None else one * MILLION, int(rejected)),
            int(looked),
        )
        for key, (label, defects, rejected, looked) in found.items()
    }


def acceptance_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the lots inspected in the period were accepted; n: lots."""
    return shares(session, part, inspection_facts(), "accepted", "*")


def work_facts(at: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return one row for each work order that was released: `good`, `scrap`, `made` (units)."""
    return (
        select(
            at.label("at"),
            WorkOrder.id.label("order_id"),
            *goods_columns(),
            WorkOrder.produced.label("good"),
            WorkOrder.scrapped.label("scrap"),
            (WorkOrder.produced + WorkOrder.scrapped).label("made"),
        )
        .select_from(WorkOrder)
        .join(Item, Item.sku == WorkOrder.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(WorkOrder.state.not_in(_NOT_WORK))
    )


def inspection_facts() -> Select[Any]:
    """Return one row for each inspection; `kind` is its stage, `looked_at` its sample."""
    accepted = Inspection.result == InspectionResult.ACCEPTED
    rejected = Inspection.result == InspectionResult.REJECTED
    return (
        select(
            Inspection.inspected_at.label("at"),
            Inspection.id.label("order_id"),
            Inspection.stage.label("kind"),
            *goods_columns(),
            (Inspection.critical + Inspection.major + Inspection.minor).label("defects"),
            Inspection.sample_size.label("looked_at"),
            case((accepted, 1), else_=0).label("accepted"),
            case((rejected, 1), else_=0).label("lots_rejected"),
        )
        .select_from(Inspection)
        .join(Item, Item.sku == Inspection.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
    )


METRICS = (
    Metric(
        key="schedule_adherence",
        title="Work orders on time",
        definition="Share of the work orders due in the period, up to now, that were completed by "
        "their day; what is not done has failed.",
        counts="work orders due",
        dimensions=(*TIME, *GOODS),
        measures=(Measure("schedule_adherence", "On time", Unit.SHARE),),
        function=schedule_adherence,
        period="last 90 days",
        score_scale=100,
    ),
    Metric(
        key="fpy",
        title="First-pass yield",
        definition="Share of the units made by work orders completed in the period that were good, "
        "not scrap.",
        counts="units made",
        dimensions=(*TIME, *GOODS),
        measures=(Measure("fpy", "First-pass yield", Unit.SHARE),),
        function=first_pass_yield,
        period="last 90 days",
        score_scale=100,
    ),
    Metric(
        key="scrap_rate",
        title="Scrap rate",
        definition="Share of the units made by work orders completed in the period that were "
        "scrap.",
        counts="units made",
        dimensions=(*TIME, *GOODS),
        measures=(Measure("scrap_rate", "Scrap", Unit.SHARE),),
        function=scrap_rate,
        period="last 90 days",
        score_scale=100,
    ),
    Metric(
        key="dpmo",
        title="Defects per million",
        definition="Defects, of whatever severity, in a million units looked at in the inspections "
        "of the period; one opportunity a unit.",
        counts="units looked at",
        dimensions=(*TIME, *GOODS, Dimension.KIND),
        measures=(
            Measure("dpmo", "Defects (ppm)", Unit.PPM),
            Measure("lots_rejected", "Lots rejected", Unit.COUNT),
        ),
        function=dpmo,
        period="last 90 days",
    ),
    Metric(
        key="acceptance_rate",
        title="Lots accepted",
        definition="Share of the lots inspected in the period that were accepted.",
        counts="lots",
        dimensions=(*TIME, *GOODS, Dimension.KIND),
        measures=(Measure("acceptance_rate", "Accepted", Unit.SHARE),),
        function=acceptance_rate,
        period="last 90 days",
        score_scale=100,
    ),
)
