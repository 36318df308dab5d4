"""Forecasts of series whose future is known."""

import random
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.demand import DemandClass
from opsbot.planning.events import Event, split_by_share, uplift, with_events
from opsbot.planning.forecasting import forecast, forecast_items
from opsbot.planning.safety import coverage
from opsbot.planning.smoothing import simple_smoothing

MONDAY = date(2026, 12, 7)
YEAR = [float(week * week % 37) for week in range(52)]


def test_even_demand_goes_on_without_any_doubt() -> None:
    found = forecast([7] * 40, horizon=4)

    assert [period.units for period in found.periods] == pytest.approx([7] * 4)
    assert (found.periods[0].low, found.periods[-1].high) == pytest.approx((7, 7))
    assert found.total == pytest.approx(28)
    assert found.shape.demand_class is DemandClass.SMOOTH
    assert (found.backtest.origins, found.backtest.error) == (13, 0)
    assert (found.backtest.wape, found.backtest.bias) == (0, 0)
    assert found.method == "exponential smoothing, weight 0.2"  # a tie goes to the default


def test_a_year_s_pattern_is_repeated_when_two_years_show_it() -> None:
    history = [*YEAR, *YEAR, *YEAR[:36]]

    found = forecast(history, horizon=8)

    assert found.method == "as a year before"
    assert [period.units for period in found.periods] == YEAR[36:44]
    assert found.backtest.error == 0


def test_one_year_cannot_show_a_pattern_of_the_year() -> None:
    assert forecast(YEAR, horizon=8).method != "as a year before"


def test_a_week_that_was_empty_a_year_ago_gets_the_usual_level() -> None:
    history = [*YEAR, *YEAR, *YEAR[:36]]
    history[2 * 52 + 36 - 52] = float("nan")  # a year before the first week ahead

    found = forecast(history, horizon=2)

    usual = simple_smoothing(np.array([history]), 0.2)[0, -1]
    assert found.method == "as a year before"
    assert [period.units for period in found.periods] == [usual, YEAR[37]]


def test_noise_is_forecast_better_than_by_its_last_value() -> None:
    dice = random.Random(3)  # noqa: S311  (a simulation)
    history = [dice.choice([0, 0, 5, 10, 20, 40]) for _ in range(104)]

    backtest = forecast(history, horizon=4).backtest

    assert backtest.wape is not None
    assert backtest.naive_wape is not None
    assert backtest.wape < backtest.naive_wape


def test_a_rise_shows_as_a_bias() -> None:
    rising, falling = list(range(60)), list(range(60, 0, -1))

    up, down = forecast(rising, horizon=4).backtest, forecast(falling, horizon=4).backtest

    assert up.bias is not None
    assert down.bias is not None
    assert up.bias > 0 > down.bias


def test_eight_tenths_of_the_weeks_fall_into_the_interval() -> None:
    dice = np.random.default_rng(11)
    series = np.maximum(0, dice.normal(50, 12, size=(150, 64)))

    found = forecast_items(series[:, :60], horizon=4, confidence=0.8)

    held = [
        period.low <= actual <= period.high
        for one, future in zip(found, series[:, 60:], strict=True)
        if one is not None
        for period, actual in zip(one.periods, future, strict=True)
    ]
    assert len(held) == 600
    assert 0.72 <= sum(held) / len(held) <= 0.9


def test_the_errors_of_the_past_tell_how_far_a_safety_stock_would_have_reached() -> None:
    found = forecast([0, 20] * 30, horizon=1).backtest

    assert coverage(found.errors, max(found.errors)) == 1
    assert coverage(found.errors, 0) == pytest.approx(sum(e <= 0 for e in found.errors) / 13)


def test_the_interval_never_narrows_with_distance() -> None:
    dice = random.Random(5)  # noqa: S311  (a simulation)
    history = [float(dice.randint(0, 30)) for _ in range(80)]

    widths = [one.high - one.units for one in forecast(history, horizon=12).periods]

    assert widths == sorted(widths)


