"""Search by words: BM25 over stems, in memory, built from the passage rows."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75

_DOUBT = 4.0
"""About the rarity of one telling word; see `LexicalIndex.share`."""


class LexicalIndex:
    """An inverted index of passages. It does not change; build a new one instead."""

    def __init__(self, passages: Mapping[int, Counter[str]]) -> None:
        """Index passages by id, each given as the counts of its stems."""
        self._ids = np.array(sorted(passages), np.int64)
        counts = [passages[id_] for id_ in sorted(passages)]
        lengths = np.array([sum(count.values()) for count in counts], np.float32)
        mean = float(lengths.mean()) if len(lengths) else 1.0
        self._norms = K1 * (1 - B + B * lengths / max(mean, 1.0))
        self._postings = _build_postings(counts)

    def __len__(self) -> int:
        return len(self._ids)

    def search(self, terms: Mapping[str, float], *, limit: int) -> dict[int, float]:
        """Return the BM25 scores of the best passages, best first.

        Args:
            terms: weights of the stems to look for, as `question_terms` gives them.
            limit: most passages to return; those without any of the words are never among them.
        """
        if not len(self._ids):
            return {}
        scores = np.zeros(len(self._ids), np.float32)
        for term, weight in terms.items():
            if (posting := self._postings.get(term)) is not None:
                rows, frequencies = posting
                gains = frequencies * (K1 + 1) / (frequencies + self._norms[rows])
                scores[rows] += weight * self.rarity(term) * gains
        best = np.argsort(-scores, kind="stable")[:limit]
        return {int(self._ids[i]): float(scores[i]) for i in best if scores[i] > 0}

    def coverage(self, terms: Mapping[str, float], passage: int) -> float:
        """Return which share of what the terms tell occurs in a passage; see `share`."""
        row = int(np.searchsorted(self._ids, passage))
        return self.share(terms, {term for term in terms if self._occurs(term, row)})

    def share(self, terms: Mapping[str, float], found: Collection[str]) -> float:
        """Return which share of what the terms tell lies in those that were found, from 0 to 1.

        A word that no passage has counts in full: it may be what the question is about. A
        question of one or two words never reaches 1: sharing "time" tells little.
        """
        gains = {term: weight * self.rarity(term) for term, weight in terms.items()}
        return sum(gains[term] for term in found) / (_DOUBT + sum(gains.values()))

    def _occurs(self, term: str, row: int) -> bool:
        if (posting := self._postings.get(term)) is None:
            return False
        place = int(np.searchsorted(posting[0], row))
        return place < len(posting[0]) and int(posting[0][place]) == row

    def rarity(self, term: str) -> float:
        """Return how much a stem tells (its inverse document frequency); most when unknown."""
        posting = self._postings.get(term)
        found = 0 if posting is None else len(posting[0])
        return float(np.log(1 + (len(self._ids) - found + 0.5) / (found + 0.5)))


def _build_postings(
    counts: Sequence[Counter[str]],
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]]:
    rows: dict[str, list[tuple[int, int]]] = {}
    for row, count in enumerate(counts):
        for term, frequency in count.items():
            rows.setdefault(term, []).append((row, frequency))
    return {term: _to_arrays(pairs) for term, pairs in rows.items()}


def _to_arrays(pairs: Iterable[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows, frequencies = zip(*pairs, strict=True)
    return np.array(rows, np.int64), np.array(frequencies, np.float32)
