"""How full the work centres are, and what passes all steps of making without scrap."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from opsbot.commerce.production import (
    CapacityException,
    WorkCenter,
    WorkOrder,
    WorkOrderOp,
    WorkOrderState,
)
from opsbot.commerce.products import Item
from opsbot.metrics.counting import sums
from opsbot.metrics.facts import Product, goods_columns
from opsbot.metrics.grouping import GOODS, TIME, Dimension, Slice, group_facts
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share
from opsbot.metrics.workshop import center_minutes
from opsbot.planning.periods import DAY, Period
from opsbot.planning.quality import first_pass_yield, rolled_yield

_NOT_WORK = (WorkOrderState.DRAFT, WorkOrderState.CANCELLED)


def utilisation(session: Session, part: Slice) -> Groups:
    """Divide the minutes of work in the period by those the centres have; n: steps of work."""
    found = sums(session, part, _step_facts(), ("minutes", "*"))
    room = _available(session, part)
    groups = {}
    for key, (label, minutes) in room.items():
        _, planned, steps = found.get(key, ("", 0, 0))
        if minutes or planned:
            values = (share(float(planned), minutes), round(planned), round(minutes))
            groups[key] = Counted(label, values, int(steps))
    return groups


def rolled_throughput_yield(session: Session, part: Slice) -> Groups:
    """Multiply the yields of the steps of each product, weighed by what was begun; n: begun."""
    facts = (
        select(
            WorkOrder.completed_at.label("at"),
            *goods_columns(),
            WorkOrderOp.seq.label("seq"),
            WorkOrderOp.good.label("good"),
            WorkOrderOp.scrap.label("scrap"),
        )
        .select_from(WorkOrderOp)
        .join(WorkOrder, WorkOrder.id == WorkOrderOp.work_order_id)
        .join(Item, Item.sku == WorkOrder.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .where(WorkOrder.state.not_in(_NOT_WORK), WorkOrderOp.good + WorkOrderOp.scrap > 0)
    )
    statement, columns = group_facts(facts, part)
    rows = session.execute(
        statement.add_columns(
            columns.item, columns.seq, func.sum(columns.good), func.sum(columns.scrap)
        )
        .group_by("key", "label", columns.item, columns.seq)
        .order_by(columns.item, columns.seq)
    )
    steps: defaultdict[tuple[Any, str], list[tuple[int, int]]] = defaultdict(list)
    labels: dict[Any, str] = {}
    for key, label, item, _seq, good, scrap in rows:
        steps[key, item].append((int(good), int(good + scrap)))
        labels[key] = str(label)
    totals: defaultdict[Any, list[float]] = defaultdict(lambda: [0.0, 0])
    for (key, _item), found in steps.items():
        begun = found[0][1]
        totals[key][0] += begun * rolled_yield([first_pass_yield(g, n) for g, n in found])
        totals[key][1] += begun
    return {
        key: Counted(labels[key], (passed / begun,), int(begun))
        for key, (passed, begun) in totals.items()
    }


def _step_facts() -> Select[Any]:
    """Return one row for each step of work that was released, when it was or is to be done."""
    done = func.coalesce(WorkOrderOp.done_at, WorkOrder.completed_at, WorkOrder.due_at)
    columns: tuple[ColumnElement[Any], ...] = (
        done.label("at"),
        WorkCenter.code.label("center"),
        WorkCenter.name.label("center_label"),
        WorkOrderOp.planned_minutes.label("minutes"),
    )
    return (
        select(*columns)
        .select_from(WorkOrderOp)
        .join(WorkOrder, WorkOrder.id == WorkOrderOp.work_order_id)
        .join(WorkCenter, WorkCenter.id == WorkOrderOp.work_center_id)
        .where(WorkOrder.state.not_in(_NOT_WORK))
    )


def _available(session: Session, part: Slice) -> dict[Any, tuple[str, float]]:
    """Return label and minutes by group: shifts times efficiency, and exceptions."""
    centers = [
        one
        for one in session.scalars(select(WorkCenter).order_by(WorkCenter.id))
        if part.holds({Dimension.CENTER: (one.code, one.name)})
    ]
    exceptions: defaultdict[tuple[int, date], int] = defaultdict(int)
    for one in session.scalars(
        select(CapacityException).where(
            CapacityException.day >= part.period.first, CapacityException.day < part.period.after
        )
    ):
        exceptions[one.work_center_id, one.day] += one.minutes
    if part.by is Dimension.CENTER:
        return {one.code: (one.name, _minutes(one, part.period, exceptions)) for one in centers}
    pieces = dict(enumerate(part.pieces)) if part.pieces else {"": part.period}
    return {
        key: (str(key), sum(_minutes(one, piece, exceptions) for one in centers))
        for key, piece in pieces.items()
    }


def _minutes(
    center: WorkCenter, period: Period, exceptions: Mapping[tuple[int, date], int]
) -> float:
    days = (period.first + index * DAY for index in range(period.days))
    return sum(center_minutes(center, day, exceptions.get((center.id, day), 0)) for day in days)


METRICS = (
    Metric(
        key="utilisation",
        title="Utilisation",
        definition="Minutes of work planned in steps that were done, or are due, in the period, "
        "divided by the minutes that the work centres have in it: shifts times efficiency, with "
        "overtime, maintenance and absence.",
        counts="steps",
        dimensions=(*TIME, Dimension.CENTER),
        measures=(
            Measure("utilisation", "Utilisation", Unit.SHARE),
            Measure("work_minutes", "Planned minutes", Unit.COUNT),
            Measure("available_minutes", "Available minutes", Unit.COUNT),
        ),
        function=utilisation,
        by=Dimension.CENTER,
    ),
    Metric(
        key="rty",
        title="Rolled throughput yield",
        definition="Share of the units that pass all steps of making without scrap: the product of "
        "the yields of the steps, of work orders completed in the period; of several products the "
        "mean, weighed by the units begun.",
        counts="units begun",
        dimensions=(*TIME, *GOODS),
        measures=(Measure("rty", "Rolled yield", Unit.SHARE),),
        function=rolled_throughput_yield,
        period="last 90 days",
    ),
)
