"""Answer a question from the articles: its parts, the product it is about, what is not known."""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from opsbot.commerce.products import Item
from opsbot.db import Database
from opsbot.retrieval.answers import Extract, compose, extract_rated
from opsbot.retrieval.asking import asking_sentences, split_question
from opsbot.retrieval.choices import find_choices, find_kin
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.names import PART, NameBook, read_names
from opsbot.retrieval.rating import RatedSection, rate_sections
from opsbot.retrieval.retriever import Retriever
from opsbot.retrieval.rows import read_version
from opsbot.retrieval.scope import Scope, find_scope, narrow_to
from opsbot.retrieval.shelf import Reader

_LOOKED_AT = 14
"""Hits that an answer is chosen from: the cases of one subject may lie far apart."""
_FEWEST = 2
"""Products, models or revisions to choose from."""
_NAMED = 0.2
"""What a section gains that is about a named product, and loses that is about others alone."""


@dataclass(frozen=True)
class Answer:
    """What the articles say about a question."""

    known: bool
    """Whether any article is about it; when not, there are no extracts."""
    extracts: tuple[Extract, ...]
    hits: tuple[Hit, ...]
    """Best first, also when none of them is good enough; those of each part in turn."""
    index_version: int
    near: tuple[Hit, ...] = ()
    """The hits that at least lie near the question, when nothing is known."""
    choices: tuple[str, ...] = ()
    """Titles of products that answer it differently; no extracts until one of them is named."""
    unanswered: tuple[str, ...] = ()
    """The parts of the question that no article answers, when it answers others."""

    @property
    def text(self) -> str:
        """The extracts as one Markdown text; empty when nothing is known."""
        return compose(self.extracts)

    @property
    def sources(self) -> tuple[Hit, ...]:
        """The hits that the extracts come from, in the order of their use."""
        by_id = {hit.passage_id: hit for hit in self.hits}
        used = dict.fromkeys(piece.passage_id for piece in self.extracts)
        return tuple(by_id[id_] for id_ in used)


@dataclass(frozen=True)
class _Asked:
    """What every part of a question shares."""

    audience: Reader
    language: str
    context: str
    book: NameBook
    scope: Scope
    owned: frozenset[str]


@dataclass(frozen=True)
class _Part:
    """One part of a question and what was found for it."""

    question: str
    known: bool
    hits: Sequence[Hit]
    extracts: Sequence[Extract] = ()
    choices: Sequence[str] = ()


