"""Write the rows of articles: their versions, their passages, and what changed.

Every transaction first raises the version of the index. That also makes writers on PostgreSQL wait
for each other, so that the rows of one file are never those of two.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from opsbot.retrieval.articles import Article
from opsbot.retrieval.lexical import to_stems
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    ArticleVersionRow,
    Audience,
    IndexChange,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.normalise import has_warning
from opsbot.retrieval.packing import count_terms
from opsbot.retrieval.passages import Passage
from opsbot.retrieval.paths import to_slug
from opsbot.retrieval.rows import split_batches
from opsbot.retrieval.structure import to_plain

_LONGEST_REASON = 2_000


@dataclass(frozen=True)
class FileMark:
    """How a file is known again."""

    path: str
    content_hash: str
    stamp: str


@dataclass(frozen=True)
class ReadFile:
    """A file that was read and cut, ready to be stored."""

    mark: FileMark
    article: Article
    passages: Sequence[Passage]
    terms: Sequence[bytes]
    """Of each passage."""


@dataclass(frozen=True)
class PackedVectors:
    """The vectors of a passage as the database keeps them."""

    text: bytes
    title: bytes
    pieces: bytes | None
    """Of the text's word pieces."""


def raise_version(session: Session) -> int:
    """Raise the version of the index, which comes first in every transaction; return the new."""
    session.execute(update(IndexState).values(version=IndexState.version + 1))
    return session.scalars(select(IndexState.version)).one()


def terms_of(title: str, passage: Passage, language: str) -> bytes:
    """Return the packed stems of a passage of an article in this language."""
    head = to_stems("\n".join([title, *passage.headings]), language)
    return count_terms(to_stems(to_plain(passage.text), language), head)


def store_article(session: Session, read: ReadFile, version: int, *, now: datetime) -> None:
    """Make the rows of a file those of what was read from it; its vectors are stored before."""
    article = read.article
    row = _clear(session, read.mark, ArticleStatus.READABLE, version, now)
    row.language, row.products = article.about.language, article.about.scope
    row.safety, row.updated_on = article.about.safety, article.about.updated
    row.reason = " ".join(article.notes)[:_LONGEST_REASON]
    row.format, row.headings = article.format, [vars(heading) for heading in article.headings]
    row.title, row.audience, row.text = article.about.title, article.about.audience, article.text
    session.flush()
    _keep_version(session, row, now)
    rows = [
        _passage_row(row.id, ordinal, article, passage, terms)
        for ordinal, (passage, terms) in enumerate(zip(read.passages, read.terms, strict=True))
    ]
    if rows:
        query = insert(PassageRow).returning(PassageRow.id, PassageRow.content_hash)
        added = session.execute(query, rows).all()
        _note_changes(session, version, added, added=True)


def store_unreadable(
    session: Session, mark: FileMark, reason: str, version: int, *, now: datetime
) -> None:
    """Keep why a file cannot be read; what it said before is no longer searched."""
    row = _clear(session, mark, ArticleStatus.UNREADABLE, version, now)
    row.reason, row.text, row.headings = reason, "", []
    row.audience = Audience.STAFF


def store_kept(session: Session, mark: FileMark, reason: str) -> None:
    """Keep why a file cannot be read, while its last good version goes on being searched."""
    row = session.scalars(select(ArticleRow).where(ArticleRow.path == mark.path)).one()
    row.content_hash, row.stamp, row.reason = mark.content_hash, mark.stamp, reason


def store_removed(session: Session, paths: Iterable[str], version: int, *, now: datetime) -> None:
    """Hide the articles whose files are gone; the versions of their text stay."""
    for path in paths:
        row = _clear(session, FileMark(path, "", ""), ArticleStatus.DELETED, version, now)
        row.text, row.headings = "", []


def store_vectors(session: Session, model_key: str, vectors: Mapping[str, PackedVectors]) -> None:
    """Keep the vectors of these contents, by their hash, unless they are there already."""
    missing = dict(vectors)
    for some in split_batches(list(vectors)):
        found = select(VectorRow.content_hash).where(
            VectorRow.content_hash.in_(some), VectorRow.model_key == model_key
        )
        for content_hash in session.scalars(found):
            del missing[content_hash]
    if missing:
        rows = [
            {
                "content_hash": key,
                "model_key": model_key,
                "text": v.text,
                "title": v.title,
                "pieces": v.pieces,
            }
            for key, v in missing.items()
        ]
        session.execute(insert(VectorRow), rows)


def _clear(
    session: Session, mark: FileMark, status: ArticleStatus, version: int, now: datetime
) -> ArticleRow:
    """Return the row of a file, without its old passages."""
    row = session.scalar(select(ArticleRow).where(ArticleRow.path == mark.path))
    if row is None:
        row = ArticleRow(path=mark.path, slug=to_slug(mark.path))
        session.add(row)
    else:
        mine = PassageRow.article_id == row.id
        old = session.execute(select(PassageRow.id, PassageRow.content_hash).where(mine)).all()
        session.execute(delete(PassageRow).where(mine))
        _note_changes(session, version, old, added=False)
    row.content_hash, row.stamp, row.status = mark.content_hash, mark.stamp, status
    row.reason, row.ingested_at = "", now
    return row


def _note_changes(
    session: Session, version: int, passages: Iterable[tuple[int, str]], *, added: bool
) -> None:
    rows = [
        {"version": version, "passage_id": id_, "content_hash": content_hash, "added": added}
        for id_, content_hash in passages
    ]
    if rows:
        session.execute(insert(IndexChange), rows)


def _keep_version(session: Session, row: ArticleRow, now: datetime) -> None:
    """Give the article a new version if it says something else, or to others, than before."""
    kept = session.get(ArticleVersionRow, (row.id, row.version)) if row.version else None
    said = (row.title, row.audience, row.text)
    if kept is not None and said == (kept.title, kept.audience, kept.text):
        return
    # Over all articles that ever had this address, so that (slug, version) names one text.
    newest = (
        select(func.max(ArticleVersionRow.version))
        .join(ArticleRow, ArticleRow.id == ArticleVersionRow.article_id)
        .where(ArticleRow.slug == row.slug)
    )
    row.version = (session.scalar(newest) or 0) + 1
    session.add(
        ArticleVersionRow(
            article_id=row.id,
            version=row.version,
            title=row.title,
            audience=row.audience,
            text=row.text,
            content_hash=hashlib.sha256(row.text.encode()).hexdigest(),
            made_at=now,
        )
    )


def _passage_row(
    article_id: int, ordinal: int, article: Article, passage: Passage, terms: bytes
) -> dict[str, Any]:
    return {
        "article_id": article_id,
        "ordinal": ordinal,
        "headings": list(passage.headings),
        "anchor": passage.anchor,
        "text": passage.text,
        "start": passage.span.start,
        "end": passage.span.end,
        "section_start": passage.section.start,
        "section_end": passage.section.end,
        "page": article.page_at(passage.span.start),
        "safety": article.about.safety or has_warning(passage.text),
        "terms": terms,
        "content_hash": passage.content_hash,
    }
