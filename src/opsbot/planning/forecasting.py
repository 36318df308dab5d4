"""Forecasts of demand, and how far they would have been off.

Every way of forecasting is tried on the past of each item. Exponential smoothing is used unless
the sums of another way over the horizon were clearly nearer. What is judged is the sum, for that
is what stock must last for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least, inside
from opsbot.planning.demand import DemandShape, demand_shape
from opsbot.planning.methods import DEFAULT, NAIVE, candidates
from opsbot.planning.smoothing import Floats, simple_smoothing

ORIGINS = 13
"""Moments of the past at which a forecast is tried."""
ENOUGH_TO_CHOOSE = 8
ENOUGH_TO_MEASURE = 12
LEAST_HISTORY = 4
"""Known weeks below which nothing can be said."""
CLEARLY_BETTER = 0.6
"""Score in the default's score below which another way is chosen. On the weekly sales of a real
shop for gifts (UCI Online Retail) smaller leads of the past did not last, and made the forecasts
and the safety stock worse."""
BIAS_WEIGHT = 0.5
"""How much a lasting error to one side weighs beside the size of the errors."""


@dataclass(frozen=True)
class Expected:
    """The demand expected of one period, and the interval it lies in."""

    units: float
    low: float
    high: float


@dataclass(frozen=True)
class Backtest:
    """How far forecasts of the past were off, over sums of the horizon."""

    origins: int
    """Moments tried; 0: the history is too short."""
    error: float
    """Root mean square error of the sums; from single weeks where there are under 12 origins."""
    wape: float | None
    """Sum of the errors' sizes in sums of demand; None without origins or without demand."""
    naive_wape: float | None
    """The same of repeating the last week."""
    bias: float | None
    """Sum of the errors in sums of demand; positive: demand was higher than forecast."""
    errors: tuple[float, ...]
    """Demand less forecast, at each origin, oldest first."""
    demand: float
    """Sum of the demand at all origins."""


@dataclass(frozen=True)
class Forecast:
    """What is expected of one item."""

    periods: tuple[Expected, ...]
    method: str
    shape: DemandShape
    backtest: Backtest

    @property
    def total(self) -> float:
        """Units over the whole horizon."""
        return sum(period.units for period in self.periods)


def forecast(demand: Sequence[float], *, horizon: int, confidence: float = 0.8) -> Forecast:
    """Forecast one item; see `forecast_items`.

    Raises:
        InvalidInputError: under four periods are known, or a value makes no sense.
    """
    found = forecast_items(np.array([demand], float), horizon=horizon, confidence=confidence)[0]
    if found is None:
        raise InvalidInputError(f"A forecast needs {LEAST_HISTORY} known weeks of demand or more.")
    return found


def forecast_items(
    demand: Floats, *, horizon: int, confidence: float = 0.8
) -> list[Forecast | None]:
    """Forecast items, each in the way that suits it.

    Args:
        demand: units, shape (items, periods), oldest first; NaN: not known, for shelves were empty.
        horizon: periods to forecast, and over which forecasts are judged.
        confidence: of the interval around each period, 0 to 1.

    Returns:
        A forecast an item; None where under four periods are known.

    Raises:
        InvalidInputError: demand is negative, infinite, or no table; there is no horizon.
    """
    at_least(1, horizon, "The horizon")
    inside(0, confidence, 1, "The confidence")
    if demand.ndim != 2 or np.isinf(demand).any() or (demand < 0).any():  # noqa: PLR2004
        raise InvalidInputError("Demand must be a table of items by periods, none below zero.")
    periods = demand.shape[1]
    origins, now = _origins(periods, horizon), range(periods - 1, periods)
    actual = _windows(demand, origins, horizon)
    methods = candidates(periods)
    past = [method.paths(demand, origins, horizon) for method in methods]
    best = _best(actual, past)
    naive = NAIVE.paths(demand, origins, horizon)
    usual = DEFAULT.paths(demand, now, horizon)[:, 0]
    ahead = {index: methods[index].paths(demand, now, horizon)[:, 0] for index in set(best)}
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return [
        Forecast(
            # A year ago the shelves may have been empty: then the usual level stands in.
            _expected(np.where(np.isnan(ahead[index][item]), usual[item], ahead[index][item]), off),
            method=methods[index].name,
            shape=demand_shape([float(units) for units in row if not np.isnan(units)]),
            backtest=_backtest(row, actual[item], past[index][item], naive[item]),
        )
        if np.count_nonzero(~np.isnan(row)) >= LEAST_HISTORY
        else None
        for item, (row, index) in enumerate(zip(demand, best, strict=True))
        for off in [z * _spread(row, actual[item], past[index][item])]
    ]


