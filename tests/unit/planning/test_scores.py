"""Scores against the figures of the literature and of a hand calculation."""

import random

import pytest

from opsbot.planning.scores import (
    Score,
    Weight,
    compare_scores,
    easy_share,
    effort_score,
    net_promoter_counts,
    net_promoter_score,
    satisfaction_score,
    share_score,
)

EFFORTS = [7, 6, 6, 5, 7, 4, 2, 6, 7, 5]


def scored(score: Score | None) -> Score:
    assert score is not None
    return score


def test_nps_is_the_promoters_less_the_detractors_with_an_adjusted_interval() -> None:
    answers = [10] * 28 + [8] * 13 + [3] * 9

    score = scored(net_promoter_score(answers))

    assert (score.value, round(score.low), round(score.high), score.n) == (38, 15, 57, 50)


@pytest.mark.parametrize(
    ("answer", "value"),
    [(0, -100), (6, -100), (7, 0), (8, 0), (9, 100), (10, 100)],
)
def test_an_nps_answer_is_a_promoter_from_nine_and_a_detractor_up_to_six(
    answer: int, value: int
) -> None:
    assert scored(net_promoter_score([answer])).value == value


def test_csat_is_the_share_of_fours_and_fives_with_a_wilson_interval() -> None:
    score = scored(satisfaction_score([5] * 30 + [4] * 12 + [3] * 5 + [1] * 3))

    assert score.value == 84
    assert (round(score.low, 1), round(score.high, 1)) == (71.5, 91.7)


def test_a_share_of_all_or_nothing_keeps_an_interval_within_0_and_100() -> None:
    everything, nothing = scored(share_score(12, n=12)), scored(share_score(0, n=12))

    assert (everything.value, everything.high) == (100, 100)
    assert everything.low == pytest.approx(75.75, abs=0.01)
    assert (nothing.low, nothing.high) == pytest.approx((0, 100 - everything.low))


def test_ces_is_a_mean_with_a_t_interval_and_the_share_of_easy_beside_it() -> None:
    score, easy = scored(effort_score(EFFORTS)), scored(easy_share(EFFORTS))

    assert score.value == 5.5
    assert (round(score.low, 1), round(score.high, 1)) == (4.4, 6.6)
    assert easy.value == 80


@pytest.mark.parametrize(
    ("n", "quantile"),
    [(2, 12.7062), (3, 4.3027), (5, 2.7764), (6, 2.5706), (31, 2.0423), (101, 1.9840)],
    ids=str,
)
def test_the_t_interval_has_the_width_of_the_tables(n: int, quantile: float) -> None:
    answers = [3, 5] * (n // 2) + [4] * (n % 2)

    score = scored(effort_score(answers))

    unclipped = quantile * score.error
    assert score.high == pytest.approx(min(7, score.value + unclipped), abs=1e-3)


def test_one_answer_says_nothing_about_the_others() -> None:
    score = scored(effort_score([6]))

    assert (score.value, score.low, score.high) == (6, 1, 7)


def test_no_answers_have_no_score() -> None:
    assert net_promoter_score([]) is None
    assert satisfaction_score([]) is None
    assert effort_score([]) is None
    assert easy_share([]) is None


@pytest.mark.parametrize(
    ("n", "weight"),
    [(9, Weight.TOO_FEW), (10, Weight.INDICATIVE), (29, Weight.INDICATIVE), (30, Weight.FIRM)],
)
def test_a_score_carries_weight_by_the_number_of_answers(n: int, weight: Weight) -> None:
    assert scored(share_score(5, n=n)).weight is weight


def test_a_fall_of_thirteen_points_may_be_chance() -> None:
    before, after = net_promoter_counts(28, 9, n=50), net_promoter_counts(40, 20, n=80)

    change = compare_scores(scored(before), scored(after))

    assert change.difference == -13
    assert round(change.z, 2) == -0.84
    assert not change.is_real


def test_a_fall_that_chance_does_not_explain_is_real() -> None:
    before, after = share_score(180, n=200), share_score(150, n=200)

    change = compare_scores(scored(before), scored(after))

    assert change.z < -1.96
    assert change.is_real


def test_a_handful_of_equal_answers_never_make_a_real_change() -> None:
    few = compare_scores(scored(effort_score([7, 7])), scored(effort_score([6, 6])))
    many = compare_scores(scored(effort_score([7] * 12)), scored(effort_score([6] * 12)))

    assert not few.is_real
    assert many.is_real


def test_the_nps_interval_holds_the_truth_about_as_often_as_it_says_even_at_ten_answers() -> None:
    dice = random.Random(7)  # noqa: S311  (a simulation)
    truth, weights = 100 * (0.5 - 0.2), (0.5, 0.3, 0.2)
    samples = [dice.choices((10, 8, 2), weights, k=10) for _ in range(2000)]

    scores = [scored(net_promoter_score(sample)) for sample in samples]

    held = sum(score.low <= truth <= score.high for score in scores) / len(scores)
    assert 0.93 <= held <= 0.98
