"""What a measure is: its columns of figures, what they count, and how sure they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from opsbot.metrics.grouping import Dimension, Slice
from opsbot.planning.scores import Score, share_score

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Unit(StrEnum):
    """What a value counts."""

    MONEY = "money"
    """Minor units of the currency."""
    COUNT = "count"
    SHARE = "share"
    """0 to 1; of a margin or a bias also below 0."""
    DAYS = "days"
    HOURS = "hours"
    NUMBER = "number"
    """A plain number: turns, a score, contacts per 100 orders."""
    PPM = "ppm"
    """Parts in a million."""


class Currency(StrEnum):
    """Whose currency amounts of money are in."""

    ORDERS = "orders"
    """That of most orders of the period; others are left out and said to be."""
    ITEMS = "items"
    """That of most items."""


@dataclass(frozen=True)
class Measure:
    """One column of figures."""

    key: str
    label: str
    unit: Unit


@dataclass(frozen=True)
class Counted:
    """The figures of one group."""

    label: str
    values: tuple[float | None, ...]
    """One for each measure of the metric; None where nothing was counted."""
    n: int
    """How many facts the values rest on."""
    score: Score | None = None
    """How sure the first value is, where chance plays a part."""


Groups = Mapping[Any, Counted]
"""Figures by the key of their group: a code, or the number of a piece of time."""


@dataclass(frozen=True)
class Metric:
    """A measure that means the same wherever it is shown."""

    key: str
    title: str
    definition: str
    """One sentence for a person."""
    counts: str
    """What `n` counts: "orders", "delivered units"."""
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    """The first is the metric itself; others stand beside it."""
    function: Callable[[Session, Slice], Groups]
    settles: timedelta | None = None
    """How long after the end of a period its value may still change."""
    period: str = "last 30 days"
    """Which days are meant when nobody says it."""
    by: Dimension | None = None
    """What it is grouped by when nobody says it."""
    snapshot: bool = False
    """Whether it tells how things stand now; a period says nothing to it."""
    adds_up: bool = False
    """Whether the value of nothing is 0, as of a sum; else it is unknown."""
    currency: Currency = Currency.ORDERS
    """Of its amounts of money."""
    score_scale: float = 1.0
    """What a bound of the score's interval is divided by to be a value; of shares: 100."""

    def count(self, n: int) -> str:
        """Return "1 order due", "12 orders due"."""
        first, _, rest = self.counts.partition(" ")
        one, _, last = self.counts.rpartition(" ")
        if n != 1:
            words = self.counts
        elif last.endswith("s") and not first.endswith("s"):
            words = f"{one} {_singular(last)}".strip()
        else:
            words = f"{_singular(first)} {rest}".strip()
        return f"{n} {words}"

    @property
    def unit(self) -> Unit:
        """What the metric itself counts."""
        return self.measures[0].unit

    @property
    def is_money(self) -> bool:
        """Whether one of its figures is an amount of money."""
        return any(measure.unit is Unit.MONEY for measure in self.measures)


def share(part: float | None, whole: float | None) -> float | None:
    """Return a part of a whole; None when one of them is unknown or the whole is nothing."""
    return None if part is None or not whole else part / whole


def counted_share(label: str, hits: float | None, n: int | None) -> Counted:
    """Return the share of `hits` in `n`, with its interval."""
    hits, n = int(hits or 0), int(n or 0)
    return Counted(label, (share(hits, n),), n, share_score(hits, n=n))


def plain_number(value: float | None, unit: Unit, *, currency: str) -> float | int | None:
    """Return a value as it stands in a table: money in whole units, shares in percent."""
    if value is None:
        return None
    if unit in {Unit.COUNT, Unit.PPM}:
        return round(value)
    if unit is Unit.MONEY:
        digits = get_currency_precision(currency or "EUR")
        return float(round(value / 10**digits, digits))
    return round(100 * value if unit is Unit.SHARE else value, 1)


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
