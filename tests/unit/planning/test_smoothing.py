"""Levels of demand against the recurrences worked out by hand."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.smoothing import (
    Floats,
    croston,
    last_value,
    moving_average,
    simple_smoothing,
    teunter,
)

demands = st.lists(st.integers(0, 30), min_size=1, max_size=40)


def row(*units: float) -> Floats:
    return np.array([units], dtype=np.float64)


def test_smoothing_moves_by_its_weight_of_each_surprise() -> None:
    levels = simple_smoothing(row(10, 20, 20), 0.5)

    assert levels.tolist() == [[10, 15, 17.5]]


def test_a_period_that_is_not_known_moves_nothing() -> None:
    unknown = np.nan

    assert simple_smoothing(row(unknown, 10, unknown, 20), 0.5).tolist() == [[0, 10, 10, 15]]
    assert teunter(row(4, unknown, 4), 0.5, 0.5).tolist() == [[4, 4, 4]]
    assert croston(row(4, unknown, 4), 0.5, unbiased=False).tolist() == [[4, 4, 4]]
    assert moving_average(row(unknown, 4, unknown, 8), 3).tolist() == [[0, 4, 4, 6]]


def test_croston_divides_the_size_by_the_interval() -> None:
    demand = row(0, 6, 0, 0, 9)

    plain = croston(demand, 0.5, unbiased=False)
    unbiased = croston(demand, 0.5, unbiased=True)

    # Sizes 6, then 7.5; intervals 2, then 2.5.
    assert plain.tolist() == [[0, 3, 3, 3, 3]]
    assert unbiased.tolist() == [[0, 2.25, 2.25, 2.25, 2.25]]


def test_teunter_multiplies_the_size_by_a_chance_that_fades() -> None:
    levels = teunter(row(0, 6, 0, 9), 0.5, 0.5)

    # Chances .5, .25, .625; sizes 6, 6, 7.5.
    assert levels.tolist() == [[0, 3, 1.5, 4.6875]]


def test_demand_that_ended_fades_with_teunter_only() -> None:
    demand = row(*[5.0] * 20, *[0.0] * 52)

    assert teunter(demand, 0.1, 0.1)[0, -1] < 0.03
    assert croston(demand, 0.1, unbiased=False)[0, -1] == 5


def test_an_average_forgets_what_left_its_window() -> None:
    assert moving_average(row(9, 3, 3, 3), 2).tolist() == [[9, 6, 3, 3]]


def test_the_naive_level_is_the_last_known_value() -> None:
    assert last_value(row(3, np.nan, 7)).tolist() == [[3, 3, 7]]


@given(demands, st.floats(0.01, 1))
def test_a_smoothed_level_stays_between_the_smallest_and_the_largest(
    units: list[int], weight: float
) -> None:
    levels = simple_smoothing(row(*units), weight)

    assert levels.min() >= min(units) - 1e-9
    assert levels.max() <= max(units) + 1e-9


@given(demands, demands)
def test_items_side_by_side_do_not_touch_each_other(one: list[int], other: list[int]) -> None:
    length = min(len(one), len(other))
    alone = row(*one[:length])
    both = np.array([one[:length], other[:length]], dtype=np.float64)

    ways: list[Callable[[Floats], Floats]] = [
        partial(simple_smoothing, weight=0.2),
        partial(croston, weight=0.1, unbiased=True),
        partial(teunter, size_weight=0.1, chance_weight=0.2),
        partial(moving_average, window=5),
    ]
    for levels in ways:
        assert np.array_equal(levels(both)[0], levels(alone)[0])


@given(st.integers(1, 20), st.integers(1, 60))
def test_even_demand_is_every_method_s_level(units: int, periods: int) -> None:
    demand = row(*[units] * periods)

    for levels in (
        simple_smoothing(demand, 0.3),
        croston(demand, 0.2, unbiased=False),
        teunter(demand, 0.2, 0.2),
        moving_average(demand, 13),
        last_value(demand),
    ):
        assert levels[0] == pytest.approx(units)


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="weight of the newest period must be from 0 to 1"):
        simple_smoothing(row(1), 1.5)
    with pytest.raises(InvalidInputError, match="table of items by periods"):
        simple_smoothing(np.array([1.0]), 0.5)
    with pytest.raises(InvalidInputError, match="window must be 1 or more"):
        moving_average(row(1), 0)