@pytest.mark.parametrize("weeks", [4, 6, 12, 15])
def test_a_short_history_gets_the_default_way(weeks: int) -> None:
    found = forecast([8, 12] * (weeks // 2) + [8] * (weeks % 2), horizon=6)

    assert found.method == "exponential smoothing, weight 0.2"
    assert found.backtest.origins < 12
    assert len(found.periods) == 6


def test_a_short_history_is_judged_by_single_weeks() -> None:
    backtest = forecast([8, 12, 8, 12], horizon=9).backtest

    # Levels 8, 8.8 and 8.64, so errors of 4, -0.8 and 3.36; nine weeks are three times as unsure.
    assert backtest.error == pytest.approx(3 * ((16 + 0.64 + 11.2896) / 3) ** 0.5)
    assert (backtest.origins, backtest.wape, backtest.errors) == (0, None, ())


def test_too_little_history_is_no_forecast() -> None:
    with pytest.raises(InvalidInputError, match="4 known weeks"):
        forecast([3, 4, float("nan"), 5], horizon=2)

    both = forecast_items(np.array([[3, 4, np.nan, 5], [3, 4, 4, 5]]), horizon=2)

    assert both[0] is None
    assert both[1] is not None


def test_items_are_forecast_alone_as_they_are_together() -> None:
    dice = random.Random(8)  # noqa: S311  (a simulation)
    table = np.array([[dice.choice([0, 0, 3, 9]) for _ in range(60)] for _ in range(5)], float)

    together = forecast_items(table, horizon=4)

    assert together == [forecast(row.tolist(), horizon=4) for row in table]


@settings(max_examples=40, deadline=None)  # NumPy warms up in the first call
@given(
    demand=st.lists(st.one_of(st.integers(0, 40), st.just(float("nan"))), min_size=8, max_size=60),
    horizon=st.integers(1, 12),
)
def test_no_forecast_is_negative_or_unknown(demand: list[float], horizon: int) -> None:
    found = forecast_items(np.array([demand], dtype=np.float64), horizon=horizon)[0]

    if found is None:
        assert sum(units == units for units in demand) < 4  # noqa: PLR0124  (NaN differs from itself)
        return
    assert len(found.periods) == horizon
    for period in found.periods:
        assert 0 <= period.low <= period.units <= period.high < float("inf")
    assert 0 <= found.backtest.error < float("inf")


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="none below zero"):
        forecast([3, -4, 4, 5], horizon=2)
    with pytest.raises(InvalidInputError, match="horizon must be 1 or more"):
        forecast([3, 4, 4, 5], horizon=0)
    with pytest.raises(InvalidInputError, match="confidence"):
        forecast([3, 4, 4, 5], horizon=1, confidence=1)


def test_an_event_lifts_the_days_that_fall_into_a_week() -> None:
    fair = Event(date(2026, 12, 12), date(2026, 12, 15), 2.4)

    weeks = with_events([70, 70, 70], [fair], first=MONDAY)

    # Two of the first week's days, two of the second's.
    assert weeks == pytest.approx((98, 98, 70))


def test_events_that_overlap_multiply() -> None:
    whole = Event(MONDAY, date(2026, 12, 13), 1.5)

    assert with_events([10], [whole, whole], first=MONDAY) == pytest.approx((22.5,))


def test_an_uplift_is_learnt_from_an_event_that_has_been() -> None:
    assert uplift([30, 60], [20, 40]) == 1.5


def test_a_new_item_gets_its_share_of_the_category() -> None:
    assert split_by_share(90, {"old lamp": 2, "new lamp": 1}) == {"old lamp": 60, "new lamp": 30}


def test_events_and_shares_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="cannot end on"):
        with_events([1], [Event(MONDAY, date(2026, 12, 1), 2)], first=MONDAY)
    with pytest.raises(InvalidInputError, match="factor"):
        with_events([1], [Event(MONDAY, MONDAY, -1)], first=MONDAY)
    with pytest.raises(InvalidInputError, match="as many usual periods"):
        uplift([1], [1, 2])
    with pytest.raises(InvalidInputError, match="Usual demand"):
        uplift([1], [0])
    with pytest.raises(InvalidInputError, match="sum of the shares"):
        split_by_share(5, {"lamp": 0})
