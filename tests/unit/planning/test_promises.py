"""What can be promised, on buckets and calendars that can be counted by hand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.errors import InvalidInputError
from opsbot.planning.cover import Arrival
from opsbot.planning.promises import (
    PurchaseArrival,
    available_to_promise,
    countable_arrivals,
    delivery_window,
    in_buckets,
    percentile,
    ship_date,
)
from opsbot.planning.workdays import add_workdays, next_open_day, subtract_workdays

FRIDAY = date(2026, 11, 20)
HOLIDAY = date(2026, 11, 23)
buckets = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12)


def is_open(day: date) -> bool:
    return day.weekday() < 5 and day != HOLIDAY


def test_promises_look_ahead_to_those_already_made() -> None:
    promise = available_to_promise(30, [0, 50, 0, 0, 60, 0], [10, 25, 20, 15, 5, 0])

    assert promise.projected == (20, 45, 25, 10, 65, 65)
    assert promise.available == (10, 10, 10, 10, 65, 65)
    assert promise.earliest(45) == 4  # the fifth bucket
    assert promise.earliest(10) == 0
    assert promise.earliest(66) is None


def test_what_was_promised_for_the_past_is_owed_first() -> None:
    assert available_to_promise(30, [0], [10], overdue=25).available == (-5,)


@given(st.integers(0, 100), buckets, st.data())
def test_a_new_promise_never_breaks_an_old_one(
    on_hand: int, planned: list[tuple[int, int]], choice: st.DataObject
) -> None:
    receipts, committed = ([pair[side] for pair in planned] for side in (0, 1))
    promise = available_to_promise(on_hand, receipts, committed)
    bucket = choice.draw(st.integers(0, len(planned) - 1))
    quantity = promise.available[bucket]

    committed[bucket] += max(0, quantity)
    after = available_to_promise(on_hand, receipts, committed)

    short = [units for units in promise.projected if units < 0]
    assert [units for units in after.projected if units < 0] == short
    if quantity > 0:  # and one more unit would break one
        committed[bucket] += 1
        more = available_to_promise(on_hand, receipts, committed)
        assert min(more.projected[bucket:]) < 0


@given(st.integers(0, 100), buckets, st.integers(1, 40))
def test_more_on_hand_never_allows_less(
    on_hand: int, planned: list[tuple[int, int]], more: int
) -> None:
    receipts, committed = ([pair[side] for pair in planned] for side in (0, 1))

    less = available_to_promise(on_hand, receipts, committed).available
    richer = available_to_promise(on_hand + more, receipts, committed).available

    assert list(richer) == [units + more for units in less]
    assert list(less) == sorted(less)


def test_arrivals_count_when_confirmed_and_late_ones_from_today() -> None:
    arrivals = [
        PurchaseArrival(FRIDAY + timedelta(days=3), 5, confirmed=True),
        PurchaseArrival(FRIDAY - timedelta(days=3), 7, confirmed=True),
        PurchaseArrival(FRIDAY, 9, confirmed=True),
        PurchaseArrival(FRIDAY, 11, confirmed=False),
    ]

    counted = countable_arrivals(arrivals, today=FRIDAY, usual_lateness=4)

    assert counted == [
        Arrival(FRIDAY, 9),
        Arrival(FRIDAY + timedelta(days=3), 5),
        Arrival(FRIDAY + timedelta(days=4), 7),
    ]


def test_arrivals_fall_into_weeks() -> None:
    arrivals = [
        Arrival(FRIDAY + timedelta(days=days), units)
        for days, units in ((-2, 1), (0, 2), (6, 4), (7, 8), (14, 16))
    ]

    assert in_buckets(arrivals, first=FRIDAY, buckets=2, days=7) == [7, 8]


@pytest.mark.parametrize(
    ("ready", "handling", "after_cutoff", "expected"),
    [
        (FRIDAY, 0, False, FRIDAY),
        (FRIDAY, 0, True, date(2026, 11, 24)),
        (FRIDAY, 1, False, date(2026, 11, 24)),
        (FRIDAY, 1, True, date(2026, 11, 25)),
        (date(2026, 11, 21), 0, True, date(2026, 11, 24)),
    ],
    ids=["at once", "too late on friday", "a day", "a day, too late", "on saturday"],
)
def test_a_parcel_leaves_after_handling_on_working_days(
    ready: date, handling: int, *, after_cutoff: bool, expected: date
) -> None:
    left = ship_date(ready, handling=handling, after_cutoff=after_cutoff, is_open=is_open)

    assert left == expected


def test_a_delivery_window_runs_from_the_median_to_the_90th_percentile() -> None:
    transit = [1, 2, 2, 2, 3, 3, 3, 4, 6, 9]

    calendar = delivery_window(FRIDAY, transit)
    working = delivery_window(FRIDAY, transit, is_open=is_open)

    assert (calendar.first, calendar.last) == (date(2026, 11, 23), date(2026, 11, 26))
    assert (working.first, working.last) == (date(2026, 11, 26), date(2026, 12, 1))


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([30, 10, 20, 40], 0.5) == 25
    assert percentile([30, 10, 20, 40], 0) == 10
    assert percentile([30, 10, 20, 40], 1) == 40
    assert percentile([7], 0.9) == 7


@given(st.integers(0, 800), st.integers(0, 30))
def test_working_days_back_and_forth_meet(offset: int, workdays: int) -> None:
    day = next_open_day(date(2026, 1, 1) + timedelta(days=offset), is_open)

    later = add_workdays(day, workdays, is_open)

    assert is_open(later)
    assert subtract_workdays(later, workdays, is_open) == day
    between = (later - day).days
    assert sum(is_open(day + timedelta(days=step)) for step in range(between)) == workdays


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="same buckets"):
        available_to_promise(1, [1, 2], [1])
    with pytest.raises(InvalidInputError, match="A quantity must be 0 or more"):
        available_to_promise(1, [-1], [1])
    with pytest.raises(InvalidInputError, match="A quantity must be 1 or more"):
        available_to_promise(1, [1], [1]).earliest(0)
    with pytest.raises(InvalidInputError, match="Without past parcels"):
        delivery_window(FRIDAY, [])
    with pytest.raises(InvalidInputError, match="no open day"):
        next_open_day(FRIDAY, lambda _: False)
    with pytest.raises(InvalidInputError, match="number of working days"):
        add_workdays(FRIDAY, -1, is_open)
    with pytest.raises(InvalidInputError, match="usual lateness"):
        countable_arrivals([], today=FRIDAY, usual_lateness=-1)
    with pytest.raises(InvalidInputError, match="no percentile"):
        percentile([], 0.5)
