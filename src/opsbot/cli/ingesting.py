"""Bring the index up to date, with a progress bar."""

from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from opsbot.db import Database
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.encoders import open_encoder
from opsbot.retrieval.ingest import IngestReport, ingest
from opsbot.retrieval.verify import Verification, verify
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
    console: Console,
    settings: Settings,
    database: Database,
    *,
    now: datetime,
    encoder: Encoder | None = None,
) -> IngestReport:
    """Read what changed in knowledge/, with the encoder of the settings unless one is open."""
    encoder = encoder or open_encoder(settings.embedding_model, settings.data_dir)
    with progress_bar(console) as bar:
        return ingest(
            database,
            settings.knowledge_dir,
            encoder,
            uploads=settings.resolved_uploads_dir,
            now=now,
            progress=_show_in(bar),
        )


def verify_with_progress(
    console: Console, settings: Settings, database: Database, *, now: datetime
) -> Verification:
    """Compare files, rows, vectors, words and Chroma; repair what differs."""
    with progress_bar(console) as bar:
        return verify(
            database,
            open_encoder(settings.embedding_model, settings.data_dir),
            settings.knowledge_dir,
            uploads=settings.resolved_uploads_dir,
            data_dir=settings.data_dir,
            chroma_url=settings.chroma_url,
            now=now,
            progress=_show_in(bar),
        )


def print_verification(console: Console, found: Verification) -> None:
    """Say what differed, and that it does no longer."""
    print_report(console, found.report)
    for sentence in found.findings:
        console.print(f"[yellow]Differed:[/] {sentence}", highlight=False)
    for sentence in found.notes:
        console.print(f"[dim]Not compared:[/] {sentence}", highlight=False)
    if found.findings:
        console.print("All of it is repaired: files, rows, vectors and words agree.")
    else:
        console.print("Files, rows, vectors and words agree.")


def _show_in(bar: Progress) -> Callable[[int, int, str], None]:
    reading = bar.add_task("Reading the articles", total=None)
    embedding = bar.add_task("Embedding with another model", total=None, visible=False)

    def show(number: int, total: int, path: str) -> None:
        # Without a path it is about the passages that another model has to embed first.
        task = reading if path else embedding
        bar.update(task, completed=number, total=total, visible=True)

    return show


def print_report(console: Console, report: IngestReport) -> None:
    """Say what was done, and name the files that could not be read."""
    console.print(
        f"Articles: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {len(report.unchanged)} unchanged."
    )
    for path, reason in report.unreadable:
        console.print(f"[yellow]Not read:[/] {path}: {reason}", highlight=False)
    for path, notes in report.partly:
        console.print(f"[yellow]Not all read:[/] {path}: {notes}", highlight=False)
