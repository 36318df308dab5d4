"""A question, ready to be searched for, and how passages are held against it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from opsbot.retrieval.confidence import confidences, weigh_telling
from opsbot.retrieval.encoder import Encoded, Vectors
from opsbot.retrieval.late import late_scores, nearest_pieces
from opsbot.retrieval.lexical import question_terms, stems_of
from opsbot.retrieval.postings import Mask, Rows, Scores
from opsbot.retrieval.shelf import View

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


@dataclass(frozen=True)
class Asked:
    """A question, ready to be searched for."""

    vector: Vectors
    terms: Mapping[str, float]
    whole: Encoded
    """Its word pieces, with those of the turns before."""
    alone: Encoded
    """Without the turns before."""
    own: Mapping[str, float]
    language: str
    """Whose rules made the stems."""
    leans: bool
    """Whether it may mean something only together with the turns before."""


def find_strays(view: View, asked: Asked, rows: Rows) -> Scores:
    """Return 1 for each row that only the turns before brought up, else 0."""
    alone = np.maximum(*view.cosines(asked.alone.vector, rows))
    strays: Scores = (alone < alone.max() - _STRAYS).astype(np.float32)
    return strays


def texts_to_encode(question: str, context: str) -> list[str]:
    """Return the question, with the turns before and alone."""
    if not context.strip():
        return [question]
    return [f"{context[-_CONTEXT_CHARACTERS:]}\n{question}", question]


def ask(encoded: Sequence[Encoded], question: str, context: str, language: str) -> Asked:
    """Return a question as it is searched for.

    Args:
        encoded: what the encoder made of `texts_to_encode`.
        question: the words of who asks.
        context: the turns before.
        language: whose rules bring words to their stems.
    """
    own = question_terms(question, language)
    if len(encoded) == 1:
        [whole] = encoded
        return Asked(whole.vector, own, whole, whole, own, language, leans=True)
    whole, alone = encoded
    mixed: Vectors = alone.vector + whole.vector
    mixed /= np.linalg.norm(mixed)
    before = question_terms(context[-_CONTEXT_CHARACTERS:], language)
    terms = dict.fromkeys(before, _CONTEXT_WEIGHT) | own
    leans = _LEANS.search(question) is not None
    return Asked(mixed, terms, whole, alone, own, language, leans=leans)


def weigh_pieces(view: View, asked: Asked) -> Scores:
    """Return how much each piece of the question tells.

    It is the root of its word's rarity: a single rare word, often one that no article has, must
    not decide alone.
    """
    weights = dict[str, float]()
    for word in set(asked.whole.words):
        stem = next(iter(stems_of(word, asked.language)), "")
        own = stem in asked.own or stem not in asked.terms
        weights[word] = math.sqrt(view.words.rarity(stem)) * (1.0 if own else _CONTEXT_WEIGHT)
    return np.array([weights[word] for word in asked.whole.words], np.float32)


def judge_hits(
    view: View,
    asked: Asked,
    rows: Rows,
    cosines: Scores,
    nearest: Scores,
    pieces: Sequence[bytes],
) -> Scores:
    """Return how sure it is that each passage is about the question.

    A question that stands by itself is judged by itself: the turns before must not make a passage
    about them an answer to it.
    """

    def judge(
        words: Sequence[str], terms: Mapping[str, float], cosines: Scores, near: Scores
    ) -> Scores:
        said = late_scores(weigh_telling(words, terms, asked.language), near)
        return confidences(cosines, view.words.coverage(terms, rows), said)

    sure = judge(asked.whole.words, asked.terms, cosines, nearest)
    if asked.leans or not asked.own:
        return sure
    cosines = np.maximum(*view.cosines(asked.alone.vector, rows))
    nearest = nearest_pieces(asked.alone.pieces, pieces)
    alone = judge(asked.alone.words, asked.own, cosines, nearest)
    judged: Scores = np.where(_have_all(view, asked.own, rows), sure, alone)
    return judged


def _have_all(view: View, terms: Mapping[str, float], rows: Rows) -> Mask:
    """Tell which passages have all the words of a question, of which there are few."""
    own = [term for term, weight in terms.items() if weight == 1]
    if len(own) > _FEW_WORDS:
        return np.zeros(len(rows), np.bool_)
    found: Mask = np.all(view.words.frequencies(own, rows) > 0, axis=0)
    return found
