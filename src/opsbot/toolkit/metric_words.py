"""How a measure is said, shown as a table, and drawn."""

from collections.abc import Mapping, Sequence

from opsbot.metrics.grouping import Dimension, name_group
from opsbot.metrics.measures import Measure, Unit, plain_number
from opsbot.metrics.query import MetricResult, MetricRow
from opsbot.toolkit.results import Chart, Column, Table
from opsbot.toolkit.tables import Cell, make_table
from opsbot.toolkit.tool import ToolContext

MOST_DRAWN = 4
"""Figures of one unit side by side; of more only the first is drawn."""
_TWO = 2


def say_measure(ctx: ToolContext, found: MetricResult, *, of: str = "") -> str:
    """Return the headline, the comparison, the ends, and what it means.

    Args:
        ctx: who asks.
        found: what was measured.
        of: which part of the records, in words; empty: all of them.
    """
    lines = [f"**{_headline(ctx, found, of)}.**", ""]
    if found.previous is not None and found.total.before is not None:
        lines.append(f"- {_compared(ctx, found)}")
    if ends := _ends(ctx, found):
        lines.append(f"- {ends}")
    lines.append("- " + " ".join([found.definition, *found.caveats]))
    return "\n".join(lines)


def part_words(named: Mapping[Dimension, Mapping[str, str]], *, locale: str) -> str:
    """Return what the named values leave of the records: "Austria, DHL"."""
    return ", ".join(
        name_group(dimension, code, label, locale=locale)
        for dimension, values in named.items()
        for code, label in values.items()
    )


def span_of(ctx: ToolContext, found: MetricResult) -> str:
    """Return the period in words, or that it is of now."""
    if found.metric.snapshot:
        return "now"
    return found.period.words(locale=ctx.caller.locale)


def said_value(ctx: ToolContext, found: MetricResult, value: float | None) -> str:
    """Return a value of the metric itself in words."""
    return _unit_words(ctx, found, found.metric.measures[0], value)


def measure_table(ctx: ToolContext, found: MetricResult) -> Table | None:
    """Return a row for each group; without groups, one for the whole."""
    rows = found.rows or ((found.total,) if found.by is None else ())
    kept = _kept(found, rows)
    measures = [found.metric.measures[place] for place in kept]
    some_open = any(row.open_until for row in rows)
    sure = any(row.interval for row in rows)
    columns = [Column("group", str(found.by).capitalize() if found.by else "Period")]
    columns += [Column(m.key, _label(ctx, found, m), numeric=True) for m in measures]
    if some_open:
        columns.append(Column("so_far", "So far (%)", numeric=True))
    if sure:
        columns += [Column(f"sure_{end}", f"95 % {end}", numeric=True) for end in ("from", "to")]
    if found.previous is not None:
        columns += [
            Column(f"{m.key}_before", f"{_label(ctx, found, m)} before", numeric=True)
            for m in measures
        ]
    if found.metric.unit is not Unit.COUNT:
        columns.append(Column("n", found.metric.counts.capitalize(), numeric=True))
    caption = f"{found.metric.title}, {span_of(ctx, found)}, as of {ctx.moment(ctx.now)}"
    cells = [_cells(found, row, kept, some_open=some_open, sure=sure) for row in rows]
    return make_table(caption, columns, cells)


def measure_chart(ctx: ToolContext, found: MetricResult, table: Table | None) -> Chart | None:
    """Return lines over time, bars over anything else; none for a single figure."""
    drawn = [row for row in found.rows if row.values[0] is not None]
    if table is None or found.by is None or len(drawn) < _TWO:  # a picture compares
        return None
    there = {column.key for column in table.columns}
    only_open = all(row.open_until for row in drawn)
    first, *others = found.metric.measures
    same = [first.key, *(m.key for m in others if m.unit is first.unit and m.key in there)]
    keys = ["so_far"] if only_open else same if len(same) <= MOST_DRAWN else same[:1]
    if found.previous is not None and not only_open:
        keys = [first.key, f"{first.key}_before"]
    return Chart(
        kind="line" if found.by.is_time else "bar",
        title=f"{found.metric.title} by {found.by}",
        summary=f"{_ends(ctx, found)}.",
        x="group",
        y=tuple(keys),
        unit=_label(ctx, found, first).rpartition("(")[2].rstrip(")"),
    )


def _headline(ctx: ToolContext, found: MetricResult, of: str) -> str:
    total, metric = found.total, found.metric
    value, title = said_value(ctx, found, total.values[0]), metric.title
    title = title if title.isupper() else title[0].lower() + title[1:]
    about = f" for {of}" if of else ""
    phrase = "now" if metric.snapshot else found.period.phrase(locale=ctx.caller.locale)
    so_far = " so far" if total.open_until else ""
    if total.values[0] is None:
        return f"{metric.count(total.n)}{about} {phrase}: there is no {title}"
    beside = _beside(ctx, found)
    if metric.unit is Unit.COUNT:
        return f"{metric.count(total.n)}{about}{so_far} {phrase}{beside}"
    return f"{value} {title}{about}{so_far} {phrase}{beside} ({_basis(ctx, found)})"


