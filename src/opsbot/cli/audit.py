"""`opsbot audit`: whether the record of who did what is whole, and a copy of it."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import select

from opsbot.cli.common import DemoData, now, settings_for
from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from opsbot.toolkit.audit import AuditEvent, record_audit, verify

app = typer.Typer(no_args_is_help=True, help="Check the audit, or write a part of it out.")
console = Console()

_AT_ONCE = 1000


@app.command("verify")
def verify_audit(*, demo: DemoData = False) -> None:
    """Check that no row was changed, deleted, added or moved. Ends with 1 when one was."""
    database = _open(settings_for(demo=demo))
    with database.read() as session:
        found = verify(session)
    database.dispose()
    if found.problem:
        console.print(found.problem, style="red", highlight=False)
        raise typer.Exit(1)
    console.print(f"All {found.count} rows of the audit hold.", highlight=False)


@app.command("export")
def export_audit(
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-11-01 (UTC).")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, included.")] = "",
    *,
    demo: DemoData = False,
) -> None:
    """Write rows to standard output, one JSON object a line. The export is audited, too."""
    database = _open(settings_for(demo=demo))
    begin, end = _day(first, date.min), _day(last, date.max - timedelta(days=1))
    with database.write(durable=True) as session:
        detail: dict[str, Any] = {"from": first, "to": last}
        record_audit(
            session, actor="terminal", action="export", subject="audit", at=now(), **detail
        )
    since = datetime.combine(begin, time.min, UTC)
    until = datetime.combine(end + timedelta(days=1), time.min, UTC)
    number = 0
    with database.read() as session:
        while rows := session.scalars(
            select(AuditEvent)
            .where(AuditEvent.number > number, AuditEvent.at >= since, AuditEvent.at < until)
            .order_by(AuditEvent.number)
            .limit(_AT_ONCE)
        ).all():
            for row in rows:
                typer.echo(json.dumps(_plain(row), ensure_ascii=False))
                number = row.number
                session.expunge(row)  # a long audit must not fill the memory
    database.dispose()


def _open(settings: Settings) -> Database:
    database = Database(settings.resolved_database_url)
    upgrade(database)
    return database


def _plain(row: AuditEvent) -> dict[str, object]:
    return {
        "number": row.number,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
        "personal": row.personal,
        "previous": row.previous,
        "hash": row.hash,
    }


def _day(text: str, default: date) -> date:
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{text} is not a day. Write it like 2026-11-30.") from error
