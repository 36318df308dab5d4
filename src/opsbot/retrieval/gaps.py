"""Gaps: questions that no article answers, grouped by meaning, for those who write articles.

A gap opens when the assistant has said that the articles do not answer, and closes by itself when
a later ingest makes them. Personal data is taken out before anything is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.encoder import Vectors
from opsbot.retrieval.gap_rows import GapRow, GapState
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.languages import detect
from opsbot.retrieval.models import Audience
from opsbot.retrieval.shelf import Reader
from opsbot.texts import mask_personal

SAME_MEANING = 0.72
"""Cosine from which two questions ask the same; see the test that measures it."""
ARTICLES = "articles"
"""Who closed a gap that a later ingest answered."""
_MOST_COMPARED = 5_000
"""Latest gaps that a question is compared with."""
_LONGEST = 300
_MOST_EXAMPLES = 5
_MOST_CLOSEST = 3
_READERS: dict[Audience, Reader] = {Audience.PUBLIC: "customer", Audience.STAFF: "staff"}


@dataclass(frozen=True)
class Gap:
    """Questions of one meaning that the articles did not answer."""

    id: int
    question: str
    examples: tuple[str, ...]
    """Other ways it was put, without the first."""
    audience: Audience
    language: str
    count: int
    first_seen: datetime
    last_seen: datetime
    state: GapState
    decided_by: str


class Gaps:
    """Keeps what was asked in vain. Safe in several threads."""

    def __init__(self, database: Database, knowledge: Knowledge) -> None:
        self._database = database
        self._knowledge = knowledge

    def note(self, question: str, *, audience: Audience, now: datetime) -> None:
        """Count a question that the articles did not answer, in the gap of its meaning.

        A gap that was answered opens again: the answer does not cover this way of asking. One
        that was dismissed stays so, and counts on.
        """
        question = mask_personal(" ".join(question.split()))[:_LONGEST]
        if not question:
            return
        encoder, version = self._knowledge.encoder, self._knowledge.version()
        vector: Vectors = encoder.encode([question])[0]
        with self._database.write() as session:
            row = _find_same(session, vector, encoder.key, audience)
            if row is None:
                row = GapRow(
                    question=question,
                    vector=vector.astype("<f4").tobytes(),
                    model_key=encoder.key,
                    language=detect(question),
                    audience=audience,
                    count=0,
                    first_seen=now,
                    state=GapState.OPEN,
                    examples=[],
                )
                session.add(row)
            row.count += 1
            row.last_seen, row.index_version = now, version
            row.examples = _with_example(row, question)
            if row.state is GapState.ANSWERED:
                row.state, row.decided_by, row.decided_at = GapState.OPEN, "", None

    def close_answered(self, *, now: datetime, limit: int = 200) -> int:
        """Ask open gaps again that were last asked of an older index; return how many it answers.

        Args:
            now: the time.
            limit: most gaps to ask, those seen last first; a question takes some milliseconds.
        """
        version = self._knowledge.version()
        query = (
            select(GapRow)
            .where(GapRow.state == GapState.OPEN, GapRow.index_version < version)
            .order_by(GapRow.last_seen.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            asked = [(row.id, row.question, row.audience) for row in session.scalars(query)]
        known = {id_ for id_, text, audience in asked if self._is_known(text, audience)}
        if not asked:
            return 0
        with self._database.write() as session:
            for id_, _, _ in asked:
                row = session.get(GapRow, id_)
                # Somebody may have decided meanwhile.
                if row is None or row.state is not GapState.OPEN:
                    continue
                row.index_version = version
                if id_ in known:
                    row.state, row.decided_by, row.decided_at = GapState.ANSWERED, ARTICLES, now
        return len(known)

    def closest(self, gap: Gap) -> list[Hit]:
        """Return the passages that come nearest to a gap, one for each heading, best first."""
        hits = self._knowledge.search(gap.question, audience=_READERS[gap.audience])
        return list({hit.url: hit for hit in hits}.values())[:_MOST_CLOSEST]

    def _is_known(self, question: str, audience: Audience) -> bool:
        return self._knowledge.answer(question, audience=_READERS[audience]).known


def list_gaps(
    session: Session, *, state: GapState, limit: int, after: int | None = None
) -> list[Gap]:
    """Return gaps in one state, those asked most often first.

    Args:
        session: an open session.
        state: which ones.
        limit: most gaps to return.
        after: id of the last gap of the page before.
    """
    query = select(GapRow).where(GapRow.state == state)
    if after is not None:
        last = _find(session, after)
        query = query.where(
            (GapRow.count < last.count) | ((GapRow.count == last.count) & (GapRow.id > last.id))
        )
    query = query.order_by(GapRow.count.desc(), GapRow.id).limit(limit)
    return [_show(row) for row in session.scalars(query)]


def count_open_gaps(session: Session) -> int:
    """Return how many gaps wait for somebody."""
    query = select(func.count()).select_from(GapRow).where(GapRow.state == GapState.OPEN)
    return session.scalar(query) or 0


def decide_gap(session: Session, gap_id: int, state: GapState, *, actor: str, now: datetime) -> Gap:
    """Set the state of a gap, as a person decided.

    Raises:
        NotFoundError: there is no such gap.
    """
    row = _find(session, gap_id)
    row.state = state
    decided = state is not GapState.OPEN
    row.decided_by, row.decided_at = (actor, now) if decided else ("", None)
    return _show(row)


def _find(session: Session, gap_id: int) -> GapRow:
    row = session.get(GapRow, gap_id)
    if row is None:
        raise NotFoundError("gap", str(gap_id))
    return row


def _find_same(
    session: Session, vector: Vectors, model_key: str, audience: Audience
) -> GapRow | None:
    """Return the gap whose question is nearest in meaning, if it is near enough."""
    query = (
        select(GapRow.id, GapRow.vector)
        .where(GapRow.model_key == model_key, GapRow.audience == audience)
        .order_by(GapRow.last_seen.desc())
        .limit(_MOST_COMPARED)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    vectors = np.frombuffer(b"".join(row.vector for row in rows), "<f4").reshape(len(rows), -1)
    cosines = vectors @ vector
    best = int(np.argmax(cosines))
    return session.get(GapRow, rows[best].id) if cosines[best] >= SAME_MEANING else None


def _with_example(row: GapRow, question: str) -> list[str]:
    """Return the last few ways it was put, this one at the end, each once."""
    told = [text for text in row.examples if text.lower() != question.lower()]
    return [*told, question][-_MOST_EXAMPLES:]


def _show(row: GapRow) -> Gap:
    others: Sequence[str] = [e for e in row.examples if e.lower() != row.question.lower()]
    return Gap(
        row.id,
        row.question,
        tuple(others),
        row.audience,
        row.language,
        row.count,
        row.first_seen,
        row.last_seen,
        row.state,
        row.decided_by,
    )
