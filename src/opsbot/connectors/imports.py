"""Importing files of every format that opsbot reads; a dry run writes nothing."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from opsbot.connectors.files import Begin, FileImport, Format, ImportReport, Progress, Rejects
from opsbot.connectors.online_retail import OnlineRetail
from opsbot.connectors.plain_orders import PlainOrders
from opsbot.connectors.plain_tables import CustomersFile, ProductsFile, StockFile
from opsbot.connectors.shopify_file import ShopifyOrders
from opsbot.connectors.tables import Table
from opsbot.db import Database
from opsbot.errors import InvalidInputError


class FileFormat(StrEnum):
    """Kinds of files that can be imported."""

    SHOPIFY_ORDERS = "shopify-orders"
    ORDERS = "orders"
    PRODUCTS = "products"
    CUSTOMERS = "customers"
    STOCK = "stock"
    ONLINE_RETAIL = "online-retail"


@dataclass(frozen=True)
class ImportOptions:
    """What a file does not say by itself."""

    currency: str
    zone: str
    """IANA name of the zone of times without an offset."""
    source: str = "file"
    """What to call the system that the file is from."""
    decimal: str | None = None
    """The decimal sign of amounts, `.` or `,`; None: as each amount shows."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", self.source):
            message = f"The source {self.source[:40]!r} is not a name; write one like old-shop."
            raise InvalidInputError(message)
        if self.decimal not in {None, ".", ","}:
            raise InvalidInputError(f"The decimal sign {self.decimal!r} is neither . nor a comma.")


def import_file(
    database: Database,
    path: Path,
    kind: FileFormat,
    options: ImportOptions,
    *,
    now: datetime,
    rejects: Path | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take a file over. The same file again changes nothing.

    Args:
        database: where to.
        path: a CSV file.
        kind: what is in it.
        options: what it does not say by itself.
        now: the time.
        rejects: where to write the lines that were not taken over, with their reasons.
        dry_run: do it all, and leave nothing of it behind.
        progress: told how much of the file is done, from 0 to 1.

    Raises:
        InvalidInputError: the file is not of this kind; the text says what is missing.
        UnavailableError: the file or the database cannot be read.
    """
    notes: list[str] = []
    form = open_format(kind, options, notes, now=now)
    with Table(path) as table, _target(database, dry_run=dry_run) as begin:
        run = FileImport(table, form, begin, Rejects(rejects, list(table.columns)))
        report = run.run(progress or _tell_nobody)
    if not dry_run:
        database.count_anew()
    report.notes.extend(notes)
    return report


def open_format(
    kind: FileFormat, options: ImportOptions, notes: list[str], *, now: datetime
) -> Format:
    """Return what reads files of a kind; it puts what a person should know into `notes`."""
    makers: Mapping[FileFormat, Callable[[], Format]] = {
        FileFormat.SHOPIFY_ORDERS: lambda: ShopifyOrders(options.zone, now),
        FileFormat.ORDERS: lambda: PlainOrders(
            options.source, options.currency, options.zone, options.decimal, now
        ),
        FileFormat.PRODUCTS: lambda: ProductsFile(
            options.source, options.currency, options.decimal, now
        ),
        FileFormat.CUSTOMERS: lambda: CustomersFile(options.source, now),
        FileFormat.STOCK: lambda: StockFile(options.source, now),
        FileFormat.ONLINE_RETAIL: lambda: OnlineRetail(options.currency, options.zone, now, notes),
    }
    return makers[kind]()


def _tell_nobody(_done: float) -> None:
    """Be told about progress and keep quiet."""


@contextmanager
def _target(database: Database, *, dry_run: bool) -> Iterator[Begin]:
    """Give what opens transactions: real ones, or those of a rehearsal."""
    if not dry_run:
        yield database.write
    elif database.engine.dialect.name == "sqlite":
        with _copy_of(database) as copy:
            yield copy.write
    else:
        with _rolled_back(database) as begin:
            yield begin


@contextmanager
def _copy_of(database: Database) -> Iterator[Database]:
    """Rehearse in a copy: SQLite's one writer must not wait for a rehearsal."""
    with TemporaryDirectory(prefix="opsbot-") as folder:
        path = Path(folder) / "copy.db"
        with database.engine.connect() as connection, sqlite3.connect(path) as target:
            source = connection.connection.driver_connection
            if source is not None:
                source.backup(target)
        target.close()
        copy = Database(f"sqlite:///{path}")
        try:
            yield copy
        finally:
            copy.dispose()


@contextmanager
def _rolled_back(database: Database) -> Iterator[Begin]:
    """Rehearse in one transaction that never ends well."""
    with database.engine.connect() as connection:
        transaction = connection.begin()

        @contextmanager
        def begin() -> Iterator[Session]:
            session = Session(
                connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
            )
            with session, session.begin():
                yield session

        opened: Callable[[], AbstractContextManager[Session]] = begin
        try:
            yield opened
        finally:
            transaction.rollback()
