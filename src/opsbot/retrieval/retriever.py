"""From a question to the passages that may answer it, best first."""

import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.encoder import Encoder, Vectors
from opsbot.retrieval.hits import Hit, Score, combine, read_hits
from opsbot.retrieval.lexical import question_terms
from opsbot.retrieval.postings import Mask, Rows, Scores, find_best
from opsbot.retrieval.rows import read_version
from opsbot.retrieval.shelf import AUDIENCES, Reader, Shelf, View
from opsbot.retrieval.shelving import follow, load_shelf
from opsbot.retrieval.vectors import VectorIndex
from opsbot.settings import RetrievalSettings

_BY_MEANING = 40
"""Nearest passages that are looked at."""
_BY_WORDS = 30
"""Best word matches that are looked at."""
_CONTEXT_WEIGHT = 0.5
"""What a word of the turns before counts, against a word of the question."""
_CONTEXT_CHARACTERS = 600
_FEW_WORDS = 2
"""Up to so many words of its own a question may stand on the turns before."""
_LEANS = re.compile(
    r"^\W*(?:and|or|also|what about|how about)\b"
    r"|\b(?:it|its|this|that|they|them|these|those|one)\b",
    re.IGNORECASE,
)
"""Words that lean on what was said before: "and how do I clean it?"."""
_NEAR_SHARE = 0.85
"""Share of the threshold from which a hit lies near: hardly a foreign question reaches it."""
_PRODUCT_BONUS = 0.1
"""What a passage gains that is about a preferred product, and loses that is about others."""


@dataclass(frozen=True)
class _Asked:
    """A question, ready to be searched for."""

    vector: Vectors
    terms: Mapping[str, float]
    alone: Vectors
    """Without the turns before."""
    own: Mapping[str, float]
    leans: bool
    """Whether it may mean something only together with the turns before."""


