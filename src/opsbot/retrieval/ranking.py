"""Put passages in order: one score from what is known of each.

Four things are added, each about 0 to 1:

- meaning: the cosine of the text, or of title and headings if that is nearer;
- the same word by word (`late`);
- words: BM25 as a share of what a full match would have, which counts less the nearer some title
  comes to the question: once a title says what is asked, words in common are mostly chance;
- likeness of a passage's title to those of the best five, so that what is written about one
  subject comes together.

The weights were chosen on four public sets of manuals, FAQs, troubleshooting guides and health
questions, and are flat there: leaving a set out and tuning on the others costs it at most half a
point. See `docs/decisions/` and `benchmarks/retrieval.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

_FULL_MATCH = 1.5
"""BM25 per rarity of a passage that has a word two or three times."""
_LATE_WEIGHT = 0.8
_SUBJECT_WEIGHT = 0.3
_LEADERS = 5
"""Best passages that say what the subject is."""
_LEAD = 0.1
"""How far behind the best one a leader counts a third of it."""


@dataclass(frozen=True)
class Candidates:
    """What is known of the passages that may answer; a number for each unless said otherwise."""

    text: Scores
    """Cosine of the text with the question."""
    title: Scores
    """Cosine of title and headings with the question."""
    words: Scores
    """Share of a full match by words; see `word_shares`."""
    late: Scores
    """Likeness word by word; see `late.late_scores`."""
    titles: NDArray[np.float32]
    """Vectors of title and headings: shape (passages, dimensions), of length 1."""


def word_shares(matches: Scores, total: float) -> Scores:
    """Return BM25 scores as shares of a full match.

    Args:
        matches: BM25 scores.
        total: what all words of the question tell: the sum of their weights times rarities.
    """
    shares: Scores = matches / np.float32(_FULL_MATCH * total) if total > 0 else 0 * matches
    return shares


def fuse(candidates: Candidates, *, lexical_weight: float) -> Scores:
    """Return the score of each passage: the higher the better, comparable between questions.

    Args:
        candidates: the passages, at least one.
        lexical_weight: what a full match by words counts when no title is near.
    """
    meaning = np.maximum(candidates.text, candidates.title)
    unsaid = 1 - float(candidates.title.max())
    scores = (
        meaning
        + np.float32(_LATE_WEIGHT) * candidates.late
        + np.float32(lexical_weight * unsaid) * candidates.words
    )
    fused: Scores = scores + np.float32(_SUBJECT_WEIGHT) * _subject(scores, candidates.titles)
    return fused


def _subject(scores: Scores, titles: NDArray[np.float32]) -> Scores:
    """Return the cosine of each title with the mean of those that lead."""
    leaders = np.argsort(-scores, kind="stable")[:_LEADERS]
    weights = np.exp((scores[leaders] - scores[leaders[0]]) / np.float32(_LEAD))
    mean = weights @ titles[leaders]
    likeness: Scores = titles @ (mean / np.linalg.norm(mean))
    return likeness
