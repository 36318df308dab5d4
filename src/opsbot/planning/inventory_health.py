"""Whether stock works for its money: turns, days, excess, dead stock, age, and the ABC-XYZ grid."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least
from opsbot.planning.demand import SteadinessClass, ValueClass

DEAD_DAYS = 180
COVER_WEEKS = 12
"""Weeks of forecast above which stock is excess."""
YEAR_DAYS = 365


@dataclass(frozen=True)
class Aged:
    """Units on the shelf, by how long they have lain there."""

    days: int
    """Calendar days since they came in."""
    units: int


@dataclass(frozen=True)
class GridCell:
    """Items of one class by value and steadiness."""

    value: ValueClass
    steadiness: SteadinessClass
    items: int
    stock_value: float


def days_of_inventory(mean_stock: float, cost_of_sales: float, *, days: int = YEAR_DAYS) -> float:
    """Return how many days of sales at cost lie in stock (DIO).

    Args:
        mean_stock: mean value of stock at cost: of its days, not of the two ends.
        cost_of_sales: cost of what was sold in the time.
        days: length of that time.

    Raises:
        InvalidInputError: stock is negative, or nothing was sold.
    """
    at_least(0, mean_stock, "The value of stock")
    above(0, cost_of_sales, "The cost of what was sold")
    above(0, days, "The number of days")
    return mean_stock / cost_of_sales * days


def turns(mean_stock: float, cost_of_sales: float) -> float:
    """Return how often stock was sold in the time of `cost_of_sales`.

    Raises:
        InvalidInputError: there was no stock, or sales are negative.
    """
    above(0, mean_stock, "The value of stock")
    at_least(0, cost_of_sales, "The cost of what was sold")
    return cost_of_sales / mean_stock


def excess_units(on_hand: int, weekly_forecast: float, *, weeks: int = COVER_WEEKS) -> int:
    """Return the units above so many weeks of forecast; 0 when there are none.

    Raises:
        InvalidInputError: a value is negative.
    """
    at_least(0, on_hand, "Stock")
    at_least(0, weekly_forecast, "The forecast")
    at_least(0, weeks, "The number of weeks")
    return max(0, on_hand - int(weekly_forecast * weeks))


def is_dead(last_out: date | None, first_in: date, *, today: date, days: int = DEAD_DAYS) -> bool:
    """Tell whether stock has not moved out for so many days; what is new has not had the time.

    Args:
        last_out: the day a unit last went out; None: never.
        first_in: the day the item first came in.
        today: the present day.
        days: how long is too long.

    Raises:
        InvalidInputError: the number of days is not above 0.
    """
    above(0, days, "The number of days")
    return (today - (last_out or first_in)).days >= days


def age_of_stock(receipts: Iterable[tuple[date, int]], on_hand: int, *, today: date) -> list[Aged]:
    """Return how old the units on the shelf are, the oldest first, if the oldest go out first.

    Args:
        receipts: days and units that came in, in any order.
        on_hand: units there now. What no receipt explains is as old as the oldest receipt.
        today: the present day.

    Raises:
        InvalidInputError: a number is negative, or there is stock and no receipt.
    """
    at_least(0, on_hand, "Stock")
    left, aged = on_hand, []
    newest_first = sorted(receipts, reverse=True)
    for day, units in newest_first:
        at_least(0, units, "A receipt")
        taken = min(left, units)
        if taken:
            aged.append(Aged((today - day).days, taken))
        left -= taken
    if left and not newest_first:
        raise InvalidInputError("Stock that never came in has no age.")
    if left:
        oldest = (today - newest_first[-1][0]).days
        known = aged.pop().units if aged and aged[-1].days == oldest else 0
        aged.append(Aged(oldest, left + known))
    return aged[::-1]


def grid(
    values: Mapping[str, ValueClass],
    steadiness: Mapping[str, SteadinessClass],
    stock_values: Mapping[str, float],
) -> list[GridCell]:
    """Count items and stock by class of value and of steadiness: nine cells, A-X first.

    Args:
        values: class by value, by item.
        steadiness: class by steadiness, of the same items.
        stock_values: value of the stock of each item; absent: none.

    Raises:
        InvalidInputError: an item has only one of the two classes.
    """
    if lone := sorted(values.keys() ^ steadiness.keys()):
        raise InvalidInputError(f"{lone[0]} has a class by value or by steadiness, but not both.")
    items: Counter[tuple[ValueClass, SteadinessClass]] = Counter()
    worth: defaultdict[tuple[ValueClass, SteadinessClass], float] = defaultdict(float)
    for sku, value in values.items():
        items[value, steadiness[sku]] += 1
        worth[value, steadiness[sku]] += stock_values.get(sku, 0)
    return [
        GridCell(value, steady, items[value, steady], worth[value, steady])
        for value in ValueClass
        for steady in SteadinessClass
    ]


def mean_stock_value(levels: Sequence[float]) -> float:
    """Return the mean of the values of stock at the end of each day.

    Raises:
        InvalidInputError: there are no days.
    """
    if not levels:
        raise InvalidInputError("Without days there is no mean.")
    return sum(levels) / len(levels)