def _origins(periods: int, horizon: int) -> range:
    last = periods - horizon
    return range(max(LEAST_HISTORY, last - ORIGINS), max(LEAST_HISTORY, last))


def _windows(demand: Floats, origins: range, horizon: int) -> Floats:
    """Return what came after each origin, shape (items, origins, horizon)."""
    after = np.array([range(origin + 1, origin + 1 + horizon) for origin in origins], dtype=int)
    return demand[:, after.reshape(len(origins), horizon)]


def _best(actual: Floats, past: Sequence[Floats]) -> list[int]:
    """Return the index of each item's best way: the default's, 0, unless one is clearly better."""
    scores = np.stack([_score(actual, path) for path in past])
    best = np.argmin(scores, axis=0)
    clear = scores.min(axis=0) < CLEARLY_BETTER * scores[0]
    return [int(index) for index in np.where(clear, best, 0)]


def _score(actual: Floats, path: Floats) -> Floats:
    errors = (actual - path).sum(axis=2)
    known = ~np.isnan(errors)
    count = known.sum(axis=1)
    filled = np.where(known, errors, 0.0)
    divisor = np.maximum(count, 1)
    size = np.sqrt((filled**2).sum(axis=1) / divisor)
    bias = np.abs(filled.sum(axis=1) / divisor)
    score: Floats = np.where(count >= ENOUGH_TO_CHOOSE, size + BIAS_WEIGHT * bias, np.inf)
    return score


def _expected(level: Floats, off: Floats) -> tuple[Expected, ...]:
    return tuple(
        Expected(float(units), max(0.0, float(units - by)), float(units + by))
        for units, by in zip(level, off, strict=True)
    )


def _backtest(demand: Floats, actual: Floats, past: Floats, naive: Floats) -> Backtest:
    sums, said, plain = actual.sum(axis=1), past.sum(axis=1), naive.sum(axis=1)
    known = ~np.isnan(sums - said)
    errors = (sums - said)[known]
    total = float(sums[known].sum())
    horizon = actual.shape[1]
    if len(errors) >= ENOUGH_TO_MEASURE:
        error = float(np.sqrt(np.mean(errors**2)))
    else:
        error = _one_step_error(demand) * float(np.sqrt(horizon))
    return Backtest(
        origins=len(errors),
        error=error,
        wape=float(np.abs(errors).sum()) / total if total else None,
        naive_wape=float(np.abs((sums - plain)[known]).sum()) / total if total else None,
        bias=float(errors.sum()) / total if total else None,
        errors=tuple(float(value) for value in errors),
        demand=total,
    )


def _spread(demand: Floats, actual: Floats, past: Floats) -> Floats:
    """Return the error of each period ahead; it never shrinks with distance."""
    squares = (actual - past) ** 2
    known = ~np.isnan(squares)
    count = known.sum(axis=0)
    if (count < ENOUGH_TO_CHOOSE).any():
        return np.full(actual.shape[1], _one_step_error(demand))
    spread = np.sqrt(np.where(known, squares, 0).sum(axis=0) / count)
    return np.asarray(np.maximum.accumulate(spread), dtype=np.float64)


def _one_step_error(demand: Floats) -> float:
    """Return the root mean square error of the default way, a period ahead."""
    known = demand[~np.isnan(demand)]
    if len(known) < 2:  # noqa: PLR2004  (two neighbours)
        return 0.0
    levels = simple_smoothing(known[None, :], 0.2)[0]
    return float(np.sqrt(np.mean((known[1:] - levels[:-1]) ** 2)))
