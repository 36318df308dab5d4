"""Goods that arrive when they are needed: when to order, and whose goods can be trusted to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from opsbot.planning.bounds import at_least, between
from opsbot.planning.demand import SteadinessClass, ValueClass

ON_TIME = 0.95
LEAD_VARIATION = 0.25


@dataclass(frozen=True)
class Need:
    """A part that must be there on a day."""

    sku: str
    quantity: int
    on: date


@dataclass(frozen=True)
class OrderBy:
    """When to order a part so that it comes in time and not long before."""

    sku: str
    quantity: int
    needed_on: date
    order_by: date
    days_left: int
    """From today; negative: too late, and by how much."""


@dataclass(frozen=True)
class Fit:
    """Whether an item can be bought just in time."""

    fits: bool
    reasons: tuple[str, ...]
    """What speaks against it, a sentence each; empty when it fits."""


def order_dates(
    needs: Iterable[Need], *, lead_days: int, buffer_days: int = 0, today: date
) -> list[OrderBy]:
    """Schedule needs backwards to the last day to order, the most urgent first.

    Args:
        needs: parts and their days, from a plan.
        lead_days: calendar days from order to shelf.
        buffer_days: calendar days the part should lie there before it is needed.
        today: the day from which days are counted.

    Raises:
        InvalidInputError: a time or a quantity is negative.
    """
    at_least(0, lead_days, "The lead time")
    at_least(0, buffer_days, "The buffer")
    found = []
    for need in needs:
        at_least(0, need.quantity, f"The need of {need.sku}")
        last = need.on - timedelta(days=lead_days + buffer_days)
        found.append(OrderBy(need.sku, need.quantity, need.on, last, (last - today).days))
    return sorted(found, key=lambda one: (one.order_by, one.needed_on, one.sku))


def just_in_time_fit(
    *,
    on_time: float,
    lead_variation: float,
    steadiness: SteadinessClass,
    value: ValueClass,
    sources: int,
) -> Fit:
    """Tell whether an item can be bought just in time, and what speaks against it.

    Args:
        on_time: share of its supplier's deliveries that came on time.
        lead_variation: coefficient of variation of the supplier's lead time.
        steadiness: of its demand.
        value: its class by value.
        sources: suppliers that can deliver it.

    Raises:
        InvalidInputError: a value makes no sense.
    """
    between(0, on_time, 1, "The share that came on time")
    at_least(0, lead_variation, "The variation of the lead time")
    at_least(0, sources, "The number of suppliers")
    against = []
    if on_time < ON_TIME:
        against.append(f"The supplier is on time in {on_time:.0%}, less than {ON_TIME:.0%}.")
    if lead_variation > LEAD_VARIATION:
        against.append(
            f"The lead time varies by {lead_variation:.2f} of its mean, more than {LEAD_VARIATION}."
        )
    if steadiness is SteadinessClass.Z:
        against.append("Demand is too uneven to be met without stock (class Z).")
    if value is ValueClass.A and sources <= 1:
        against.append("It is a class A item of a single supplier.")
    return Fit(fits=not against, reasons=tuple(against))
