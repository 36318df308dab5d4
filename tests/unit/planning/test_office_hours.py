"""Office time: weekends, holidays, nights and the change of clocks do not count."""

from datetime import UTC, datetime, time, timedelta

import pytest

from opsbot.errors import InvalidInputError
from opsbot.planning.office_hours import OfficeHours

HOURS = OfficeHours(region="BE")
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+01:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20T09:00", 2, "2026-11-20T11:00"),
        ("2026-11-20T03:00", 2, "2026-11-20T11:00"),
        ("2026-11-20T13:00", 4, "2026-11-20T17:00"),
        ("2026-11-20T13:00", 5, "2026-11-23T10:00"),
        ("2026-11-20T19:00", 8, "2026-11-23T17:00"),
        ("2026-11-21T12:00", 1, "2026-11-23T10:00"),
        ("2026-12-24T16:00", 2, "2026-12-28T10:00"),
        ("2027-03-05T16:00", 2, "2027-03-09T10:00"),
    ],
    ids=[
        "within a morning",
        "from the night before",
        "up to closing time",
        "over a weekend",
        "from the evening",
        "from a Saturday",
        "over Christmas",
        "over a holiday of Berlin alone",
    ],
)
def test_working_time_is_added_to_a_moment(start: str, hours: int, end: str) -> None:
    assert HOURS.add(at(start), hours * HOUR) == at(end)


def test_the_hour_that_the_change_of_clocks_takes_is_no_working_time() -> None:
    friday = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)  # 16:30, winter time

    ends = HOURS.add(friday, HOUR)

    assert ends == datetime(2026, 3, 30, 7, 30, tzinfo=UTC)  # 9:30, summer time


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-20T09:00", "2026-11-20T11:00", 2),
        ("2026-11-20T16:00", "2026-11-23T10:00", 2),
        ("2026-11-21T08:00", "2026-11-22T20:00", 0),
        ("2026-11-23T11:00", "2026-11-23T10:00", 0),
    ],
)
def test_working_time_between_two_moments_is_counted(start: str, end: str, hours: int) -> None:
    assert HOURS.between(at(start), at(end)) == hours * HOUR


def test_what_is_added_lies_between() -> None:
    start = at("2026-12-23T10:00")
    for hours in range(1, 40, 3):
        assert HOURS.between(start, HOURS.add(start, hours * HOUR)) == hours * HOUR


def test_an_unknown_country_has_no_holidays() -> None:
    nowhere = OfficeHours(country="XX")

    assert nowhere.is_open_on(datetime(2026, 12, 25, tzinfo=UTC).date())


def test_an_office_that_never_opens_is_refused() -> None:
    closed = OfficeHours(opens=time(9), closes=time(9))

    with pytest.raises(InvalidInputError, match="no open day"):
        closed.add(at("2026-11-20T09:00"), HOUR)
