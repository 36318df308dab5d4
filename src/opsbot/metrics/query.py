"""The one way to ask for a measure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderState
from opsbot.errors import InvalidInputError
from opsbot.formats import format_day, format_items
from opsbot.metrics.definitions import Counted, Groups, Metric, Unit
from opsbot.metrics.grouping import GOODS, Dimension, Slice, name_group, name_piece
from opsbot.metrics.registry import find_metric
from opsbot.planning.periods import Period, local_day, previous_period

FEW = 10
"""A value of fewer facts is marked as indicative."""


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
    filters: Mapping[Dimension, str] | None = None,
    compare: bool = False,
    locale: str = "en",
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
        locale: language of the labels.

    Raises:
        InvalidInputError: no such measure, it has no such dimension, or there are too many groups.
    """
    metric = find_metric(key)
    for dimension in (*([by] if by else []), *(filters or {})):
        _check_dimension(metric, dimension)
    currency, caveats = _main_currency(session, metric, period)
    part = Slice(period, now, filters=dict(filters or {}), currency=currency)
    previous = previous_period(period, now=now) if compare else None
    total = _total(session, metric, part, previous)
    rows = _rows(session, metric, replace(part, by=by), previous, locale) if by else ()
    if metric.unit is not Unit.COUNT and 0 < total.n < FEW:
        caveats.append(f"Only {metric.count(total.n)}: indicative.")
    if by in GOODS and key == "orders":
        caveats.append(f"An order counts once for each {by} in it, so the rows add up to more.")
    if total.open_until:
        caveats.append(f"Not final before {format_day(total.open_until, locale=locale)}.")
    return MetricResult(
        metric, rows, total, by, period, previous, currency, tuple(caveats), as_of=now
    )


def _check_dimension(metric: Metric, dimension: Dimension) -> None:
    if dimension not in metric.dimensions:
        known = format_items([str(name) for name in metric.dimensions])
        raise InvalidInputError(f"{metric.title} is not known by {dimension}, but by {known}.")


def _main_currency(session: Session, metric: Metric, period: Period) -> tuple[str, list[str]]:
    """Return the currency of most orders of a period; other measures than money need none."""
    if metric.unit is not Unit.MONEY:
        return "", []
    found = session.execute(
        select(Order.currency, func.count())
        .where(Order.placed_at >= period.start, Order.placed_at < period.end)
        .where(Order.state != OrderState.CANCELLED)
        .group_by(Order.currency)
        .order_by(func.count().desc(), Order.currency)
    )
    counts: dict[str, int] = dict(row for row in found)
    if not counts:
        return "", []
    main, *others = counts
    return main, [f"Orders in {other} are left out ({counts[other]})." for other in others]


def _total(session: Session, metric: Metric, part: Slice, previous: Period | None) -> MetricRow:
    groups = metric.function(session, part)
    before = metric.function(session, replace(part, period=previous)) if previous else None
    counted = groups.get("") or _nothing(metric)
    return MetricRow(
        key="",
        label=part.period.words(),
        values=counted.values,
        n=counted.n,
        before=_before(metric, before, ""),
        open_until=_open_until(metric, part.period, part.now),
    )


def _rows(
    session: Session, metric: Metric, part: Slice, previous: Period | None, locale: str
) -> tuple[MetricRow, ...]:
    groups = metric.function(session, part)
    before = metric.function(session, replace(part, period=previous)) if previous else None
    if part.by is not None and part.by.is_time:
        return _rows_in_time(metric, part, groups, before, locale)
    rows = [
        MetricRow(
            key=str(key),
            label=name_group(part, str(key), group.label, locale=locale),
            values=group.values,
            n=group.n,
            before=_before(metric, before, key),
            open_until=_open_until(metric, part.period, part.now),
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
        group = groups.get(number) or _nothing(metric)
        rows.append(
            MetricRow(
                key=piece.first.isoformat(),
                label=name_piece(piece, part.by or Dimension.DAY, locale=locale)
                + (" so far" if piece.end > part.now else ""),
                values=group.values,
                n=group.n,
                before=_before(metric, before, number),
                open_until=_open_until(metric, piece, part.now),
                running=piece.end > part.now,
            )
        )
    return tuple(rows)


def _before(metric: Metric, groups: Groups | None, key: object) -> tuple[float | None, ...] | None:
    return None if groups is None else (groups.get(key) or _nothing(metric)).values


def _nothing(metric: Metric) -> Counted:
    """Return the figures of no facts: a sum is 0, a share or a mean is unknown."""
    is_sum = metric.key in {"revenue", "orders"}
    return Counted("", tuple(0 if is_sum else None for _ in metric.measures), n=0)


def _open_until(metric: Metric, period: Period, now: datetime) -> date | None:
    if metric.settles is None or period.end + metric.settles <= now:
        return None
    return local_day(period.end + metric.settles, period.zone)
