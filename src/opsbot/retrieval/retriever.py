"""From a question to the passages that may answer it, best first."""

import heapq
import re
import threading
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.encoder import Encoder, Vectors
from opsbot.retrieval.hits import Hit, Score, combine, read_hits
from opsbot.retrieval.lexical import question_terms
from opsbot.retrieval.postings import LexicalIndex
from opsbot.retrieval.rows import read_vectors, read_version
from opsbot.retrieval.shelf import AUDIENCES, Reader, Shelf, load_shelf
from opsbot.retrieval.vectors import VectorIndex
from opsbot.settings import RetrievalSettings

_BY_MEANING = 40
"""Nearest vectors that are looked at, for each audience."""
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
"""What a passage gains that is about a named product, and loses that is about others alone."""


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
        products: Sequence[str] = (),
        context: str = "",
    ) -> list[Hit]:
        """Return the best passages for `question`, best first.

        Args:
            question: the words of who asks.
            audience: who asks; customers get public passages alone.
            top_k: most hits to return; unset: as the settings say.
            products: item numbers the talk is about; passages about them come forward.
            context: the last answer or question before this one, for "and how do I clean it?".

        Returns:
            At most `top_k` hits; empty when the question or the index is. The hits may all be
            wrong: ask `knows`.
        """
        if not question.strip():
            return []
        vector, terms = self._embed(question, context), _weigh_terms(question, context)
        named = frozenset(products)
        with self._database.read() as session:
            shelf = self._current_shelf(session)
            words = shelf.words[audience]
            matches = words.search(terms, limit=_BY_WORDS)
            cosines = self._find_cosines(session, shelf.version, vector, audience, matches)
            fused = self._fuse(cosines, matches, shelf.products, named)
            best = heapq.nlargest(top_k or self._settings.top_k, fused, key=fused.__getitem__)
            sure = {id_: combine(cosines[id_], words.coverage(terms, id_)) for id_ in best}
            if context.strip() and (own := question_terms(question)):
                alone = self._judge_alone(session, question, own, words, best)
                leans = _LEANS.search(question) is not None
                sure = {
                    id_: sure[id_] if leans or _has_all(words, own, id_) else alone[id_]
                    for id_ in best
                }
            scores = {id_: Score(fused[id_], cosines[id_], sure[id_]) for id_ in best}
            return read_hits(session, scores, AUDIENCES[audience])

    def knows(self, hits: Sequence[Hit]) -> bool:
        """Tell whether any of the hits is about what was asked."""
        return any(hit.confidence >= self.threshold for hit in hits)

    def _embed(self, question: str, context: str) -> Vectors:
        alone: Vectors = self._encoder.encode([question])[0]
        if not context.strip():
            return alone
        turns = f"{context[-_CONTEXT_CHARACTERS:]}\n{question}"
        mixed: Vectors = alone + self._encoder.encode([turns])[0]
        mixed /= np.linalg.norm(mixed)
        return mixed

    def _judge_alone(
        self,
        session: Session,
        question: str,
        terms: Mapping[str, float],
        words: LexicalIndex,
        ids: Sequence[int],
    ) -> dict[int, float]:
        """Return how sure it is that passages are about a question without the turns before."""
        vector: Vectors = self._encoder.encode([question])[0]
        return {
            passage.id: combine(passage.cosine(vector), words.coverage(terms, passage.id))
            for passage in read_vectors(session, ids)
        }

    def _current_shelf(self, session: Session) -> Shelf:
        """Return the shelf of the version that the session sees."""
        version = read_version(session)
        shelf = self._shelf
        if shelf is None or shelf.version != version:
            with self._lock:
                shelf = self._shelf
                if shelf is None or shelf.version != version:
                    shelf = self._shelf = load_shelf(session)
        return shelf

    def _find_cosines(
        self,
        session: Session,
        version: int,
        vector: Vectors,
        audience: Reader,
        matches: Mapping[int, float],
    ) -> dict[int, float]:
        """Return the cosines of the nearest passages, and of those that match by words."""
        cosines = self._vectors.search(
            session, vector, AUDIENCES[audience], version=version, limit=_BY_MEANING
        )
        for passage in read_vectors(session, matches.keys() - cosines.keys()):
            cosines[passage.id] = passage.cosine(vector)
        return cosines

    def _fuse(
        self,
        cosines: Mapping[int, float],
        matches: Mapping[int, float],
        products: Mapping[int, frozenset[str]],
        named: frozenset[str],
    ) -> dict[int, float]:
        weight = self._settings.lexical_weight / max(matches.values(), default=1.0)
        return {
            id_: cosine
            + weight * matches.get(id_, 0.0)
            + _product_bonus(products.get(id_, frozenset()), named)
            for id_, cosine in cosines.items()
        }


def _has_all(words: LexicalIndex, terms: Mapping[str, float], passage: int) -> bool:
    """Tell whether a passage has all the words of a question, of which there are few."""
    own = [term for term, weight in terms.items() if weight == 1]
    return len(own) <= _FEW_WORDS and all(words.coverage({t: 1.0}, passage) > 0 for t in own)


def _weigh_terms(question: str, context: str) -> Mapping[str, float]:
    before = question_terms(context[-_CONTEXT_CHARACTERS:])
    return dict.fromkeys(before, _CONTEXT_WEIGHT) | question_terms(question)


def _product_bonus(about: frozenset[str], named: frozenset[str]) -> float:
    if not about or not named:
        return 0.0
    return _PRODUCT_BONUS if about & named else -_PRODUCT_BONUS
