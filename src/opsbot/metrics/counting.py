"""The ways in which facts become figures: sums, shares of two sums, spans of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from opsbot.metrics.clock import seconds_between
from opsbot.metrics.grouping import Dimension, Slice, group_facts, total_by_group
from opsbot.metrics.measures import DAY, Counted, Groups, counted_share


def sums(
    session: Session,
    part: Slice,
    facts: Select[Any],
    measures: Sequence[str],
) -> dict[Any, tuple[Any, ...]]:
    """Return label and sums by group; a group whose last sum is nothing is left out.

    Args:
        session: a session to read in.
        part: which facts, and how they are grouped.
        facts: the rows.
        measures: see `opsbot.metrics.grouping.total_by_group`; the last one tells how many.
    """
    rows = session.execute(total_by_group(facts, part, measures))
    return {
        key: (str(label), *(_number(value) for value in found))
        for key, label, *found in rows
        if found[-1]
    }


def _number(value: Any) -> Any:
    """Return PostgreSQL's decimals as the whole numbers or floats they are."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def shares(session: Session, part: Slice, facts: Select[Any], hits: str, whole: str) -> Groups:
    """Return by group which share of `whole` the `hits` are, with its interval."""
    found = sums(session, part, facts, (hits, whole))
    return {key: counted_share(label, good, n) for key, (label, good, n) in found.items()}


@dataclass(frozen=True)
class Spans:
    """How long something took in one group."""

    label: str
    points: tuple[float, ...]
    """The value below which each share lies, between neighbours linearly."""
    mean: float
    n: int
    total: float


def spans(
    session: Session,
    part: Slice,
    facts: Select[Any],
    *,
    first: str,
    last: str,
    percents: Sequence[int] = (50, 90),
    unit: timedelta = DAY,
) -> dict[Any, Spans]:
    """Return percentiles of the time between two moments of the facts, by group.

    The database sorts and counts; of each group only the rows around a percentile are read.

    Args:
        session: a session to read in.
        part: which facts, and how they are grouped.
        facts: the rows; those without both moments do not count.
        first: column of the earlier moment.
        last: column of the later one.
        percents: which percentiles, whole numbers.
        unit: what values count.
    """
    statement, columns = group_facts(facts, part)
    begun, ended = columns[first], columns[last]
    span = seconds_between(begun, ended) / unit.total_seconds()
    inner = statement.add_columns(span.label("span")).where(begun.is_not(None), ended.is_not(None))
    return ranked(session, inner, percents)


def ranked(session: Session, values: Select[Any], percents: Sequence[int]) -> dict[Any, Spans]:
    """Return percentiles and means by group of a statement with `key`, `label` and `span`."""
    rows = values.subquery("spans")
    placed = select(
        rows.c.key,
        rows.c.label,
        rows.c.span,
        func.row_number().over(order_by=rows.c.span, partition_by=rows.c.key).label("place"),
        func.count().over(partition_by=rows.c.key).label("n"),
        func.sum(rows.c.span).over(partition_by=rows.c.key).label("total"),
    ).subquery("placed")
    below = [1 + (placed.c.n - 1) * percent // 100 for percent in percents]
    wanted = select(placed).where(
        or_(*(placed.c.place == one for one in below), *(placed.c.place == b + 1 for b in below))
    )
    near: defaultdict[Any, dict[int, float]] = defaultdict(dict)
    whole: dict[Any, tuple[str, int, float]] = {}
    for key, label, span, place, n, total in session.execute(wanted):
        near[key][place] = float(span)
        whole[key] = (str(label), int(n), float(total))
    return {
        key: Spans(
            label, tuple(_point(near[key], n, percent) for percent in percents), total / n, n, total
        )
        for key, (label, n, total) in whole.items()
    }


def _point(near: Mapping[int, float], n: int, percent: int) -> float:
    below, rest = divmod((n - 1) * percent, 100)
    low = near[below + 1]
    return low + (near.get(below + 2, low) - low) * rest / 100


@dataclass(frozen=True)
class Row:
    """One fact that was counted outside of the database."""

    names: Mapping[Dimension, tuple[str, str]]
    """Code and label by dimension."""
    values: tuple[float, ...]


def add_up(part: Slice, rows: Iterable[Row], size: int) -> dict[Any, tuple[str, list[float], int]]:
    """Return label, sums and number of rows by group; without a dimension the key is empty.

    Args:
        part: how they are grouped and filtered; not by time.
        rows: the facts.
        size: how many values a row has.
    """
    found: dict[Any, tuple[str, list[float], int]] = {}
    for row in rows:
        if not part.holds(row.names):
            continue
        key, label = row.names[part.by] if part.by else ("", "")
        _, totals, n = found.get(key, (label, [0.0] * size, 0))
        added = [total + value for total, value in zip(totals, row.values, strict=True)]
        found[key] = (label, added, n + 1)
    return found


def plain(found: Mapping[Any, tuple[Any, ...]]) -> dict[Any, Counted]:
    """Return the figures of `sums` as they are; the last one is also how many."""
    return {
        key: Counted(label, tuple(values), int(values[-1]))
        for key, (label, *values) in found.items()
    }
