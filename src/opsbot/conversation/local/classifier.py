"""Which class of examples a text belongs to: kernel ridge regression on vectors and words.

Trained in milliseconds from a handful of examples a class. The kernel joins the cosine of the
sentence vectors with the cosine of the words: vectors know what is meant, words tell near
neighbours apart.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from opsbot.conversation.local.patterns import MOODS

WORD_SHARE = 0.3
"""Weight of the words beside the vectors. Flat between 0.2 and 0.5 on public intent sets."""
SHARPNESS = 2.0
RIDGE = 0.2
TEMPERATURES = (6.0, 9.0, 12.0, 16.0, 20.0, 26.0)
UNSURE = 0.35
"""Confidence below which no class is meant."""
SURE = 0.55
"""Confidence above which a class surely is meant."""
_UNSURE_SHARE = 0.08
_SURE_SHARE = 0.45
"""Shares of the examples that, left out of the training, would be less sure than that."""

Vectors = NDArray[np.float32]

_WORD = re.compile(r"[a-z0-9à-ÿß]+(?:'[a-z]+)?")


@dataclass(frozen=True)
class Ranking:
    """How well each class fits a text."""

    probabilities: Mapping[str, float]
    """Best first; they add up to 1."""
    nearness: Mapping[str, float]
    """For each class the cosine of its nearest example."""

    @property
    def best(self) -> str:
        """The class that fits best."""
        return next(iter(self.probabilities))

    levels: tuple[float, float]
    """Raw confidences that count as `UNSURE` and `SURE` for this set of classes."""

    def confidence(self, label: str) -> float:
        """Return how sure it is that a class is meant, 0 to 1: low too when nothing fits."""
        raw = max(0.0, self.nearness[label]) * math.sqrt(self.probabilities[label])
        return float(np.interp(raw, (0.0, *self.levels, 1.0), (0.0, UNSURE, SURE, 1.0)))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the stem of one lower-case word."""
    # The stemmer keeps state while it works, so each call has its own.
    return str(snowballstemmer.stemmer("english").stemWord(word))


