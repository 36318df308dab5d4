"""From a question to the passages that may answer it, best first."""

import math
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.confidence import confidences, weigh_telling
from opsbot.retrieval.encoder import Encoded, Encoder, Vectors
from opsbot.retrieval.encoders import Encoders, Reopen
from opsbot.retrieval.hits import Hit, Score, read_hits
from opsbot.retrieval.late import late_scores
from opsbot.retrieval.lexical import question_terms, to_stems
from opsbot.retrieval.postings import Mask, Rows, Scores, find_best
from opsbot.retrieval.ranking import Candidates, fuse, word_shares
from opsbot.retrieval.rows import read_pieces, read_version
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
_STRAYS = 0.2
"""How far below the best one a passage may lie from a question that stands alone: what is only like
the turns before is no answer to another subject."""
_NEAR_SHARE = 0.85
"""Share of the threshold from which a hit lies near: hardly a foreign question reaches it."""
_PRODUCT_BONUS = 0.1
"""What a passage gains that is about a preferred product, and loses that is about others."""


@dataclass(frozen=True)
class _Asked:
    """A question, ready to be searched for."""

    vector: Vectors
    terms: Mapping[str, float]
    whole: Encoded
    """Its word pieces, with those of the turns before."""
    alone: Encoded
    """Without the turns before."""
    own: Mapping[str, float]
    leans: bool
    """Whether it may mean something only together with the turns before."""


class Retriever:
    """Searches by meaning and by words, and adds the two.

    Passages that lie near in meaning or share words with the question are looked at closely, and
    put in order by `ranking`.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        vectors: VectorIndex | None,
        settings: RetrievalSettings,
        *,
        reopen: Reopen | None = None,
    ) -> None:
        """Search the index of `database`.

        Args:
            database: has the articles.
            encoder: the chosen one, used as soon as the index is of its vectors.
            vectors: Chroma; unset: every search scans the shelf.
            settings: how passages are found.
            reopen: opens the encoder of the index while it is another one.
        """
        self._database = database
        self._encoders = Encoders(encoder, reopen)
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
        named: Collection[str] = (),
        without: Collection[str] = (),
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
            named: item numbers that the question is about.
            without: item numbers; passages about one of them stay away, unless they are also
                about one of `named`.
            language: the reader's, such as `de`; only passages in it, or in English if there are
                none. Empty: in any.
            context: the last answer or question before this one, for "and how do I clean it?".

        Returns:
            At most `top_k` hits; empty when the question or the index is. The hits may all be
            wrong: ask `knows`.
        """
        if not question.strip():
            return []
        encoder = self._encoders.of(self._shelf.model_key if self._shelf else "")
        asked = _ask(encoder, question, context)
        with self._database.read() as session:
            shelf = self._current_shelf(session)
            if (fitting := self._encoders.of(shelf.model_key)) is not encoder:
                asked = _ask(fitting, question, context)
            view = shelf.view(audience)
            languages = view.languages(language) if language else ()
            chosen = view.choose(products, languages, without=without, but=named)
            narrow = bool(products or without)
            rows, matches = self._find(shelf, audience, asked, chosen, languages, narrow=narrow)
            if not len(rows):
                return []
            scores = self._score(session, view, asked, rows, matches, prefer, limit=top_k)
            return read_hits(session, scores, AUDIENCES[audience])

    def load(self) -> None:
        """Read the index into memory, so that no question waits for it."""
        with self._database.read() as session:
            self._current_shelf(session)

    def has_word(self, word: str, audience: Reader) -> bool:
        """Tell whether the articles that this reader may see have a word, in any form of it."""
        with self._database.read() as session:
            words = self._current_shelf(session).view(audience).words
        return all(words.has(stem) for stem in to_stems(word))

    def knows(self, hits: Collection[Hit]) -> bool:
        """Tell whether any of the hits is about what was asked."""
        return any(hit.confidence >= self.threshold for hit in hits)

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
        chosen: Mask,
        languages: Collection[str],
        *,
        narrow: bool,
    ) -> tuple[Rows, Scores]:
        """Return the rows that may answer, and how well each matches by words.

        Chroma knows nothing of products: a `narrow` choice is looked through here.
        """
        view = shelf.view(audience)
        matches = view.words.scores(asked.terms)
        matches *= chosen
        near: Rows | None = None
        if not narrow and self._vectors is not None:
            near = self._vectors.search(
                shelf, audience, asked.vector, languages or view.languages(), limit=_BY_MEANING
            )
        if near is None:
            near = view.nearest(asked.vector, chosen, limit=_BY_MEANING)
        rows = np.union1d(near, find_best(matches, _BY_WORDS))
        if not asked.leans:
            own = view.nearest(asked.alone.vector, chosen, limit=_BY_MEANING)
            rows = np.union1d(rows, own)
        return rows, matches[rows]

    def _score(
        self,
        session: Session,
        view: View,
        asked: _Asked,
        rows: Rows,
        matches: Scores,
        prefer: Collection[str],
        *,
        limit: int | None,
    ) -> dict[int, Score]:
        """Return the scores of the best of these rows by the ids of their passages, best first."""
        text, title = view.cosines(asked.vector, rows)
        pieces = _read_pieces(session, view, rows)
        cosines = np.maximum(text, title)
        candidates = Candidates(
            text,
            title,
            words=word_shares(matches, view.words.total(asked.terms)),
            late=_compare_pieces(asked.whole, _weigh_pieces(view, asked), pieces),
            titles=view.titles(rows),
        )
        fused = fuse(candidates, lexical_weight=self._settings.lexical_weight)
        if prefer:
            fused += _PRODUCT_BONUS * view.about(prefer)[rows]
        if not asked.leans:
            fused -= _find_strays(view, asked, rows)
        best = np.argsort(-fused, kind="stable")[: limit or self._settings.top_k]
        looked_at = [pieces[place] for place in best]
        sure = _judge(view, asked, rows[best], cosines[best], looked_at)
        ids = view.ids[rows[best]]
        return {
            int(id_): Score(*map(float, values))
            for id_, *values in zip(ids, fused[best], cosines[best], sure, strict=True)
        }


