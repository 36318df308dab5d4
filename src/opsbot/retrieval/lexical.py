"""Search by words: BM25 over stems, in memory, built from the passage rows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

K1 = 1.2
B = 0.75

_DOUBT = 4.0
"""About the rarity of one telling word; see `LexicalIndex.share`."""

_WORD = re.compile(r"[^\W_]+(?:[-/.'][^\W_]+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_SPELLINGS = {0x2019: "'", 0x20AC: " eur "}
_PART = re.compile(r"[^\W\d_]+|\d+")
_QUESTION_WORDS = """
a about after all also am an and any anybody anyone anything are as at be been before but by can
can't cannot could did do does doing don't everything find for from get give got had has have
having he hello help her hers hey hi him his how i i'd i'm i've if in into is isn't it it's its
just know let like may me might mine must my need no not nothing now of off on one or other our
out over please put regarding right say shall she should so some somebody someone something such
tell than thank thanks that that's the their them then there these they this those through to
too under up us use using very want was way we were what what's when where which while who whom
whose why will wish with would yes you your yours
"""

_MEASURES = {
    "heavy": "weight",
    "tall": "height",
    "high": "height",
    "wide": "width",
    "big": "size",
    "large": "size",
    "expensive": "price",
}
_MEASURED = re.compile(rf"\bhow ({'|'.join(_MEASURES)})\b", re.IGNORECASE)
_APART = re.compile(r"\b([b-hj-z])[ ](\d{1,3})\b", re.IGNORECASE)
"""A code written as two words: "e 2". "A" and "I" are words of their own."""
_CODE = re.compile(r"\b([a-z]{1,3})[- ]?0*(\d{1,3})\b", re.IGNORECASE)
_NUMBERED_ERROR = re.compile(r"\b(?:error|code|fault)\s(?:code\s)?0*(\d{1,3})\b", re.IGNORECASE)
_SYNONYM_WEIGHT = 0.8
_SYNONYMS = (
    # What people ask, and what articles say.
    "weight weigh",
    "size dimensions",
    "delivery shipping deliver ship",
    "package parcel",
    "cost price expensive",
    "broken damaged faulty",
    "repair fix",
    "phone call telephone",
    "colour color",
    "guarantee warranty",
    "bulb led",
)


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


def question_terms(question: str) -> dict[str, float]:
    """Return the stems that a question is about, with weight 1, and their synonyms with less.

    The words that make it a question ("how", "can I") are left out.
    """
    question = _APART.sub(r"\1-\2", question)
    question = _MEASURED.sub(lambda found: _MEASURES[found[1].lower()], question)
    stems = to_stems(question, stop_words=frozenset(_QUESTION_WORDS.split()))
    terms = dict.fromkeys(stems, 1.0)
    for group in _SYNONYMS:
        words = {_stem(word) for word in group.split()}
        if words & terms.keys():
            terms = dict.fromkeys(words, _SYNONYM_WEIGHT) | terms
    return terms


def codes_of(text: str) -> frozenset[tuple[str, str]]:
    """Return the short codes of a text, as letters and number: E-02 is ("e", "2").

    "Error 2" has no letters; they are empty then.
    """
    codes = {(letters.lower(), number) for letters, number in _CODE.findall(text)}
    return frozenset(codes | {("", number) for number in _NUMBERED_ERROR.findall(text)})


def synonyms_of(term: str) -> frozenset[str]:
    """Return a stem with the stems that mean the same."""
    groups = ({_stem(word) for word in group.split()} for group in _SYNONYMS)
    return frozenset({term}.union(*(group for group in groups if term in group)))


def to_stems(text: str, *, stop_words: frozenset[str] = frozenset()) -> list[str]:
    """Return the stems of all words.

    An identifier also gives its parts and their sum without leading zeros: E-02 is found by E2,
    by E02 and by 2.
    """
    stems = list[str]()
    text = (
        text.lower()
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        .replace("\N{EURO SIGN}", " eur ")
    )
    for word in _WORD.findall(_THOUSANDS.sub("", text)):
        if word in stop_words:
            continue
        word = word.removesuffix("'s")  # noqa: PLW2901  (the word proper)
        stems.append(_stem(word))
        parts = _PART.findall(word)
        if len(parts) > 1:
            parts = [part.lstrip("0") or part if part.isdigit() else part for part in parts]
            stems.append("".join(parts))
            stems.extend(_stem(part) for part in parts if part not in stop_words)
    return stems


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    # The stemmer keeps state while it works, so each call has its own.
    if word in {"euro", "euros"}:
        return "eur"
    return str(snowballstemmer.stemmer("english").stemWord(word))


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
