"""Can we make it, by when, and should we: materials, work, and what other sources would cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from opsbot.errors import InvalidInputError
from opsbot.planning.boms import Boms, Need, explode
from opsbot.planning.bounds import above, at_least
from opsbot.planning.capacity import Operation, Step, schedule


@dataclass(frozen=True)
class Shop:
    """What there is to make things from and with."""

    boms: Boms
    stock: Mapping[str, Decimal]
    """Free units of parts."""
    lead_days: Mapping[str, int]
    """Calendar days to have a bought part, by item."""
    routings: Mapping[str, Sequence[Operation]]
    """Steps of each product that is made."""
    free: Mapping[str, Callable[[date], float]]
    """Free minutes of a day, by work centre."""


@dataclass(frozen=True)
class Answer:
    """When a quantity can be finished, and what it waits for."""

    on: date
    materials_on: date
    """When all bought parts are there."""
    missing: tuple[Need, ...]
    """Parts to be bought first."""
    steps: tuple[Step, ...]
    """The work, in order, of the product and of the sub-assemblies that lack."""


@dataclass(frozen=True)
class Source:
    """One way to come by an item."""

    name: str
    """"make here", or a company."""
    unit_cost: float
    fixed_cost: float = 0
    """Set-up, tooling or freight of one order."""
    lead_days: int = 0
    minimum: int = 1


@dataclass(frozen=True)
class Offer:
    """What a source means for a quantity."""

    source: Source
    quantity: int
    """What would come: the minimum when that is more."""
    total: float
    """Cost of it all, in the unit of money of the source."""
    unit: float
    """Cost of each unit that is wanted."""
    on: date
    in_time: bool


def capable_to_promise(shop: Shop, sku: str, quantity: int, *, today: date) -> Answer:
    """Tell when a quantity that is not in stock can be made (CTP).

    Parts that lack are ordered today; when the last is there, the sub-assemblies that lack are
    made, deepest level first, and then the product, in the free time of the work centres.

    Args:
        shop: parts, lead times, routings and free time.
        sku: the product.
        quantity: units to make, over and above stock.
        today: when parts are ordered and work could begin.

    Raises:
        InvalidInputError: a routing or a lead time is missing, or there is no room for the work.
    """
    at_least(1, quantity, "The quantity")
    needs = explode(shop.boms, sku, Decimal(quantity), stock=shop.stock)
    missing = tuple(need for need in needs if need.missing > 0 and not need.made)
    materials_on = max((_arrival(shop, need, today) for need in missing), default=today)
    steps = _steps(shop, [need for need in needs if need.made and need.missing > 0], materials_on)
    return Answer(steps[-1].last, materials_on, missing, tuple(steps))


def compare_sources(
    sources: Iterable[Source], quantity: int, *, today: date, needed_on: date | None = None
) -> list[Offer]:
    """Compare ways to come by a quantity: those in time first, then by cost, then by day.

    Args:
        sources: making it, buying it, having it made.
        quantity: units wanted.
        today: the day of the order.
        needed_on: by when; None: any time.

    Raises:
        InvalidInputError: a cost, a time or a minimum is negative, or nothing is wanted.
    """
    at_least(1, quantity, "The quantity")
    offers = [_offer(source, quantity, today, needed_on) for source in sources]
    return sorted(offers, key=lambda one: (not one.in_time, one.total, one.on, one.source.name))


def break_even(making: Source, buying: Source) -> float | None:
    """Return the quantity from which the source with the higher fixed cost is the cheaper one.

    None when there is none: one of the two is cheaper at every quantity.
    """
    fixed = making.fixed_cost - buying.fixed_cost
    saved = buying.unit_cost - making.unit_cost
    if fixed * saved <= 0:
        return None
    return fixed / saved


def _offer(source: Source, quantity: int, today: date, needed_on: date | None) -> Offer:
    at_least(0, source.unit_cost, f"The unit cost of {source.name}")
    at_least(0, source.fixed_cost, f"The fixed cost of {source.name}")
    at_least(0, source.lead_days, f"The lead time of {source.name}")
    above(0, source.minimum, f"The least quantity of {source.name}")
    taken = max(quantity, source.minimum)
    total = source.fixed_cost + source.unit_cost * taken
    on = today + timedelta(days=source.lead_days)
    return Offer(source, taken, total, total / quantity, on, needed_on is None or on <= needed_on)


def _arrival(shop: Shop, need: Need, today: date) -> date:
    if need.sku not in shop.lead_days:
        raise InvalidInputError(f"There is no lead time of {need.sku}.")
    at_least(0, shop.lead_days[need.sku], f"The lead time of {need.sku}")
    return today + timedelta(days=shop.lead_days[need.sku])


def _steps(shop: Shop, made: Sequence[Need], start: date) -> list[Step]:
    """Schedule what is made, deepest first; two jobs never take the same minutes."""
    taken: dict[tuple[str, date], float] = {}
    ends: dict[int, date] = {}
    steps: list[Step] = []
    for need in sorted(made, key=lambda need: (-need.level, need.sku)):
        if not shop.routings.get(need.sku):
            raise InvalidInputError(f"There are no work steps for {need.sku}.")
        # An item waits for whatever lies deeper.
        begin = max([start, *(end for level, end in ends.items() if level > need.level)])
        free = {center: _left(center, room, taken) for center, room in shop.free.items()}
        done = schedule(shop.routings[need.sku], float(need.missing), free, start=begin)
        for step in done:
            for day, minutes in step.days:
                taken[step.center, day] = taken.get((step.center, day), 0.0) + minutes
        ends[need.level] = max(ends.get(need.level, begin), done[-1].last)
        steps += done
    return steps


def _left(
    center: str, room: Callable[[date], float], taken: Mapping[tuple[str, date], float]
) -> Callable[[date], float]:
    return lambda day: room(day) - taken.get((center, day), 0.0)
