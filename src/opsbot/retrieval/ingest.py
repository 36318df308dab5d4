"""Bring the articles of a folder into the database: only what changed is read and embedded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.retrieval.articles import Article, hash_file, list_files, read_article
from opsbot.retrieval.calibration import calibrate
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, IndexState, PassageRow
from opsbot.retrieval.normalise import to_slug
from opsbot.retrieval.passages import Passage, cut_article, title_text
from opsbot.retrieval.rows import split_batches, to_bytes

Progress = Callable[[int, int, str], None]
"""Called before each file: how many are done, how many there are, its path."""


@dataclass
class IngestReport:
    """What one ingest did, by the paths of the files."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """Each with the reason, as one sentence."""


@dataclass(frozen=True)
class _Known:
    """What the database has of a file."""

    content_hash: str
    status: ArticleStatus
    reason: str


@dataclass(frozen=True)
class _Vectors:
    """The stored vectors of a passage: text, title."""

    text: bytes
    title: bytes


def ingest(
    database: Database,
    folder: Path,
    encoder: Encoder,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> IngestReport:
    """Make the database hold the articles of `folder`, no more and no fewer.

    A file whose bytes did not change is not read; a passage whose words did not change keeps its
    vectors. Each file is one transaction, and so is the removal of those that are gone. A file
    that cannot be read loses its old passages: nobody knows whether they still hold, or for whom.

    Raises:
        InvalidInputError: the folder does not exist.
    """
    paths, report = list_files(folder), IngestReport()
    known = _prepare(database, encoder)
    _remove(database, sorted(known.keys() - set(paths)), report)
    slugs = dict[str, str]()
    for number, path in enumerate(paths):
        if progress is not None:
            progress(number, len(paths), path)
        _ingest_file(_Task(database, folder, encoder, now), path, known.get(path), slugs, report)
    if report.added or report.changed or report.removed or report.unreadable:
        calibrate(database, encoder)
    return report


@dataclass(frozen=True)
class _Task:
    """What every file needs."""

    database: Database
    folder: Path
    encoder: Encoder
    now: datetime


def _prepare(database: Database, encoder: Encoder) -> dict[str, _Known]:
    """Return what is known of each file; with another encoder, that is nothing."""
    try:
        with database.write() as session:
            if session.scalar(select(IndexState)) is None:
                session.add(IndexState(id=1, version=1, model_key=encoder.key, threshold=None))
    except IntegrityError:
        pass  # Another process was first, and its row will do.
    with database.write() as session:
        state = session.scalars(select(IndexState)).one()
        if state.model_key != encoder.key:
            state.model_key, state.threshold = encoder.key, None
            state.version += 1
            session.execute(delete(PassageRow))
            session.execute(update(ArticleRow).values(content_hash=""))
        rows = session.scalars(select(ArticleRow))
        return {row.path: _Known(row.content_hash, row.status, row.reason) for row in rows}


def _remove(database: Database, paths: Sequence[str], report: IngestReport) -> None:
    if not paths:
        return
    with database.write() as session:
        _raise_version(session)
        for some in split_batches(paths):
            ids = select(ArticleRow.id).where(ArticleRow.path.in_(some))
            session.execute(delete(PassageRow).where(PassageRow.article_id.in_(ids)))
            session.execute(delete(ArticleRow).where(ArticleRow.path.in_(some)))
    report.removed.extend(paths)


def _ingest_file(
    task: _Task, path: str, known: _Known | None, slugs: dict[str, str], report: IngestReport
) -> None:
    content_hash = ""
    try:
        _claim_slug(path, slugs)
        content_hash = hash_file(task.folder, path)
        if known is not None and known.content_hash == content_hash:
            _report_unchanged(path, known, report)
            return
        article = read_article(task.folder, path)
        _store(task, article, content_hash)
    except InvalidInputError as error:
        _store_unreadable(task, path, content_hash, str(error))
        report.unreadable.append((path, str(error)))
        return
    (report.added if known is None else report.changed).append(path)


def _report_unchanged(path: str, known: _Known, report: IngestReport) -> None:
    if known.status is ArticleStatus.UNREADABLE:
        report.unreadable.append((path, known.reason))
    else:
        report.unchanged.append(path)


def _claim_slug(path: str, slugs: dict[str, str]) -> None:
    """Refuse a file whose page would have the address of another one."""
    other = slugs.setdefault(to_slug(path), path)
    if other != path:
        raise InvalidInputError(
            f"{path} would have the same address as {other} (/help/{to_slug(path)}); rename it."
        )


def _store(task: _Task, article: Article, content_hash: str) -> None:
    passages = cut_article(article)
    vectors = _find_vectors(task.database, passages)
    # The encoder works between transactions: none is open while it does.
    vectors |= _embed(task.encoder, article, [p for p in passages if p.content_hash not in vectors])
    with task.database.write() as session:
        row = _replace(session, article.path, content_hash, ArticleStatus.READABLE, task.now)
        row.title, row.audience = article.about.title, article.about.audience
        row.language, row.products = article.about.language, list(article.about.product)
        row.safety, row.updated_on = article.about.safety, article.about.updated
        row.format, row.text, row.slug = article.format, article.text, article.slug
        row.headings = [vars(heading) for heading in article.headings]
        session.flush()
        session.add_all(
            _make_row(row.id, ordinal, passage, vectors[passage.content_hash])
            for ordinal, passage in enumerate(passages)
        )


def _store_unreadable(task: _Task, path: str, content_hash: str, reason: str) -> None:
    with task.database.write() as session:
        row = _replace(session, path, content_hash, ArticleStatus.UNREADABLE, task.now)
        row.reason, row.text, row.headings = reason, "", []
        row.audience = Audience.STAFF


def _replace(
    session: Session, path: str, content_hash: str, status: ArticleStatus, now: datetime
) -> ArticleRow:
    """Return the row of a file, without its old passages."""
    _raise_version(session)
    row = session.scalar(select(ArticleRow).where(ArticleRow.path == path))
    if row is None:
        row = ArticleRow(path=path, slug=to_slug(path))
        session.add(row)
    else:
        session.execute(delete(PassageRow).where(PassageRow.article_id == row.id))
    row.content_hash, row.status, row.reason, row.ingested_at = content_hash, status, "", now
    return row


def _raise_version(session: Session) -> None:
    # First in every transaction: it also makes writers on PostgreSQL wait for each other.
    session.execute(update(IndexState).values(version=IndexState.version + 1))


def _find_vectors(database: Database, passages: Iterable[Passage]) -> dict[str, _Vectors]:
    """Return the vectors that passages with the same words have already."""
    hashes = [passage.content_hash for passage in passages]
    found = dict[str, _Vectors]()
    with database.read() as session:
        for some in split_batches(hashes):
            query = select(
                PassageRow.content_hash, PassageRow.vector, PassageRow.title_vector
            ).where(PassageRow.content_hash.in_(some))
            for row in session.execute(query):
                found[row.content_hash] = _Vectors(row.vector, row.title_vector)
    return found


def _embed(encoder: Encoder, article: Article, passages: Sequence[Passage]) -> dict[str, _Vectors]:
    if not passages:
        return {}
    texts = [passage.searched_text() for passage in passages]
    titles = [title_text(article.about.title, passage.headings) for passage in passages]
    vectors = encoder.encode([*texts, *titles])
    return {
        passage.content_hash: _Vectors(to_bytes(text), to_bytes(title))
        for passage, text, title in zip(
            passages, vectors[: len(passages)], vectors[len(passages) :], strict=True
        )
    }


def _make_row(article_id: int, ordinal: int, passage: Passage, vectors: _Vectors) -> PassageRow:
    return PassageRow(
        article_id=article_id,
        ordinal=ordinal,
        headings=list(passage.headings),
        anchor=passage.anchor,
        text=passage.text,
        start=passage.span.start,
        end=passage.span.end,
        section_start=passage.section.start,
        section_end=passage.section.end,
        content_hash=passage.content_hash,
        vector=vectors.text,
        title_vector=vectors.title,
    )
