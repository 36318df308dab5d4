"""How sure it is that a passage is about a question: one figure from what is known of the two.

Ranking compares passages for one question; this compares questions: it must not rise because the
best of the wrong passages is much better than the next. So nothing here depends on the other
passages that were found.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from opsbot.retrieval.languages import DEFAULT
from opsbot.retrieval.lexical import stems_of

Scores = NDArray[np.float32]

_COVERAGE_WEIGHT = 0.25
_SAID_WEIGHT = 0.5
_SCALE = 1.5
"""Brings the sum back to about 0 to 1."""


def confidences(cosines: Scores, coverage: Scores, said: Scores) -> Scores:
    """Return how sure it is that each passage is about a question, from 0 to about 1.

    A question about something near what the articles say has a high cosine, but some of its words
    have no counterpart in the passage: that is what the word by word comparison adds.

    Args:
        cosines: likeness in meaning: of the text, or of title and headings if that is nearer.
        coverage: share of what the question's words tell that the passage has.
        said: likeness word by word, with the weights of `weigh_telling`; all 0 where the encoder
            gives no word pieces.
    """
    weighed: Scores = cosines + _COVERAGE_WEIGHT * coverage + _SAID_WEIGHT * said
    return weighed / np.float32(_SCALE)


def weigh_telling(
    words: Sequence[str], terms: Mapping[str, float], language: str = DEFAULT
) -> Scores:
    """Return how much each word piece of a question counts when it is asked what is missing.

    All telling words count the same, however rare: the one that has no counterpart may be a
    common one. Ranking weighs them by rarity instead.

    Args:
        words: the word that each piece is of.
        terms: weights of the stems that the question is about.
        language: whose rules made the stems.
    """
    pieces = Counter(words)
    weights = {
        word: max((terms.get(stem, 0.0) for stem in stems_of(word, language)), default=0.0) / count
        for word, count in pieces.items()
    }
    if not any(weights.values()):
        return np.ones(len(words), np.float32)
    return np.array([weights[word] for word in words], np.float32)
