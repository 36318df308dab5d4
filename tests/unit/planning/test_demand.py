"""Classes of demand, on series whose figures can be worked out by hand."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.demand import (
    DemandClass,
    SteadinessClass,
    ValueClass,
    coefficient_of_variation,
    demand_shape,
    steadiness_class,
    value_classes,
)
from opsbot.planning.demand_weeks import Sold, demand_weeks, giant_limit

MONDAY = date(2026, 9, 7)


@pytest.mark.parametrize(
    ("periods", "interval", "variation", "expected"),
    [
        ([4, 6, 4, 6], 1, 0.04, DemandClass.SMOOTH),
        ([1, 1, 1, 13], 1, 1.6875, DemandClass.ERRATIC),
        ([0, 4, 0, 6], 2, 0.04, DemandClass.INTERMITTENT),
        ([0, 1, 0, 0, 1, 0, 13, 1], 2, 1.6875, DemandClass.LUMPY),
        ([0, 0, 0], 0, 0, DemandClass.NONE),
        ([], 0, 0, DemandClass.NONE),
    ],
    ids=["smooth", "erratic", "intermittent", "lumpy", "never sold", "not known"],
)
def test_demand_is_classed_by_its_interval_and_the_variation_of_its_sizes(
    periods: list[float], interval: float, variation: float, expected: DemandClass
) -> None:
    shape = demand_shape(periods)

    assert (shape.interval, shape.demand_class) == (interval, expected)
    assert shape.variation == pytest.approx(variation)


def test_demand_every_132_periods_in_100_is_no_longer_frequent() -> None:
    often, seldom = [1.0] * 100 + [0] * 31, [1.0] * 100 + [0] * 32

    assert demand_shape(often).demand_class is DemandClass.SMOOTH
    assert demand_shape(seldom).demand_class is DemandClass.INTERMITTENT


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(2, 9))
def test_the_class_does_not_depend_on_the_unit(periods: list[int], times: int) -> None:
    one, many = demand_shape(periods), demand_shape([units * times for units in periods])

    assert one.interval == many.interval
    assert one.variation == pytest.approx(many.variation)


def test_the_items_that_bring_the_first_eighty_percent_are_a() -> None:
    values = {"lamp": 500.0, "mug": 300, "bag": 100, "pen": 60, "pin": 40}

    classes = value_classes(values)

    # 50, 80, 90, 96 and 100 % are reached.
    assert classes == {
        "lamp": ValueClass.A,
        "mug": ValueClass.A,
        "bag": ValueClass.B,
        "pen": ValueClass.C,
        "pin": ValueClass.C,
    }


def test_the_largest_item_is_a_even_if_it_brings_nearly_everything() -> None:
    assert value_classes({"lamp": 99, "pin": 1}) == {"lamp": ValueClass.A, "pin": ValueClass.C}


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 1000), max_size=12))
def test_no_item_has_a_better_class_than_one_that_brings_more(values: dict[str, int]) -> None:
    classes = value_classes(values)

    assert classes.keys() == values.keys()
    ranked = sorted(values, key=lambda key: -values[key])
    letters = [classes[key] for key in ranked]
    steps = [(values[key], letter) for key, letter in zip(ranked, letters, strict=True)]
    for (more, better), (less, worse) in pairwise(steps):
        assert better <= worse or more == less


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([10, 10, 10], SteadinessClass.X),
        ([5, 15], SteadinessClass.X),
        ([4, 16], SteadinessClass.Y),
        ([0, 20], SteadinessClass.Y),
        ([0, 0, 30], SteadinessClass.Z),
        ([0, 0], SteadinessClass.Z),
    ],
    ids=["even", "at the border of x", "beyond it", "at the border of y", "seldom", "never"],
)
def test_steadiness_follows_the_coefficient_of_variation(
    weeks: list[float], expected: SteadinessClass
) -> None:
    assert steadiness_class(weeks) is expected


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="Demand must be 0 or more, not -1"):
        demand_shape([3, -1])
    with pytest.raises(InvalidInputError, match="value of mug"):
        value_classes({"mug": float("nan")})
    with pytest.raises(InvalidInputError, match="border of A"):
        value_classes({"mug": 1}, a_share=0.96)
    with pytest.raises(InvalidInputError, match="no variation to measure"):
        coefficient_of_variation([])


def test_sales_are_added_up_by_whole_weeks_from_monday() -> None:
    wednesday = MONDAY - timedelta(days=5)
    sold = [
        Sold(wednesday, 9),
        Sold(MONDAY, 1),
        Sold(MONDAY + timedelta(days=6), 2),
        Sold(MONDAY + timedelta(days=7), 4),
        Sold(MONDAY + timedelta(days=15), 8),
    ]

    weeks = demand_weeks(sold, first=wednesday, after=MONDAY + timedelta(days=17))

    assert weeks.first == MONDAY
    assert weeks.known == [3, 4]


def test_a_week_of_empty_shelves_is_not_a_week_without_demand() -> None:
    out = [MONDAY + timedelta(days=7 + day) for day in range(4)]

    weeks = demand_weeks(
        [Sold(MONDAY, 5)], first=MONDAY, after=MONDAY + timedelta(days=21), days_out=[*out, *out]
    )

    assert np.array_equal(weeks.units, [5, np.nan, 0], equal_nan=True)
    assert weeks.known == [5, 0]


def test_three_days_of_empty_shelves_leave_a_week_known() -> None:
    out = [MONDAY + timedelta(days=day) for day in range(3)]

    weeks = demand_weeks([], first=MONDAY, after=MONDAY + timedelta(days=7), days_out=out)

    assert weeks.known == [0]


def test_an_order_ten_times_the_usual_largest_is_left_out_and_shown() -> None:
    usual = list(range(1, 101))

    limit = giant_limit(usual)
    weeks = demand_weeks(
        [Sold(MONDAY, 990), Sold(MONDAY, 991)],
        first=MONDAY,
        after=MONDAY + timedelta(days=7),
        giant_above=limit,
    )

    assert limit == pytest.approx(990.1)
    assert weeks.known == [990]
    assert weeks.giants == (Sold(MONDAY, 991),)


def test_half_a_week_is_no_history() -> None:
    with pytest.raises(InvalidInputError, match="no whole week"):
        demand_weeks([], first=MONDAY + timedelta(days=1), after=MONDAY + timedelta(days=13))
    with pytest.raises(InvalidInputError, match="nobody can say"):
        giant_limit([])
