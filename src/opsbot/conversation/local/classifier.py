"""Which class of examples a text belongs to: kernel ridge regression on vectors and words.

Trained in milliseconds from a handful of examples a class. The kernel joins the cosine of the
sentence vectors with those of the words and of their pieces: vectors know what is meant, words tell
near neighbours apart, pieces bridge typing errors. Decision 22 tells what was measured.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from opsbot.conversation.local.likeness import TermIndex, pieces
from opsbot.conversation.local.patterns import MOODS

WORD_SHARE = 0.15
"""Weight of the words beside the vectors, and of their pieces. Flat from 0.1 to 0.3."""
SHARPNESS = 2.0
RIDGE = 0.1
PROFILE_SHARE = 1.0
"""Weight of how alike all scores of a text are to those usual in a class."""
MOST_LANDMARKS = 3000
"""Examples that a text is compared with; where there are more, these stand for all."""
_JITTER = 1e-6
TEMPERATURES = (3.0, 4.5, 6.0, 9.0, 12.0, 16.0, 20.0, 26.0)
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
    fits: Mapping[str, float]
    """For each class how well the text fits it, about 0 to 1, low too when nothing fits.

    The mean, as of two factors, of its score and of the cosine of its nearest example.
    """
    levels: tuple[float, float]
    """Fits that count as `UNSURE` and `SURE` for this set of classes."""
    follows: str = ""
    """The class that the text goes on with, rather than begins."""

    @property
    def best(self) -> str:
        """The class that is meant most likely."""
        return next(iter(self.probabilities))

    def confidence(self, label: str) -> float:
        """Return how sure it is that a class is meant, 0 to 1: low too when nothing fits."""
        levels = (0.0, *self.levels, 1.0)
        return float(np.interp(self.fits[label], levels, (0.0, UNSURE, SURE, 1.0)))


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
        self._order = np.argsort(self._classes, kind="stable")
        self._starts = np.searchsorted(self._classes[self._order], np.arange(len(self.labels)))
        self._vectors = vectors
        landmarks = self._choose_landmarks()
        self._landmarks = vectors[landmarks]
        chosen = [texts[i] for i in landmarks]
        self._words, self._pieces = TermIndex(chosen, _words_of), TermIndex(chosen, pieces)
        left_out = self._solve(self._kernel(texts, vectors), landmarks)
        self._profiles = self._profiles_of(left_out)
        self._temperature, self._levels = self._calibrate(
            left_out, np.array(alone or [True] * len(texts))
        )

    def rank(
        self, views: Sequence[str], vectors: Vectors, bias: Mapping[str, float] | None = None
    ) -> Ranking:
        """Rank the classes for a text.

        Args:
            views: the words, and other ways to read them such as the main clause alone.
            vectors: the sentence vector of each view.
            bias: what to add to the score of a class; 1 is the score of a perfect fit.
        """
        scores = (self._kernel(views, vectors) @ self._coefficients).mean(axis=0)[None]
        if bias:
            scores = scores + np.array([bias.get(label, 0.0) for label in self.labels])
        fits = _fit(scores, self._nearest((vectors @ self._vectors.T).max(axis=0)[None]))[0]
        alike = PROFILE_SHARE * _rows_of_length_1(scores) @ self._profiles.T
        powers = _softmax(self._temperature * (scores + alike))[0]
        best_first = np.argsort(-powers, kind="stable")
        return Ranking(
            {self.labels[i]: float(powers[i]) for i in best_first},
            {label: float(fits[i]) for i, label in enumerate(self.labels)},
            self._levels,
        )

    def _choose_landmarks(self) -> NDArray[Any]:
        """Return the examples to compare with: all, or as many of each class as there are."""
        turn = np.empty(len(self._classes), int)
        turn[self._order] = np.arange(len(turn)) - self._starts[self._classes[self._order]]
        return np.sort(np.argsort(turn, kind="stable")[:MOST_LANDMARKS])

    def _solve(self, kernel: NDArray[Any], landmarks: NDArray[Any]) -> NDArray[Any]:
        """Learn the coefficients; return the scores of each example when it is left out.

        Ridge regression gives these in closed form, without training again.
        """
        targets = np.eye(len(self.labels))[self._classes]
        targets -= targets.mean(axis=0)
        own = kernel[landmarks] + _JITTER * np.eye(len(landmarks))
        root = np.linalg.inv(np.linalg.cholesky(own)).T
        traits = kernel @ root
        inverse = np.linalg.inv(traits.T @ traits + RIDGE * np.eye(len(landmarks)))
        leverage = ((traits @ inverse) * traits).sum(axis=1, keepdims=True)
        weights = inverse @ (traits.T @ targets)
        self._coefficients = root @ weights
        left_out: NDArray[Any] = targets - (targets - traits @ weights) / (1 - leverage)
        return left_out

    def _profiles_of(self, left_out: NDArray[Any]) -> NDArray[Any]:
        """Return the usual scores of each class: they tell which others it is mistaken for."""
        sums = np.add.reduceat(left_out[self._order], self._starts, axis=0)
        return _rows_of_length_1(sums)

    def _calibrate(
        self, left_out: NDArray[Any], alone: NDArray[Any]
    ) -> tuple[float, tuple[float, float]]:
        """Learn what is sure from how each example fares when it is left out."""
        own = self._classes[alone]
        rows = np.arange(len(own))
        scores = left_out[alone]
        joined = scores + PROFILE_SHARE * _rows_of_length_1(scores) @ self._profiles.T
        losses = [-np.log(_softmax(t * joined)[rows, own]).mean() for t in TEMPERATURES]
        temperature = TEMPERATURES[int(np.argmin(losses))]
        right = rows[joined.argmax(axis=1) == own]
        if len(right) < len(self.labels):  # too few examples to tell
            return temperature, (UNSURE, SURE)
        fits = _fit(scores[right, own[right]], self._nearest_others(alone)[right])
        unsure, sure = np.quantile(fits, (_UNSURE_SHARE, _SURE_SHARE))
        return temperature, (float(unsure), float(max(sure, unsure + 0.01)))

    def _nearest(self, cosines: NDArray[Any]) -> NDArray[Any]:
        """Return for each row of cosines with the examples that of each class's nearest one."""
        nearest: NDArray[Any] = np.maximum.reduceat(cosines[:, self._order], self._starts, axis=1)
        return nearest

    def _nearest_others(self, alone: NDArray[Any]) -> NDArray[Any]:
        """Return for each example that stands alone the cosine of the nearest one of its class."""
        nearest = np.zeros(len(self._classes))
        for label in range(len(self.labels)):
            members = np.flatnonzero(alone & (self._classes == label))
            cosines = self._vectors[members] @ self._vectors[members].T
            np.fill_diagonal(cosines, 0.0)
            nearest[members] = cosines.max(axis=1, initial=0.0)
        chosen: NDArray[Any] = nearest[alone]
        return chosen

    def _kernel(self, texts: Sequence[str], vectors: Vectors) -> NDArray[Any]:
        """Return how alike each text is to each landmark, up to 1."""
        said = np.stack([self._words.compare(text) + self._pieces.compare(text) for text in texts])
        alike = (vectors @ self._landmarks.T + WORD_SHARE * said) / (1 + 2 * WORD_SHARE)
        kernel: NDArray[Any] = np.exp(SHARPNESS * (alike.astype(np.float64) - 1))
        return kernel


def _words_of(text: str) -> frozenset[str]:
    return frozenset((*stems(text), mood(text)))


def _fit(scores: NDArray[Any], nearness: NDArray[Any]) -> NDArray[Any]:
    fits: NDArray[Any] = np.sqrt(np.maximum(scores, 0) * np.maximum(nearness, 0))
    return fits


def _softmax(logits: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[Any] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _rows_of_length_1(rows: NDArray[Any]) -> NDArray[Any]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[Any] = rows / np.where(lengths, lengths, 1.0)
    return unit
