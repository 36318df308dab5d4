"""Safety stock and order points, and how often they would have been enough.

Two service levels are told apart. The cycle service level is the share of replenishment cycles
without a stock-out; the fill rate is the share of units that come off the shelf. At the same
stock the second is the higher one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, log, sqrt
from statistics import NormalDist

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least, inside

_HAIR = 1e-9
_MOST_UNITS = 1_000_000
_NORMAL = NormalDist()


@dataclass(frozen=True)
class OrderPoint:
    """When to order an item, and up to which position."""

    safety_stock: int
    reorder_point: int
    """s: order when the position is at or below it."""
    order_up_to: int
    """S: the position to fill up to."""


def safety_factor(service_level: float) -> float:
    """Return how many standard deviations give a cycle service level (z).

    Args:
        service_level: share of cycles without a stock-out, such as 0.95.

    Raises:
        InvalidInputError: the level is not from 0.5 up to, but not, 1: no stock is always enough.
    """
    if not service_level >= 0.5:  # noqa: PLR2004  (below, safety stock would be negative)
        raise InvalidInputError(f"A service level is 0.5 or more, not {service_level:g}.")
    inside(0, service_level, 1, "A service level")
    return _NORMAL.inv_cdf(service_level)


def lead_time_deviation(
    demand_deviation: float, lead_days: float, *, demand: float = 0, lead_deviation: float = 0
) -> float:
    """Return the standard deviation of demand over the lead time: sqrt(L*sd_D^2 + D^2*sd_L^2).

    Args:
        demand_deviation: of one day's demand, units.
        lead_days: mean calendar days from order to shelf; with periodic review, and the review.
        demand: mean units a day.
        lead_deviation: standard deviation of the lead time, days.

    Raises:
        InvalidInputError: a value is negative.
    """
    at_least(0, demand_deviation, "The deviation of demand")
    at_least(0, lead_days, "The lead time")
    at_least(0, demand, "Demand")
    at_least(0, lead_deviation, "The deviation of the lead time")
    return sqrt(lead_days * demand_deviation**2 + demand**2 * lead_deviation**2)


def order_point(
    over_lead: float, over_lead_and_review: float, *, deviation: float, service_level: float
) -> OrderPoint:
    """Return safety stock, reorder point and order-up-to level, in whole units, rounded up.

    Args:
        over_lead: units expected over the lead time.
        over_lead_and_review: units expected until the order after next arrives.
        deviation: of demand over the same time: `lead_time_deviation`, or better the error of
            forecast sums (`Backtest.error`).
        service_level: share of cycles without a stock-out.

    Raises:
        InvalidInputError: a value is negative, or the longer time has the smaller demand.
    """
    at_least(0, over_lead, "Demand over the lead time")
    at_least(over_lead, over_lead_and_review, "Demand over the lead time and the review")
    at_least(0, deviation, "The deviation")
    safety = safety_factor(service_level) * deviation
    return OrderPoint(
        safety_stock=_up(safety),
        reorder_point=_up(over_lead + safety),
        order_up_to=_up(over_lead_and_review + safety),
    )


def fill_rate(deviation: float, quantity: float, *, service_level: float) -> float:
    """Return the share of units that come off the shelf: 1 - sigma*G(z)/Q.

    Args:
        deviation: of demand over the lead time, units.
        quantity: units of one order (Q).
        service_level: the cycle service level that sets the safety stock.

    Raises:
        InvalidInputError: the deviation is negative, or nothing is ordered.
    """
    at_least(0, deviation, "The deviation")
    above(0, quantity, "The order quantity")
    return max(0.0, 1 - deviation * expected_shortage(safety_factor(service_level)) / quantity)


def service_level_for(fill: float, deviation: float, quantity: float) -> float:
    """Return the lowest cycle service level, 0.5 or more, that gives a fill rate.

    Raises:
        InvalidInputError: the fill rate is not between 0 and 1, or another value makes no sense.
    """
    inside(0, fill, 1, "A fill rate")
    low, high = 0.5, 1 - 1e-12
    if fill_rate(deviation, quantity, service_level=low) >= fill:
        return low
    for _ in range(60):
        middle = (low + high) / 2
        if fill_rate(deviation, quantity, service_level=middle) < fill:
            low = middle
        else:
            high = middle
    return high


def expected_shortage(factor: float) -> float:
    """Return the unit normal loss: units short a cycle, in deviations, at a safety factor."""
    # Cancellation far out in the tail may end a hair below zero.
    return max(0.0, _NORMAL.pdf(factor) - factor * (1 - _NORMAL.cdf(factor)))


def stock_for_slow_demand(mean: float, variance: float, *, service_level: float) -> int:
    """Return the least stock that meets all demand of a time with a given chance.

    For items that sell about a unit a week, where the normal curve is wrong. Demand counts as
    negative binomial, or as Poisson when it varies no more than that.

    Args:
        mean: units expected over the time.
        variance: of the units over that time.
        service_level: the chance, between 0 and 1.

    Raises:
        InvalidInputError: a value is negative, or demand is too large to be counted unit by unit.
    """
    at_least(0, mean, "Demand")
    at_least(0, variance, "The variance")
    inside(0, service_level, 1, "A service level")
    if mean == 0:
        return 0
    over = variance / mean - 1
    spread = mean / over if over > _HAIR else None
    # Logarithms: the chance of no demand at all may be too small for a float.
    chance = -mean if spread is None else -spread * log(1 + over)
    reached = 0.0
    for units in range(_MOST_UNITS):
        reached += exp(chance)
        if reached >= service_level - _HAIR:
            return units
        if spread is None:
            chance += log(mean / (units + 1))
        else:
            chance += log((spread + units) / (units + 1) * over / (1 + over))
    raise InvalidInputError("Demand is too large to be counted unit by unit.")


def coverage(errors: Sequence[float], safety_stock: float) -> float | None:
    """Return the share of past cycles in which a safety stock would have been enough.

    Args:
        errors: demand less forecast of each cycle (`Backtest.errors`), units.
        safety_stock: units.

    Returns:
        0 to 1; None without any cycles.
    """
    if not errors:
        return None
    return sum(error <= safety_stock + _HAIR for error in errors) / len(errors)


def pinball_loss(errors: Sequence[float], safety_stock: float, *, service_level: float) -> float:
    """Return the mean cost of being short and over, weighed as a service level weighs them.

    Lower is better. A unit short costs the level, a unit over the rest of 1.

    Raises:
        InvalidInputError: there are no cycles, or the level is not between 0 and 1.
    """
    inside(0, service_level, 1, "A service level")
    if not errors:
        raise InvalidInputError("Without past cycles there is no loss to measure.")
    short = [error - safety_stock for error in errors]
    costs = [max(service_level * units, (service_level - 1) * units) for units in short]
    return sum(costs) / len(costs)


def _up(units: float) -> int:
    # A hair of tolerance: a sum of floats that means 270 must not become 271.
    return ceil(units - _HAIR)
