"""Read passages of living, readable articles. Every answer rests on these rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from opsbot.retrieval.encoder import DIMENSIONS, Vectors
from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, IndexState, PassageRow

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


def to_bytes(vector: Vectors) -> bytes:
    """Return a vector as the database keeps it."""
    return vector.astype("<f4").tobytes()


def from_bytes(content: bytes) -> Vectors:
    """Return a vector of shape (384,) from its stored form."""
    vector: Vectors = np.frombuffer(content, "<f4", DIMENSIONS).astype(np.float32, copy=False)
    return vector


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
            yield PassageVectors(row.id, from_bytes(row.vector), from_bytes(row.title_vector))


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
    return select(PassageRow.id, PassageRow.vector, PassageRow.title_vector).where(
        PassageRow.id.in_(bindparam("ids", expanding=True))
    )
