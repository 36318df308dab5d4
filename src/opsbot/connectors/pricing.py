"""Prices before tax or before discounts, as the gross lines our records hold, to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opsbot.connectors.foreign import ForeignLine


@dataclass(frozen=True)
class Priced:
    """One line as its source prices it."""

    sku: str
    title: str
    unit_minor: int
    quantity: int
    discount_minor: int = 0
    cancelled: int = 0
    personalization: str | None = None

    def without_discount(self) -> "Priced":
        """Return the line at its list price."""
        return replace(self, discount_minor=0)


def price_lines(
    lines: Sequence[Priced], discounts: Sequence[int], taxes: Sequence[int]
) -> tuple[ForeignLine, ...]:
    """Return gross lines.

    Tax that comes on top goes into the unit price; what cannot be divided by the quantity is
    rounded up there and taken off as a discount, so that each line costs exactly what it cost.

    Args:
        lines: as the source prices them.
        discounts: a share of the order's discount for each line, beside its own.
        taxes: tax on top of each line.
    """
    return tuple(
        _gross(line, discount, tax)
        for line, discount, tax in zip(lines, discounts, taxes, strict=True)
    )


def _gross(line: Priced, discount: int, tax: int) -> ForeignLine:
    each = -(-tax // line.quantity)
    return ForeignLine(
        sku=line.sku,
        title=line.title,
        unit_price_minor=line.unit_minor + each,
        quantity=line.quantity,
        discount_minor=line.discount_minor + discount + each * line.quantity - tax,
        cancelled=line.cancelled,
        personalization=line.personalization,
    )
