"""The measures: what each means, and how it is counted from the facts."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order
from opsbot.metrics.facts import delivery_facts, line_facts, order_facts
from opsbot.metrics.grouping import GOODS, Dimension, Slice, group_facts, total_by_group
from opsbot.planning.promises import percentile

DAY = timedelta(days=1)
RETURNS_SETTLE = 45 * DAY
"""After the last delivery of a cohort: 30 days to ask for a return, 15 to send it."""


class Unit(StrEnum):
    """What a value counts."""

    MONEY = "money"
    """Minor units of the currency."""
    COUNT = "count"
    SHARE = "share"
    """0 to 1."""
    DAYS = "days"


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

    def count(self, n: int) -> str:
        """Return "1 order due", "12 orders due"."""
        words = self.counts
        if n == 1:
            words = words.replace("orders", "order").replace("units", "unit")
        return f"{n} {words}"

    @property
    def unit(self) -> Unit:
        """What the metric itself counts."""
        return self.measures[0].unit


def revenue(session: Session, part: Slice) -> Groups:
    """Sum the value of lines ordered in the period.

    Orders that were cancelled and cancelled units do not count. Net of discounts and tax, without
    shipping. In the shop's zone, by the day the order was placed. n: orders.
    """
    groups = _sums(session, part, line_facts(Order.placed_at), ("net_minor", "orders"))
    return {key: Counted(label, (round(net),), n) for key, (label, net, n) in groups.items()}


def orders(session: Session, part: Slice) -> Groups:
    """Count the orders placed in the period that were not cancelled. n: the same.

    By product or category an order counts once in each group it has a line of.
    """
    goods = part.by in GOODS or any(dimension in GOODS for dimension in part.filters)
    facts = line_facts(Order.placed_at) if goods else order_facts(Order.placed_at)
    groups = _sums(session, part, facts, ("orders",))
    return {key: Counted(label, (n,), n) for key, (label, n) in groups.items()}


def average_order_value(session: Session, part: Slice) -> Groups:
    """Divide the revenue of the period by its orders. n: orders."""
    return {
        key: Counted(group.label, (_share(group.values[0], group.n),), group.n)
        for key, group in revenue(session, part).items()
    }


def otif(session: Session, part: Slice) -> Groups:
    """Tell which share of the orders due in the period arrived on time and in full.

    Due: promised for delivery in the period and before now, and not cancelled. On time: the last
    parcel arrived by the promised moment, without tolerance. In full: no wanted unit is missing.
    What is due and has not arrived has failed. Sales over the counter do not count. n: orders due.
    """
    if part.period.end > part.now:
        part = replace(part, until=part.now)
    facts = delivery_facts(Order.promised_delivery_by)
    groups = _sums(session, part, facts, ("in_full_on_time", "*"))
    return {key: Counted(label, (_share(good, n),), n) for key, (label, good, n) in groups.items()}


def return_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the units delivered in the period came back, whenever that was.

    Both counts are of one cohort, never this month's returns over this month's sales.
    By the day the order's last parcel arrived. n: units delivered.
    """
    facts = line_facts(Order.delivered_at)
    groups = _sums(session, part, facts, ("returned", "delivered"))
    return {key: Counted(label, (_share(back, n),), n) for key, (label, back, n) in groups.items()}


def cycle_time(session: Session, part: Slice) -> Groups:
    """Give the median and the 90th percentile of the days from order to delivery.

    Of orders delivered in the period; calendar days, with fractions; without sales over the
    counter. n: orders.
    """
    statement, facts = group_facts(delivery_facts(Order.delivered_at), part)
    spans: defaultdict[Any, list[float]] = defaultdict(list)
    labels: dict[Any, str] = {}
    for key, label, placed_at, delivered_at in session.execute(
        statement.add_columns(facts.placed_at, facts.delivered_at)
    ):
        spans[key].append((delivered_at - placed_at) / DAY)
        labels[key] = str(label)
    return {
        key: Counted(labels[key], (percentile(days, 0.5), percentile(days, 0.9)), len(days))
        for key, days in spans.items()
    }


def plain_number(value: float | None, unit: Unit, *, currency: str) -> float | int | None:
    """Return a value as it stands in a table: money in whole units, shares in percent."""
    if value is None or unit is Unit.COUNT:
        return None if value is None else round(value)
    if unit is Unit.MONEY:
        digits = get_currency_precision(currency or "EUR")
        return float(round(value / 10**digits, digits))
    return round(100 * value if unit is Unit.SHARE else value, 1)


def _sums(
    session: Session, part: Slice, facts: Any, measures: Sequence[str]
) -> dict[Any, tuple[Any, ...]]:
    """Return label and sums by group; a group without facts is left out."""
    rows = session.execute(total_by_group(facts, part, measures))
    return {key: (str(label), *sums) for key, label, *sums in rows if sums[-1]}


def _share(part: float | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole
