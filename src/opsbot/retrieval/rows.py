"""Read passages of living, readable articles. Every answer rests on these rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from opsbot.retrieval.id_lists import MOST_IDS, id_parameters, id_values, room_for
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    Audience,
    IndexChange,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.packing import Vectors, unpack_vector

T = TypeVar("T")


@dataclass(frozen=True)
class PassageKey:
    """Which passage, whose, and of what content."""

    id: int
    audience: Audience
    language: str
    content_hash: str


@dataclass(frozen=True)
class Change:
    """The last that happened to a passage."""

    passage_id: int
    content_hash: str
    added: bool


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


def read_version(connection: Connection) -> int:
    """Return the version of the index, 0 before the first ingest."""
    return connection.scalar(_version_query()) or 0


def read_keys(session: Session, ids: Sequence[int] | None = None) -> list[PassageKey]:
    """Return the keys of all passages, or of these as far as they still exist, by id."""
    query = (
        select(PassageRow.id, ArticleRow.audience, ArticleRow.language, PassageRow.content_hash)
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .where(ArticleRow.status == ArticleStatus.READABLE)
        .order_by(PassageRow.id)
    )
    if ids is None:
        return [PassageKey(*row) for row in session.execute(query)]
    return [
        PassageKey(*row)
        for some in split_batches(sorted(ids))
        for row in session.execute(query.where(PassageRow.id.in_(some)))
    ]


def read_changes(session: Session, since: int) -> dict[int, Change]:
    """Return the last change of each passage after version `since`, by its id.

    Up to the version that the session sees: a change of a later one may lack its rows.
    """
    version = read_version(session.connection())
    query = (
        select(IndexChange.passage_id, IndexChange.content_hash, IndexChange.added)
        .where(IndexChange.version > since, IndexChange.version <= version)
        .order_by(IndexChange.id)
    )
    return {row.passage_id: Change(*row) for row in session.execute(query)}


def read_vectors(session: Session, ids: Iterable[int]) -> Iterator[PassageVectors]:
    """Yield the vectors of these passages, as far as they still exist."""
    for some in split_batches(list(ids)):
        for row in session.execute(_vectors_query(), {"ids": list(some)}):
            yield PassageVectors(row.id, unpack_vector(row.text), unpack_vector(row.title))


def read_pieces(connection: Connection, model_key: str, ids: Iterable[int]) -> dict[int, bytes]:
    """Return the packed word pieces of these passages, by id, as far as there are any."""
    found = dict[int, bytes]()
    for some in split_batches(list(ids)):
        room = room_for(some)
        wanted = {**id_values(some, room), "model_key": model_key}
        for id_, pieces in connection.execute(_pieces_query(room), wanted).all():
            found[id_] = pieces
    return found


def split_batches(items: Sequence[T], size: int = MOST_IDS) -> Iterator[Sequence[T]]:
    """Yield the items in groups of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


# Queries that every search asks go past the ORM, and are made once: building them costs as much as
# running them.


@cache
def _version_query() -> Select[int]:
    return select(IndexState.__table__.c.version)


@cache
def _pieces_query(room: int) -> Select[int, bytes]:
    passages, vectors = PassageRow.__table__, VectorRow.__table__
    return (
        select(passages.c.id, vectors.c.pieces)
        .join_from(passages, vectors, vectors.c.content_hash == passages.c.content_hash)
        .where(
            passages.c.id.in_(id_parameters(room)),
            vectors.c.model_key == bindparam("model_key"),
            vectors.c.pieces.is_not(None),
        )
    )


@cache
def _vectors_query() -> Select[int, bytes, bytes]:
    return (
        select(PassageRow.id, VectorRow.text, VectorRow.title)
        .join(VectorRow, VectorRow.content_hash == PassageRow.content_hash)
        .join(IndexState, IndexState.model_key == VectorRow.model_key)
        .where(PassageRow.id.in_(bindparam("ids", expanding=True)))
    )