def _find_strays(view: View, asked: _Asked, rows: Rows) -> Scores:
    """Return 1 for each row that only the turns before brought up, else 0."""
    alone = np.maximum(*view.cosines(asked.alone.vector, rows))
    strays: Scores = (alone < alone.max() - _STRAYS).astype(np.float32)
    return strays


def _ask(encoder: Encoder, question: str, context: str) -> _Asked:
    own = question_terms(question)
    if not context.strip():
        [whole] = encoder.encode_pieces([question])
        return _Asked(whole.vector, own, whole, whole, own, leans=True)
    before = context[-_CONTEXT_CHARACTERS:]
    whole, alone = encoder.encode_pieces([f"{before}\n{question}", question])
    mixed: Vectors = alone.vector + whole.vector
    mixed /= np.linalg.norm(mixed)
    terms = dict.fromkeys(question_terms(before), _CONTEXT_WEIGHT) | own
    leans = _LEANS.search(question) is not None
    return _Asked(mixed, terms, whole, alone, own, leans=leans)


def _read_pieces(session: Session, view: View, rows: Rows) -> list[bytes]:
    """Return the word pieces of each passage; empty for those that have none."""
    ids = [int(id_) for id_ in view.ids[rows]]
    pieces = read_pieces(session, ids)
    return [pieces.get(id_) or b"" for id_ in ids]


def _compare_pieces(question: Encoded, weights: Scores, pieces: Sequence[bytes]) -> Scores:
    """Return how near each passage is word by word; 0 for those that have no pieces."""
    scores = np.zeros(len(pieces), np.float32)
    there = [place for place, packed in enumerate(pieces) if packed]
    scores[there] = late_scores(question.pieces, weights, [pieces[place] for place in there])
    return scores


def _weigh_pieces(view: View, asked: _Asked) -> Scores:
    """Return how much each piece of the question tells.

    It is the root of its word's rarity: a single rare word, often one that no article has, must
    not decide alone.
    """
    weights = dict[str, float]()
    for word in set(asked.whole.words):
        stem = next(iter(to_stems(word)), "")
        own = stem in asked.own or stem not in asked.terms
        weights[word] = math.sqrt(view.words.rarity(stem)) * (1.0 if own else _CONTEXT_WEIGHT)
    return np.array([weights[word] for word in asked.whole.words], np.float32)


def _judge(
    view: View, asked: _Asked, rows: Rows, cosines: Scores, pieces: Sequence[bytes]
) -> Scores:
    """Return how sure it is that each passage is about the question.

    A question that stands by itself is judged by itself: the turns before must not make a passage
    about them an answer to it.
    """

    def judge(question: Encoded, terms: Mapping[str, float], nearer: Scores) -> Scores:
        said = _compare_pieces(question, weigh_telling(question.words, terms), pieces)
        return confidences(nearer, view.words.coverage(terms, rows), said)

    sure = judge(asked.whole, asked.terms, cosines)
    if asked.leans or not asked.own:
        return sure
    nearer = np.maximum(*view.cosines(asked.alone.vector, rows))
    alone = judge(asked.alone, asked.own, nearer)
    judged: Scores = np.where(_have_all(view, asked.own, rows), sure, alone)
    return judged


def _have_all(view: View, terms: Mapping[str, float], rows: Rows) -> Mask:
    """Tell which passages have all the words of a question, of which there are few."""
    own = [term for term, weight in terms.items() if weight == 1]
    if len(own) > _FEW_WORDS:
        return np.zeros(len(rows), np.bool_)
    found: Mask = np.all(view.words.frequencies(own, rows) > 0, axis=0)
    return found
