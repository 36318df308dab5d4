"""Keep the index as a whole: its one state row, its encoder, and what nobody needs any more."""

import uuid
from collections.abc import Callable, Sequence

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.embedding import Titled, embed
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.lexical import ANALYSIS
from opsbot.retrieval.models import ArticleRow, IndexChange, IndexState, PassageRow, VectorRow
from opsbot.retrieval.passages import Passage
from opsbot.retrieval.storing import raise_version, store_vectors
from opsbot.retrieval.structure import Span

Progress = Callable[[int, int], None]
"""Called before each group: how many passages are embedded, how many there are."""

_GROUP = 256
_CHANGES_KEPT = 20_000
"""Whoever is further behind reads all rows again, which is hardly slower then."""


def prepare_state(database: Database, encoder: Encoder) -> None:
    """Make the one row of the index's state, unless it is there."""
    with database.read() as session:
        if session.scalar(select(IndexState.id)) is not None:
            return
    try:
        with database.write() as session:
            state = IndexState(id=1, version=1, model_key=encoder.key, threshold=None)
            state.index_id, state.terms_key = uuid.uuid4().hex, ANALYSIS
            session.add(state)
    except IntegrityError:
        pass  # Another process was first, and its row will do.


def switch_model(database: Database, encoder: Encoder, progress: Progress | None = None) -> bool:
    """Make the index one of `encoder`'s vectors; return whether it was another one's.

    The vectors are made beside the old ones, which are searched until all are there. Whatever was
    made before an interruption is kept.
    """
    with database.read() as session:
        state = session.scalars(select(IndexState)).one()
        if state.model_key == encoder.key:
            return False
        total = session.scalar(select(func.count()).select_from(_missing(encoder.key).subquery()))
    done = 0
    while not _switch(database, encoder):
        with database.read() as session:
            some = _read_passages(session, encoder.key)
        if progress is not None:
            progress(done, total or 0)
        vectors = embed(database, encoder, some)
        with database.write() as session:
            store_vectors(session, encoder.key, vectors)
        done += len(some)
    return True


def tidy(database: Database) -> None:
    """Drop vectors that no passage has any more, and changes that are long past."""
    with database.write() as session:
        used = exists().where(PassageRow.content_hash == VectorRow.content_hash)
        session.execute(delete(VectorRow).where(~used))
        newest = session.scalar(select(func.max(IndexChange.id))) or 0
        old = select(func.max(IndexChange.version)).where(IndexChange.id <= newest - _CHANGES_KEPT)
        if (version := session.scalar(old)) is not None:
            session.execute(delete(IndexChange).where(IndexChange.version <= version))
            session.execute(update(IndexState).values(followed_from=version))


def _switch(database: Database, encoder: Encoder) -> bool:
    """Search the encoder's vectors from now on, if all are there."""
    with database.write() as session:
        if session.execute(_missing(encoder.key).limit(1)).first() is not None:
            return False
        raise_version(session)
        session.execute(update(IndexState).values(model_key=encoder.key))
        session.execute(delete(VectorRow).where(VectorRow.model_key != encoder.key))
    return True


def _missing(model_key: str) -> Select[str]:
    """Select the contents that have no vectors of this encoder."""
    there = exists().where(
        VectorRow.content_hash == PassageRow.content_hash, VectorRow.model_key == model_key
    )
    return select(PassageRow.content_hash).where(~there).distinct()


def _read_passages(session: Session, model_key: str) -> Sequence[Titled]:
    """Return some passages that have no vectors of this encoder."""
    query = (
        select(ArticleRow.title, PassageRow.headings, PassageRow.text, PassageRow.content_hash)
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .where(PassageRow.content_hash.in_(_missing(model_key).limit(_GROUP)))
    )
    nowhere = Span(0, 0)
    return [
        (row.title, Passage(tuple(row.headings), "", row.text, nowhere, nowhere, row.content_hash))
        for row in session.execute(query)
    ]
