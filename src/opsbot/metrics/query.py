"""The one way to ask for a measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.products import Item
from opsbot.errors import InvalidInputError
from opsbot.formats import format_day, format_items
from opsbot.metrics.grouping import GOODS, Dimension, Slice, Terms, name_group, name_piece
from opsbot.metrics.measures import Counted, Currency, Groups, Metric, Unit
from opsbot.metrics.registry import find_metric
from opsbot.planning.periods import Period, local_day, previous_period
from opsbot.planning.scores import TOO_FEW, ScoreChange, compare_scores

FEW = TOO_FEW
"""A value of fewer facts is marked as indicative."""

Filters = Mapping[Dimension, str | Sequence[str]]


@dataclass(frozen=True)
class MetricRow:
    """The figures of one group, or of everything."""

    key: str
    """A code, or the first day of a piece of time; empty for everything."""
    label: str
    values: tuple[float | None, ...]
    n: int
    before: tuple[float | None, ...] | None = None
    """Values of the period before; None when it was not asked for."""
    open_until: date | None = None
    """The values may still change until this day."""
    running: bool = False
    """Whether this piece of time is not over."""
    interval: tuple[float, float] | None = None
    """Where the first value lies at 95 %; None where chance plays no part."""
    change: ScoreChange | None = None
    """Whether the first value moved more than by chance; None without one before."""


@dataclass(frozen=True)
class MetricResult:
    """An answer, with all it takes to understand it."""

    metric: Metric
    rows: tuple[MetricRow, ...]
    """In time; else the largest value first. Empty when not grouped."""
    total: MetricRow
    by: Dimension | None
    period: Period
    previous: Period | None
    currency: str
    """Of money; empty when the period has no order."""
    caveats: tuple[str, ...]
    as_of: datetime

    @property
    def definition(self) -> str:
        """What the metric means, in one sentence."""
        return self.metric.definition

    @property
    def n(self) -> int:
        """How many facts the total rests on."""
        return self.total.n


def query(
    session: Session,
    key: str,
    *,
    period: Period,
    now: datetime,
    by: Dimension | None = None,
    filters: Filters | None = None,
    compare: bool = False,
    top: int = 0,
    locale: str = "en",
    terms: Terms | None = None,
) -> MetricResult:
    """Measure a period, in the period's own time zone.

    Args:
        session: a session to read in.
        key: name of the measure.
        period: which days.
        now: the present moment; what is promised for later has not failed yet.
        by: what to group by.
        filters: only facts with these values; codes or names, case ignored.
        compare: measure the period before as well.
        top: only so many groups, the largest; 0: all. Pieces of time are never left out.
        locale: language of the labels.
        terms: office hours and the like; None: those of a shop that settles nothing.

    Raises:
        InvalidInputError: no such measure, it has no such dimension, or there are too many groups.
    """
    metric = find_metric(key)
    wanted = {
        one: (values,) if isinstance(values, str) else tuple(values)
        for one, values in (filters or {}).items()
    }
    for dimension in (*([by] if by else []), *wanted):
        _check_dimension(metric, dimension)
    currency, caveats = _main_currency(session, metric, period)
    part = Slice(period, now, filters=wanted, currency=currency, terms=terms or Terms())
    previous = previous_period(period, now=now) if compare and not metric.snapshot else None
    total = _total(session, metric, part, previous)
    rows = _rows(session, metric, replace(part, by=by), previous, locale) if by else ()
    if metric.unit is not Unit.COUNT and 0 < total.n < FEW:
        caveats.append(f"Only {metric.count(total.n)}: indicative.")
    if by in GOODS and key == "orders":
        caveats.append(f"An order counts once for each {by} in it, so the rows add up to more.")
    if total.open_until:
        caveats.append(f"Not final before {format_day(total.open_until, locale=locale)}.")
    caveats += _change_words(total, rows)
    if compare and metric.snapshot:
        caveats.append("It tells how things stand now, so there is no period before.")
    if by and not by.is_time and 0 < top < len(rows):
        caveats.append(f"The first {top} of {len(rows)}.")
        rows = rows[:top]
    return MetricResult(
        metric, rows, total, by, period, previous, currency, tuple(caveats), as_of=now
    )


def _check_dimension(metric: Metric, dimension: Dimension) -> None:
    if dimension not in metric.dimensions:
        known = format_items([str(name) for name in metric.dimensions])
        raise InvalidInputError(f"{metric.title} is not known by {dimension}, but by {known}.")


def _change_words(total: MetricRow, rows: Sequence[MetricRow]) -> list[str]:
    """Say whether a difference from the period before is more than chance."""
    if total.change is None:
        return []
    if not total.change.enough:
        return ["There are too few to call the difference a change."]
    real = [row.label for row in rows if row.change is not None and row.change.is_real]
    names = f" So is that of {format_items(real[:5])}." if real and total.change.is_real else ""
    if total.change.is_real:
        return [f"The difference is more than chance (95 %).{names}"]
    also = f"; that of {format_items(real[:5])} is more" if real else ""
    return [f"The difference is within what chance brings (95 %){also}."]


def _main_currency(session: Session, metric: Metric, period: Period) -> tuple[str, list[str]]:
    """Return the currency of most orders of a period; other measures than money need none."""
    if not metric.is_money:
        return "", []
    if metric.currency is Currency.ITEMS:
        statement = select(Item.currency, func.count()).group_by(Item.currency)
        what = "Items"
    else:
        statement = (
            select(Order.currency, func.count())
            .where(Order.placed_at >= period.start, Order.placed_at < period.end)
            .where(Order.state != OrderState.CANCELLED)
            .group_by(Order.currency)
        )
        what = "Orders"
    column = Item.currency if metric.currency is Currency.ITEMS else Order.currency
    found = session.execute(statement.order_by(func.count().desc(), column))
    counts: dict[str, int] = dict(row for row in found)
    if not counts:
        return "", []
    main, *others = counts
    return main, [f"{what} in {other} are left out ({counts[other]})." for other in others]


def _total(session: Session, metric: Metric, part: Slice, previous: Period | None) -> MetricRow:
    groups = metric.function(session, part)
    before = metric.function(session, replace(part, period=previous)) if previous else None
    until = _open_until(metric, part.period, part.now)
    return _row(metric, groups.get(""), before, "", label=part.period.words(), until=until)


def _rows(
    session: Session, metric: Metric, part: Slice, previous: Period | None, locale: str
) -> tuple[MetricRow, ...]:
    groups = metric.function(session, part)
    before = metric.function(session, replace(part, period=previous)) if previous else None
    if part.by is not None and part.by.is_time:
        return _rows_in_time(metric, part, groups, before, locale)
    until = _open_until(metric, part.period, part.now)
    rows = [
        _row(
            metric,
            group,
            before,
            key,
            label=name_group(part.by, str(key), group.label, locale=locale),
            until=until,
        )
        for key, group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.values[0] or 0), row.label)))


def _rows_in_time(
    metric: Metric, part: Slice, groups: Groups, before: Groups | None, locale: str
) -> tuple[MetricRow, ...]:
    """Return a row for each piece of time that has begun, also where nothing was counted."""
    rows = []
    for number, piece in enumerate(part.pieces):
        if piece.start > part.now:
            break
        running = piece.end > part.now
        row = _row(
            metric,
            groups.get(number),
            before,
            number,
            label=name_piece(piece, part.by or Dimension.DAY, locale=locale)
            + (" so far" if running else ""),
            until=_open_until(metric, piece, part.now),
        )
        rows.append(replace(row, key=piece.first.isoformat(), running=running))
    return tuple(rows)


def _row(
    metric: Metric,
    counted: Counted | None,
    before: Groups | None,
    key: object,
    *,
    label: str,
    until: date | None,
) -> MetricRow:
    """Return the figures of a group, with how sure they are."""
    group = counted or _nothing(metric)
    old = None if before is None else before.get(key) or _nothing(metric)
    score, scale = group.score, metric.score_scale
    return MetricRow(
        key="" if key is None else str(key),
        label=label,
        values=group.values,
        n=group.n,
        before=None if old is None else old.values,
        open_until=until,
        interval=(score.low / scale, score.high / scale) if score else None,
        change=compare_scores(old.score, score) if old and old.score and score else None,
    )


def _nothing(metric: Metric) -> Counted:
    """Return the figures of no facts: a sum is 0, a share or a mean is unknown."""
    sums = {Unit.MONEY, Unit.COUNT} if metric.adds_up else set()
    return Counted("", tuple(0 if one.unit in sums else None for one in metric.measures), n=0)


def _open_until(metric: Metric, period: Period, now: datetime) -> date | None:
    if metric.settles is None or period.end + metric.settles <= now:
        return None
    return local_day(period.end + metric.settles, period.zone)
