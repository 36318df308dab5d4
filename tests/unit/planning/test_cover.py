"""How long stock lasts, on figures that can be counted by hand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.planning.cover import (
    Arrival,
    daily_demand,
    order_quantity,
    order_up_to_level,
    plan_cover,
)

TODAY = date(2026, 11, 20)


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def test_demand_is_the_mean_of_the_days_on_which_there_was_stock() -> None:
    assert daily_demand(84, days=56) == 1.5
    assert daily_demand(84, days=56, days_out=14) == 2
    assert daily_demand(0, days=56, days_out=56) == 0


def test_stock_runs_out_on_the_first_day_it_does_not_cover() -> None:
    cover = plan_cover(25, 4, today=TODAY, lead_days=14)

    assert cover.days == 6.25
    assert cover.runs_out_on == in_days(6)
    assert cover.order_by == in_days(-8)


def test_an_arrival_before_the_run_out_puts_it_off() -> None:
    arrivals = [Arrival(in_days(12), 40), Arrival(in_days(5), 20)]

    cover = plan_cover(25, 4, arrivals, today=TODAY, lead_days=3)

    # 45 units last until day 11; the second arrival, on day 12, comes too late.
    assert cover.runs_out_on == in_days(11)
    assert cover.order_by == in_days(8)
    assert cover.days == 6.25


def test_an_arrival_on_the_day_of_the_run_out_is_in_time() -> None:
    cover = plan_cover(24, 4, [Arrival(in_days(6), 4)], today=TODAY, lead_days=0)

    assert cover.runs_out_on == in_days(7)


def test_an_overdue_arrival_is_not_counted() -> None:
    cover = plan_cover(8, 4, [Arrival(in_days(-1), 400)], today=TODAY, lead_days=0)

    assert cover.runs_out_on == in_days(2)


def test_nothing_left_is_out_today() -> None:
    assert plan_cover(0, 0.2, today=TODAY, lead_days=7).runs_out_on == TODAY
    assert plan_cover(-3, 0.2, today=TODAY, lead_days=7).runs_out_on == TODAY


def test_without_demand_nothing_runs_out() -> None:
    cover = plan_cover(5, 0, today=TODAY, lead_days=7)

    assert (cover.days, cover.runs_out_on, cover.order_by) == (None, None, None)


def test_a_run_out_in_another_decade_is_none() -> None:
    assert plan_cover(10_000, 0.01, today=TODAY, lead_days=7).runs_out_on is None


@pytest.mark.parametrize(
    ("position", "level", "minimum", "multiple", "quantity"),
    [
        (40, 100, 0, 1, 60),
        (40, 100, 0, 24, 72),
        (95, 100, 50, 1, 50),
        (95, 100, 50, 24, 72),
        (100, 100, 50, 24, 0),
        (130, 100, 50, 24, 0),
        (-10, 100, 0, 1, 110),
    ],
    ids=["plain", "packs", "minimum", "minimum in packs", "full", "over", "backorders"],
)
def test_an_order_fills_up_to_the_level(
    position: int, level: int, minimum: int, multiple: int, quantity: int
) -> None:
    assert order_quantity(position, level, minimum=minimum, multiple=multiple) == quantity


def test_the_level_covers_the_lead_time_the_review_and_the_safety_stock() -> None:
    assert order_up_to_level(1.5, lead_days=14, review_days=28, safety_stock=10) == 73


@given(
    available=st.integers(0, 500),
    demand=st.integers(1, 20),
    arrivals=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 300)), max_size=6),
)
def test_the_run_out_date_is_the_one_that_counting_days_finds(
    available: int, demand: int, arrivals: list[tuple[int, int]]
) -> None:
    planned = [Arrival(in_days(day), quantity) for day, quantity in arrivals]

    cover = plan_cover(available, demand, planned, today=TODAY, lead_days=0)

    stock, day = available, 0
    while True:
        stock += sum(arrival.quantity for arrival in planned if arrival.on == in_days(day))
        if stock < demand:
            break
        stock, day = stock - demand, day + 1
    assert cover.runs_out_on == in_days(day)