class Answerer:
    """Answers from the articles without a language model. Safe in several threads."""

    def __init__(self, database: Database, encoder: Encoder, retriever: Retriever) -> None:
        self._database = database
        self._encoder = encoder
        self._retriever = retriever
        self._names: tuple[object, NameBook] = (None, NameBook())
        self._lock = threading.Lock()

    def answer(
        self,
        question: str,
        *,
        audience: Reader,
        products: Collection[str] = (),
        owned: Iterable[str] = (),
        language: str = "",
        context: str = "",
    ) -> Answer:
        """Return what the articles say about `question`, that they do not, or what decides.

        Args:
            question: the words of who asks; may ask several things.
            audience: who asks; customers get public passages alone.
            products: item numbers it is about, when that is known from elsewhere.
            owned: item numbers that who asks has bought: of several products that answer
                differently, the one among these is meant.
            language: of who asks; see `Retriever.search`.
            context: the question and the answer before this one.
        """
        version, book = self._read_names()
        before = [context, context.partition("\n")[0]] if context.strip() else []
        scope = find_scope(
            book, question, before=before, is_word=lambda w: self._retriever.has_word(w, audience)
        )
        if products:
            scope = narrow_to(book, scope, products)
        asked = _Asked(audience, language, context, book, scope, frozenset(owned))
        parts = self._answer_parts(asked)
        choices = dict.fromkeys(book.title(key) for part in parts for key in part.choices)
        hits = list({hit.passage_id: hit for part in parts for hit in part.hits}.values())
        known = any(part.known for part in parts)
        missing = [part.question for part in parts if not part.known]
        return Answer(
            known,
            () if choices else _join(parts),
            tuple(hits),
            version,
            () if known else tuple(h for h in hits if h.confidence >= self._retriever.near),
            tuple(choices),
            tuple(missing) if known else (),
        )

    def _answer_parts(self, asked: _Asked) -> list[_Part]:
        """Answer each part; when none is known, the whole, or what of it ends as a question."""
        whole = asked.scope.question
        questions = split_question(whole)
        # "How long is its warranty?" leans on the first part.
        second = f"{asked.context}\n{questions[0]}"
        parts = [
            self._answer_part(part, second if place else asked.context, asked)
            for place, part in enumerate(questions)
        ]
        if any(part.known for part in parts):
            return parts
        # "My lamp is new. It stood in the rain. Can I still use it?"
        for another in (*([whole] if len(parts) > 1 else []), *asking_sentences(whole)):
            found = self._answer_part(another, asked.context, asked)
            if found.known:
                return [found]
        return parts

    def _answer_part(self, question: str, context: str, asked: _Asked) -> _Part:
        scope = asked.scope
        hits = self._retriever.search(
            question,
            audience=asked.audience,
            top_k=_LOOKED_AT,
            named=scope.named,
            without=scope.rivals,
            language=asked.language,
            context=context,
        )
        if not self._retriever.knows(hits):
            return _Part(question, known=False, hits=hits)
        rated = _favour(rate_sections(question, hits, self._encoder), scope.named)
        if rated and (not scope.named or any(PART in key for key in scope.named)):
            choices = self._find_choices(question, context, rated, asked)
            mine = [key for key in choices if key.split(PART)[0] in asked.owned]
            if len(mine) == 1:
                narrowed = narrow_to(asked.book, scope, mine)
                return self._answer_part(question, context, replace(asked, scope=narrowed))
            if choices:
                return _Part(question, known=True, hits=hits, choices=choices)
        extracts = extract_rated(question, rated, self._encoder)
        return _Part(question, known=True, hits=hits, extracts=extracts)

    def _find_choices(
        self, question: str, context: str, rated: Sequence[RatedSection], asked: _Asked
    ) -> list[str]:
        """Return the keys of products that answer differently; see `find_choices`."""
        kin = find_kin(asked.book, rated[0].hit)
        if asked.scope.named:
            # The product is known, its model or revision is not.
            kin = frozenset(key for key in kin & asked.scope.named if PART in key)
        if len(kin) < _FEWEST:
            return []
        # The manuals of some may be too far down the list to have been looked at.
        hits = self._retriever.search(
            question,
            audience=asked.audience,
            top_k=_LOOKED_AT,
            products=kin,
            language=asked.language,
            context=context,
        )
        others = [hit for hit in hits if hit.products and hit.confidence >= self._retriever.near]
        more = rate_sections(question, others, self._encoder)
        return find_choices(question, [rated[0], *more], asked.book, self._encoder)

    def _read_names(self) -> tuple[int, NameBook]:
        """Return the version of the index, and the names of the products at that time."""
        with self._database.read() as session:
            version = read_version(session.connection())
            items = session.execute(
                select(func.count(), func.max(Item.created_at), func.sum(func.length(Item.title)))
            ).one()
            state = (version, *items)
            with self._lock:
                if self._names[0] != state:
                    self._names = (state, read_names(session))
                return version, self._names[1]


def _favour(rated: list[RatedSection], named: Collection[str]) -> list[RatedSection]:
    """Bring sections about what is named forward, and those about other products back."""
    if not named:
        return rated

    def rating(section: RatedSection) -> float:
        about = set(section.hit.products)
        if not about:
            return section.rating
        return section.rating + (_NAMED if about & set(named) else -_NAMED)

    better = [replace(section, rating=rating(section)) for section in rated]
    return sorted(better, key=lambda section: -section.rating)


def _join(parts: Sequence[_Part]) -> tuple[Extract, ...]:
    """Return the extracts of all parts, each section once."""
    sections = dict[tuple[str, int], int]()
    joined = list[Extract]()
    for part in parts:
        places = {hit.passage_id: (hit.path, hit.section_start) for hit in part.hits}
        earlier = {places[id_] for id_ in places if places[id_] in sections}
        for piece in part.extracts:
            if (place := places[piece.passage_id]) not in earlier:
                sections[place] = piece.passage_id
                joined.append(piece)
    return tuple(joined)
