"""Money, dates and lists as a person reads them. No model ever formats these."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, get_currency_precision

_KEPT = 4_096
"""Results of each kind: putting one together takes as long as reading a row."""


@lru_cache(maxsize=_KEPT)
def format_money(minor: int, currency: str, *, locale: str = "en") -> str:
    """Return an amount of minor units (cents) as words: `format_money(1910, "EUR")` is "€19.10"."""
    digits = get_currency_precision(currency)
    return str(format_currency(Decimal(minor).scaleb(-digits), currency, locale=locale))


def format_day(moment: date | datetime, *, zone: str = "UTC", locale: str = "en") -> str:
    """Return a day such as "12 November 2026", in the shop's time zone."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(ZoneInfo(zone)).date()
    return _day(moment, locale)


@lru_cache(maxsize=_KEPT)
def _day(day: date, locale: str) -> str:
    return str(format_date(day, "d MMMM y", locale=locale))


def format_moment(moment: datetime, *, zone: str = "UTC", locale: str = "en") -> str:
    """Return a day and time such as "12 November 2026, 14:02", in the shop's time zone."""
    return str(format_datetime(moment, "d MMMM y, HH:mm", tzinfo=ZoneInfo(zone), locale=locale))


def format_items(words: Sequence[str], *, locale: str = "en") -> str:
    """Return "a, b and c"."""
    return str(format_list(list(words), locale=locale)).replace(", and ", " and ")


def format_span(span: timedelta) -> str:
    """Return a length of time in its largest fitting unit: "3 days", "2 hours", "5 minutes"."""
    minutes = max(1, round(span.total_seconds() / 60))
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "1 minute"