class Retriever:
    """Searches by meaning and by words, and adds the two.

    The fused score is `max(cosine of the text, cosine of title and headings)` plus a weight times
    `BM25 / best BM25`: better than ranks or either alone on every set it was tried on.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        vectors: VectorIndex,
        settings: RetrievalSettings,
    ) -> None:
        self._database = database
        self._encoder = encoder
        self._vectors = vectors
        self._settings = settings
        self._shelf: Shelf | None = None
        self._lock = threading.Lock()

    @property
    def threshold(self) -> float:
        """Confidence below which nothing fits: the operator's, else the one calibrated."""
        if self._settings.min_score is not None:
            return self._settings.min_score
        if self._shelf is None or self._shelf.threshold is None:
            with self._database.read() as session:
                return self._current_shelf(session).threshold or 0.0
        return self._shelf.threshold

    @property
    def near(self) -> float:
        """Confidence below which hits do not even lie near the question."""
        return self.threshold * _NEAR_SHARE

    def search(
        self,
        question: str,
        *,
        audience: Reader,
        top_k: int | None = None,
        products: Collection[str] = (),
        prefer: Collection[str] = (),
        language: str = "",
        context: str = "",
    ) -> list[Hit]:
        """Return the best passages for `question`, best first.

        Args:
            question: the words of who asks.
            audience: who asks; customers get public passages alone.
            top_k: most hits to return; unset: as the settings say.
            products: item numbers; only passages about one of them, or about none in particular.
            prefer: item numbers; passages about them come forward.
            language: the reader's, such as `de`; only passages in it, or in English if there are
                none. Empty: in any.
            context: the last answer or question before this one, for "and how do I clean it?".

        Returns:
            At most `top_k` hits; empty when the question or the index is. The hits may all be
            wrong: ask `knows`.
        """
        if not question.strip():
            return []
        asked = self._ask(question, context)
        with self._database.read() as session:
            shelf = self._current_shelf(session)
            view = shelf.view(audience)
            rows, matches = self._find(shelf, audience, asked, products, language)
            cosines = np.maximum(*view.cosines(asked.vector, rows))
            fused = self._fuse(cosines, matches)
            if prefer:
                fused += _PRODUCT_BONUS * view.about(prefer)[rows]
            best = np.argsort(-fused, kind="stable")[: top_k or self._settings.top_k]
            sure = _judge(view, asked, rows[best], cosines[best])
            scores = {
                int(id_): Score(*map(float, values))
                for id_, *values in zip(
                    view.ids[rows[best]], fused[best], cosines[best], sure, strict=True
                )
            }
            return read_hits(session, scores, AUDIENCES[audience])

    def knows(self, hits: Collection[Hit]) -> bool:
        """Tell whether any of the hits is about what was asked."""
        return any(hit.confidence >= self.threshold for hit in hits)

    def _ask(self, question: str, context: str) -> _Asked:
        alone: Vectors = self._encoder.encode([question])[0]
        own = question_terms(question)
        if not context.strip():
            return _Asked(alone, own, alone, own, leans=True)
        before = context[-_CONTEXT_CHARACTERS:]
        mixed: Vectors = alone + self._encoder.encode([f"{before}\n{question}"])[0]
        mixed /= np.linalg.norm(mixed)
        terms = dict.fromkeys(question_terms(before), _CONTEXT_WEIGHT) | own
        leans = _LEANS.search(question) is not None
        return _Asked(mixed, terms, alone, own, leans=leans)

    def _current_shelf(self, session: Session) -> Shelf:
        """Return the shelf of the version that the session sees, or of a later one."""
        version, shelf = read_version(session), self._shelf
        if shelf is not None and shelf.version >= version:
            return shelf
        # While another thread reads what changed, the shelf before will do: what is deleted is
        # left out by the rows themselves.
        if not self._lock.acquire(blocking=shelf is None):
            return shelf or load_shelf(session)
        try:
            if self._shelf is None:
                self._shelf = load_shelf(session)
            elif self._shelf.version < version:
                self._shelf = follow(session, self._shelf)
            return self._shelf
        finally:
            self._lock.release()

    def _find(
        self,
        shelf: Shelf,
        audience: Reader,
        asked: _Asked,
        products: Collection[str],
        language: str,
    ) -> tuple[Rows, Scores]:
        """Return the rows that may answer, and how well each matches by words."""
        view = shelf.view(audience)
        languages = view.languages(language) if language else ()
        chosen = view.choose(products, languages)
        matches = view.words.scores(asked.terms)
        matches *= chosen
        near: Rows | None = None
        if not products:
            near = self._vectors.search(
                shelf, audience, asked.vector, languages or view.languages(), limit=_BY_MEANING
            )
        if near is None:
            near = view.nearest(asked.vector, chosen, limit=_BY_MEANING)
        rows = np.union1d(near, find_best(matches, _BY_WORDS))
        return rows, matches[rows]

    def _fuse(self, cosines: Scores, matches: Scores) -> Scores:
        best = float(matches.max(initial=0)) or 1.0
        fused: Scores = cosines + np.float32(self._settings.lexical_weight / best) * matches
        return fused


def _judge(view: View, asked: _Asked, rows: Rows, cosines: Scores) -> Scores:
    """Return how sure it is that each passage is about the question.

    A question that stands by itself is judged by itself: the turns before must not make a passage
    about them an answer to it.
    """
    words = view.words
    sure = _combine(cosines, words.coverage(asked.terms, rows))
    if asked.leans or not asked.own:
        return sure
    nearer = np.maximum(*view.cosines(asked.alone, rows))
    alone = _combine(nearer, words.coverage(asked.own, rows))
    judged: Scores = np.where(_have_all(view, asked.own, rows), sure, alone)
    return judged


def _combine(cosines: Scores, coverage: Scores) -> Scores:
    return np.array([combine(*pair) for pair in zip(cosines, coverage, strict=True)], np.float32)


def _have_all(view: View, terms: Mapping[str, float], rows: Rows) -> Mask:
    """Tell which passages have all the words of a question, of which there are few."""
    own = [term for term, weight in terms.items() if weight == 1]
    if len(own) > _FEW_WORDS:
        return np.zeros(len(rows), np.bool_)
    found: Mask = np.all(view.words.frequencies(own, rows) > 0, axis=0)
    return found
