"""Search by words: BM25 over stems, in numpy arrays that are built from the passage rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsbot.retrieval.packing import TERM, term_key

K1 = 1.2
B = 0.75

Rows = NDArray[np.int64]
"""Numbers of passages, from 0."""
Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]

_DOUBT = 4.0
"""About the rarity of one telling word; see `LexicalIndex.share`."""
_REMEMBERED = 5_000
"""Stems whose places are kept at hand."""
_STEPS = 4096
"""How finely scores are told apart before the best are sorted."""


class Posting(NamedTuple):
    """Where one stem occurs, each passage once, in order."""

    rows: NDArray[np.int32]
    body: NDArray[np.uint8]
    """How often in the text."""
    head: NDArray[np.uint8]
    """How often in title and headings."""


@dataclass(frozen=True)
class Postings:
    """An inverted index of some passages. It does not change."""

    keys: NDArray[np.uint64]
    """Of all stems, sorted."""
    starts: NDArray[np.int64]
    """Where the posting of each key begins; one more at the end."""
    everywhere: Posting
    """All postings, one behind the other."""
    lengths: Scores
    """Stems of each passage."""

    @classmethod
    def build(cls, terms: Sequence[bytes]) -> "Postings":
        """Index passages, each given as its packed terms."""
        flat = np.frombuffer(b"".join(terms), TERM)
        sizes = np.array([len(packed) // TERM.itemsize for packed in terms], np.int64)
        rows = np.repeat(np.arange(len(terms), dtype=np.int32), sizes)
        return _sort(flat["key"].copy(), Posting(rows, flat["body"], flat["head"]), len(terms))

    @classmethod
    def merge(cls, parts: Sequence["Postings"], kept: Sequence[Mask]) -> "Postings":
        """Join several into one, with those of their passages alone that are kept."""
        keys, postings, count = [], [], 0
        for part, mask in zip(parts, kept, strict=True):
            numbers = np.cumsum(mask, dtype=np.int32) - 1 + count
            there = mask[part.everywhere.rows]
            keys.append(np.repeat(part.keys, np.diff(part.starts))[there])
            rows, body, head = part.everywhere
            postings.append(Posting(numbers[rows[there]], body[there], head[there]))
            count += int(mask.sum())
        joined = Posting(
            np.concatenate([posting.rows for posting in postings]),
            np.concatenate([posting.body for posting in postings]),
            np.concatenate([posting.head for posting in postings]),
        )
        return _sort(np.concatenate(keys), joined, count)

    def find(self, term: str) -> Posting | None:
        """Return where a stem occurs; None when it does not."""
        key = np.uint64(term_key(term))
        place = int(np.searchsorted(self.keys, key))
        if place == len(self.keys) or self.keys[place] != key:
            return None
        found = slice(self.starts[place], self.starts[place + 1])
        rows, body, head = self.everywhere
        return Posting(rows[found], body[found], head[found])


class _Found(NamedTuple):
    """What an index knows of one stem."""

    postings: tuple[Posting | None, ...]
    """Of each part."""
    rarity: float


class LexicalIndex:
    """The words of all passages that one reader may see, in one numbering over all parts."""

    def __init__(self, parts: Sequence[Postings], alive: Sequence[Mask]) -> None:
        """Search these passages, as far as they are alive.

        Args:
            parts: each with the passages that were added together.
            alive: which passages of each part have not been removed since.
        """
        self._parts, self._alive = parts, alive
        self._whole = [bool(mask.all()) for mask in alive]
        self._offsets = np.cumsum([0, *(len(part.lengths) for part in parts)])
        self._count = int(sum(mask.sum() for mask in alive))
        words = sum(float(p.lengths[mask].sum()) for p, mask in zip(parts, alive, strict=True))
        mean = words / self._count if self._count else 1.0
        self._found = dict[str, _Found]()
        self._norms = [K1 * (1 - B + B * part.lengths / max(mean, 1.0)) for part in parts]

    def __len__(self) -> int:
        return self._count

    def scores(self, terms: Mapping[str, float]) -> Scores:
        """Return the BM25 score of every passage; those removed may have one too.

        Args:
            terms: weights of the stems to look for, as `question_terms` gives them.
        """
        scores = np.zeros(self._offsets[-1], np.float32)
        for term, weight in terms.items():
            postings, rarity = self._find(term)
            gain = np.float32(weight * rarity * (K1 + 1))
            for found, norms, start in zip(postings, self._norms, self._offsets, strict=False):
                if found is not None:
                    own = scores[start : start + len(norms)]
                    times = found.body.astype(np.float32) + found.head
                    # A stem names each passage once, so adding by index misses none.
                    own[found.rows] += gain * times / (times + norms[found.rows])
        return scores

    def frequencies(self, terms: Collection[str], rows: Rows) -> Scores:
        """Return how often each stem stands in each passage: shape (len(terms), len(rows))."""
        found = np.zeros((len(terms), len(rows)), np.float32)
        for place, (part, start) in enumerate(zip(self._parts, self._offsets, strict=False)):
            mine = np.flatnonzero((rows >= start) & (rows < start + len(part.lengths)))
            wanted = rows[mine] - start
            for number, term in enumerate(terms if len(mine) else ()):
                if (posting := self._find(term).postings[place]) is not None:
                    places = np.searchsorted(posting.rows, wanted)
                    places[places == len(posting.rows)] = 0
                    times = posting.body[places].astype(np.float32) + posting.head[places]
                    found[number, mine] = times * (posting.rows[places] == wanted)
        return found

    def coverage(self, terms: Mapping[str, float], rows: Rows) -> Scores:
        """Return which share of what the terms tell occurs in each passage; see `share`."""
        gains = np.array([w * self.rarity(t) for t, w in terms.items()], np.float32)
        there = self.frequencies(terms, rows) > 0
        shares: Scores = (gains @ there) / np.float32(_DOUBT + gains.sum())
        return shares

    def share(self, terms: Mapping[str, float], found: Collection[str]) -> float:
        """Return which share of what the terms tell lies in those that were found, from 0 to 1.

        A word that no passage has counts in full: it may be what the question is about. A
        question of one or two words never reaches 1: sharing "time" tells little.
        """
        gains = {term: weight * self.rarity(term) for term, weight in terms.items()}
        return sum(gains[term] for term in found) / (_DOUBT + sum(gains.values()))

    def total(self, terms: Mapping[str, float]) -> float:
        """Return what all the terms tell together: the sum of their weighted rarities."""
        return sum(weight * self.rarity(term) for term, weight in terms.items())

    def has(self, term: str) -> bool:
        """Tell whether any passage has a stem, or had it not long ago."""
        return any(posting is not None for posting in self._find(term).postings)

    def rarity(self, term: str) -> float:
        """Return how much a stem tells (its inverse document frequency); most when unknown."""
        return self._find(term).rarity

    def _find(self, term: str) -> _Found:
        """Return what is known of a stem; what was asked for lately is remembered."""
        if (known := self._found.get(term)) is not None:
            return known
        postings = tuple(part.find(term) for part in self._parts)
        found = 0
        for posting, alive, whole in zip(postings, self._alive, self._whole, strict=True):
            if posting is not None:
                # Those removed do not count, so that every process comes to the same scores.
                found += len(posting.rows) if whole else int(alive[posting.rows].sum())
        rarity = float(np.log(1 + (self._count - found + 0.5) / (found + 0.5)))
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[term] = told = _Found(postings, rarity)
        return told


def find_best(scores: Scores, limit: int) -> Rows:
    """Return the rows of the `limit` highest scores above 0, best first.

    A histogram finds the few that need sorting: a fifth of the time of a partition.
    """
    if not len(scores) or (highest := float(scores.max())) <= 0:
        return np.empty(0, np.int64)
    steps = (scores * np.float32((_STEPS - 1) / highest)).astype(np.int32)
    above = np.cumsum(np.bincount(np.maximum(steps, 0), minlength=_STEPS)[::-1])
    lowest = _STEPS - 1 - int(np.searchsorted(above, limit))
    rows = np.flatnonzero((steps >= lowest) & (scores > 0))
    order = np.argsort(-scores[rows], kind="stable")[:limit]
    best: Rows = rows[order]
    return best


def _sort(keys: NDArray[np.uint64], postings: Posting, count: int) -> Postings:
    rows, body, head = postings
    words = np.bincount(rows, body.astype(np.float32) + head, minlength=count)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[:1] ^ np.uint64(1)))
    starts = np.append(firsts, len(keys)).astype(np.int64)
    inverted = Posting(rows[order], body[order], head[order])
    return Postings(keys[firsts], starts, inverted, words.astype(np.float32))
