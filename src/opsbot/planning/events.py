"""What a planner knows and the past does not: events, and items that are new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least


@dataclass(frozen=True)
class Event:
    """Days on which demand is another one: a fair, Christmas, a price campaign."""

    first: date
    last: date
    factor: float
    """Demand on these days in usual demand: 1.5 is half as much again."""


def uplift(actual: Sequence[float], usual: Sequence[float]) -> float:
    """Return the factor of an event that has been: what was sold in what would have been usual.

    Raises:
        InvalidInputError: the two do not match, or nothing was usual.
    """
    if len(actual) != len(usual):
        raise InvalidInputError("There must be as many usual periods as actual ones.")
    for units in (*actual, *usual):
        at_least(0, units, "Demand")
    above(0, sum(usual), "Usual demand")
    return sum(actual) / sum(usual)


def with_events(
    weeks: Sequence[float], events: Sequence[Event], *, first: date
) -> tuple[float, ...]:
    """Raise or lower a forecast by events, each week by the days that fall into it.

    Where events overlap, their factors multiply.

    Args:
        weeks: units expected in each week.
        events: what is known to come.
        first: the Monday of the first week.

    Raises:
        InvalidInputError: a factor is negative, or an event ends before it begins.
    """
    for event in events:
        at_least(0, event.factor, "The factor of an event")
        if event.last < event.first:
            raise InvalidInputError(f"An event from {event.first} cannot end on {event.last}.")
    return tuple(
        units * sum(_factor(first + timedelta(days=7 * week + day), events) for day in range(7)) / 7
        for week, units in enumerate(weeks)
    )


def split_by_share(total: float, shares: Mapping[str, float]) -> dict[str, float]:
    """Split the forecast of a category among its items: the way to begin with a new item.

    Args:
        total: units expected of the whole category.
        shares: what each item is thought to take, in any unit.

    Raises:
        InvalidInputError: a value is negative, or all shares are zero.
    """
    at_least(0, total, "The forecast of the category")
    for key, share in shares.items():
        at_least(0, share, f"The share of {key}")
    whole = sum(shares.values())
    above(0, whole, "The sum of the shares")
    return {key: total * share / whole for key, share in shares.items()}


def _factor(day: date, events: Sequence[Event]) -> float:
    factor = 1.0
    for event in events:
        if event.first <= day <= event.last:
            factor *= event.factor
    return factor
