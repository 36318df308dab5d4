"""The rows of the sample shop while it is being made, and the stock that is free to sell."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from opsbot.commerce.inventory import MoveReason, StockMove
from opsbot.commerce.numbers import NumberKind, written_number
from opsbot.commerce.records import History
from opsbot.db import Base

DAYS = 365
"""How long the shop's recorded past is."""

WAREHOUSE, STORE, RETURNS, QUARANTINE = 1, 2, 3, 4
"""Ids of the locations."""


@dataclass(frozen=True)
class Product:
    """What the simulation needs to know of something that is sold."""

    sku: str
    title: str
    category: str
    return_class: str
    price_minor: int
    cost_minor: int
    weight_g: int
    manufactured: bool
    popularity: float
    """Share of the units sold, relative to the others."""


@dataclass(frozen=True)
class Person:
    """What the simulation needs to know of a customer."""

    id: int
    name: str
    business: bool
    since: datetime
    """When they became a customer; they buy nothing before."""
    weight: float
    """How often they buy, relative to the others."""
    ship_to: dict[str, Any]


class World:
    """Everything that has happened so far. Times lie before `today`, the midnight it ends with."""

    def __init__(self, today: datetime, seed: int) -> None:
        self.today = today
        self.start = today - timedelta(days=DAYS)
        self.random = Random(seed)  # noqa: S311  (a simulation must repeat itself)
        self.rows: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self.free: Counter[tuple[str, int]] = Counter()
        """Units that can still be promised, by item and location."""
        self.products: dict[str, Product] = {}
        self.people: list[Person] = []
        self._numbers: Counter[NumberKind] = Counter()

    def add(self, table: type[Base], **values: Any) -> int:
        """Add a row; return its id."""
        rows = self.rows[table]
        rows.append({"id": len(rows) + 1, **values})
        return len(rows)

    def number(self, kind: NumberKind) -> str:
        """Take the next number of a kind."""
        self._numbers[kind] += 1
        return written_number(kind, self._numbers[kind])

    def counters(self) -> dict[NumberKind, int]:
        """Return the last number of each kind that was given out here."""
        return dict(self._numbers)

    def move(
        self,
        sku: str,
        location: int,
        quantity: int,
        reason: MoveReason,
        reference: str,
        at: datetime,
    ) -> None:
        """Write a line of the stock ledger. Says nothing about what is free."""
        self.add(
            StockMove,
            sku=sku,
            location_id=location,
            quantity=quantity,
            reason=reason,
            reference=reference,
            actor="system",
            at=at,
        )

    def note(
        self,
        table: type[Base],
        key: int,
        event: str,
        at: datetime,
        *,
        actor: str = "system",
        **detail: Any,
    ) -> None:
        """Write a line of a record's history."""
        self.add(
            History,
            subject=table.__tablename__,
            subject_id=str(key),
            event=event,
            detail=detail,
            actor=actor,
            at=at,
        )

    def chance(self, probability: float) -> bool:
        """Throw a die: true with this probability."""
        return self.random.random() < probability

    def between(self, low: float, high: float) -> timedelta:
        """Return a random span of hours."""
        return timedelta(hours=self.random.uniform(low, high))


def workday_after(moment: datetime, days: int) -> datetime:
    """Return `moment` moved on by working days; Saturday and Sunday are none."""
    while days > 0 or moment.weekday() > 4:  # noqa: PLR2004  (Friday)
        moment += timedelta(days=1)
        if moment.weekday() < 5:  # noqa: PLR2004  (Saturday)
            days -= 1
    return moment
