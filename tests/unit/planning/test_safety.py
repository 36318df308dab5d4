"""Safety stock against the figures of the textbooks, and what must always hold."""

import random
from math import comb, exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.safety import (
    coverage,
    expected_shortage,
    fill_rate,
    lead_time_deviation,
    order_point,
    pinball_loss,
    safety_factor,
    service_level_for,
    stock_for_slow_demand,
)

levels = st.floats(0.5, 0.999)
amounts = st.floats(0, 1000)


@pytest.mark.parametrize(
    ("level", "factor"),
    [(0.5, 0), (0.9, 1.2816), (0.95, 1.6449), (0.98, 2.0537), (0.99, 2.3263)],
)
def test_the_factor_is_the_quantile_of_the_normal_curve(level: float, factor: float) -> None:
    assert safety_factor(level) == pytest.approx(factor, abs=5e-5)


def test_the_reorder_point_covers_the_lead_time_and_both_kinds_of_doubt() -> None:
    deviation = lead_time_deviation(6, 10, demand=20, lead_deviation=2)

    point = order_point(20 * 10, 20 * 24, deviation=deviation, service_level=0.95)

    assert deviation == pytest.approx(44.27, abs=0.005)
    assert (point.safety_stock, point.reorder_point, point.order_up_to) == (73, 273, 553)


def test_a_cycle_service_level_of_95_percent_can_be_a_fill_rate_of_9977() -> None:
    deviation = lead_time_deviation(6, 10, demand=20, lead_deviation=2)

    assert fill_rate(deviation, 400, service_level=0.95) == pytest.approx(0.9977, abs=5e-5)


@pytest.mark.parametrize(
    ("factor", "shortage"), [(0, 0.3989), (1, 0.0833), (1.6449, 0.0209), (3, 0.00038), (40, 0)]
)
def test_the_expected_shortage_is_the_unit_normal_loss(factor: float, shortage: float) -> None:
    assert expected_shortage(factor) == pytest.approx(shortage, abs=5e-5)


@given(st.floats(0.9, 0.9999), st.floats(1, 200), st.floats(1, 2000))
def test_the_service_level_for_a_fill_rate_gives_that_fill_rate(
    fill: float, deviation: float, quantity: float
) -> None:
    level = service_level_for(fill, deviation, quantity)

    assert fill_rate(deviation, quantity, service_level=level) >= fill - 1e-9
    if level > 0.501:
        assert fill_rate(deviation, quantity, service_level=level - 1e-3) <= fill + 1e-9


@given(amounts, amounts, amounts, levels, levels)
def test_more_service_never_needs_less_stock(
    lead: float, review: float, deviation: float, one: float, other: float
) -> None:
    low, high = (
        order_point(lead, lead + review, deviation=deviation, service_level=level)
        for level in sorted((one, other))
    )

    assert low.safety_stock <= high.safety_stock
    assert low.reorder_point <= high.reorder_point
    assert high.safety_stock <= high.reorder_point <= high.order_up_to


@given(amounts, amounts, st.floats(0, 100), amounts, st.floats(0, 20))
def test_more_doubt_never_makes_the_deviation_smaller(
    deviation: float, more: float, days: float, demand: float, lead_deviation: float
) -> None:
    def over_lead(one: float, lead: float) -> float:
        return lead_time_deviation(one, days, demand=demand, lead_deviation=lead)

    assert over_lead(deviation, lead_deviation) <= over_lead(deviation + more, lead_deviation)
    assert over_lead(deviation, 0) <= over_lead(deviation, lead_deviation)


def test_a_service_level_of_half_needs_no_safety_stock() -> None:
    point = order_point(100, 100, deviation=50, service_level=0.5)

    assert (point.safety_stock, point.reorder_point) == (0, 100)


def test_simulated_cycles_run_out_about_as_often_as_was_planned() -> None:
    dice = random.Random(2)  # noqa: S311  (a simulation)
    point = order_point(200, 480, deviation=44.27, service_level=0.95)

    demands = [dice.gauss(200, 44.27) for _ in range(5000)]

    enough = sum(units <= point.reorder_point for units in demands) / len(demands)
    assert 0.94 <= enough <= 0.96


@pytest.mark.parametrize("mean", [0.3, 1, 2.5])
def test_slow_and_even_demand_counts_as_poisson(mean: float) -> None:
    stock = stock_for_slow_demand(mean, mean, service_level=0.95)

    def chance(units: int) -> float:
        return sum(exp(-mean) * mean**k / factorial(k) for k in range(units + 1))

    assert chance(stock) >= 0.95 > chance(stock - 1)


def test_slow_and_uneven_demand_counts_as_negative_binomial() -> None:
    # Mean 3 and variance 6: three successes at one in two.
    stock = stock_for_slow_demand(3, 6, service_level=0.95)

    chances = [comb(k + 2, k) * 0.5 ** (k + 3) for k in range(stock + 1)]
    assert sum(chances) >= 0.95 > sum(chances[:-1])


@given(st.floats(0.01, 5), st.floats(1, 8), st.floats(0.5, 0.99))
def test_uneven_slow_demand_never_needs_less_stock_for_a_high_service(
    mean: float, spread: float, level: float
) -> None:
    more_often = stock_for_slow_demand(mean, mean * spread, service_level=0.999)

    assert stock_for_slow_demand(mean, mean * spread, service_level=level) <= more_often
    assert stock_for_slow_demand(mean, mean, service_level=0.999) <= more_often


def test_no_demand_needs_no_stock() -> None:
    assert stock_for_slow_demand(0, 0, service_level=0.99) == 0


def test_a_demand_of_thousands_is_counted_without_losing_its_beginning() -> None:
    stock = stock_for_slow_demand(2000, 2000, service_level=0.95)

    assert stock == pytest.approx(2000 + 1.645 * 2000**0.5, abs=2)


def test_coverage_is_the_share_of_cycles_that_would_have_been_served() -> None:
    assert coverage([-5, 0, 3, 8], 3) == 0.75
    assert coverage([], 3) is None


def test_the_pinball_loss_is_lowest_near_the_quantile() -> None:
    errors = [float(error) for error in range(-50, 51)]

    losses = {stock: pinball_loss(errors, stock, service_level=0.9) for stock in range(-50, 51)}

    assert min(losses, key=lambda stock: losses[stock]) == pytest.approx(40, abs=1)
    assert pinball_loss([10], 0, service_level=0.9) == pytest.approx(9)
    assert pinball_loss([-10], 0, service_level=0.9) == pytest.approx(1)


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1, not 1"):
        safety_factor(1)
    with pytest.raises(InvalidInputError, match=r"0\.5 or more"):
        safety_factor(0.2)
    with pytest.raises(InvalidInputError, match=r"0\.5 or more"):
        safety_factor(float("nan"))
    with pytest.raises(InvalidInputError, match="lead time must be 0 or more"):
        lead_time_deviation(1, -1)
    with pytest.raises(InvalidInputError, match="lead time and the review"):
        order_point(10, 5, deviation=1, service_level=0.9)
    with pytest.raises(InvalidInputError, match="order quantity"):
        fill_rate(1, 0, service_level=0.9)
    with pytest.raises(InvalidInputError, match="no loss to measure"):
        pinball_loss([], 1, service_level=0.9)
