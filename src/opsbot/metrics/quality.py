"""Yield, scrap, rejects and defects of a period."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from opsbot.commerce.production import WorkOrder, WorkOrderOp
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    Receipt,
    Supplier,
)
from opsbot.commerce.quality import Inspection, InspectionResult, InspectionStage
from opsbot.planning.periods import Period
from opsbot.planning.quality import (
    ParetoRow,
    defects_per_million,
    first_pass_yield,
    pareto,
    rolled_yield,
    scrap_rate,
)

_UNNAMED = "not named"


@dataclass(frozen=True)
class QualityFigures:
    """What came of making and buying in a period."""

    first_pass: float | None
    """Good units in units started, over all steps together; None: nothing was made."""
    rolled: float | None
    """The product of the yields by place in the routing."""
    scrap_rate: float | None
    ppm: float | None
    """Units rejected on receipt, in a million; None: nothing came."""
    inspected: int
    rejected: int
    """Lots that an inspection rejected, also if they were used by concession."""
    pareto: list[ParetoRow]


def quality_figures(
    session: Session,
    period: Period,
    *,
    skus: Collection[str] | None = None,
    supplier: Supplier | None = None,
) -> QualityFigures:
    """Add up a period.

    Args:
        session: a session to read in.
        period: when steps were done, goods came and lots were inspected.
        skus: only these items; None: all.
        supplier: only what this one delivered; nothing that is made here then.
    """
    causes: Counter[str] = Counter()
    steps = [] if supplier else _steps(session, period, skus, causes)
    inspected, rejected = _inspections(session, period, skus, supplier, causes)
    received, bad = _receipts(session, period, skus, supplier)
    by_place: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for seq, good, scrap in steps:
        by_place[seq][0] += good
        by_place[seq][1] += scrap
    good = sum(pair[0] for pair in by_place.values())
    scrap = sum(pair[1] for pair in by_place.values())
    made = good + scrap
    yields = [first_pass_yield(g, g + s) for g, s in by_place.values() if g + s]
    return QualityFigures(
        first_pass=first_pass_yield(good, made) if made else None,
        rolled=rolled_yield(yields) if yields else None,
        scrap_rate=scrap_rate(good, scrap) if made else None,
        ppm=defects_per_million(bad, received) if received else None,
        inspected=inspected,
        rejected=rejected,
        pareto=pareto(causes),
    )


def _steps(
    session: Session, period: Period, skus: Collection[str] | None, causes: Counter[str]
) -> list[tuple[int, int, int]]:
    """Return place, good and scrap of each step that was done; count its scrap by reason."""
    statement = (
        select(WorkOrderOp)
        .join(WorkOrder, WorkOrder.id == WorkOrderOp.work_order_id)
        .where(WorkOrderOp.done_at >= period.start, WorkOrderOp.done_at < period.end)
    )
    if skus is not None:
        statement = statement.where(WorkOrder.sku.in_(skus))
    found = list(session.scalars(statement))
    for step in found:
        if step.scrap:
            causes[step.scrap_reason or _UNNAMED] += step.scrap
    return [(step.seq, step.good, step.scrap) for step in found]


def _inspections(
    session: Session,
    period: Period,
    skus: Collection[str] | None,
    supplier: Supplier | None,
    causes: Counter[str],
) -> tuple[int, int]:
    """Return lots inspected and rejected; count the defective pieces of the samples."""
    where: list[ColumnElement[bool]] = [
        Inspection.inspected_at >= period.start,
        Inspection.inspected_at < period.end,
        Inspection.stage != InspectionStage.RETURN,
    ]
    if skus is not None:
        where.append(Inspection.sku.in_(skus))
    if supplier is not None:
        numbers = select(PurchaseOrder.number).where(PurchaseOrder.supplier_id == supplier.id)
        where.append(Inspection.reference.in_(numbers))
    found = list(session.scalars(select(Inspection).where(*where)))
    for one in found:
        if one.critical + one.major:
            causes[one.defect or _UNNAMED] += one.critical + one.major
    bad = (InspectionResult.REJECTED, InspectionResult.CONCESSION)
    return len(found), sum(one.result in bad for one in found)


def _receipts(
    session: Session,
    period: Period,
    skus: Collection[str] | None,
    supplier: Supplier | None,
) -> tuple[int, int]:
    statement = (
        select(Receipt.received, Receipt.rejected)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == Receipt.purchase_order_line_id)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .where(Receipt.received_at >= period.start, Receipt.received_at < period.end)
    )
    if skus is not None:
        statement = statement.where(PurchaseOrderLine.sku.in_(skus))
    if supplier is not None:
        statement = statement.where(PurchaseOrder.supplier_id == supplier.id)
    rows = session.execute(statement).all()
    return sum(received for received, _ in rows), sum(rejected for _, rejected in rows)
