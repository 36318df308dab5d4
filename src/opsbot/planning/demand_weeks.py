"""From what was sold to whole weeks of demand that a forecast can learn from."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least

WEEK = timedelta(days=7)
GIANT = 10
"""An order this many times as large as the largest usual one is a case of its own."""
USUAL_SHARE = 0.99
MOST_DAYS_OUT = 3
"""A week with more days of empty shelves tells nothing of demand."""


@dataclass(frozen=True)
class Sold:
    """Units that one order took on one day."""

    on: date
    units: int


@dataclass(frozen=True)
class DemandWeeks:
    """The demand of one item, week by week."""

    first: date
    """The first week's Monday."""
    units: NDArray[np.float64]
    """Shape (weeks,); NaN where empty shelves hid the demand."""
    giants: tuple[Sold, ...]
    """Orders too large to repeat, left out of the weeks: for a person to look at."""

    @property
    def known(self) -> list[float]:
        """The weeks that are known, in order."""
        return [float(units) for units in self.units if not np.isnan(units)]


def giant_limit(quantities: Sequence[int]) -> float:
    """Return the size above which an order is a giant: ten times the 99th percentile.

    Args:
        quantities: units of every order line of the shop, not of one item: a single giant would
            move the percentile of its own item.

    Raises:
        InvalidInputError: there are none.
    """
    if not quantities:
        raise InvalidInputError("Without orders nobody can say which one is too large.")
    return GIANT * float(np.quantile(np.asarray(quantities, dtype=float), USUAL_SHARE))


def demand_weeks(
    sold: Iterable[Sold],
    *,
    first: date,
    after: date,
    days_out: Collection[date] = (),
    giant_above: float = float("inf"),
) -> DemandWeeks:
    """Add up what was sold by week, from Monday to Sunday.

    Weeks that the stretch cuts off at either end are dropped: half a week looks like a fall.

    Args:
        sold: orders that were not cancelled, in any order; those outside the stretch are ignored.
        first: the first day that is known.
        after: the day after the last one that is known.
        days_out: days on which the item was out of stock.
        giant_above: units above which an order is left out; see `giant_limit`.

    Raises:
        InvalidInputError: the stretch holds no whole week, or a sale is negative.
    """
    monday = first + timedelta(days=-first.weekday() % 7)
    weeks = (after - monday) // WEEK
    if weeks < 1:
        raise InvalidInputError(f"From {first} until {after} there is no whole week.")
    units = np.zeros(weeks)
    giants = []
    for one in sold:
        at_least(0, one.units, "A sale")
        week = (one.on - monday) // WEEK
        if not 0 <= week < weeks:
            continue
        if one.units > giant_above:
            giants.append(one)
        else:
            units[week] += one.units
    for week, days in Counter((day - monday) // WEEK for day in set(days_out)).items():
        if 0 <= week < weeks and days > MOST_DAYS_OUT:
            units[week] = np.nan
    return DemandWeeks(monday, units, tuple(sorted(giants, key=lambda one: one.on)))
