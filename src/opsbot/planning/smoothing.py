"""Levels of demand, period by period, for many items at once.

Each function takes demand of shape (items, periods), NaN where it is not known, and returns the
levels of the same shape: column t is what the method expects of each period after t. A level that
has not begun, before the first known or the first non-zero demand, is 0.

Croston (1972); SBA: Syntetos and Boylan (2005); TSB: Teunter, Syntetos and Babai (2011).
"""

import numpy as np
from numpy.typing import NDArray

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least, between

Floats = NDArray[np.float64]


def simple_smoothing(demand: Floats, weight: float) -> Floats:
    """Smooth exponentially: each period moves the level by `weight` of its surprise.

    Raises:
        InvalidInputError: the weight is not from 0 to 1, or demand is not a table.
    """
    _check(demand, weight)
    levels = np.zeros_like(demand)
    level = np.full(len(demand), np.nan)
    for period in range(demand.shape[1]):
        units = demand[:, period]
        moved = np.where(np.isnan(level), units, level + weight * (units - level))
        level = np.where(np.isnan(units), level, moved)
        levels[:, period] = np.nan_to_num(level)
    return levels


def croston(demand: Floats, weight: float, *, unbiased: bool) -> Floats:
    """Smooth the sizes of demands and the time between them, and divide.

    Args:
        demand: shape (items, periods).
        weight: of the newest size and interval, 0 to 1.
        unbiased: take off the share that Croston's method is known to be too high by (SBA).

    Raises:
        InvalidInputError: the weight is not from 0 to 1, or demand is not a table.
    """
    _check(demand, weight)
    levels = np.zeros_like(demand)
    size, interval = np.full(len(demand), np.nan), np.full(len(demand), np.nan)
    since = np.zeros(len(demand))
    for period in range(demand.shape[1]):
        units = demand[:, period]
        since += ~np.isnan(units)
        hit = np.nan_to_num(units) > 0
        size = np.where(hit, _moved(size, units, weight), size)
        interval = np.where(hit, _moved(interval, since, weight), interval)
        since = np.where(hit, 0, since)
        levels[:, period] = np.nan_to_num(size / interval)
    return levels * (1 - weight / 2) if unbiased else levels


def teunter(demand: Floats, size_weight: float, chance_weight: float) -> Floats:
    """Smooth the sizes of demands and the chance of one (TSB): demand that ends fades out.

    The chance starts at one in so many periods as the first demand took to come.

    Raises:
        InvalidInputError: a weight is not from 0 to 1, or demand is not a table.
    """
    _check(demand, size_weight)
    _check(demand, chance_weight)
    levels = np.zeros_like(demand)
    size, chance = np.full(len(demand), np.nan), np.full(len(demand), np.nan)
    since = np.zeros(len(demand))
    for period in range(demand.shape[1]):
        units = demand[:, period]
        known = ~np.isnan(units)
        since += known
        hit = np.nan_to_num(units) > 0
        begun = ~np.isnan(chance)
        first = np.where(hit, 1 / np.maximum(since, 1), np.nan)
        chance = np.where(begun & known, chance + chance_weight * (hit - chance), chance)
        chance = np.where(begun, chance, first)
        size = np.where(hit, _moved(size, units, size_weight), size)
        levels[:, period] = np.nan_to_num(size * chance)
    return levels


def moving_average(demand: Floats, window: int) -> Floats:
    """Average the last `window` periods, those that are known.

    Raises:
        InvalidInputError: the window is empty, or demand is not a table.
    """
    at_least(1, window, "The window")
    _check(demand, 0)
    known = ~np.isnan(demand)
    units = _last(np.where(known, demand, 0.0), window)
    count = _last(known.astype(np.float64), window)
    # Sums of floats taken off again can end a hair below zero.
    return np.maximum(0.0, np.divide(units, count, out=np.zeros_like(units), where=count > 0))


def last_value(demand: Floats) -> Floats:
    """Expect of every later period what the last known one had: the naive forecast.

    Raises:
        InvalidInputError: demand is not a table.
    """
    return simple_smoothing(demand, 1.0)


def _last(values: Floats, window: int) -> Floats:
    sums = np.cumsum(values, axis=1)
    result = sums.copy()
    result[:, window:] -= sums[:, :-window]
    return result


def _moved(level: Floats, value: Floats, weight: float) -> Floats:
    return np.where(np.isnan(level), value, level + weight * (value - level))


def _check(demand: Floats, weight: float) -> None:
    if demand.ndim != 2:  # noqa: PLR2004  (items and periods)
        raise InvalidInputError("Demand must be a table of items by periods.")
    between(0, weight, 1, "The weight of the newest period")
