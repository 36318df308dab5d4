"""What the workshop is planned to do, and whether there is time for it: for staff."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Annotated

from opsbot.commerce.boms import read_routings
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.work_orders import shortages
from opsbot.errors import InvalidInputError
from opsbot.metrics.workshop import (
    Workshop,
    find_center,
    read_workshop,
    unbounded_work,
    weeks_from,
)
from opsbot.planning.capacity import WeekLoad, Work, bottleneck
from opsbot.planning.periods import local_day
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import find_one_item
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

AHEAD_DAYS = 28
_ROLES = ("ops", "planner", "quality", "lead", "manager")
_PLAN_COLUMNS = (
    Column("number", "Work order"),
    Column("item", "Item"),
    Column("planned", "Planned", numeric=True),
    Column("done", "Done", numeric=True),
    Column("due", "Due"),
    Column("late", "Days late", numeric=True),
    Column("state", "State"),
    Column("missing", "Missing parts"),
)
_LOAD_COLUMNS = (
    Column("place", "Centre and week"),
    Column("before", "Load (h)", numeric=True),
    Column("after", "With the extra order (h)", numeric=True),
    Column("capacity", "Capacity (h)", numeric=True),
    Column("used", "Used (%)", numeric=True),
    Column("over", "Too much (h)", numeric=True),
)
_BASIS = (
    "Set-up and run time of all open work orders, drafts too, spread from their start to their due "
    "day by step; capacity is shifts x efficiency with exceptions. Hours within a day are not "
    "looked into."
)

CenterName = Annotated[
    str,
    argument(
        "work_center",
        "Which work centre?",
        description="A work centre by name, such as the kiln; empty: all.",
        pattern=r"\b(?:the|our) ((?:[\w-]+ )?"
        r"(?:cutter|kiln|oven|bindery|bench|coating|press|machine|line|cent(?:re|er)))"
        r"(?=\s*(?:[?.,!]|$|\b(?:is|in|next|this|over|busy|free|full|idle|loaded|overloaded|has|have|had|during|until|for|on)\b))",
        max_length=60,
    ),
]
ExtraItem = Annotated[
    str,
    argument(
        "item",
        "Which item would the extra order be for?",
        description="An item of an order that is thought of; empty: none.",
        max_length=120,
    ),
]
ExtraUnits = Annotated[
    int,
    argument(
        "quantity",
        "How many would the extra order be for?",
        description="Units of the order that is thought of; 0: none.",
        ge=0,
        le=1_000_000,
    ),
]


@tool(
    examples=[
        "What are we making in the next three weeks?",
        "production plan",
        "which work orders are late",
        "show the open work orders",
        "which work orders cannot start because parts are missing",
        "what is being made right now",
        "production schedule for this month",
        "is there anything behind in production?",
        "what does the workshop have to do until Christmas",
    ],
    label="Reading the production plan",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def production_plan(ctx: ToolContext, days: Span = AHEAD_DAYS) -> Result:
    """List the work orders due within some days, with late ones, missing parts and overload.

    Args:
        ctx: who asks.
        days: how far to look.
    """
    workshop = _workshop(ctx)
    due = [one for one in workshop.orders if (_due(ctx, one) - workshop.today).days <= days]
    if not due:
        nothing = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        say = f"**0 work orders are due within {count(days, 'day')}.**"
        return Result(say, facts=nothing)
    lacking = {one.number: _lacking(ctx, one) for one in due}
    rows = [_order_row(ctx, one, lacking[one.number]) for one in due]
    caption = f"Work orders due within {count(days, 'day')}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _PLAN_COLUMNS, rows)
    late = [one for one in due if _days_late(ctx, one)]
    short = [number for number, words in lacking.items() if words]
    over = [
        one for one in workshop.loads(weeks_from(workshop.today, ceil(days / 7))) if one.overload
    ]
    lines = [f"**{count(len(due), 'work order')} are due, {len(late)} late.**", ""]
    if short:
        lines.append(f"- {len(short)} wait for parts, the first is {short[0]}")
    if over:
        worst = max(over, key=lambda one: one.overload)
        name = workshop.centers[worst.center].name
        lines.append(
            f"- {name} lacks {worst.overload / 60:.0f} hours in the week from {ctx.day(worst.week)}"
        )
    facts = {
        "count": len(due),
        "late": len(late),
        "waiting_for_parts": short,
        "overloaded": len(over),
        "caveats": [_BASIS],
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "is the kiln overloaded in the coming weeks",
        "capacity of the kiln in the next four weeks",
        "how busy is the assembly bench",
        "What if we took an extra order of 500 moss mugs?",
        "what happens to our load if we accept 300 oak coaster sets",
        "which machine is the bottleneck",
        "do we have free time at the bindery",
        "utilisation of all work centres",
        "could the workshop take on another 200 notebooks on top",
        "load against capacity by week",
        "what does an additional order of 250 espresso cup pairs do to our load",
    ],
    label="Comparing load and capacity",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def capacity(
    ctx: ToolContext,
    center: CenterName = "",
    days: Span = AHEAD_DAYS,
    item: ExtraItem = "",
    quantity: ExtraUnits = 0,
) -> Result:
    """Compare load and capacity of the work centres by week, before and after an extra order.

    Args:
        ctx: who asks.
        center: only this one.
        days: how far to look.
        item: of an order that is thought of.
        quantity: units of it.
    """
    workshop = _workshop(ctx)
    only = find_center(ctx.session, center).code if center else ""
    weeks = weeks_from(workshop.today, ceil(days / 7) + 1)[: max(2, ceil(days / 7) + 1)]
    extra, label = _extra(ctx, item, quantity, weeks[1]) if item and quantity else ([], "")
    before = {(one.center, one.week): one for one in workshop.loads(weeks, _zeros(workshop, weeks))}
    after = workshop.loads(weeks, [*_zeros(workshop, weeks), *extra])
    shown = [one for one in after if only in {"", one.center}]
    rows = [_load_row(ctx, workshop, before[one.center, one.week], one) for one in shown]
    caption = f"Load and capacity by week, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _LOAD_COLUMNS, rows)
    chart = Chart(
        kind="bar",
        title="Load and capacity",
        summary=_headline(workshop, shown),
        x="place",
        y=("before", "after", "capacity") if extra else ("before", "capacity"),
        unit="hours",
    )
    facts = {
        "overloaded": sum(one.overload > 0 for one in shown),
        "bottleneck": _name(workshop, bottleneck(shown)),
        "extra": label,
        "caveats": [_BASIS],
        "as_of": ctx.moment(ctx.now),
    }
    say = _load_words(ctx, workshop, shown, before, label)
    return Result(say, facts=facts | table_facts(table), table=table, chart=chart)


def _workshop(ctx: ToolContext) -> Workshop:
    return read_workshop(ctx.session, now=ctx.now, zone=ctx.settings.time_zone)


def _due(ctx: ToolContext, order: WorkOrder) -> date:
    return local_day(order.due_at, ctx.settings.time_zone)


def _days_late(ctx: ToolContext, order: WorkOrder) -> int:
    return max(0, (ctx.today - _due(ctx, order)).days)


def _lacking(ctx: ToolContext, order: WorkOrder) -> str:
    """Name the parts of a draft that are not free; what is released holds its parts already."""
    if order.state is not WorkOrderState.DRAFT:
        return ""
    return ", ".join(f"{one.missing} of {one.sku}" for one in shortages(ctx.session, order))


def _order_row(ctx: ToolContext, order: WorkOrder, lacking: str) -> tuple[Cell, ...]:
    return (
        order.number,
        order.item.title,
        order.planned,
        order.produced,
        ctx.day(order.due_at),
        _days_late(ctx, order),
        order.state.replace("_", " "),
        lacking,
    )


def _extra(ctx: ToolContext, item: str, quantity: int, week: date) -> tuple[list[Work], str]:
    """Return the work of an order that is thought of, in the coming week, and its name."""
    product = find_one_item(ctx.session, item)
    routing = read_routings(ctx.session).get(product.sku)
    if routing is None:
        raise InvalidInputError(
            f"There are no work steps for {product.title}: it is not made here."
        )
    label = f"{quantity} x {product.title}"
    return unbounded_work(routing, quantity, job="extra", week=week), label


def _zeros(workshop: Workshop, weeks: Sequence[date]) -> list[Work]:
    """Give each centre work of no time, so that idle ones are shown too."""
    return [Work(code, weeks[0], 0.0, "") for code in workshop.centers]


def _name(workshop: Workshop, code: str | None) -> str:
    return workshop.centers[code].name if code else ""


def _load_row(
    ctx: ToolContext, workshop: Workshop, before: WeekLoad, after: WeekLoad
) -> tuple[Cell, ...]:
    used = round(100 * after.load / after.capacity) if after.capacity else None
    return (
        f"{_name(workshop, after.center)}, {ctx.day(after.week)}",
        round(before.load / 60, 1),
        round(after.load / 60, 1),
        round(after.capacity / 60, 1),
        used,
        round(after.overload / 60, 1),
    )


def _headline(workshop: Workshop, shown: Sequence[WeekLoad]) -> str:
    over = [one for one in shown if one.overload]
    if not over:
        return f"{_name(workshop, bottleneck(shown))} is used most, and nothing is overloaded."
    worst = max(over, key=lambda one: one.overload)
    return (
        f"{_name(workshop, worst.center)} lacks {worst.overload / 60:.0f} hours in its worst week."
    )


def _load_words(
    ctx: ToolContext,
    workshop: Workshop,
    shown: Sequence[WeekLoad],
    before: dict[tuple[str, date], WeekLoad],
    label: str,
) -> str:
    over = Counter(one.center for one in shown if one.overload)
    weeks = len({one.week for one in shown})
    head = (
        f"**{len(over)} of {count(len({s.center for s in shown}), 'work centre')} are overloaded "
    )
    lines = [head + f"in the {count(weeks, 'week')} ahead.**", ""]
    worst = [one for one in sorted(shown, key=lambda one: -one.overload)[:2] if one.overload]
    lines += [
        f"- {_name(workshop, one.center)}, week from {ctx.day(one.week)}: "
        f"{one.load / 60:.0f} of {one.capacity / 60:.0f} hours"
        for one in worst
    ]
    if label:
        more = sum(one.load - before[one.center, one.week].load for one in shown)
        new = sum(one.overload - before[one.center, one.week].overload for one in shown)
        lines.append(
            f"- {label} in the coming week: {more / 60:.0f} hours of work, {new / 60:.0f} too many"
        )
    elif not over:
        most = max(shown, key=lambda one: one.load / one.capacity if one.capacity else 0)
        share = most.load / most.capacity if most.capacity else 0
        lines.append(
            f"- Most used: {_name(workshop, most.center)}, {share:.0%} in the week from "
            f"{ctx.day(most.week)}"
        )
    return "\n".join(lines)
