"""How many pieces of a lot to inspect, and how many defective ones still accept it.

Single sampling, normal inspection, by acceptance quality limit: MIL-STD-105E, tables I and II-A,
in the public domain; ISO 2859-1 gives the same plans. Switching rules are not part of it.
"""

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from math import comb

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least, between

LETTERS = "ABCDEFGHJKLMNPQR"
SAMPLE_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
"""By code letter."""
LARGEST_LOTS = (
    *(8, 15, 25, 50, 90, 150, 280, 500),
    *(1200, 3200, 10_000, 35_000, 150_000, 500_000),
)
"""The last lot size of each row of table I; larger lots have a row of their own."""
MAJOR_LIMIT, MINOR_LIMIT = 2.5, 4.0
"""The usual limits, in percent, for major and for minor defects; no critical one is accepted."""
# Where a limit's column begins: there, and only there, the acceptance number is 0.
_BEGINS = dict(zip((0.1, 0.15, 0.25, 0.4, 0.65, 1, 1.5, 2.5, 4, 6.5), "KJHGFEDCBA", strict=True))
# Rejection numbers down a column; None: an arrow, up for the first and down for the second.
_COLUMN = (1, None, None, 2, 3, 4, 6, 8, 11, 15, 22)
_UP, _DOWN = 1, 2


class Level(StrEnum):
    """The general inspection levels; II is the usual one."""

    I = "I"  # noqa: E741  (its name in the standard)
    II = "II"
    III = "III"


_LEVEL_LETTERS = {
    Level.I: "AABCCDEFGHJKLMN",
    Level.II: "ABCDEFGHJKLMNPQ",
    Level.III: "BCDEFGHJKLMNPQR",
}


@dataclass(frozen=True)
class SamplingPlan:
    """How to inspect one lot for one kind of defect."""

    letter: str
    """Code letter of the plan that is used, after arrows."""
    sample_size: int
    """Pieces to inspect, drawn at random."""
    accept_up_to: int
    """Ac: most defective pieces of an accepted lot."""
    reject_from: int
    """Re: Ac + 1."""
    whole_lot: bool
    """Whether every piece is inspected, for the sample would be no smaller than the lot."""

    def chance_of_acceptance(self, defective: float) -> float:
        """Return how likely a lot passes, when a share of its pieces is defective.

        By the binomial distribution: the lot is taken to be much larger than the sample.

        Raises:
            InvalidInputError: the share is not from 0 to 1.
        """
        between(0, defective, 1, "The share of defective pieces")
        good = 1 - defective
        return sum(
            comb(self.sample_size, found) * defective**found * good ** (self.sample_size - found)
            for found in range(min(self.accept_up_to, self.sample_size) + 1)
        )


def sampling_plan(lot_size: int, limit: float, *, level: Level = Level.II) -> SamplingPlan:
    """Return the plan for a lot.

    Args:
        lot_size: pieces in the lot.
        limit: acceptance quality limit (AQL), percent defective: 0.1, 0.15, 0.25, 0.4, 0.65, 1,
            1.5, 2.5, 4 or 6.5.
        level: general inspection level.

    Raises:
        InvalidInputError: the lot is empty, or the standard has no such limit.
    """
    at_least(1, lot_size, "The lot size")
    if limit not in _BEGINS:
        known = ", ".join(f"{one:g}" for one in _BEGINS)
        raise InvalidInputError(f"There is no plan for {limit:g} %; there are: {known}.")
    row = bisect_left(LARGEST_LOTS, lot_size)
    wanted = LETTERS.index(_LEVEL_LETTERS[level][row])
    index, reject_from = _follow(wanted - LETTERS.index(_BEGINS[limit]))
    letter = LETTERS.index(_BEGINS[limit]) + index
    size = SAMPLE_SIZES[letter]
    return SamplingPlan(
        letter=LETTERS[letter],
        sample_size=min(size, lot_size),
        accept_up_to=reject_from - 1,
        reject_from=reject_from,
        whole_lot=size >= lot_size,
    )


def _follow(place: int) -> tuple[int, int]:
    """Return the place in a column that the arrows lead to, and its rejection number."""
    place = min(max(place, 0), len(_COLUMN) - 1)
    if place == _UP:
        place -= 1
    elif place == _DOWN:
        place += 1
    return place, _COLUMN[place] or 0
