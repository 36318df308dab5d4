"""Import a file, with a progress bar and a summary."""

from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from opsbot.cli.ingesting import progress_bar
from opsbot.connectors.differences import list_differences
from opsbot.connectors.files import ImportReport
from opsbot.connectors.imports import FileFormat, ImportOptions, import_file
from opsbot.connectors.inbox import failed_events, retry_failed
from opsbot.connectors.reconcile import reconcile_folder
from opsbot.connectors.writing import Deed
from opsbot.db import Database
from opsbot.jobs.kinds import import_options
from opsbot.settings import Settings
from opsbot.toolkit.audit import record_audit

MOST_REASONS = 12
MOST_NOTES = 10
_WORDS = {
    Deed.ADDED: ("added", "would be added"),
    Deed.CHANGED: ("changed", "would be changed"),
    Deed.UNCHANGED: ("unchanged", "are as they are here"),
    Deed.OLDER: ("older than what is here", "are older than what is here"),
    Deed.REFUSED: ("refused", "would be refused"),
}


def import_with_progress(
    console: Console,
    database: Database,
    path: Path,
    kind: FileFormat,
    options: ImportOptions,
    *,
    rejects: Path | None,
    dry_run: bool,
    now: datetime,
) -> ImportReport:
    """Take a file over."""
    with progress_bar(console) as progress:
        task = progress.add_task(f"Importing {path.name}", total=1.0)
        report = import_file(
            database,
            path,
            kind,
            options,
            now=now,
            rejects=rejects,
            dry_run=dry_run,
            progress=lambda done: progress.update(task, completed=done),
        )
    if not dry_run:
        counts: dict[str, Any] = {str(deed): count for deed, count in report.deeds.items()}
        with database.write(durable=True) as session:
            record_audit(
                session,
                actor="terminal",
                action="imported",
                subject=path.name,
                at=now,
                format=str(kind),
                **counts,
            )
    return report


def compare_exports(console: Console, settings: Settings, *, now: datetime) -> int:
    """Compare the shop's exports with our records; print what differs, and return how much."""
    database = Database(settings.resolved_database_url)
    folder = settings.resolved_exports_dir
    compared = reconcile_folder(database, folder, import_options(settings), now=now)
    for path, report in compared:
        same, different = report.deeds[Deed.UNCHANGED], report.deeds[Deed.CHANGED]
        counts = f"{same:,} {report.what}s agree, {different:,} differ"
        console.print(f"{path.name}: {counts}.", highlight=False)
    if not compared:
        console.print(f"There are no exports in {folder}.", highlight=False)
    with database.read() as session:
        found = list_differences(session)
    table = Table("from", "what", "which", "field", "here", "there", "since", box=None)
    for one in found:
        since = f"{one.found_at:%Y-%m-%d}"
        table.add_row(one.source, one.kind, one.key, one.field, one.ours, one.theirs, since)
    if found:
        console.print(table)
    return len(found)


def list_webhooks(console: Console, settings: Settings, *, retry: bool, now: datetime) -> int:
    """Print the webhooks that could not be handled, with their reasons; return how many."""
    database = Database(settings.resolved_database_url)
    with database.write() as session:
        found = failed_events(session)
        again = retry_failed(session, now=now) if retry else 0
    table = Table("from", "topic", "came", "state", "tries", "reason", box=None)
    for one in found:
        came = f"{one.received_at:%Y-%m-%d %H:%M}"
        reason = one.reason or ""
        table.add_row(one.source, one.topic, came, one.state, str(one.attempts), reason)
    if found:
        console.print(table)
    else:
        console.print("No webhook has failed.")
    if retry:
        console.print(f"{again:,} are tried again.", highlight=False)
    return 0 if retry else len(found)


def print_import(
    console: Console, report: ImportReport, *, rejects: Path | None, dry_run: bool
) -> None:
    """Say what became of the lines, and why some were refused."""
    counts = ", ".join(
        f"{count:,} {_WORDS[deed][dry_run]}" for deed in Deed if (count := report.deeds[deed])
    )
    console.print(f"{report.lines:,} lines, {report.what}s: {counts or 'none'}.", highlight=False)
    if dry_run:
        console.print("This was a dry run: nothing was written.")
    for note in report.notes[:MOST_NOTES]:
        console.print(f"[yellow]Look at this:[/] {note}", highlight=False)
    if not report.refused_lines:
        return
    where = f"; each with its reason in {rejects}" if rejects else "; --rejects FILE.csv lists them"
    console.print(f"{report.refused_lines:,} lines were not taken over{where}:", highlight=False)
    for reason, count in report.reasons.most_common(MOST_REASONS):
        console.print(f"  {count:>7,}  {reason}", highlight=False, markup=False)