@lru_cache(maxsize=2048)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, in order."""
    return tuple(stem(word) for word in _WORD.findall(text.lower().replace("’", "'")))  # noqa: RUF001


@lru_cache(maxsize=2048)
def mood(text: str) -> str:
    """Return a mark for the grammatical form: it tells a question from an order.

    It counts as one more word of the text: "can I return it?" and "I want to return it" have
    nearly the same words and vectors, yet the first asks and the second wants it done.
    """
    return next((name for name, form in MOODS if form.search(text)), "<tells>")


class Classifier:
    """Knows classes by their examples."""

    def __init__(
        self,
        texts: Sequence[str],
        labels: Sequence[str],
        vectors: Vectors,
        *,
        alone: Sequence[bool] | None = None,
    ) -> None:
        """Train.

        Args:
            texts: the examples.
            labels: the class of each.
            vectors: their sentence vectors, a row of length 1 each.
            alone: which of them have no near copy among the others; what is sure is learned from
                these. None: all.
        """
        self.labels = tuple(sorted(set(labels)))
        place = {label: i for i, label in enumerate(self.labels)}
        self._classes = np.array([place[label] for label in labels])
        self._vectors = vectors
        self._weights = _word_weights(texts)
        self._words = np.stack([self._word_vector(text) for text in texts])
        kernel = self._kernel(vectors, self._words)
        targets = np.eye(len(self.labels))[self._classes]
        targets -= targets.mean(axis=0)
        inverse = np.linalg.inv(kernel + RIDGE * np.eye(len(texts)))
        self._coefficients = inverse @ targets
        self._temperature, self._levels = self._calibrate(
            inverse, targets, vectors, np.array(alone or [True] * len(texts))
        )
        order = np.argsort(self._classes, kind="stable")
        self._order = order
        self._starts = np.searchsorted(self._classes[order], np.arange(len(self.labels)))

    def rank(
        self, views: Sequence[str], vectors: Vectors, bias: Mapping[str, float] | None = None
    ) -> Ranking:
        """Rank the classes for a text.

        Args:
            views: the words, and other ways to read them such as the main clause alone.
            vectors: the sentence vector of each view.
            bias: what to add to the score of a class; 1 is the score of a perfect fit.
        """
        cosines = vectors @ self._vectors.T
        words = np.stack([self._word_vector(view) for view in views]) @ self._words.T
        kernel = np.exp(SHARPNESS * ((cosines + WORD_SHARE * words) / (1 + WORD_SHARE) - 1))
        scores: NDArray[Any] = (kernel @ self._coefficients).mean(axis=0)
        cosines = cosines.max(axis=0)
        if bias:
            scores = scores + np.array([bias.get(label, 0.0) for label in self.labels])
        powers = np.exp(self._temperature * (scores - scores.max()))
        powers /= powers.sum()
        nearness = np.maximum.reduceat(cosines[self._order], self._starts)
        best_first = np.argsort(-powers, kind="stable")
        return Ranking(
            {self.labels[i]: float(powers[i]) for i in best_first},
            {label: float(nearness[i]) for i, label in enumerate(self.labels)},
            self._levels,
        )

    def _calibrate(
        self, inverse: NDArray[Any], targets: NDArray[Any], vectors: Vectors, alone: NDArray[Any]
    ) -> tuple[float, tuple[float, float]]:
        """Learn what is sure from how each example fares when it is left out.

        Ridge regression gives these scores in closed form, without training again.
        """
        left_out = (targets - self._coefficients / np.diag(inverse)[:, None])[alone]
        rows = np.arange(len(left_out))
        own = self._classes[alone]
        best_loss, temperature = np.inf, TEMPERATURES[0]
        for tried in TEMPERATURES:
            logits = tried * (left_out - left_out.max(axis=1, keepdims=True))
            loss = float((np.log(np.exp(logits).sum(axis=1)) - logits[rows, own]).mean())
            if loss < best_loss:
                best_loss, temperature = loss, tried
        powers = np.exp(temperature * (left_out - left_out.max(axis=1, keepdims=True)))
        probabilities = (powers / powers.sum(axis=1, keepdims=True))[rows, own]
        cosines = vectors[alone] @ vectors[alone].T
        np.fill_diagonal(cosines, 0.0)
        nearest = np.where(own[:, None] == own[None, :], cosines, 0.0).max(axis=1)
        raw = np.maximum(nearest, 0) * np.sqrt(probabilities)
        right = raw[left_out.argmax(axis=1) == own]
        if len(right) < len(self.labels):  # too few examples to tell
            return temperature, (UNSURE, SURE)
        unsure, sure = np.quantile(right, (_UNSURE_SHARE, _SURE_SHARE))
        return temperature, (float(unsure), float(max(sure, unsure + 0.01)))

    def _kernel(self, vectors: Vectors, words: Vectors) -> NDArray[Any]:
        joined = (vectors @ vectors.T + WORD_SHARE * (words @ words.T)) / (1 + WORD_SHARE)
        kernel: NDArray[Any] = np.exp(SHARPNESS * (joined.astype(np.float64) - 1))
        return kernel

    def _word_vector(self, text: str) -> Vectors:
        vector = np.zeros(len(self._weights), np.float32)
        for word in (*stems(text), mood(text)):
            if (known := self._weights.get(word)) is not None:
                vector[known[0]] = known[1]
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


def _word_weights(texts: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Return place and weight of each word: rare words tell more."""
    counts = Counter(word for text in texts for word in {*stems(text), mood(text)})
    total = len(texts)
    return {
        word: (place, math.log((total + 1) / (count + 0.5)))
        for place, (word, count) in enumerate(sorted(counts.items()))
    }
