"""Import a file, with a progress bar and a summary."""

from datetime import datetime
from pathlib import Path

from rich.console import Console

from opsbot.cli.ingesting import progress_bar
from opsbot.connectors.files import ImportReport
from opsbot.connectors.imports import FileFormat, ImportOptions, import_file
from opsbot.connectors.writing import Deed
from opsbot.db import Database

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
        return import_file(
            database,
            path,
            kind,
            options,
            now=now,
            rejects=rejects,
            dry_run=dry_run,
            progress=lambda done: progress.update(task, completed=done),
        )


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
