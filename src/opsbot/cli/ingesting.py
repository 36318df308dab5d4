"""Bring the index up to date, with a progress bar."""

from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from opsbot.db import Database
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import IngestReport, ingest
from opsbot.settings import Settings


def progress_bar(console: Console) -> Progress:
    """Return a progress bar that is silent when nobody is looking."""
    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def ingest_with_progress(
    console: Console, settings: Settings, database: Database, *, now: datetime
) -> IngestReport:
    """Read what changed in knowledge/."""
    with progress_bar(console) as progress:
        task = progress.add_task("Reading the articles", total=1.0)
        return ingest(
            database,
            settings.knowledge_dir,
            MiniLmEncoder.open(settings.data_dir),
            uploads=settings.resolved_uploads_dir,
            now=now,
            progress=lambda number, total, _path: progress.update(
                task, completed=number, total=total
            ),
        )


def print_report(console: Console, report: IngestReport) -> None:
    """Say what was done, and name the files that could not be read."""
    console.print(
        f"Articles: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {len(report.unchanged)} unchanged."
    )
    for path, reason in report.unreadable:
        console.print(f"[yellow]Not read:[/] {path}: {reason}", highlight=False)
