"""`opsbot privacy`: hand a customer's data out, or take the person out of it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from opsbot.cli.common import DemoData, now, settings_for
from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.migrations import upgrade
from opsbot.migrations.schema import import_records
from opsbot.settings import Settings
from opsbot.toolkit.privacy import anonymise_customer, export_customer

ACTOR = "terminal"

app = typer.Typer(no_args_is_help=True, help="A customer's own data: a copy, its deletion.")
console = Console()


@app.command("export")
def export(
    email: str,
    out: Annotated[Path | None, typer.Option(help="Write to this file, not to the screen.")] = None,
    *,
    demo: DemoData = False,
) -> None:
    """Write everything that is kept about a customer, as JSON. It is audited."""
    database = _open(settings_for(demo=demo))
    with database.write(durable=True) as session:
        told = export_customer(session, email, actor=ACTOR, now=now())
    database.dispose()
    text = json.dumps(told, ensure_ascii=False, indent=2)
    if out is None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"{out} cannot be written: {error.strerror}.") from error
    rows = sum(len(found) for found in told.values())
    console.print(f"{rows} rows of {len(told)} tables are in {out}.", highlight=False)


@app.command("delete")
def delete(
    email: str,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    demo: DemoData = False,
) -> None:
    """Take a customer out of all records. Amounts and quantities stay; it cannot be undone."""
    if not yes:
        typer.confirm(f"Take {email} out of all records for good?", abort=True)
    settings = settings_for(demo=demo)
    database = _open(settings)
    with database.write(durable=True) as session:
        done = anonymise_customer(session, email, actor=ACTOR, now=now())
    database.dispose()
    mail = settings.data_dir / "mail"
    files = [mail / "out" / f"{key}.eml" for key in done.mails]
    files += [mail / "drafts" / f"{key}.eml" for key in done.drafts]
    for path in files:
        path.unlink(missing_ok=True)
    console.print(
        f"{done.number} is anonymous now: {done.rows} rows were changed. Back-ups and the files "
        "of imported orders still hold what they held.",
        highlight=False,
    )


def _open(settings: Settings) -> Database:
    import_records()
    database = Database(settings.resolved_database_url)
    upgrade(database)
    return database
