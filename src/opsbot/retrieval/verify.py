"""Compare the files, the rows and Chroma with each other, say what differs, and repair it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.chroma import ChromaStore, FolderLock
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.ingest import IngestReport, Progress, ingest
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    ArticleVersionRow,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.packing import unpack_vector
from opsbot.retrieval.rows import read_state, split_batches
from opsbot.retrieval.storing import raise_version, terms_of
from opsbot.retrieval.upkeep import (
    embed_missing,
    prepare_state,
    read_titled,
    refresh_terms,
    switch_model,
    tidy,
)

_SAMPLE = 40
"""Passages that are embedded again, to compare."""
_SAME = 0.97
"""Cosine from which two vectors are of the same text: rounding alone costs less."""
_NAMED = 5
"""Paths that a sentence names at most."""


@dataclass(frozen=True)
class Verification:
    """What a comparison found; all of it is repaired."""

    report: IngestReport
    """What became of the files."""
    findings: tuple[str, ...]
    """What differed, in sentences; empty when all agree."""
    notes: tuple[str, ...]
    """What could not be compared, and why."""


def verify(
    database: Database,
    encoder: Encoder,
    folder: Path,
    *,
    uploads: Path | None,
    data_dir: Path,
    chroma_url: str,
    now: datetime,
    progress: Progress | None = None,
) -> Verification:
    """Compare files, rows, vectors, terms and Chroma; repair what differs.

    Every file is read and hashed, whatever its time of change says.

    Raises:
        InvalidInputError: the folder does not exist.
        UnavailableError: the database does not answer.
    """
    prepare_state(database, encoder)
    findings = list[str]()
    if refresh_terms(database):
        findings.append("The words were those of another version's analysis.")
    if switch_model(database, encoder):
        findings.append("The vectors were those of another embedding model.")
    findings += _repair_rows(database)
    report = ingest(
        database,
        folder,
        encoder,
        now=now,
        uploads=uploads,
        progress=progress,
        trust_times=False,
    )
    findings += _tell_files(report)
    findings += _repair_vectors(database, encoder)
    found, notes = _compare_chroma(database, data_dir, chroma_url)
    return Verification(report, (*findings, *found), tuple(notes))


def _repair_rows(database: Database) -> Iterator[str]:
    """Have articles read again whose rows do not fit together."""
    with database.read() as session:
        ids = session.scalars(select(ArticleRow.id).order_by(ArticleRow.id)).all()
        broken = [
            article for some in split_batches(ids, 50) for article in _find_broken(session, some)
        ]
    if not broken:
        return
    with database.write() as session:
        _have_all_read_again(session)
        for article in broken:
            session.execute(
                update(ArticleRow)
                .where(ArticleRow.id == article.id)
                .values(content_hash="", stamp="")
            )
            if article.status is not ArticleStatus.READABLE:
                session.execute(delete(PassageRow).where(PassageRow.article_id == article.id))
    yield _count("article", [a.path for a in broken], "whose rows did not fit its text")


def _find_broken(session: Session, ids: Sequence[int]) -> Iterator[ArticleRow]:
    rows = session.scalars(select(ArticleRow).where(ArticleRow.id.in_(ids))).all()
    passages = dict[int, list[PassageRow]]()
    query = select(PassageRow).where(PassageRow.article_id.in_(ids)).order_by(PassageRow.ordinal)
    for passage in session.scalars(query):
        passages.setdefault(passage.article_id, []).append(passage)
    for article in rows:
        own = passages.get(article.id, [])
        if article.status is not ArticleStatus.READABLE:
            if own:
                yield article
            continue
        version = session.get(ArticleVersionRow, (article.id, article.version))
        whole = version is not None and version.text == article.text
        if not whole or not _fit(article, own):
            yield article
    session.expunge_all()


def _fit(article: ArticleRow, passages: Sequence[PassageRow]) -> bool:
    """Tell whether the passages are pieces of the article, each once and in order."""
    if [passage.ordinal for passage in passages] != list(range(len(passages))):
        return False
    for row in passages:
        covered = article.text[row.start : row.end]
        if not covered or not row.text.endswith(covered):
            return False
        title, passage = read_titled(article.title, row)
        if row.terms != terms_of(title, passage, article.language):
            return False
    return True


def _tell_files(report: IngestReport) -> Iterator[str]:
    for paths, what in (
        (report.added, "that was not in the index"),
        (report.changed, "that had changed, or whose rows had"),
        (report.removed, "in the index that was gone"),
    ):
        if paths:
            yield _count("file", paths, what)


def _repair_vectors(database: Database, encoder: Encoder) -> Iterator[str]:
    """Make vectors that are missing, damaged or of something else again."""
    if damaged := _find_damaged(database, encoder):
        yield f"{len(damaged)} contents had damaged vectors."
    elif not _are_own(database, encoder):
        yield "The vectors were not those of the embedding model; all were made again."
        with database.read() as session:
            own = VectorRow.model_key == encoder.key
            damaged = list(session.scalars(select(VectorRow.content_hash).where(own)))
    with database.write() as session:
        for some in split_batches(damaged):
            session.execute(
                delete(VectorRow).where(
                    VectorRow.content_hash.in_(some), VectorRow.model_key == encoder.key
                )
            )
    made = embed_missing(database, encoder)
    if made > len(damaged):
        yield f"{made - len(damaged)} contents had no vectors."
    if made:
        with database.write() as session:
            _have_all_read_again(session)
    with database.read() as session:
        used = exists().where(PassageRow.content_hash == VectorRow.content_hash)
        unused = session.scalar(select(func.count()).select_from(VectorRow).where(~used))
    if unused:
        tidy(database)
        yield f"{unused} vectors belonged to nothing."


def _have_all_read_again(session: Session) -> None:
    """Have whoever holds the index in memory read it anew: damage left no trace to follow."""
    version = raise_version(session)
    session.execute(update(IndexState).values(followed_from=version))


def _find_damaged(database: Database, encoder: Encoder) -> list[str]:
    """Return the contents whose vectors have another length than they must."""
    wanted = encoder.dimensions + 4
    with database.read() as session:
        query = select(VectorRow.content_hash).where(
            VectorRow.model_key == encoder.key,
            (func.length(VectorRow.text) != wanted) | (func.length(VectorRow.title) != wanted),
        )
        return list(session.scalars(query))


def _are_own(database: Database, encoder: Encoder) -> bool:
    """Tell whether a sample of vectors is what the encoder makes of their texts."""
    with database.read() as session:
        ids = session.scalars(select(PassageRow.id).order_by(PassageRow.id)).all()
        query = (
            select(PassageRow, ArticleRow.title, VectorRow.text)
            .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
            .join(VectorRow, VectorRow.content_hash == PassageRow.content_hash)
            .where(
                VectorRow.model_key == encoder.key,
                PassageRow.id.in_(ids[:: max(1, len(ids) // _SAMPLE)]),
            )
        )
        rows = session.execute(query).all()
    titled = [read_titled(title, row) for row, title, _ in rows]
    made = encoder.encode([passage.searched_text(title) for title, passage in titled])
    stored = [unpack_vector(vector) for *_, vector in rows]
    return all(np.dot(*pair) >= _SAME for pair in zip(made, stored, strict=True))


def _compare_chroma(database: Database, data_dir: Path, url: str) -> tuple[list[str], list[str]]:
    """Return what differed in Chroma, and why it could not be compared."""
    if not url and not (data_dir / "chroma").exists():
        return [], ["Chroma has no folder yet; the first search makes it."]
    owner = None if url else FolderLock(data_dir / "chroma.lock")
    if owner is not None and not owner.acquire():
        return [], ["Chroma's folder belongs to a running process, which follows the rows itself."]
    store = ChromaStore(data_dir / "chroma", url=url)
    try:
        return _repair_chroma(database, store), []
    finally:
        store.close()
        if owner is not None:
            owner.release()


def _repair_chroma(database: Database, store: ChromaStore) -> list[str]:
    with database.read() as session:
        state = read_state(session)
        if state is None:
            return []
        try:
            store.open(state.index_id, state.model_key)
            added, removed = store.compare(session)
        except Exception as error:  # noqa: BLE001  (Chroma's errors have no common parent)
            store.rebuild(session, state.index_id, state.model_key)
            return [f"Chroma was broken ({error}) and was built again."]
    found = []
    if added:
        found.append(f"{added} passages were missing from Chroma.")
    if removed:
        found.append(f"{removed} passages in Chroma were gone, or others, in the rows.")
    return found


def _count(noun: str, paths: Sequence[str], what: str) -> str:
    named = ", ".join(paths[:_NAMED]) + (", …" if len(paths) > _NAMED else "")
    if len(paths) == 1:
        return f"There was 1 {noun} {what}: {named}."
    plural = what.replace("that was", "that were").replace("its text", "their text")
    return f"There were {len(paths)} {noun}s {plural}: {named}."