def _basis(ctx: ToolContext, found: MetricResult) -> str:
    """Return on how much the value rests, and how sure it is."""
    count = found.metric.count(found.total.n)
    if found.total.interval is None or found.total.open_until:
        return count
    low, high = (said_value(ctx, found, end) for end in found.total.interval)
    return f"{count}; 95 % sure: {low} to {high}"


def _beside(ctx: ToolContext, found: MetricResult) -> str:
    """Name the measures beside the first: "; 90 % within 7.4 days"."""
    others = zip(found.metric.measures[1:], found.total.values[1:], strict=True)
    return "".join(
        f"; {_small(m.label)} {_unit_words(ctx, found, m, v)}" for m, v in others if v is not None
    )


def _small(label: str) -> str:
    return label if label[:_TWO].isupper() else label[0].lower() + label[1:]


def _compared(ctx: ToolContext, found: MetricResult) -> str:
    before = found.total.before[0] if found.total.before else None
    now = found.total.values[0]
    span = found.previous.words(locale=ctx.caller.locale) if found.previous else ""
    words = f"{span}: {said_value(ctx, found, before)}"
    if before is None or now is None:
        return words
    if found.metric.unit is Unit.SHARE:
        return f"{words} ({100 * (now - before):+.1f} points)"
    if found.metric.unit is Unit.NUMBER:
        return f"{words} ({now - before:+.1f})"
    return f"{words} ({100 * (now - before) / abs(before):+.0f} %)" if before else words


def _ends(ctx: ToolContext, found: MetricResult) -> str:
    """Name the largest and the smallest group."""
    known = [row for row in found.rows if row.values[0] is not None]
    over = [row for row in known if not (row.running or row.open_until)]
    rows = over or known
    if len(rows) < _TWO:
        return ""
    top = max(rows, key=lambda row: row.values[0] or 0)
    low = min(rows, key=lambda row: row.values[0] or 0)
    first, last = (said_value(ctx, found, row.values[0]) for row in (top, low))
    return f"Highest: {top.label} with {first}; lowest: {low.label} with {last}"


def _unit_words(
    ctx: ToolContext, found: MetricResult, measure: Measure, value: float | None
) -> str:
    if value is None:
        return "not known"
    if measure.unit is Unit.MONEY:
        return ctx.money(round(value), found.currency or ctx.settings.currency)
    plain = {
        Unit.SHARE: f"{100 * value:.1f} %",
        Unit.DAYS: f"{value:.1f} days",
        Unit.HOURS: f"{value:.1f} hours",
        Unit.NUMBER: f"{value:.1f}",
        Unit.PPM: f"{value:,.0f} ppm",
    }
    return plain.get(measure.unit, f"{value:.0f}")


def _kept(found: MetricResult, rows: Sequence[MetricRow]) -> list[int]:
    """Return the places of the measures that have a figure anywhere; the first always."""
    places = range(1, len(found.metric.measures))
    known = [place for place in places if any(row.values[place] is not None for row in rows)]
    return [0, *known]


def _number(found: MetricResult, measure: Measure, value: float | None) -> float | int | None:
    return plain_number(value, measure.unit, currency=found.currency)


def _label(ctx: ToolContext, found: MetricResult, measure: Measure) -> str:
    units = {
        Unit.MONEY: found.currency or ctx.settings.currency,
        Unit.SHARE: "%",
        Unit.DAYS: "days",
        Unit.HOURS: "hours",
    }
    unit = units.get(measure.unit, "")
    return f"{measure.label} ({unit})" if unit else measure.label


def _cells(
    found: MetricResult, row: MetricRow, kept: Sequence[int], *, some_open: bool, sure: bool
) -> Sequence[Cell]:
    measures = found.metric.measures
    values = [_number(found, measures[place], row.values[place]) for place in kept]
    cells: list[Cell] = [row.label]
    # A cohort that is still open has no rate yet, only what came back so far.
    cells += [None for _ in values] if row.open_until else values
    if some_open:
        cells.append(values[0] if row.open_until else None)
    if sure:
        known = row.interval if row.interval and not row.open_until else (None, None)
        cells += [_number(found, measures[0], end) for end in known]
    if found.previous is not None:
        before = row.before or tuple(None for _ in measures)
        cells += [_number(found, measures[place], before[place]) for place in kept]
    return cells if found.metric.unit is Unit.COUNT else [*cells, row.n]
