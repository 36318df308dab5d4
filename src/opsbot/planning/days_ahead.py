"""Days to come in words: by when something is needed."""

import re
from datetime import date, timedelta

from opsbot.errors import InvalidInputError
from opsbot.planning.periods import DAY, Unit, whole_period

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.? (?:of )?([a-z]+)\.?(?:,? (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_END = re.compile(r"(?:the )?end of (?:the |(this|next) )?(week|month|quarter|year)")
_SHORTEST = 3
"""Letters that name a month."""


def read_day_ahead(text: str, *, today: date) -> date:
    """Read a day that has not passed: "12 December", "Friday", "the end of next month".

    A day without a year is the next one of that name.

    Raises:
        InvalidInputError: it is no day, or it has passed; the text tells what would be understood.
    """
    said = " ".join(text.lower().split()).strip(" .,?!")
    day = _named(said, today) or _of_week(said, today) or _end_of(said, today) or _date(said, today)
    if day is None:
        raise InvalidInputError(
            f"I do not know the day {text.strip()[:40]!r}. Say 12 December, 2026-12-12, Friday, "
            "Christmas, or the end of next month."
        )
    if day < today:
        raise InvalidInputError(f"{text.strip()[:40]} has passed.")
    return day


def _named(said: str, today: date) -> date | None:
    if said in {"today", "tomorrow"}:
        return today + (DAY if said == "tomorrow" else 0 * DAY)
    if said == "christmas":
        return _next(today, 12, 24)
    return _next(today, 12, 31) if said in {"new year", "the new year"} else None


def _of_week(said: str, today: date) -> date | None:
    name = said.removeprefix("next ").removeprefix("this ")
    if name not in _WEEKDAYS:
        return None
    return today + timedelta(days=(_WEEKDAYS.index(name) - today.weekday() - 1) % 7 + 1)


def _end_of(said: str, today: date) -> date | None:
    match = _END.fullmatch(said)
    if match is None:
        return None
    period = whole_period(today, Unit(match[2]), "UTC")
    if match[1] == "next":
        period = whole_period(period.after, Unit(match[2]), "UTC")
    return period.last


def _date(said: str, today: date) -> date | None:
    if match := _ISO.fullmatch(said):
        return _make(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_MONTH.fullmatch(said):
        day, name, year = match[1], match[2], match[3]
    elif match := _MONTH_DAY.fullmatch(said):
        day, name, year = match[2], match[1], match[3]
    else:
        return None
    months = [m for m in _MONTHS if len(name) >= _SHORTEST and m.startswith(name)]
    if len(months) != 1:
        return None
    month = _MONTHS.index(months[0]) + 1
    return _make(int(year), month, int(day)) if year else _next(today, month, int(day))


def _next(today: date, month: int, day: int) -> date | None:
    this_year = _make(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year
    return _make(today.year + 1, month, day)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
