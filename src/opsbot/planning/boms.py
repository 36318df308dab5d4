"""What products are made of: needs through all levels, shortages, cost, and where a part is used.

Quantities are decimals, for materials come in grams and metres.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from graphlib import CycleError, TopologicalSorter

from opsbot.errors import InvalidInputError

MOST_LEVELS = 10
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Part:
    """A line of a bill of materials."""

    sku: str
    quantity: Decimal
    """For one of the product, in the part's stock unit."""
    scrap: Decimal = _NOTHING
    """Share that is lost on the way into the product, 0 to below 1."""
    whole: bool = True
    """Whether the part is counted in pieces, so that needs are rounded up."""


Boms = Mapping[str, Sequence[Part]]
"""The active bill of materials of each product that is made. What has none is bought."""


@dataclass(frozen=True)
class Need:
    """What one item is needed for, in sum."""

    sku: str
    level: int
    """Levels below the product, at the deepest place it stands; 0: the product itself."""
    gross: Decimal
    """Needed, before stock is looked at."""
    from_stock: Decimal
    missing: Decimal
    """To be made or bought."""
    made: bool
    """Whether it has a bill of materials of its own."""


@dataclass(frozen=True)
class Use:
    """A product that a part goes into."""

    sku: str
    quantity: Decimal
    """Of the part for one product, scrap and all levels between included."""
    level: int
    """1: directly."""


def explode(
    boms: Boms, sku: str, quantity: Decimal, *, stock: Mapping[str, Decimal] | None = None
) -> list[Need]:
    """Return what is needed to make a quantity, all levels added up, products before parts.

    Stock of a sub-assembly is taken first, and its parts are then needed for the rest only.

    Args:
        boms: the active bills of materials.
        sku: the product.
        quantity: to make, over and above what is there of the product itself.
        stock: free units of parts; None or absent: none.

    Raises:
        InvalidInputError: the quantity is not above 0, a line makes no sense, or the product
            contains itself.
    """
    if not (quantity.is_finite() and quantity > 0):
        raise InvalidInputError(f"The quantity to make must be more than 0, not {quantity}.")
    levels = _levels(boms, sku)
    gross: defaultdict[str, Decimal] = defaultdict(Decimal, {sku: quantity})
    needs = []
    # By deepest level: when an item's turn comes, every product above it has stated its need.
    for item in sorted(levels, key=lambda item: (levels[item], item)):
        free = _NOTHING if item == sku else max(_NOTHING, (stock or {}).get(item, _NOTHING))
        taken = min(free, gross[item])
        missing = gross[item] - taken
        made = bool(boms.get(item))
        needs.append(Need(item, levels[item], gross[item], taken, missing, made))
        for part in boms.get(item, ()):
            gross[part.sku] += _for(part, missing)
    return needs


def rolled_cost(
    boms: Boms, sku: str, *, bought: Mapping[str, Decimal], work: Mapping[str, Decimal]
) -> Decimal:
    """Return the cost of one: parts through all levels, and the work on each level.

    Args:
        boms: the active bills of materials.
        sku: the product.
        bought: price of one stock unit of each part that is bought, in one currency.
        work: cost of the work on one of each product that is made; absent: none.

    Raises:
        InvalidInputError: a part has no price, or the product contains itself.
    """
    levels = _levels(boms, sku)
    costs: dict[str, Decimal] = {}
    for item in sorted(levels, key=lambda item: (-levels[item], item)):
        parts = boms.get(item, ())
        if not parts and item not in bought:
            raise InvalidInputError(f"There is no price of {item}.")
        made = sum((costs[part.sku] * _gross_of(part) for part in parts), _NOTHING)
        costs[item] = made + work.get(item, _NOTHING) if parts else bought[item]
    return costs[sku]


def where_used(boms: Boms, sku: str) -> list[Use]:
    """Return every product that a part goes into, directly or in sub-assemblies, nearest first.

    Raises:
        InvalidInputError: a product contains itself.
    """
    uses = []
    for product in boms:
        levels = _levels(boms, product)
        if product != sku and sku in levels:
            uses.append(Use(product, _content(boms, levels, product, sku), levels[sku]))
    return sorted(uses, key=lambda use: (use.level, use.sku))


def _content(boms: Boms, levels: Mapping[str, int], product: str, sku: str) -> Decimal:
    content: defaultdict[str, Decimal] = defaultdict(Decimal, {product: Decimal(1)})
    for item in sorted(levels, key=lambda item: levels[item]):
        for part in boms.get(item, ()):
            content[part.sku] += content[item] * _gross_of(part)
    return content[sku]


def _for(part: Part, units: Decimal) -> Decimal:
    need = units * _gross_of(part)
    return need.to_integral_value(ROUND_CEILING) if part.whole else need


def _gross_of(part: Part) -> Decimal:
    """Return what one product takes of a part, what is lost included."""
    if not (part.quantity.is_finite() and part.quantity > 0):
        raise InvalidInputError(f"The quantity of {part.sku} must be more than 0.")
    if not (part.scrap.is_finite() and 0 <= part.scrap < 1):
        raise InvalidInputError(f"The scrap of {part.sku} must be from 0 to below 1.")
    return part.quantity / (1 - part.scrap)


def _levels(boms: Boms, sku: str) -> dict[str, int]:
    """Return the deepest level of every item below a product, products before their parts.

    Raises:
        InvalidInputError: an item contains itself, or there are too many levels.
    """
    below: dict[str, list[str]] = {}
    waiting = [sku]
    while waiting:
        item = waiting.pop()
        if item not in below:
            below[item] = [part.sku for part in boms.get(item, ())]
            waiting += below[item]
    try:
        parts_first = list(TopologicalSorter(below).static_order())
    except CycleError as error:
        way = " is part of ".join(error.args[1])
        raise InvalidInputError(f"A product cannot contain itself: {way}.") from error
    levels = {sku: 0}
    for item in reversed(parts_first):
        for part in below[item]:
            levels[part] = max(levels.get(part, 0), levels[item] + 1)
    if max(levels.values()) > MOST_LEVELS:
        raise InvalidInputError(f"{sku} has more than {MOST_LEVELS} levels of parts.")
    return levels
