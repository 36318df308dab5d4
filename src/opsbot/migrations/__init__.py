"""The database's schema and how it changes from version to version. It only goes forward."""

from pathlib import Path

import sqlalchemy as sa

from opsbot.db import Database

FOLDER = Path(__file__).parent
_STAMP = sa.table("alembic_version", sa.column("version_num", sa.String))
"""Where Alembic notes the version of the tables."""


def upgrade(database: Database) -> None:
    """Bring the tables to this version of opsbot, all or nothing. Does nothing when they are.

    When two processes call it at once, one does the work and the other one waits for it.

    Raises:
        ConflictError: the database is of a newer opsbot, or its tables are not opsbot's.
        UnavailableError: the database does not answer, or cannot be changed; it is as before.
    """
    if pending(database):
        # Nearly every start finds nothing to do, and then does without the time Alembic takes.
        from opsbot.migrations.alembic_run import run_migrations  # noqa: PLC0415

        run_migrations(database)


def current(database: Database) -> str | None:
    """Return the version of the database's tables; None when it has none."""
    with database.connect() as connection:
        if not sa.inspect(connection).has_table(_STAMP.name):
            return None
        return connection.scalar(sa.select(_STAMP.c.version_num))


def newest() -> str:
    """Return the version that this opsbot needs: the number its newest migration is named by."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def pending(database: Database) -> bool:
    """Tell whether `upgrade` has something to do."""
    return current(database) != newest()
