"""Working days, with the public holidays of the shop."""

from datetime import date, timedelta
from functools import cache

from opsbot.toolkit.policy.schema import Calendar

_SATURDAY = 5


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Tell whether a day is neither at the weekend nor a public holiday."""
    if day.weekday() >= _SATURDAY:
        return False
    return day not in _holidays(calendar.country, calendar.subdivision, day.year)


@cache  # of a shop's own country, and the few years that its orders are of
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415  (takes 0.2 s, and most processes never need it)

    found = holidays.country_holidays(country, subdiv=subdivision, years=year, observed=False)
    return frozenset(found)


def next_working_day(day: date, calendar: Calendar) -> date:
    """Return `day`, or the first working day after it."""
    while not is_working_day(day, calendar):
        day += timedelta(days=1)
    return day
