"""How well suppliers deliver: punctuality, lead times, rejects, prices, and one score of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, stdev

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least, between
from opsbot.planning.promises import percentile
from opsbot.planning.quality import defects_per_million

PPM_WITHOUT_POINTS = 20_000
"""Rejects in a million from which quality earns nothing: two in a hundred."""
RISE_WITHOUT_POINTS = 0.10
"""Rise of prices from which the price earns nothing."""


@dataclass(frozen=True)
class DeliveredLine:
    """One line of a purchase order, received or open."""

    sku: str
    ordered_on: date
    promised_on: date
    received_on: date | None
    """None: still open."""
    ordered: int
    received: int
    rejected: int
    unit_price: float
    """In one currency for all lines."""


@dataclass(frozen=True)
class LeadTimes:
    """Calendar days from order to receipt."""

    mean: float
    deviation: float
    """Standard deviation; 0 with a single receipt."""
    late: float
    """Nine of ten receipts took no longer."""
    n: int


@dataclass(frozen=True)
class Scorecard:
    """What a supplier did with the lines that were due."""

    due: int
    """Lines that were received, or should have been."""
    on_time: float | None
    """Share of them received by the promised day; open past it counts as late. None: none due."""
    lead_times: LeadTimes | None
    """None: nothing was received."""
    ppm: float | None
    """Rejected units in a million received; None: nothing was received."""
    price_change: float | None
    """Last price against first, by item, weighed by what was spent; None: nothing bought twice."""
    overdue: int
    """Lines that are open past their day."""


@dataclass(frozen=True)
class Weights:
    """How much each part counts in a score, in any unit."""

    on_time: float = 50
    quality: float = 35
    price: float = 15


def scorecard(lines: Sequence[DeliveredLine], *, today: date) -> Scorecard:
    """Measure one supplier's lines.

    Args:
        lines: of a period, in any order.
        today: the day from which an open line is overdue, if it was promised earlier.

    Raises:
        InvalidInputError: a line was received before it was ordered, or has a negative number.
    """
    for line in lines:
        _check(line)
    received = [line for line in lines if line.received_on is not None]
    overdue = [line for line in lines if line.received_on is None and line.promised_on < today]
    due = len(received) + len(overdue)
    punctual = sum(line.received_on <= line.promised_on for line in lines if line.received_on)
    units = sum(line.received for line in lines)
    rejected = sum(line.rejected for line in lines)
    return Scorecard(
        due=due,
        on_time=punctual / due if due else None,
        lead_times=lead_times(
            [(line.received_on - line.ordered_on).days for line in lines if line.received_on]
        ),
        ppm=defects_per_million(rejected, units) if units else None,
        price_change=_price_change(lines),
        overdue=len(overdue),
    )


def lead_times(days: Sequence[float]) -> LeadTimes | None:
    """Sum up lead times; None without any.

    Raises:
        InvalidInputError: one is negative.
    """
    for one in days:
        at_least(0, one, "A lead time")
    if not days:
        return None
    deviation = stdev(days) if len(days) > 1 else 0.0
    return LeadTimes(fmean(days), deviation, percentile(days, 0.9), len(days))


def supplier_score(card: Scorecard, weights: Weights | None = None) -> float | None:
    """Return one score from 0 to 100; parts that are not known do not count.

    Punctuality counts as its share. Quality falls evenly from 100 without rejects to 0 at 20,000
    ppm, price from 100 without a rise to 0 at a rise of 10 %.

    Returns:
        None when nothing is known.

    Raises:
        InvalidInputError: a weight is negative, or all are zero.
    """
    use = weights or Weights()
    for weight in (use.on_time, use.quality, use.price):
        at_least(0, weight, "A weight")
    above(0, use.on_time + use.quality + use.price, "The sum of the weights")
    parts: list[tuple[float, float]] = []
    if card.on_time is not None:
        parts.append((use.on_time, card.on_time))
    if card.ppm is not None:
        parts.append((use.quality, max(0.0, 1 - card.ppm / PPM_WITHOUT_POINTS)))
    if card.price_change is not None:
        rise = max(0.0, card.price_change)
        parts.append((use.price, max(0.0, 1 - rise / RISE_WITHOUT_POINTS)))
    whole = sum(weight for weight, _ in parts)
    return 100 * sum(weight * part for weight, part in parts) / whole if whole else None


def _price_change(lines: Sequence[DeliveredLine]) -> float | None:
    by_item: defaultdict[str, list[DeliveredLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.ordered_on):
        by_item[line.sku].append(line)
    changes = [
        (bought[-1].unit_price / bought[0].unit_price - 1, _spent(bought))
        for bought in by_item.values()
        if len(bought) > 1
    ]
    spent = sum(weight for _, weight in changes)
    return sum(change * weight for change, weight in changes) / spent if spent else None


def _spent(lines: Sequence[DeliveredLine]) -> float:
    return sum(line.unit_price * line.ordered for line in lines)


def _check(line: DeliveredLine) -> None:
    if line.received_on is not None and line.received_on < line.ordered_on:
        raise InvalidInputError(f"{line.sku} cannot be received before it is ordered.")
    at_least(1, line.ordered, "The quantity of a line")
    at_least(0, line.received, "What was received")
    between(0, line.rejected, line.received, "What was rejected")
    above(0, line.unit_price, "A price")
