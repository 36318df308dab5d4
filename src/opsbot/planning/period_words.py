"""What people call a stretch of time: "last month", "September", "the past 7 days", "2026-09"."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from math import ceil

from opsbot.errors import InvalidInputError
from opsbot.formats import format_day
from opsbot.planning.periods import DAY, Period, Unit, add_months, local_day, whole_period

PERIOD_WORDS = (
    "today, yesterday, this or last week, month, quarter or year, last 30 days, September, "
    "September 2026, 2026-09, Q3 2026, 2026, or 2026-09-01 to 2026-09-14"
)
MONTHS = (
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may", "may"),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sept", "sep"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
)
COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "couple of": 2,
    "few": 3,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
}
DAYS_OF = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


def read_period(text: str, *, now: datetime, zone: str) -> Period:
    """Return the period that words name, such as "last month" or "2026-09".

    "Last 30 days" ends with today; "last 3 months" are calendar months and end with this one.
    A month without a year is the newest that has begun.

    Raises:
        InvalidInputError: the words name no period; the text lists what is understood.
    """
    words = re.sub(r"[\s,]+", " ", text.strip(" .?!").lower())
    words = re.sub(r"^(?:(?:in|during|for|over|of|the|whole|from|between|on) )*", "", words)
    today = local_day(now, zone)
    if words.startswith("since "):
        return _read_since(words.removeprefix("since "), now=now, zone=zone)
    for pattern, read in _READERS:
        if match := re.fullmatch(pattern, words):
            try:
                return read(match, today, zone)
            except (ValueError, OverflowError) as error:  # such as 2026-13
                raise _not_understood(text) from error
    raise _not_understood(text)


def read_days(text: str) -> int:
    """Return how many days words such as "three weeks", "a month" or "21" are.

    Raises:
        InvalidInputError: the words name no length of time.
    """
    words = re.sub(r"\s+", " ", text.strip().lower())
    if match := re.fullmatch(rf"(?:{_COUNT} )?(?:{_UNITS}|hour)s?", words):
        count = _count(match["count"] or "one")
        return count * DAYS_OF[match["unit"]] if match["unit"] else ceil(count / 24)
    if re.fullmatch(r"\d{1,4}", words):
        return int(words)
    raise InvalidInputError(f"{text[:40]!r} is no length of time. Say 21 days, or three weeks.")


def _not_understood(text: str) -> InvalidInputError:
    return InvalidInputError(f"I do not know the period {text[:40]!r}. Say {PERIOD_WORDS}.")


def _count(words: str) -> int:
    return COUNTS.get(words) or int(words)


def _read_since(words: str, *, now: datetime, zone: str) -> Period:
    begun, today = read_period(words, now=now, zone=zone), local_day(now, zone)
    if begun.first > today:
        raise InvalidInputError(f"{format_day(begun.first)} is still to come.")
    return Period(begun.first, today + DAY, zone)


def _last_days(count: int, today: date, zone: str) -> Period:
    if count < 1:
        raise ValueError("a period has at least one day")
    return Period(today - timedelta(days=count - 1), today + DAY, zone)


def _read_relative(match: re.Match[str], today: date, zone: str) -> Period:
    if match["which"] == "past":
        return _last_days(DAYS_OF[match["unit"]], today, zone)
    current = whole_period(today, Unit(match["unit"]), zone)
    if match["which"] in {"this", "current"}:
        return current
    day = current.after if match["which"] in {"next", "coming"} else current.first - DAY
    return whole_period(day, current.unit, zone)


def _read_last(match: re.Match[str], today: date, zone: str) -> Period:
    count, unit = _count(match["count"]), match["unit"]
    if unit in {"day", "week"}:
        return _last_days(count * DAYS_OF[unit], today, zone)
    if count < 1:
        raise ValueError("a period has at least one month")
    last = whole_period(today, Unit(unit), zone)
    months = {"month": 1, "quarter": 3, "year": 12}[unit] * (count - 1)
    if not months:
        return last
    return Period(add_months(last.first, -months), last.after, zone)


def _read_half_year(_match: re.Match[str], today: date, zone: str) -> Period:
    last = whole_period(today, Unit.MONTH, zone)
    return Period(add_months(last.first, -5), last.after, zone)


def _read_ago(match: re.Match[str], today: date, zone: str) -> Period:
    count, unit = _count(match["count"]), Unit(match["unit"])
    if unit in {Unit.DAY, Unit.WEEK}:
        return whole_period(today - timedelta(days=count * DAYS_OF[unit]), unit, zone)
    months = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}[unit] * count
    return whole_period(add_months(today.replace(day=1), -months), unit, zone)


def _read_weekend(match: re.Match[str], today: date, zone: str) -> Period:
    """Return Saturday and Sunday: of this week, or of the newest week whose weekend is over."""
    saturday = whole_period(today, Unit.WEEK, zone).first + timedelta(days=5)
    if match["which"] not in {"this", "current"}:
        saturday -= timedelta(days=7)
    return Period(saturday, saturday + 2 * DAY, zone)


def _read_month(match: re.Match[str], today: date, zone: str) -> Period:
    month = next(n for n, names in enumerate(MONTHS, 1) if match["month"] in names)
    if match["year"]:
        return whole_period(date(int(match["year"]), month, 1), Unit.MONTH, zone)
    year = today.year - (month > today.month)
    if match["last"] and month == today.month:
        year -= 1
    return whole_period(date(year, month, 1), Unit.MONTH, zone)


def _read_quarter(match: re.Match[str], today: date, zone: str) -> Period:
    month = int(match["quarter"]) * 3 - 2
    year = int(match["year"]) if match["year"] else today.year - (month > today.month)
    return whole_period(date(year, month, 1), Unit.QUARTER, zone)


def _read_date(match: re.Match[str], _today: date, zone: str, *, unit: Unit) -> Period:
    parts = [int(part) for part in match.groups()]
    year, month, day = (*parts, 1, 1)[:3]
    return whole_period(date(year, month, day), unit, zone)


def _read_range(match: re.Match[str], _today: date, zone: str) -> Period:
    first, last = (date.fromisoformat(day) for day in match.groups())
    if last < first:
        raise ValueError("a period ends after it begins")
    return Period(first, last + DAY, zone)


def _read_to_date(_match: re.Match[str], today: date, zone: str) -> Period:
    return Period(date(today.year, 1, 1), today + DAY, zone)


def _read_day(_match: re.Match[str], today: date, zone: str, *, ago: int) -> Period:
    return whole_period(today - timedelta(days=ago), Unit.DAY, zone)


Reader = Callable[[re.Match[str], date, str], Period]

_UNITS = r"(?P<unit>day|week|month|quarter|year)"
_WHICH = r"(?P<which>this|current|last|previous|past|next|coming)"
_COUNT = rf"(?P<count>\d{{1,4}}|{'|'.join(COUNTS)})"
_NAMES = "|".join(name for names in MONTHS for name in names)
_ISO_DAY = r"(\d{4}-\d{2}-\d{2})"
_READERS: tuple[tuple[str, Reader], ...] = (
    ("today|tonight", partial(_read_day, ago=0)),
    ("yesterday", partial(_read_day, ago=1)),
    ("tomorrow", partial(_read_day, ago=-1)),
    (
        rf"(?:so far )?{_WHICH} (?:calendar |full |whole )?{_UNITS}(?: so far)?",
        _read_relative,
    ),
    (rf"(?:(?:last|past|previous|recent) )?{_COUNT} {_UNITS}s?", _read_last),
    (r"(?:last |past )?half (?:a |the )?year", _read_half_year),
    (rf"{_COUNT} {_UNITS}s? ago", _read_ago),
    (r"(?P<which>this|current|last|previous|past) weekend", _read_weekend),
    (rf"(?P<last>last )?(?P<month>{_NAMES})\.?(?: (?P<year>\d{{4}}))?", _read_month),
    (r"q(?P<quarter>[1-4])(?:[ /-](?P<year>\d{4}))?", _read_quarter),
    (r"(\d{4})", partial(_read_date, unit=Unit.YEAR)),
    (r"(\d{4})-(\d{2})", partial(_read_date, unit=Unit.MONTH)),
    (r"(\d{4})-(\d{2})-(\d{2})", partial(_read_date, unit=Unit.DAY)),
    (rf"{_ISO_DAY} (?:to|until|and|-) {_ISO_DAY}", _read_range),
    (r"year to date|ytd", _read_to_date),
)
