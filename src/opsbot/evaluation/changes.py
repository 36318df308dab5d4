"""Which records a conversation changed: two copies of a shop, compared row by row."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from opsbot.db import Database
from opsbot.evaluation.fields import show
from opsbot.evaluation.kinds import PARTS, STOCK, Kind, Name, kind_of, kinds
from opsbot.migrations.schema import import_records

_BEFORE = "earlier"
"""Name under which the copy from before the conversation is attached."""
_SELF_EVIDENT = {"version"}


@dataclass(frozen=True)
class Changed:
    """One record that is not as it was."""

    kind: Kind
    id: Any
    names: frozenset[str]
    """What it is called: its number, or its e-mail address."""
    is_new: bool
    what: tuple[str, ...]
    """What is different, in words."""

    @property
    def label(self) -> str:
        """How a person names it."""
        called = min(self.names, key=len) if self.names else str(self.id)
        return f"{'new ' if self.is_new else ''}{self.kind.name} {called}"

    def is_called(self, name: Name) -> bool:
        """Tell whether this is the record that a key under `records` names."""
        if name.kind is not self.kind:
            return False
        return self.is_new if not name.key else same_key(name.key, self.names)


def same_key(key: str, names: frozenset[str]) -> bool:
    """Tell whether a record with these names is called by `key`, with its `#` or without."""
    bare = key.casefold().removeprefix("#")
    return any(bare == name.casefold().removeprefix("#") for name in names)


class Comparison:
    """The records after a conversation, beside those before it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._metadata = import_records()
        self._before = _earlier_tables()

    def changes(self) -> list[Changed]:
        """Return the records that changed; stock only where nothing else did."""
        found: dict[tuple[str, Any], list[str]] = defaultdict(list)
        stock: dict[tuple[str, Any], list[str]] = defaultdict(list)
        for kind in kinds().values():
            into = stock if kind.table.name in STOCK else found
            for key in self._differing(kind.table):
                table, owner = self._owner(kind.table, key)
                into[table.name, owner].append(
                    self._describe(kind, key, is_part=table is not kind.table)
                )
        return [
            self._changed(self._metadata.tables[table], owner, what)
            for (table, owner), what in (found or stock).items()
        ]

    def row(self, kind: Kind, name: Name) -> sa.RowMapping | None:
        """Return the row, as it is now, that a key under `records` names."""
        bare = name.key.casefold().removeprefix("#")
        called = [sa.func.lower(column).in_((bare, f"#{bare}")) for column in kind.keys]
        query = sa.select(kind.table).where(sa.or_(sa.false(), *called))
        return self.connection.execute(query).mappings().first()

    def new_rows(self, kind: Kind) -> list[sa.RowMapping]:
        """Return the rows of a kind that were not there before."""
        key, before = _key(kind.table), _key(self._before[kind.table.name])
        query = sa.select(kind.table).where(key.not_in(sa.select(before))).order_by(key)
        return list(self.connection.execute(query).mappings())

    def _differing(self, table: sa.Table) -> list[Any]:
        whole: sa.ColumnElement[Any] = sa.literal_column("*")
        key: sa.ColumnElement[Any] = sa.literal_column(_key(table).name)
        now = sa.select(whole).select_from(table)
        before = sa.select(whole).select_from(self._before[table.name])
        changed = [sa.except_(now, before).subquery(), sa.except_(before, now).subquery()]
        keys = sa.union(*(sa.select(key).select_from(rows) for rows in changed))
        return list(self.connection.scalars(keys))

    def _owner(self, table: sa.Table, key: Any) -> tuple[sa.Table, Any]:
        """Return the table and the key of the record that a row is part of, or of itself."""
        column = PARTS.get(table.name)
        row = self._either(table, key) if column else None
        if column is None or row is None or row[column] is None:
            return table, key
        [foreign] = table.c[column].foreign_keys
        return self._owner(foreign.column.table, row[column])

    def _describe(self, kind: Kind, key: Any, *, is_part: bool) -> str:
        now, before = self._now(kind.table, key), self._earlier(kind.table, key)
        about = f"{kind.name}: " if is_part else ""
        if before is None:
            return f"{about}added"
        if now is None:
            return f"{about}removed"
        differing = [
            f"{name}: {show(before[name])} → {show(now[name])}"
            for name in now
            if now[name] != before[name] and name not in _SELF_EVIDENT
        ]
        return about + ", ".join(differing)

    def _changed(self, table: sa.Table, key: Any, what: list[str]) -> Changed:
        row, kind = self._either(table, key), kind_of(table)
        names = {str(row[one.name]) for one in kind.keys if row is not None and row[one.name]}
        is_new = self._earlier(table, key) is None
        return Changed(kind, key, frozenset(names), is_new, tuple(dict.fromkeys(what)))

    def _either(self, table: sa.Table, key: Any) -> sa.RowMapping | None:
        return self._now(table, key) or self._earlier(table, key)

    def _now(self, table: sa.Table, key: Any) -> sa.RowMapping | None:
        query = sa.select(table).where(_key(table) == key)
        return self.connection.execute(query).mappings().first()

    def _earlier(self, table: sa.Table, key: Any) -> sa.RowMapping | None:
        return self._now(self._before[table.name], key)


@lru_cache(maxsize=1)
def _earlier_tables() -> dict[str, sa.Table]:
    """Return the tables of the copy from before, by their name."""
    metadata = sa.MetaData()
    return {
        table.name: table.to_metadata(metadata, schema=_BEFORE)
        for table in import_records().sorted_tables
    }


@contextmanager
def compare(before: Path, after: Database) -> Iterator[Comparison]:
    """Open a copy of a shop beside the file it was copied from."""
    with after.engine.connect() as connection:
        # Inside a transaction SQLite attaches nothing; the driver itself begins none.
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  (the connection is open)
        driver.execute(f"ATTACH DATABASE ? AS {_BEFORE}", (str(before),))
        try:
            yield Comparison(connection)
        finally:
            connection.rollback()
            driver.execute(f"DETACH DATABASE {_BEFORE}")


def _key(table: sa.Table) -> sa.Column[Any]:
    column: sa.Column[Any] = next(iter(table.primary_key.columns))
    return column


def rows_named(comparison: Comparison, name: Name) -> Iterator[sa.RowMapping]:
    """Yield the rows that a key under `records` names: one, or all that are new of its kind."""
    if not name.key:
        yield from comparison.new_rows(name.kind)
    elif (row := comparison.row(name.kind, name)) is not None:
        yield row
