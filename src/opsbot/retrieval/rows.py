"""Read passages of living, readable articles. Every answer rests on these rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    Audience,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.packing import Vectors, unpack_vector

T = TypeVar("T")

_BATCH = 500


@dataclass(frozen=True)
class PassageKey:
    """Which passage, whose, and of what content."""

    id: int
    audience: Audience
    content_hash: str


@dataclass(frozen=True)
class SearchedText:
    """What the word index knows of a passage."""

    id: int
    audience: Audience
    products: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class PassageVectors:
    """The two vectors of a passage: of its text, and of title and headings."""

    id: int
    text: Vectors
    title: Vectors

    def cosine(self, vector: Vectors) -> float:
        """Return the cosine similarity of the nearer one of the two."""
        return float(max(self.text @ vector, self.title @ vector))


def read_state(session: Session) -> IndexState | None:
    """Return version, model and threshold of the index; None before the first ingest."""
    return session.scalar(select(IndexState))


def read_version(session: Session) -> int:
    """Return the version of the index, 0 before the first ingest."""
    return session.scalar(_version_query()) or 0


def read_keys(session: Session) -> list[PassageKey]:
    """Return the keys of all passages."""
    query = (
        select(PassageRow.id, ArticleRow.audience, PassageRow.content_hash)
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .where(ArticleRow.status == ArticleStatus.READABLE)
        .order_by(PassageRow.id)
    )
    return [PassageKey(*row) for row in session.execute(query)]


def read_texts(session: Session) -> Iterator[SearchedText]:
    """Yield title, headings and text of all passages, as one text each."""
    query = (
        select(
            PassageRow.id,
            PassageRow.headings,
            PassageRow.text,
            ArticleRow.audience,
            ArticleRow.products,
            ArticleRow.title,
        )
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .where(ArticleRow.status == ArticleStatus.READABLE)
        .order_by(PassageRow.id)
    )
    for row in session.execute(query):
        text = "\n".join([row.title, *row.headings, row.text])
        yield SearchedText(row.id, row.audience, tuple(row.products), text)


def read_vectors(session: Session, ids: Iterable[int]) -> Iterator[PassageVectors]:
    """Yield the vectors of these passages, as far as they still exist."""
    for some in split_batches(list(ids)):
        for row in session.execute(_vectors_query(), {"ids": list(some)}):
            yield PassageVectors(row.id, unpack_vector(row.text), unpack_vector(row.title))


def split_batches(items: Sequence[T], size: int = _BATCH) -> Iterator[Sequence[T]]:
    """Yield the items in groups of at most `size`: databases limit what one query may name."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@cache
def _version_query() -> Select[int]:
    return select(IndexState.version)


@cache
def _vectors_query() -> Select[int, bytes, bytes]:
    # Made once: building it costs as much as running it.
    return (
        select(PassageRow.id, VectorRow.text, VectorRow.title)
        .join(VectorRow, VectorRow.content_hash == PassageRow.content_hash)
        .join(IndexState, IndexState.model_key == VectorRow.model_key)
        .where(PassageRow.id.in_(bindparam("ids", expanding=True)))
    )
