"""Working days, with the public holidays of the shop."""

from datetime import date, timedelta

from opsbot.toolkit.policy.schema import Calendar

_SATURDAY = 5


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Tell whether a day is neither at the weekend nor a public holiday."""
    import holidays  # noqa: PLC0415  (takes 0.2 s, and most processes never need it)

    if day.weekday() >= _SATURDAY:
        return False
    years = holidays.country_holidays(
        calendar.country, subdiv=calendar.subdivision, years=day.year, observed=False
    )
    return day not in years


def next_working_day(day: date, calendar: Calendar) -> date:
    """Return `day`, or the first working day after it."""
    while not is_working_day(day, calendar):
        day += timedelta(days=1)
    return day
