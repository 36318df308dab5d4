"""From a question to the passages that may answer it, best first."""

import threading
from collections.abc import Collection, Sequence

import numpy as np
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.asked import (
    Asked,
    ask,
    find_strays,
    judge_hits,
    texts_to_encode,
    weigh_pieces,
)
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.encoders import Encoders, Reopen
from opsbot.retrieval.hits import Hit, Score, read_hits
from opsbot.retrieval.languages import choose_language
from opsbot.retrieval.late import late_scores, nearest_pieces
from opsbot.retrieval.lexical import to_stems
from opsbot.retrieval.pieces import PieceCache
from opsbot.retrieval.postings import Mask, Rows, Scores, find_best
from opsbot.retrieval.ranking import Candidates, fuse, word_shares
from opsbot.retrieval.rows import read_version
from opsbot.retrieval.shelf import AUDIENCES, Reader, Shelf, View
from opsbot.retrieval.shelving import follow, load_shelf
from opsbot.retrieval.vectors import VectorIndex
from opsbot.settings import RetrievalSettings

_BY_MEANING = 40
"""Nearest passages that are looked at."""
_BY_WORDS = 30
"""Best word matches that are looked at."""
_REMEMBERED_BYTES = 32_000_000
"""What the word pieces of passages that are looked at often may take: some 4,500 passages."""
_NEAR_SHARE = 0.85
"""Share of the threshold from which a hit lies near: hardly a foreign question reaches it."""
_PRODUCT_BONUS = 0.1
"""What a passage gains that is about a preferred product, and loses that is about others."""


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
        self._pieces = PieceCache(_REMEMBERED_BYTES)
        self._lock = threading.Lock()

    @property
    def threshold(self) -> float:
        """Confidence below which nothing fits: the operator's, else the one calibrated."""
        if self._settings.min_score is not None:
            return self._settings.min_score
        if self._shelf is None or self._shelf.threshold is None:
            with self._database.connect() as connection:
                return self._current_shelf(connection).threshold or 0.0
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
        texts = texts_to_encode(question, context)
        encoded = encoder.encode_pieces(texts)
        with self._database.connect() as connection:
            shelf = self._current_shelf(connection)
            if (fitting := self._encoders.of(shelf.model_key)) is not encoder:
                encoded = fitting.encode_pieces(texts)
            view = shelf.view(audience)
            languages = view.languages(language) if language else ()
            spoken = choose_language(question, languages or view.languages())
            asked = ask(encoded, question, context, spoken)
            chosen = view.choose(products, languages, without=without, but=named)
            narrow = bool(products or without)
            rows, matches = self._find(shelf, audience, asked, chosen, languages, narrow=narrow)
            if not len(rows):
                return []
            pieces = self._pieces.read(connection, shelf.model_key, view.ids[rows].tolist())
            scores = self._score(view, asked, rows, matches, pieces, prefer, limit=top_k)
            return read_hits(connection, scores, AUDIENCES[audience])

    def load(self) -> None:
        """Read the index into memory, so that no question waits for it."""
        with self._database.connect() as connection:
            self._current_shelf(connection)

    def has_word(self, word: str, audience: Reader) -> bool:
        """Tell whether the articles that this reader may see have a word, in any form of it."""
        with self._database.connect() as connection:
            view = self._current_shelf(connection).view(audience)
        forms = (to_stems(word, language) for language in view.languages())
        return any(all(view.words.has(stem) for stem in stems) for stems in forms)

    def knows(self, hits: Collection[Hit]) -> bool:
        """Tell whether any of the hits is about what was asked."""
        return any(hit.confidence >= self.threshold for hit in hits)

    def _current_shelf(self, connection: Connection) -> Shelf:
        """Return the shelf of the version that the connection sees, or of a later one."""
        version, shelf = read_version(connection), self._shelf
        if shelf is not None and shelf.version >= version:
            return shelf
        # While another thread reads what changed, the shelf before will do: what is deleted is
        # left out by the rows themselves.
        if not self._lock.acquire(blocking=shelf is None):
            return shelf or self._read_shelf(connection, None)
        try:
            if self._shelf is None or self._shelf.version < version:
                self._shelf = self._read_shelf(connection, self._shelf)
            return self._shelf
        finally:
            self._lock.release()

    @staticmethod
    def _read_shelf(connection: Connection, before: Shelf | None) -> Shelf:
        with Session(connection) as session:
            return follow(session, before) if before is not None else load_shelf(session)

    def _find(
        self,
        shelf: Shelf,
        audience: Reader,
        asked: Asked,
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
        view: View,
        asked: Asked,
        rows: Rows,
        matches: Scores,
        pieces: Sequence[bytes],
        prefer: Collection[str],
        *,
        limit: int | None,
    ) -> dict[int, Score]:
        """Return the scores of the best of these rows by the ids of their passages, best first."""
        text, title, titles = view.compare(asked.vector, rows)
        nearest = nearest_pieces(asked.whole.pieces, pieces)
        cosines = np.maximum(text, title)
        candidates = Candidates(
            text,
            title,
            words=word_shares(matches, view.words.total(asked.terms)),
            late=late_scores(weigh_pieces(view, asked), nearest),
            titles=titles,
        )
        fused = fuse(candidates, lexical_weight=self._settings.lexical_weight)
        if prefer:
            fused += _PRODUCT_BONUS * view.about(prefer)[rows]
        if not asked.leans:
            fused -= find_strays(view, asked, rows)
        best = np.argsort(-fused, kind="stable")[: limit or self._settings.top_k]
        looked_at = [pieces[place] for place in best]
        sure = judge_hits(view, asked, rows[best], cosines[best], nearest[:, best], looked_at)
        ids = view.ids[rows[best]].tolist()
        scores = map(Score, fused[best].tolist(), cosines[best].tolist(), sure.tolist())
        return dict(zip(ids, scores, strict=True))
