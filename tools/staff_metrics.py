"""Defined measures of the shop, by time, place and product: for staff."""

from collections.abc import Sequence
from typing import Annotated, Literal

from opsbot.metrics.definitions import Measure, Unit, plain_number
from opsbot.metrics.grouping import Dimension
from opsbot.metrics.query import MetricResult, MetricRow, query
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Chart, Column, Result, Table
from opsbot.toolkit.tables import Cell, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

MetricKey = Annotated[
    Literal["revenue", "orders", "average_order_value", "otif", "return_rate", "cycle_time"],
    argument(
        "choice",
        "Which measure: revenue, orders, average order value, on time in full, return rate, or "
        "order to delivery?",
        description="Name of the measure.",
        labels={
            "revenue": ("revenue", "sales", "turnover", "how much did we sell", "earned", "income"),
            "orders": ("orders", "order count", "number of orders", "how many orders"),
            "average_order_value": ("average order value", "aov", "basket size", "order size"),
            "otif": (
                "on time in full",
                "otif",
                "on time",
                "punctuality",
                "delivery reliability",
                "kept our promises",
            ),
            "return_rate": ("return rate", "share of returns", "returned share", "returns rate"),
            "cycle_time": (
                "cycle time",
                "order to delivery",
                "delivery time",
                "lead time to customers",
                "how long do deliveries take",
                "days to deliver",
                "how fast",
            ),
        },
    ),
]

GroupBy = Annotated[
    Literal[
        "",
        "by_month",
        "by_week",
        "by_day",
        "by_channel",
        "by_country",
        "by_product",
        "by_category",
        "by_carrier",
    ],
    argument(
        "choice",
        "By month, week, day, channel, country, product, category or carrier?",
        description="What to group by; empty: one figure.",
        labels={
            "": ("one figure",),
            # Two words each: "month" alone stands in "last month", where it groups nothing.
            "by_month": ("per month", "each month", "month by month", "over time", "every month"),
            "by_week": ("per week", "each week", "week by week", "every week", "weekly trend"),
            "by_day": ("per day", "each day", "day by day", "every day"),
            "by_channel": ("per channel", "each channel", "sales channels", "which channel"),
            "by_country": ("per country", "each country", "which countries", "by market"),
            "by_product": ("per product", "each product", "which products", "by item", "per item"),
            "by_category": ("per category", "each category", "which categories"),
            "by_carrier": ("per carrier", "each carrier", "which carrier"),
        },
    ),
]

Compare = Annotated[
    bool,
    argument(
        "choice",
        "Compare it with the period before?",
        description="Whether to measure the period before as well.",
        labels={
            "true": (
                "compare",
                "comparison",
                "against the",
                "versus",
                "than the",
                "the period before",
                "growing",
                "better",
                "worse",
            )
        },
    ),
]


@tool(
    examples=[
        "What was our revenue last month?",
        "How many orders did we get this week?",
        "How many orders came in today?",
        "orders today",
        "revenue yesterday",
        "revenue by month this year",
        "How was OTIF last month against the month before, by carrier?",
        "return rate by category",
        "average order value per channel",
        "How long do our deliveries take, by country?",
        "Did sales grow compared to last quarter?",
        "Which products sell best?",
        "orders per day in the last two weeks",
        "how punctual were we in September",
        "chart of revenue per week",
        "cycle time by carrier in the last 90 days",
    ],
    label="Measuring",
    audience=Audience.STAFF,
)
def query_metric(
    ctx: ToolContext,
    metric: MetricKey,
    period: Period = "last 30 days",
    by: GroupBy = "",
    compare: Compare = False,  # noqa: FBT002  (a model names it)
) -> Result:
    """Measure revenue, orders, average order value, on time in full, return rate or cycle time.

    Args:
        ctx: who asks.
        metric: the measure.
        period: of which days.
        by: what to group by.
        compare: with the period before.
    """
    found = query(
        ctx.session,
        metric,
        period=read_period(period, now=ctx.now, zone=ctx.settings.time_zone),
        now=ctx.now,
        by=Dimension(by.removeprefix("by_")) if by else None,
        compare=compare,
        locale=ctx.caller.locale,
    )
    table = _table(ctx, found)
    facts = {
        "metric": found.metric.title,
        "definition": found.definition,
        "period": _span(ctx, found),
        "value": _said(ctx, found, found.total.values[0]),
        "n": found.metric.count(found.n),
        "caveats": list(found.caveats),
        "as_of": ctx.moment(ctx.now),
        **table_facts(table),
    }
    return Result(_say(ctx, found), facts=facts, table=table, chart=_chart(ctx, found, table))


def _span(ctx: ToolContext, found: MetricResult) -> str:
    return found.period.words(locale=ctx.caller.locale)


def _say(ctx: ToolContext, found: MetricResult) -> str:
    total, metric = found.total, found.metric
    value, title = _said(ctx, found, total.values[0]), metric.title.lower()
    phrase = found.period.phrase(locale=ctx.caller.locale)
    so_far = " so far" if total.open_until else ""
    if total.values[0] is None:
        lines = [f"**{metric.count(0)} {phrase}: there is no {title}.**", ""]
    else:
        beside = _beside(ctx, found)
        basis = "" if metric.unit is Unit.COUNT else f" ({metric.count(total.n)})"
        what = metric.count(total.n) if metric.unit is Unit.COUNT else f"{value} {title}"
        lines = [f"**{what}{so_far} {phrase}{beside}{basis}.**", ""]
    if found.previous is not None and total.before is not None:
        lines.append(f"- {_compared(ctx, found)}")
    if ends := _ends(ctx, found):
        lines.append(f"- {ends}")
    lines.append("- " + " ".join([found.definition, *found.caveats]))
    return "\n".join(lines)


