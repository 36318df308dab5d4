"""What makes a passage come first."""

import numpy as np
import pytest
from numpy.typing import NDArray

from opsbot.retrieval.ranking import Candidates, Scores, fuse, word_shares

WEIGHT = 1.0


def row(*values: float) -> Scores:
    return np.array(values, np.float32)


def apart(number: int) -> NDArray[np.float32]:
    """Return titles that have nothing in common."""
    return np.eye(number, 8, dtype=np.float32)


def make(
    text: Scores,
    *,
    title: Scores | None = None,
    words: Scores | None = None,
    late: Scores | None = None,
    titles: NDArray[np.float32] | None = None,
) -> Candidates:
    none = np.zeros(len(text), np.float32)
    return Candidates(
        text=text,
        title=none if title is None else title,
        words=none if words is None else words,
        late=none if late is None else late,
        titles=apart(len(text)) if titles is None else titles,
    )


def order(candidates: Candidates) -> list[int]:
    return [int(i) for i in np.argsort(-fuse(candidates, lexical_weight=WEIGHT))]


@pytest.mark.parametrize(
    "second",
    [
        make(row(0.5, 0.6)),
        make(row(0.5, 0.5), title=row(0.2, 0.7)),
        make(row(0.5, 0.5), words=row(0.1, 0.4)),
        make(row(0.5, 0.5), late=row(0.4, 0.6)),
    ],
    ids=["text", "title", "words", "word by word"],
)
def test_each_sign_brings_a_passage_forward(second: Candidates) -> None:
    assert order(second) == [1, 0]


def test_words_in_common_count_less_once_a_title_says_what_is_asked() -> None:
    text, words = row(0.4, 0.6), row(0.6, 0.2)

    unsaid = make(text, title=row(0.1, 0.1), words=words)
    said = make(text, title=row(0.1, 0.9), words=words)

    assert order(unsaid) == [0, 1]
    assert order(said) == [1, 0]


def test_a_passage_of_the_leading_subject_passes_one_of_another() -> None:
    text = row(0.8, 0.8, 0.52, 0.5)
    titles = apart(4)
    titles[[1, 3]] = titles[0]

    assert order(make(text, titles=titles)) == [0, 1, 3, 2]


def test_a_single_passage_has_a_score() -> None:
    scores = fuse(make(row(0.5)), lexical_weight=WEIGHT)

    assert scores.shape == (1,)
    assert np.isfinite(scores).all()


def test_what_a_passage_scores_depends_little_on_weak_ones_beside_it() -> None:
    strong = make(row(0.9, 0.2), words=row(0.5, 0))
    stronger = make(row(0.9, 0.1), words=row(0.5, 0.1))

    one, other = (fuse(some, lexical_weight=WEIGHT)[0] for some in (strong, stronger))

    assert one == pytest.approx(other, abs=0.01)


def test_a_full_match_by_words_is_about_one() -> None:
    assert word_shares(row(15, 0), 10.0).tolist() == [1, 0]


def test_a_question_of_no_words_matches_none() -> None:
    assert word_shares(row(0, 0), 0.0).tolist() == [0, 0]
