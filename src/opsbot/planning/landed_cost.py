"""What goods cost on the shelf: price, freight, insurance, duty and fees, to the last cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least


class Basis(StrEnum):
    """What freight and fees are divided by."""

    VALUE = "value"
    WEIGHT = "weight"
    UNITS = "units"


@dataclass(frozen=True)
class ImportLine:
    """Goods of one kind in a delivery."""

    sku: str
    units: int
    value_minor: int
    """Price of all units, in minor units (cents) of the currency of all costs."""
    weight_g: int
    """Of all units."""
    duty_permille: Fraction = Fraction(0)
    """Rate of duty in thousandths: 47 is 4.7 %."""


@dataclass(frozen=True)
class LandedLine:
    """The cost of one line, in minor units; the parts add up to what was paid."""

    sku: str
    units: int
    goods: int
    freight: int
    insurance: int
    duty: int
    fees: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.goods + self.freight + self.insurance + self.duty + self.fees

    @property
    def per_unit(self) -> Fraction:
        """Cost of one unit, in minor units, not rounded."""
        return Fraction(self.total, self.units)


def landed_costs(
    lines: Sequence[ImportLine],
    *,
    freight_minor: int = 0,
    insurance_minor: int = 0,
    fees_minor: int = 0,
    basis: Basis = Basis.WEIGHT,
    duty_on_freight: bool = True,
) -> list[LandedLine]:
    """Divide the costs of a delivery among its lines.

    Freight and fees follow `basis`, insurance the value. What is left over by rounding goes, cent
    by cent, to the lines that lost most, so that the parts add up to the whole. Import turnover
    tax is not a cost of a shop that deducts it.

    Args:
        lines: the goods.
        freight_minor: of the whole delivery.
        insurance_minor: of the whole delivery.
        fees_minor: customs agent, terminal, inspection.
        basis: what freight and fees are divided by.
        duty_on_freight: whether duty is due on freight and insurance too, as in the EU and the UK
            (CIF); in the United States it is due on the goods alone (FOB).

    Raises:
        InvalidInputError: there are no lines, or a number makes no sense.
    """
    _check(lines, freight_minor, insurance_minor, fees_minor)
    keys = [_key(line, basis) for line in lines]
    freight = divide(freight_minor, keys)
    fees = divide(fees_minor, keys)
    insurance = divide(insurance_minor, [line.value_minor for line in lines])
    landed = []
    for line, ship, insure, fee in zip(lines, freight, insurance, fees, strict=True):
        taxed = line.value_minor + (ship + insure if duty_on_freight else 0)
        duty = round(taxed * line.duty_permille / 1000)
        landed.append(LandedLine(line.sku, line.units, line.value_minor, ship, insure, duty, fee))
    return landed


def divide(amount: int, keys: Sequence[int]) -> list[int]:
    """Divide a whole amount in proportion, by largest remainders; the parts add up to it.

    Args:
        amount: to be divided, 0 or more.
        keys: what each part is proportional to; all zero: in equal parts.

    Raises:
        InvalidInputError: the amount or a key is negative, or there are no keys.
    """
    at_least(0, amount, "The amount to divide")
    if not keys:
        raise InvalidInputError("There is nothing to divide the amount among.")
    for key in keys:
        at_least(0, key, "A key")
    use = list(keys) if any(keys) else [1] * len(keys)
    whole = sum(use)
    parts = [amount * key // whole for key in use]
    lost = sorted(range(len(use)), key=lambda index: (-(amount * use[index] % whole), index))
    for index in lost[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def _key(line: ImportLine, basis: Basis) -> int:
    return {
        Basis.VALUE: line.value_minor,
        Basis.WEIGHT: line.weight_g,
        Basis.UNITS: line.units,
    }[basis]


def _check(lines: Sequence[ImportLine], *costs: int) -> None:
    if not lines:
        raise InvalidInputError("A delivery has one line or more.")
    for cost in costs:
        at_least(0, cost, "A cost of the delivery")
    for line in lines:
        at_least(1, line.units, f"The quantity of {line.sku}")
        at_least(0, line.value_minor, f"The value of {line.sku}")
        at_least(0, line.weight_g, f"The weight of {line.sku}")
        at_least(0, float(line.duty_permille), f"The rate of duty of {line.sku}")
