"""Figures of quality and of machines: yield, defects, capability, effectiveness, Pareto."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import fmean, stdev

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least, between

_MILLION = 1_000_000
_LEAST_READINGS = 2


@dataclass(frozen=True)
class Capability:
    """How well a process fits between its limits."""

    cp: float | None
    """Width of the limits in six standard deviations; None with one limit only."""
    cpk: float
    """Distance of the mean to the nearer limit in three standard deviations.

    1.33 and more counts as capable; below 1, defects are usual; negative: the mean is outside.
    """
    mean: float
    deviation: float
    """Of the readings, with n - 1."""
    n: int


@dataclass(frozen=True)
class Effectiveness:
    """Overall equipment effectiveness (OEE) and its three factors, shares of 1."""

    availability: float
    """Run time in planned time."""
    performance: float
    """Units made in the units that the run time could have made."""
    quality: float
    """Good units in units made."""

    @property
    def overall(self) -> float:
        """The product of the three."""
        return self.availability * self.performance * self.quality


@dataclass(frozen=True)
class ParetoRow:
    """One cause, and what it brings together with those above it."""

    cause: str
    count: float
    share: float
    """Of the whole, 0 to 1."""
    cumulative: float
    """Its share and those of all larger causes."""


def first_pass_yield(good_first_time: int, started: int) -> float:
    """Return the share of units that were good without rework, 0 to 1.

    Raises:
        InvalidInputError: nothing was started, or more were good than started.
    """
    above(0, started, "The number of units started")
    between(0, good_first_time, started, "The number of good units")
    return good_first_time / started


def rolled_yield(yields: Sequence[float]) -> float:
    """Return the share of units that pass all steps without rework: the product (RTY).

    Raises:
        InvalidInputError: there are no steps, or a yield is not from 0 to 1.
    """
    if not yields:
        raise InvalidInputError("Without steps there is no yield.")
    for one in yields:
        between(0, one, 1, "A yield")
    return prod(yields)


def scrap_rate(good: int, scrap: int) -> float:
    """Return scrap in all that was made, 0 to 1.

    Raises:
        InvalidInputError: a number is negative, or nothing was made.
    """
    at_least(0, good, "The number of good units")
    at_least(0, scrap, "The scrap")
    above(0, good + scrap, "The number of units made")
    return scrap / (good + scrap)


def defects_per_million(defects: int, units: int, *, opportunities: int = 1) -> float:
    """Return defects in a million opportunities (DPMO); with 1 a unit, parts per million (ppm).

    Args:
        defects: that were found.
        units: that were looked at.
        opportunities: ways in which one unit can be wrong.

    Raises:
        InvalidInputError: a number makes no sense.
    """
    at_least(0, defects, "The number of defects")
    above(0, units, "The number of units")
    at_least(1, opportunities, "The number of opportunities")
    return defects / (units * opportunities) * _MILLION


def capability(
    readings: Sequence[float], *, low: float | None = None, high: float | None = None
) -> Capability:
    """Return Cp and Cpk of readings against the limits of the drawing.

    The deviation is that of all readings, so this is the long-term figure (Ppk) when they span
    more than one set-up.

    Args:
        readings: in the unit of the limits; equal readings have no deviation and are refused.
        low: the lower limit; None: there is none.
        high: the upper limit; None: there is none.

    Raises:
        InvalidInputError: under two readings, none that differ, or no limit that makes sense.
    """
    if low is None and high is None:
        raise InvalidInputError("Capability needs a lower limit, an upper limit, or both.")
    if low is not None and high is not None and low >= high:
        raise InvalidInputError(f"The lower limit, {low:g}, must be below the upper, {high:g}.")
    if len(readings) < _LEAST_READINGS:
        raise InvalidInputError("Capability needs two readings or more.")
    mean, deviation = fmean(readings), stdev(readings)
    above(0, deviation, "The deviation of the readings")
    distances = []
    if low is not None:
        distances.append(mean - low)
    if high is not None:
        distances.append(high - mean)
    both = low is not None and high is not None
    return Capability(
        cp=sum(distances) / (6 * deviation) if both else None,
        cpk=min(distances) / (3 * deviation),
        mean=mean,
        deviation=deviation,
        n=len(readings),
    )


def effectiveness(
    *, planned_minutes: float, down_minutes: float, ideal_minutes: float, made: int, good: int
) -> Effectiveness:
    """Return the effectiveness of a machine over a time.

    Args:
        planned_minutes: that it should have run, breaks taken off.
        down_minutes: of these, that it stood still: faults, set-up, waiting.
        ideal_minutes: for one unit, at full speed.
        made: units, good and bad.
        good: units that were good the first time.

    Raises:
        InvalidInputError: it never ran, or more were good than made. Performance above 1 is not
            refused: the ideal time is then set too long.
    """
    above(0, planned_minutes, "The planned time")
    between(0, down_minutes, planned_minutes, "The down time")
    above(0, ideal_minutes, "The ideal time of a unit")
    above(0, made, "The number of units made")
    between(0, good, made, "The number of good units")
    ran = planned_minutes - down_minutes
    above(0, ran, "The run time")
    return Effectiveness(ran / planned_minutes, ideal_minutes * made / ran, good / made)


def pareto(counts: Mapping[str, float]) -> list[ParetoRow]:
    """Sort causes by what they bring, the largest first; causes of nothing are left out.

    Raises:
        InvalidInputError: a count is negative.
    """
    for cause, count in counts.items():
        at_least(0, count, f"The count of {cause}")
    whole = sum(counts.values())
    rows, reached = [], 0.0
    for cause, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if count:
            reached += count
            rows.append(ParetoRow(cause, count, count / whole, min(1.0, reached / whole)))
    return rows


def vital_few(rows: Sequence[ParetoRow], *, share: float = 0.8) -> list[ParetoRow]:
    """Return the fewest largest causes that together bring a share of the whole.

    Raises:
        InvalidInputError: the share is not from 0 to 1.
    """
    between(0, share, 1, "The share")
    before = [0.0, *(row.cumulative for row in rows)]
    return [row for row, reached in zip(rows, before, strict=False) if reached < share]
