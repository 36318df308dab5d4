"""Write the migration from the tables of the newest migration to those of the code.

    python scripts/new_migration.py "Add gift wrapping to orders"

It compares the code with an empty SQLite database that was brought to the newest version, and
writes src/opsbot/migrations/versions/NNNN_words.py (several files when there are many tables).
Read what it wrote: a renamed column looks to it like one that went and one that came.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateTableOp, MigrateOperation, UpgradeOps

import opsbot.migrations
from opsbot.db import Database, UtcDateTime
from opsbot.migrations.schema import import_records

VERSIONS = Path(opsbot.migrations.__file__).parent / "versions"
MOST_COMMAS = 700
"""Of one file. Formatting puts an argument on a line, so they tell its length."""

HEAD = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of {down_revision} to {revision}."""
{calls}
'''


def main() -> None:
    """Write the files and say which."""
    if len(sys.argv) != 2:  # noqa: PLR2004  (the program and its one argument)
        sys.exit(__doc__)
    steps = [_step(table, text) for table, text in _changes()]
    if not steps:
        sys.exit("The code and the newest migration agree: nothing to do.")
    written = [_write(sys.argv[1].rstrip("."), part) for part in _parts(steps)]
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", *written], check=True)  # noqa: S603  (our own files)
    print("\n".join(str(path) for path in written))


def _changes() -> Iterator[tuple[str, str]]:
    """Yield the name of each table that changes, and the statements that change it."""
    metadata = import_records()
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        opsbot.migrations.upgrade(database)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            upgrade_ops = produce_migrations(context, metadata).upgrade_ops
            by_table: dict[str, list[MigrateOperation]] = {}
            for change in upgrade_ops.ops if upgrade_ops else []:
                by_table.setdefault(getattr(change, "table_name", ""), []).append(change)
            for table, changes in by_table.items():
                yield table, _render(changes, context)
        database.dispose()


def _render(changes: list[MigrateOperation], context: MigrationContext) -> str:
    new = any(isinstance(change, CreateTableOp) for change in changes)
    return render_python_code(
        UpgradeOps(ops=changes),
        render_item=_render_type,
        render_as_batch=not new,  # SQLite changes a column by building the table anew
        migration_context=context,
    )


def _render_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Name only SQLAlchemy's own types: a migration must not change when the code does."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def _step(table: str, text: str) -> tuple[str, str]:
    """Return the name of the function for one table, and its code."""
    name = f"_change_{table or 'tables'}"
    body = re.sub(r"^ *#.*\n?", "", text, flags=re.MULTILINE)
    return name, f"\n\ndef {name}() -> None:\n    {body.strip()}\n"


def _parts(steps: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Cut the steps into files of a readable length."""
    part: list[tuple[str, str]] = []
    for step in steps:
        if part and sum(code.count(",") for _, code in [*part, step]) > MOST_COMMAS:
            yield part
            part = []
        part.append(step)
    yield part


def _write(message: str, steps: list[tuple[str, str]]) -> Path:
    existing = sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    last = existing[-1].split("_")[0] if existing else None
    revision = f"{int(last or 0) + 1:04}"
    words = re.sub(r"\W+", "_", message.lower()).strip("_")[:40]
    path = VERSIONS / f"{revision}_{words}.py"
    calls = "\n".join(f"    {name}()" for name, _ in steps)
    head = HEAD.format(message=message, revision=revision, down_revision=last, calls=calls)
    path.write_text(head + "".join(code for _, code in steps), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
