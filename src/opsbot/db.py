"""The database: engine, transactions, and how times and states are stored.

SQLite (WAL, foreign keys, a busy timeout, IMMEDIATE writers) by default; PostgreSQL by URL.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, ClassVar

import orjson
import sqlalchemy as sa
from sqlalchemy import JSON, DateTime, MetaData, TypeDecorator, event
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.orm import DeclarativeBase, Session

from opsbot.errors import InvalidInputError, UnavailableError

BUSY_MS = 10_000
"""How long a writer waits for another one on SQLite."""
_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_SYNCHRONOUS = "synchronous"
"""Key under which an SQLite connection keeps how it waits for the disk."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored as UTC and read back aware of it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read SQLite's naive times back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table inherits: names for constraints, times in UTC, states as words."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        StrEnum: sa.Enum(
            Enum, native_enum=False, length=40, values_callable=lambda e: [m.value for m in e]
        ),
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Database:
    """One engine, with short transactions for reading and for writing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _open_engine(url)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session to read in. It sees one state of the database and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session, _in_words():
            yield session

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection to read in, as `read` does, without a session around it.

        For the statements of every question: a session costs as much as one of them.
        """
        with _in_words(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """Open a session to write in; commit at the end, or roll back on an error.

        Args:
            durable: wait until SQLite has the commit on disk. For what is acknowledged to a
                person: money, proposals, answers. PostgreSQL always does.
        """
        engine = self.engine.execution_options(write=True, durable=durable)
        with _in_words(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def count_anew(self) -> None:
        """Tell the server's planner how much there is, after much was loaded at once.

        PostgreSQL finds out by itself, some minutes later; until then it plans for the few rows it
        knows of. SQLite plans by the indices alone.
        """
        if self.engine.dialect.name == "postgresql":
            names = ", ".join(table.name for table in Base.metadata.sorted_tables)
            with self.engine.begin() as connection:
                connection.exec_driver_sql(f"ANALYZE {names}")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in a sentence that the database cannot be reached, is full, or is read-only."""
    try:
        yield
    except OperationalError as error:
        raise UnavailableError(
            f"The database did not answer: {error.orig}. If it is a file, see that its disk is not "
            "full and its folder can be written; `opsbot check` names what is wrong."
        ) from error
    except (DataError, UnicodeEncodeError) as error:
        # NUL, a lone surrogate, a number of twenty digits: nothing that is stored is like it.
        raise InvalidInputError("That holds something that is no text or no number.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise UnavailableError("The connection to the database was lost.") from error
        raise


def _open_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInputError(f"OPSBOT_DATABASE_URL is not a database URL: {url!r}.") from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"json_serializer": _write_json}
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            _make_folder(Path(parsed.database).parent)
        options |= {"connect_args": {"check_same_thread": False}}
    else:
        options |= {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
    try:
        engine = sa.create_engine(parsed, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        message = f"OPSBOT_DATABASE_URL names a database whose driver is not installed ({error})."
        raise InvalidInputError(message) from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _write_json(value: object) -> str:
    """Return a value as JSON: a turn stores a dozen of them."""
    try:
        return orjson.dumps(value, option=_JSON).decode()
    except TypeError:
        # A lone surrogate, a number past 64 bits: rare, and the standard library writes them.
        return json.dumps(value)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"The data folder {folder} cannot be written: {error}.") from error


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions are deferred and lose concurrent updates; we begin them.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=wal", "foreign_keys=on"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("write"):
        # On the driver itself: it takes no lock, so it cannot fail as the statements below do.
        connection.connection.cursor().execute("BEGIN")
        return
    wanted = "full" if options["durable"] else "normal"
    if connection.info.get(_SYNCHRONOUS) != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info[_SYNCHRONOUS] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE")
