"""How demand behaves: how often, how evenly, and how much it is worth.

Classes of Syntetos and Boylan (2005) by interval and variation; ABC by value; XYZ by variation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from statistics import fmean, pstdev

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least, inside

INTERVAL_CUT = 1.32
VARIATION_CUT = 0.49


class DemandClass(StrEnum):
    """What kind of demand an item has, and so what can be forecast of it."""

    SMOOTH = "smooth"
    """Often and even."""
    ERRATIC = "erratic"
    """Often, in very different sizes."""
    INTERMITTENT = "intermittent"
    """Seldom, in even sizes."""
    LUMPY = "lumpy"
    """Seldom and uneven: hardly to be forecast."""
    NONE = "none"
    """No demand at all."""


class ValueClass(StrEnum):
    """How much of the whole value an item brings."""

    A = "A"
    B = "B"
    C = "C"


class SteadinessClass(StrEnum):
    """How much demand varies from week to week."""

    X = "X"
    Y = "Y"
    Z = "Z"


@dataclass(frozen=True)
class DemandShape:
    """How often demand comes, and how its size varies."""

    interval: float
    """Mean periods from one demand to the next (ADI); 1: every period. 0 without demand."""
    variation: float
    """Squared coefficient of variation of the sizes that are not zero (CV2)."""
    demand_class: DemandClass


def demand_shape(periods: Sequence[float]) -> DemandShape:
    """Tell how the demand of equal periods behaves.

    Args:
        periods: units in each period that is known, zeros included.

    Raises:
        InvalidInputError: demand is negative.
    """
    for units in periods:
        at_least(0, units, "Demand")
    sizes = [units for units in periods if units]
    if not sizes:
        return DemandShape(0.0, 0.0, DemandClass.NONE)
    interval = len(periods) / len(sizes)
    variation = (pstdev(sizes) / fmean(sizes)) ** 2
    return DemandShape(interval, variation, _class_of(interval, variation))


def value_classes(
    values: Mapping[str, float], *, a_share: float = 0.8, b_share: float = 0.95
) -> dict[str, ValueClass]:
    """Sort items into A, B and C by what they bring: revenue, or usage at cost.

    The items that together bring up to 80 % are A, the next up to 95 % B, the rest C. The largest
    is always A, even if it alone brings more than that.

    Args:
        values: by item, in one unit of money.
        a_share: where A ends, of the whole value.
        b_share: where B ends.

    Raises:
        InvalidInputError: a value is negative, or the borders are out of order.
    """
    inside(0, a_share, b_share, "The border of A")
    inside(a_share, b_share, 1, "The border of B")
    for key, value in values.items():
        at_least(0, value, f"The value of {key}")
    ranked = sorted(values, key=lambda key: (-values[key], key))
    total = sum(values.values())
    classes: dict[str, ValueClass] = {}
    for key, reached in zip(ranked, accumulate(values[key] for key in ranked), strict=True):
        if not classes or reached <= a_share * total:
            classes[key] = ValueClass.A
        elif reached <= b_share * total:
            classes[key] = ValueClass.B
        else:
            classes[key] = ValueClass.C
    return classes


def steadiness_class(
    periods: Sequence[float], *, x_up_to: float = 0.5, y_up_to: float = 1.0
) -> SteadinessClass:
    """Sort an item into X, Y or Z by the coefficient of variation of its weekly demand.

    Args:
        periods: units in each week, zeros included.
        x_up_to: the variation up to which demand is steady.
        y_up_to: the variation up to which it can be planned with.

    Raises:
        InvalidInputError: there are no weeks, demand is negative, or the borders are out of order.
    """
    inside(0, x_up_to, y_up_to, "The border of X")
    variation = coefficient_of_variation(periods)
    if variation <= x_up_to:
        return SteadinessClass.X
    return SteadinessClass.Y if variation <= y_up_to else SteadinessClass.Z


def coefficient_of_variation(values: Sequence[float]) -> float:
    """Return the standard deviation in means; infinite when all values are zero.

    Raises:
        InvalidInputError: there are no values, or one is negative.
    """
    if not values:
        raise InvalidInputError("Without any values there is no variation to measure.")
    for value in values:
        at_least(0, value, "A value")
    mean = fmean(values)
    return pstdev(values) / mean if mean else float("inf")


def _class_of(interval: float, variation: float) -> DemandClass:
    often, even = interval < INTERVAL_CUT, variation < VARIATION_CUT
    if often:
        return DemandClass.SMOOTH if even else DemandClass.ERRATIC
    return DemandClass.INTERMITTENT if even else DemandClass.LUMPY