def _beside(ctx: ToolContext, found: MetricResult) -> str:
    """Name the measures beside the first: "; 90 % within 7.4 days"."""
    others = zip(found.metric.measures[1:], found.total.values[1:], strict=True)
    return "".join(f"; {m.label} {_unit_words(ctx, found, m, v)}" for m, v in others)


def _compared(ctx: ToolContext, found: MetricResult) -> str:
    before = found.total.before[0] if found.total.before else None
    now = found.total.values[0]
    span = found.previous.words(locale=ctx.caller.locale) if found.previous else ""
    words = f"{span}: {_said(ctx, found, before)}"
    if before is None or now is None:
        return words
    if found.metric.unit is Unit.SHARE:
        return f"{words} ({100 * (now - before):+.1f} points)"
    return f"{words} ({100 * (now - before) / before:+.0f} %)" if before else words


def _ends(ctx: ToolContext, found: MetricResult) -> str:
    """Name the largest and the smallest group."""
    known = [row for row in found.rows if row.values[0] is not None]
    over = [row for row in known if not (row.running or row.open_until)]
    rows = over or known
    if len(rows) < 2:  # noqa: PLR2004  (two ends)
        return ""
    top = max(rows, key=lambda row: row.values[0] or 0)
    low = min(rows, key=lambda row: row.values[0] or 0)
    first, last = (_said(ctx, found, row.values[0]) for row in (top, low))
    return f"Highest: {top.label} with {first}; lowest: {low.label} with {last}"


def _said(ctx: ToolContext, found: MetricResult, value: float | None) -> str:
    return _unit_words(ctx, found, found.metric.measures[0], value)


def _unit_words(
    ctx: ToolContext, found: MetricResult, measure: Measure, value: float | None
) -> str:
    if value is None:
        return "not known"
    if measure.unit is Unit.MONEY:
        return ctx.money(round(value), found.currency or ctx.settings.currency)
    if measure.unit is Unit.SHARE:
        return f"{100 * value:.1f} %"
    return f"{value:.1f} days" if measure.unit is Unit.DAYS else f"{value:.0f}"


def _number(found: MetricResult, measure: Measure, value: float | None) -> float | int | None:
    return plain_number(value, measure.unit, currency=found.currency)


def _label(ctx: ToolContext, found: MetricResult, measure: Measure) -> str:
    units = {
        Unit.MONEY: found.currency or ctx.settings.currency,
        Unit.SHARE: "%",
        Unit.DAYS: "days",
        Unit.COUNT: "",
    }
    unit = units[measure.unit]
    return f"{measure.label} ({unit})" if unit else measure.label


def _table(ctx: ToolContext, found: MetricResult) -> Table | None:
    """Return a row for each group; without groups, one for the whole."""
    rows = found.rows or ((found.total,) if found.by is None else ())
    some_open = any(row.open_until for row in rows)
    measures = found.metric.measures
    columns = [Column("group", str(found.by).capitalize() if found.by else "Period")]
    columns += [Column(m.key, _label(ctx, found, m), numeric=True) for m in measures]
    if some_open:
        columns.append(Column("so_far", "So far (%)", numeric=True))
    if found.previous is not None:
        columns += [
            Column(f"{m.key}_before", f"{_label(ctx, found, m)} before", numeric=True)
            for m in measures
        ]
    if found.metric.unit is not Unit.COUNT:
        columns.append(Column("n", found.metric.counts.capitalize(), numeric=True))
    caption = f"{found.metric.title}, {_span(ctx, found)}, as of {ctx.moment(ctx.now)}"
    return make_table(caption, columns, [_row(found, row, some_open=some_open) for row in rows])


def _row(found: MetricResult, row: MetricRow, *, some_open: bool) -> Sequence[Cell]:
    measures = found.metric.measures
    values = [_number(found, m, value) for m, value in zip(measures, row.values, strict=True)]
    cells: list[Cell] = [row.label]
    # A cohort that is still open has no rate yet, only what came back so far.
    cells += [None for _ in values] if row.open_until else values
    if some_open:
        cells.append(values[0] if row.open_until else None)
    if found.previous is not None:
        before = row.before or tuple(None for _ in measures)
        cells += [_number(found, m, value) for m, value in zip(measures, before, strict=True)]
    return cells if found.metric.unit is Unit.COUNT else [*cells, row.n]


def _chart(ctx: ToolContext, found: MetricResult, table: Table | None) -> Chart | None:
    """Return lines over time, bars over anything else; none for a single figure."""
    drawn = [row for row in found.rows if row.values[0] is not None]
    if table is None or found.by is None or len(drawn) < 2:  # noqa: PLR2004  (a picture compares)
        return None
    only_open = all(row.open_until for row in drawn)
    keys = ["so_far"] if only_open else [measure.key for measure in found.metric.measures]
    if found.previous is not None and not only_open:
        keys.append(f"{found.metric.measures[0].key}_before")
    return Chart(
        kind="line" if found.by.is_time else "bar",
        title=f"{found.metric.title} by {found.by}",
        summary=f"{_ends(ctx, found)}.",
        x="group",
        y=tuple(keys),
        unit=_label(ctx, found, found.metric.measures[0]).rpartition("(")[2].rstrip(")"),
    )
