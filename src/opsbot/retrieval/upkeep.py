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
from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    IndexChange,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.passages import Passage
from opsbot.retrieval.rows import split_batches
from opsbot.retrieval.storing import raise_version, store_vectors, terms_of
from opsbot.retrieval.structure import Span

Progress = Callable[[int, int], None]
"""Called before each group: how many passages are embedded, how many there are."""

_GROUP = 256
_DRIFT = 0.05
"""Share of the articles that may change before the threshold is measured anew."""
_SINCE = "changed_since"
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
        if session.scalars(select(IndexState.model_key)).one() == encoder.key:
            return False
    embed_missing(database, encoder, progress)
    while not _switch(database, encoder):
        embed_missing(database, encoder)
    return True


def embed_missing(database: Database, encoder: Encoder, progress: Progress | None = None) -> int:
    """Make the vectors that passages lack; return of how many contents."""
    with database.read() as session:
        total = session.scalar(select(func.count()).select_from(_missing(encoder.key).subquery()))
    done = 0
    while True:
        with database.read() as session:
            some = _read_passages(session, encoder.key)
        if not some:
            return done
        if progress is not None:
            progress(done, total or 0)
        vectors = embed(database, encoder, some)
        with database.write() as session:
            store_vectors(session, encoder.key, vectors)
        done += len(vectors)


def refresh_terms(database: Database) -> bool:
    """Analyse all passages again if the analysis is another one; return whether it was."""
    with database.read() as session:
        if session.scalars(select(IndexState.terms_key)).one() == ANALYSIS:
            return False
        ids = session.scalars(select(PassageRow.id).order_by(PassageRow.id)).all()
    for some in split_batches(ids):
        with database.write() as session:
            query = _titled_query().add_columns(ArticleRow.language)
            for title, row, language in session.execute(query.where(PassageRow.id.in_(some))):
                row.terms = terms_of(*read_titled(title, row), language)
    with database.write() as session:
        # Whoever holds the old terms reads all rows again.
        version = raise_version(session)
        session.execute(update(IndexState).values(terms_key=ANALYSIS, followed_from=version))
    return True


def read_titled(title: str, row: PassageRow) -> Titled:
    """Return a passage as it was when its vectors and terms were made."""
    span, section = Span(row.start, row.end), Span(row.section_start, row.section_end)
    headings = tuple(row.headings)
    return title, Passage(headings, row.anchor, row.text, span, section, row.content_hash)


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


def has_drifted(database: Database, changed: int) -> bool:
    """Tell whether so many articles have changed since the last calibration that it is due again.

    It takes seconds; one article among many hardly moves what is measured.

    Args:
        database: holds the index.
        changed: articles that have changed now.
    """
    with database.write() as session:
        state = session.scalars(select(IndexState)).one()
        total = session.scalar(
            select(func.count())
            .select_from(ArticleRow)
            .where(ArticleRow.status == ArticleStatus.READABLE)
        )
        before = int(state.calibration.get(_SINCE, 0))
        state.calibration = {**state.calibration, _SINCE: before + changed}
        return state.threshold is None or before + changed > _DRIFT * (total or 0)


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
    query = _titled_query().where(PassageRow.content_hash.in_(_missing(model_key).limit(_GROUP)))
    return [read_titled(*row) for row in session.execute(query)]


def _titled_query() -> Select[str, PassageRow]:
    return select(ArticleRow.title, PassageRow).join(
        ArticleRow, ArticleRow.id == PassageRow.article_id
    )
