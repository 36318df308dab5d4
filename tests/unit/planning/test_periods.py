"""What people call a stretch of days, in a zone with summer time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from opsbot.errors import InvalidInputError
from opsbot.planning.period_words import read_days, read_period
from opsbot.planning.periods import Period, Unit, previous_period, split_period

BERLIN = "Europe/Berlin"
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(text: str, now: datetime = SUNDAY) -> Period:
    return read_period(text, now=now, zone=BERLIN)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-22", "2026-11-22"),
        ("Yesterday", "2026-11-21", "2026-11-21"),
        ("this week", "2026-11-16", "2026-11-22"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("past week", "2026-11-16", "2026-11-22"),
        ("this month", "2026-11-01", "2026-11-30"),
        ("in the last month", "2026-10-01", "2026-10-31"),
        ("last 30 days", "2026-10-24", "2026-11-22"),
        ("for the past 7 days", "2026-11-16", "2026-11-22"),
        ("last 4 weeks", "2026-10-26", "2026-11-22"),
        ("last 3 months", "2026-09-01", "2026-11-30"),
        ("last 2 years", "2025-01-01", "2026-12-31"),
        ("this quarter", "2026-10-01", "2026-12-31"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("q3", "2026-07-01", "2026-09-30"),
        ("Q4 2025", "2025-10-01", "2025-12-31"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("year to date", "2026-01-01", "2026-11-22"),
        ("2026-09", "2026-09-01", "2026-09-30"),
        ("2026-09-14", "2026-09-14", "2026-09-14"),
        ("September", "2026-09-01", "2026-09-30"),
        ("in sept.", "2026-09-01", "2026-09-30"),
        ("december", "2025-12-01", "2025-12-31"),
        ("last November", "2025-11-01", "2025-11-30"),
        ("november", "2026-11-01", "2026-11-30"),
        ("September 2025", "2025-09-01", "2025-09-30"),
        ("three weeks", "2026-11-02", "2026-11-22"),
        ("last few days", "2026-11-20", "2026-11-22"),
        ("two months ago", "2026-09-01", "2026-09-30"),
        ("three weeks ago", "2026-10-26", "2026-11-01"),
        ("a year ago", "2025-01-01", "2025-12-31"),
        ("next week", "2026-11-23", "2026-11-29"),
        ("so far this month", "2026-11-01", "2026-11-30"),
        ("last weekend", "2026-11-14", "2026-11-15"),
        ("since September", "2026-09-01", "2026-11-22"),
        ("2026-09-01 to 2026-09-14", "2026-09-01", "2026-09-14"),
        ("between 2026-09-01 and 2026-09-14", "2026-09-01", "2026-09-14"),
    ],
)
def test_words_name_whole_days(text: str, first: str, last: str) -> None:
    period = read(text)

    assert (period.first, period.last) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13",
        "2026-02-30",
        "last 0 days",
        "2026-09-14 to 2026-09-01",
        "last 9999 years",
        "since 2027",
    ],
)
def test_words_that_name_no_period_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"I do not know the period|still to come"):
        read(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("21", 21),
        ("21 days", 21),
        ("three weeks", 21),
        ("a week", 7),
        ("week", 7),
        ("two months", 60),
        ("48 hours", 2),
    ],
)
def test_words_name_a_length_of_time(text: str, days: int) -> None:
    assert read_days(text) == days


def test_words_that_name_no_length_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'soon' is no length of time"):
        read_days("soon")


def test_today_is_the_shops_day_and_not_utcs() -> None:
    just_after_midnight_in_berlin = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    period = read("today", just_after_midnight_in_berlin)

    assert period.first == date(2026, 11, 22)
    assert period.start == datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)],
    ids=["summer time begins", "summer time ends", "an ordinary day"],
)
def test_a_day_lasts_as_long_as_the_clock_says(day: str, hours: int) -> None:
    period = read(day)

    assert period.end - period.start == timedelta(hours=hours)
    assert period.days == 1


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("last month", "2026-09-01", "2026-09-30"),
        ("this month", "2026-10-01", "2026-10-22"),
        ("today", "2026-11-21", "2026-11-21"),
        ("last week", "2026-11-02", "2026-11-08"),
        ("last quarter", "2026-04-01", "2026-06-30"),
        ("this quarter", "2026-07-01", "2026-08-22"),
        ("last 30 days", "2026-09-24", "2026-10-23"),
        ("last 3 months", "2026-06-01", "2026-08-22"),
        ("2025", "2024-01-01", "2024-12-31"),
    ],
)
def test_a_period_is_compared_with_as_much_time_before_it(text: str, first: str, last: str) -> None:
    before = previous_period(read(text), now=SUNDAY)

    assert (before.first, before.last) == (date.fromisoformat(first), date.fromisoformat(last))


def test_a_month_is_never_compared_with_more_days_than_the_one_before_has() -> None:
    last_of_march = datetime(2026, 3, 30, 12, tzinfo=UTC)

    before = previous_period(read("this month", last_of_march), now=last_of_march)

    assert before == Period(date(2026, 2, 1), date(2026, 3, 1), BERLIN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("last month", "October 2026"),
        ("Q3", "Q3 2026"),
        ("2025", "2025"),
        ("yesterday", "21 November 2026"),
        ("last week", "9 November 2026 to 15 November 2026"),
    ],
)
def test_a_period_has_a_name(text: str, words: str) -> None:
    assert read(text).words() == words


def test_pieces_cover_a_period_without_gap_or_overlap() -> None:
    period = read("2026-09-10 to 2026-11-05")

    months = split_period(period, Unit.MONTH)
    weeks = split_period(period, Unit.WEEK)
    days = split_period(period, Unit.DAY)

    assert [piece.first for piece in months] == [
        date(2026, 9, 10),
        date(2026, 10, 1),
        date(2026, 11, 1),
    ]
    assert [piece.unit for piece in months] == [Unit.DAYS, Unit.MONTH, Unit.DAYS]
    for pieces in (months, weeks, days):
        assert pieces[0].start == period.start
        assert pieces[-1].end == period.end
        assert all(a.end == b.start for a, b in pairwise(pieces))
    assert len(days) == period.days
