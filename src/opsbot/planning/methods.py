"""The ways to forecast that are tried on an item, and what each would have said in the past."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from opsbot.planning.smoothing import (
    Floats,
    croston,
    last_value,
    moving_average,
    simple_smoothing,
    teunter,
)

SEASON = 52
"""Weeks in a year."""
QUARTER_WEEKS = 13
_WEIGHTS = (0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Method:
    """One way to forecast."""

    name: str
    """As a person reads it."""
    levels: Callable[[Floats], Floats] | None
    """Demand to levels, see `smoothing`; None: each week repeats the one a year before."""

    def paths(self, demand: Floats, origins: range, horizon: int) -> Floats:
        """Return what it would have said after each origin.

        Args:
            demand: shape (items, periods).
            origins: the last period that was known, each.
            horizon: periods to forecast.

        Returns:
            Shape (items, origins, horizon); NaN where the year before is not known.
        """
        if self.levels is not None:
            levels = self.levels(demand)[:, list(origins)]
            return np.repeat(levels[:, :, None], horizon, axis=2)
        ahead = range(1, horizon + 1)
        # Further than a year ahead, the last known year repeats once more.
        back = np.array([[origin + step - _seasons(step) for step in ahead] for origin in origins])
        return np.where(back >= 0, demand[:, np.maximum(back, 0)], np.nan)


DEFAULT = Method("exponential smoothing, weight 0.2", partial(simple_smoothing, weight=0.2))
"""What is used where the past cannot tell which way is best."""
NAIVE = Method("as the last week", last_value)
"""What every other way must beat."""


def candidates(periods: int) -> tuple[Method, ...]:
    """Return the ways to try on so many periods; the default first, so that it wins a tie."""
    found = [DEFAULT]
    found += [
        Method(
            f"exponential smoothing, weight {weight:g}", partial(simple_smoothing, weight=weight)
        )
        for weight in (0.1, 0.3)
    ]
    found.append(
        Method(f"average of {QUARTER_WEEKS} weeks", partial(moving_average, window=QUARTER_WEEKS))
    )
    found.append(Method("Syntetos-Boylan, weight 0.1", partial(croston, weight=0.1, unbiased=True)))
    found += [
        Method(
            f"Teunter-Syntetos-Babai, weights {size:g} and {chance:g}",
            partial(teunter, size_weight=size, chance_weight=chance),
        )
        for size, chance in product(_WEIGHTS, _WEIGHTS)
    ]
    if periods >= 2 * SEASON:
        found.append(Method("as a year before", None))
    return tuple(found)


def _seasons(step: int) -> int:
    return SEASON * -(-step // SEASON)
