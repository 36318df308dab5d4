"""How alike texts are in their words: what two sentence vectors leave out.

Terms are the stems of the words with the grammatical form, and pieces of words, which bridge typing
errors and compounds. A text is compared with all examples at once through lists of where each term
occurs, so that neither time nor memory grows with the number of different terms.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECES = (3, 4, 5)
"""Lengths of the pieces of words."""
_WORD = re.compile(r"[a-z0-9'à-ÿß]+")


class TermIndex:
    """Knows which terms occur in which examples; rare terms tell more."""

    def __init__(self, texts: Sequence[str], terms_of: Callable[[str], AbstractSet[str]]) -> None:
        self._terms_of = terms_of
        self._count = len(texts)
        found = [sorted(set(terms_of(text))) for text in texts]
        counts = Counter(term for terms in found for term in terms)
        weights = {
            term: math.log((len(texts) + 1) / (count + 0.5)) for term, count in counts.items()
        }
        self._squares = {term: weight * weight for term, weight in weights.items()}
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, terms in enumerate(found):
            for term in terms:
                places[term].append(place)
        lengths = np.array([self._length(terms) or 1.0 for terms in found])
        self._places = {term: np.array(where, np.intp) for term, where in places.items()}
        self._gains = {
            term: self._squares[term] / lengths[where] for term, where in self._places.items()
        }

    def compare(self, text: str) -> NDArray[Any]:
        """Return the cosine of a text's terms with those of each example."""
        known = sorted(self._squares.keys() & self._terms_of(text))
        length = self._length(known)
        if not length:
            return np.zeros(self._count)
        where = np.concatenate([self._places[term] for term in known])
        gains = np.concatenate([self._gains[term] for term in known])
        return np.bincount(where, gains, minlength=self._count) / length

    def _length(self, terms: Sequence[str]) -> float:
        return math.sqrt(sum(map(self._squares.__getitem__, terms)))


def pieces(text: str) -> frozenset[str]:
    """Return the pieces of a text's words, a few letters each, spaces included."""
    line = f" {' '.join(_WORD.findall(text.lower()))} "
    return frozenset(line[i : i + n] for n in _PIECES for i in range(len(line) - n + 1))
