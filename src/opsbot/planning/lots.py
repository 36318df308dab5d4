"""How much to order or make at a time: economic lots, one-time lots, kanban cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least

_HAIR = 1e-9


@dataclass(frozen=True)
class PriceBreak:
    """The price from a quantity on."""

    quantity: int
    """The least quantity it holds for."""
    price: float
    """Of one unit."""


@dataclass(frozen=True)
class Lot:
    """A quantity, and what a year costs with it."""

    quantity: int
    yearly_cost: float
    """Goods, orders and holding, in the unit of money that was given."""


def economic_quantity(yearly_demand: float, order_cost: float, holding_cost: float) -> float:
    """Return the quantity with the least cost of ordering and holding: sqrt(2*D*K/h).

    Harris (1913). Near the best, costs are flat: round it to packs without worry.

    Args:
        yearly_demand: units a year.
        order_cost: of one order or set-up, whatever its size.
        holding_cost: of one unit for a year, in the same unit of money.

    Raises:
        InvalidInputError: a value is negative, or holding costs nothing.
    """
    at_least(0, yearly_demand, "Demand")
    at_least(0, order_cost, "The cost of an order")
    above(0, holding_cost, "The cost of holding a unit for a year")
    return sqrt(2 * yearly_demand * order_cost / holding_cost)


def best_lot(
    yearly_demand: float,
    order_cost: float,
    holding_share: float,
    breaks: Sequence[PriceBreak],
    *,
    multiple: int = 1,
) -> Lot:
    """Return the lot with the least yearly cost where the price falls with the quantity.

    Args:
        yearly_demand: units a year.
        order_cost: of one order.
        holding_share: cost of holding for a year, as a share of the price (0.25: a quarter).
        breaks: the price list, in any order; its smallest quantity is the least that is sold.
        multiple: size of a pack.

    Raises:
        InvalidInputError: there is no price, or a value makes no sense.
    """
    above(0, yearly_demand, "Demand")
    above(0, holding_share, "The share of the price that holding costs")
    at_least(1, multiple, "A pack")
    if not breaks:
        raise InvalidInputError("Without a price there is nothing to compare.")
    lots = []
    for one in breaks:
        above(0, one.price, "A price")
        at_least(0, one.quantity, "The quantity of a price break")
        best = economic_quantity(yearly_demand, order_cost, holding_share * one.price)
        nearby = max(1.0, one.quantity, best)
        # Between two packs the better one is not known before it is counted.
        for packs in {int(nearby / multiple), ceil(nearby / multiple - _HAIR)}:
            quantity = max(1, packs) * multiple
            if quantity >= one.quantity:
                cost = _yearly_cost(yearly_demand, order_cost, holding_share, one.price, quantity)
                lots.append(Lot(quantity, cost))
    return min(lots, key=lambda lot: (lot.yearly_cost, lot.quantity))


def one_time_quantity(
    mean: float, deviation: float, *, margin: float, loss: float, least: int = 0
) -> int:
    """Return how many to make of what is made once: the newsvendor's quantity, nearest unit.

    Args:
        mean: units expected to be asked for.
        deviation: standard deviation of that.
        margin: what is earned on one more that sells (cost of one too few).
        loss: what is lost on one that stays (cost of one too many).
        least: the smallest lot that can be made.

    Raises:
        InvalidInputError: a value is negative, or nothing is earned or lost.
    """
    at_least(0, mean, "Demand")
    at_least(0, deviation, "The deviation")
    at_least(0, least, "The smallest lot")
    ratio = critical_ratio(margin, loss)
    # Without any spread every quantile is the mean.
    wanted = NormalDist(mean, deviation).inv_cdf(ratio) if deviation else mean
    return max(least, round(wanted), 0)


def critical_ratio(margin: float, loss: float) -> float:
    """Return the chance of selling out that is worth having: Cu/(Cu+Co), between 0 and 1.

    Raises:
        InvalidInputError: one of the two is not more than 0.
    """
    above(0, margin, "What one more earns")
    above(0, loss, "What one too many costs")
    return margin / (margin + loss)


def kanban_cards(daily_demand: float, days: float, *, reserve: float, container: int) -> int:
    """Return how many cards, each for one full container, keep a line supplied.

    Args:
        daily_demand: units a day.
        days: that a card waits and is worked on until its container is back.
        reserve: share to add for what goes wrong, such as 0.2.
        container: units in one.

    Returns:
        Cards, rounded up.

    Raises:
        InvalidInputError: a value is negative, or a container holds nothing.
    """
    at_least(0, daily_demand, "Demand")
    at_least(0, days, "The time of a card's round")
    at_least(0, reserve, "The reserve")
    at_least(1, container, "A container")
    return ceil(daily_demand * days * (1 + reserve) / container - _HAIR)


def _yearly_cost(
    demand: float, order_cost: float, holding_share: float, price: float, quantity: int
) -> float:
    ordering = order_cost * demand / quantity
    return price * demand + ordering + holding_share * price * quantity / 2
