"""How sure it is that a passage is about a question, and from where on it is taken to be."""

import numpy as np
import pytest

from opsbot.retrieval.calibration import Calibration
from opsbot.retrieval.confidence import confidences
from opsbot.retrieval.encoder import MODEL_KEY

OTHER = "another-encoder"


def sure(cosine: float, coverage: float, late: float) -> float:
    values = (np.array([value], np.float32) for value in (cosine, coverage, late))
    return float(confidences(*values)[0])


def test_each_sign_raises_the_confidence() -> None:
    plain = sure(0.5, 0.4, 0.5)

    assert sure(0.6, 0.4, 0.5) > plain
    assert sure(0.5, 0.5, 0.5) > plain
    assert sure(0.5, 0.4, 0.6) > plain


def test_a_near_subject_with_a_word_missing_is_less_sure_than_a_farther_one_with_all() -> None:
    near_subject = sure(0.72, 0.3, 0.45)
    all_words = sure(0.65, 0.8, 0.65)

    assert all_words > near_subject


def test_confidence_lies_about_between_0_and_1() -> None:
    assert sure(0, 0, 0) == 0
    assert 1 <= sure(1, 1, 1) <= 1.2


def test_a_passage_is_judged_by_itself() -> None:
    cosines, coverage, late = (np.array([0.3, 0.7], np.float32) for _ in range(3))

    both = confidences(cosines, coverage, late)

    assert both[0] == confidences(cosines[:1], coverage[:1], late[:1])[0]
    assert both[1] == confidences(cosines[1:], coverage[1:], late[1:])[0]


def test_the_threshold_lies_between_foreign_and_own_questions() -> None:
    threshold = Calibration(foreign=0.3, own=0.9, asked=100).threshold(OTHER)

    assert 0.3 < threshold < 0.6


def test_a_base_that_is_near_to_anything_gets_a_higher_threshold() -> None:
    narrow = Calibration(foreign=0.3, own=0.8, asked=100)
    broad = Calibration(foreign=0.5, own=0.8, asked=100)

    assert broad.threshold(MODEL_KEY) > narrow.threshold(MODEL_KEY)
    assert broad.threshold(OTHER) > narrow.threshold(OTHER)


@pytest.mark.parametrize("asked", [0, 5, 100])
@pytest.mark.parametrize("key", [MODEL_KEY, OTHER])
def test_foreign_questions_stay_below_the_threshold(key: str, asked: int) -> None:
    odd = Calibration(foreign=0.9, own=0.4, asked=asked)

    assert odd.threshold(key) > 0.9


def test_few_sentences_move_nothing() -> None:
    low = Calibration(foreign=0.2, own=0.3, asked=3)
    high = Calibration(foreign=0.2, own=0.9, asked=3)

    assert low.threshold(MODEL_KEY) == high.threshold(MODEL_KEY)


def test_another_encoder_is_measured_by_its_own_figures_alone() -> None:
    """Some encoders give unrelated texts cosines of 0.7."""
    crowded = Calibration(foreign=0.7, own=0.95, asked=100)

    assert 0.7 < crowded.threshold(OTHER) < 0.85
