"""Run the migrations: the one module that needs Alembic, a tenth of the time to start."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from opsbot.db import Database
from opsbot.errors import ConflictError, UnavailableError
from opsbot.migrations import FOLDER

_LOCK = 730_114_205
"""Key of the advisory lock that lets one process migrate at a time on PostgreSQL."""


def run_migrations(database: Database) -> None:
    """Bring the tables to this version of opsbot; see `migrations.upgrade`."""
    try:
        with _exclusively(database) as connection:
            config = _config()
            _check_origin(connection, ScriptDirectory.from_config(config))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        message = f"The database could not be brought up to date: {error.orig}."
        raise UnavailableError(f"{message} Nothing was changed.") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _exclusively(database: Database) -> Iterator[Connection]:
    """Open the one transaction that may change the tables; commit it at the end."""
    engine = database.engine.execution_options(write=True, durable=True)
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # A table that others refer to is rebuilt by dropping it. The switch has no effect
            # inside a transaction, so it comes before.
            _switch_foreign_keys(connection, "off")
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                yield connection
                if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise ConflictError("The new version does not fit the rows; nothing changed.")
        finally:
            if sqlite:
                _switch_foreign_keys(connection, "on")


def _switch_foreign_keys(connection: Connection, to: str) -> None:
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA foreign_keys={to}")


def _check_origin(connection: Connection, scripts: ScriptDirectory) -> None:
    """Refuse a database that this version must not touch."""
    version = MigrationContext.configure(connection).get_current_revision()
    if version is None:
        if {"customers", "orders"} & set(sa.inspect(connection).get_table_names()):
            message = "The database holds tables that no migration of opsbot made."
            raise ConflictError(f"{message} Set OPSBOT_DATABASE_URL to an empty one.")
        return
    if version not in {script.revision for script in scripts.walk_revisions()}:
        message = f"The database is of a newer opsbot (its version is {version!r})."
        raise ConflictError(f"{message} Install that opsbot, or restore an older copy.")
