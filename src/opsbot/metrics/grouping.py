"""Cutting facts by time, place and product, the same on SQLite and PostgreSQL.

Databases disagree about time zones in SQL, so the edges of days, weeks and months are computed
here and joined as a list of moments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from babel import Locale
from babel.dates import format_date
from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    column,
    func,
    literal,
    or_,
    select,
    values,
)

from opsbot.db import UtcDateTime
from opsbot.errors import InvalidInputError
from opsbot.planning.office_hours import OfficeHours
from opsbot.planning.periods import Period, Unit, split_period

MAX_GROUPS = 200
"""A table for a person holds no more rows."""


class Dimension(StrEnum):
    """What a measure may be grouped or filtered by."""

    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    CHANNEL = "channel"
    COUNTRY = "country"
    PRODUCT = "product"
    """Variants count as their product."""
    ITEM = "item"
    """Each variant by itself."""
    CATEGORY = "category"
    CARRIER = "carrier"
    SERVICE = "service"
    STAGE = "stage"
    REASON = "reason"
    SUPPLIER = "supplier"
    LOCATION = "location"
    KIND = "kind"
    CENTER = "center"

    @property
    def is_time(self) -> bool:
        """Whether its groups follow each other in time."""
        return self in TIME


TIME = (Dimension.QUARTER, Dimension.MONTH, Dimension.WEEK, Dimension.DAY)
PLACE = (Dimension.CHANNEL, Dimension.COUNTRY)
GOODS = (Dimension.PRODUCT, Dimension.ITEM, Dimension.CATEGORY)
DISTINCT = {"orders": "order_id", "items": "item"}
"""What is counted once each, and the column it is known by."""
WORDS = (Dimension.CATEGORY, Dimension.REASON, Dimension.STAGE, Dimension.KIND)
"""Dimensions whose codes are words with underscores."""


@dataclass(frozen=True)
class Terms:
    """What a shop has settled that figures depend on, beside its records."""

    hours: OfficeHours = field(default_factory=OfficeHours)
    """When people work."""
    point_minor: int = 0
    """What a loyalty point is worth, in minor units."""


@dataclass(frozen=True)
class Slice:
    """Which facts count, and how they are grouped."""

    period: Period
    now: datetime
    by: Dimension | None = None
    filters: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    """Any of these values will do: codes or names, case ignored."""
    currency: str = ""
    """Only facts in this currency; empty: all."""
    until: datetime | None = None
    """Facts from this moment on do not count, though the period goes on."""
    terms: Terms = field(default_factory=Terms)

    @property
    def names_goods(self) -> bool:
        """Whether it is cut by what was sold."""
        return self.by in GOODS or any(dimension in GOODS for dimension in self.filters)

    @property
    def up_to_now(self) -> "Slice":
        """The same slice without what is still to come."""
        return replace(self, until=self.now) if self.period.end > self.now else self

    def holds(self, values: Mapping[Dimension, Sequence[str]]) -> bool:
        """Tell whether a thing with these codes and names passes the filters."""
        return all(
            {value.strip().lower() for value in wanted}
            & {name.lower() for name in values.get(dimension, ())}
            for dimension, wanted in self.filters.items()
        )

    @property
    def pieces(self) -> list[Period]:
        """The days, weeks or months of the period, in order; empty when not grouped by time.

        Raises:
            InvalidInputError: there are too many for one table.
        """
        if self.by is None or not self.by.is_time:
            return []
        pieces = split_period(self.period, Unit(self.by.value))
        if len(pieces) > MAX_GROUPS:
            wider = "month" if self.by is Dimension.WEEK else "week or month"
            raise InvalidInputError(
                f"{self.period.words()} has {len(pieces)} {self.by}s. Group it by {wider}."
            )
        return pieces


def group_facts(facts: Select[Any], part: Slice) -> tuple[Select[Any], Any]:
    """Return a statement over the facts of a slice, and the facts' columns.

    The statement has two columns, the group's `key` and `label`; add the measures to it. It is
    grouped by nothing yet: `total_by_group` groups it. Without a dimension both are empty. Facts
    without a moment `at` are of now and belong to every period.
    """
    rows = facts.subquery("facts")
    key, label, pieces = _group_columns(rows, part)
    statement = select(key.label("key"), label.label("label")).select_from(rows)
    if pieces is not None:
        inside = (rows.c.at >= pieces.c.starts) & (rows.c.at < pieces.c.ends)
        statement = statement.join(pieces, inside)
    elif part.by is not None:
        statement = statement.where(key.is_not(None))  # a survey may be about no product
    if "at" in rows.c:
        statement = statement.where(
            rows.c.at >= part.period.start, rows.c.at < (part.until or part.period.end)
        )
    if part.currency and "currency" in rows.c:
        statement = statement.where(rows.c.currency == part.currency)
    for dimension, wanted in part.filters.items():
        statement = statement.where(_is_one_of(rows, dimension, wanted))
    return statement, rows.c


def total_by_group(facts: Select[Any], part: Slice, measures: Sequence[str]) -> Select[Any]:
    """Return a statement that sums measures of a slice by group.

    Args:
        facts: see `opsbot.metrics.facts`.
        part: which facts.
        measures: names of fact columns to sum; `*` counts rows, `orders` counts orders and `items`
            items, each once.
    """
    statement, columns = group_facts(facts, part)
    for measure in measures:
        if measure == "*":
            total: ColumnElement[Any] = func.count()
        elif measure in DISTINCT:
            total = func.count(columns[DISTINCT[measure]].distinct())
        else:
            total = func.sum(columns[measure])
        statement = statement.add_columns(total)
    return statement.group_by("key", "label") if part.by else statement


def name_group(by: Dimension | None, key: str, label: str, *, locale: str) -> str:
    """Return what a person calls a group."""
    if by is Dimension.COUNTRY:
        return str(Locale.parse(locale).territories.get(key, key))
    if by in WORDS:
        return key.replace("_", " ").capitalize()
    return label or key


def name_piece(piece: Period, dimension: Dimension, *, locale: str) -> str:
    """Return what a person calls a day, week or month of an axis."""
    if dimension is Dimension.QUARTER:
        return f"Q{(piece.first.month + 2) // 3} {piece.first.year}"
    if dimension is Dimension.MONTH:
        return str(format_date(piece.first, "MMM y", locale=locale))
    return str(format_date(piece.first, "d MMM y", locale=locale))


def _group_columns(
    rows: Subquery, part: Slice
) -> tuple[ColumnElement[Any], ColumnElement[Any], CTE | None]:
    if part.by is None:
        return literal(""), literal(""), None
    if part.by.is_time:
        pieces = _piece_table(part.pieces)
        return pieces.c.number, pieces.c.number, pieces
    label = rows.c.get(f"{part.by}_label", rows.c[part.by.value])
    return rows.c[part.by.value], label, None


def days_of(period: Period) -> CTE:
    """Return the days of a period as a table: `number`, `starts` and `ends`.

    What must happen by the end of a day is held against it, for a day's end is another moment in
    every zone.
    """
    return _piece_table(split_period(period, Unit.DAY), "days")


def _piece_table(pieces: Sequence[Period], name: str = "pieces") -> CTE:
    moment = UtcDateTime()
    table = values(
        column("number", Integer), column("starts", moment), column("ends", moment), name=name
    )
    rows = [(number, piece.start, piece.end) for number, piece in enumerate(pieces)]
    return table.data(rows).cte(name)


def _is_one_of(rows: Subquery, dimension: Dimension, values: Sequence[str]) -> ColumnElement[bool]:
    names = [dimension.value, f"{dimension}_label"]
    if dimension is Dimension.PRODUCT:
        names += ["item", "item_label"]
    columns = [rows.c[name] for name in names if name in rows.c]
    wanted = [value.strip().lower() for value in values]
    return or_(*(func.lower(found).in_(wanted) for found in columns))
