"""Stretches of whole days in the shop's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from opsbot.formats import format_day

DAY = timedelta(days=1)


class Unit(StrEnum):
    """What a period is a whole one of. `DAYS` is any number of days."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DAYS = "days"


@dataclass(frozen=True)
class Period:
    """Whole days in one time zone."""

    first: date
    after: date
    """The day after the last one."""
    zone: str
    """IANA name, such as `Europe/Berlin`."""
    unit: Unit = Unit.DAYS

    @property
    def start(self) -> datetime:
        """The first moment, UTC."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer part of it, UTC."""
        return midnight(self.after, self.zone)

    @property
    def days(self) -> int:
        """How many calendar days it has."""
        return (self.after - self.first).days

    @property
    def last(self) -> date:
        """The last day."""
        return self.after - DAY

    def words(self, *, locale: str = "en") -> str:
        """Name it: "October 2026", "Q3 2026", "24 October 2026 to 22 November 2026"."""
        if self.unit is Unit.YEAR:
            return f"{self.first:%Y}"
        if self.unit is Unit.QUARTER:
            return f"Q{(self.first.month + 2) // 3} {self.first:%Y}"
        first = format_day(self.first, locale=locale)
        if self.unit is Unit.MONTH:
            return first.split(" ", maxsplit=1)[1]
        if self.days == 1:
            return first
        return f"{first} to {format_day(self.last, locale=locale)}"

    def phrase(self, *, locale: str = "en") -> str:
        """Name it with its preposition: "in October 2026", "on 21 November 2026"."""
        if self.unit in {Unit.MONTH, Unit.QUARTER, Unit.YEAR}:
            return f"in {self.words(locale=locale)}"
        return f"{'on' if self.days == 1 else 'from'} {self.words(locale=locale)}"


def midnight(day: date, zone: str) -> datetime:
    """Return the first moment of a day in a time zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """Return the day a moment falls on in a time zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def whole_period(day: date, unit: Unit, zone: str) -> Period:
    """Return the calendar day, week, month, quarter or year around a day.

    Weeks begin on Monday. `DAYS` has no calendar and gives the day.
    """
    first, after = day, day + DAY
    if unit is Unit.WEEK:
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    elif unit is Unit.MONTH:
        first = day.replace(day=1)
        after = add_months(first, 1)
    elif unit is Unit.QUARTER:
        first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        after = add_months(first, 3)
    elif unit is Unit.YEAR:
        first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return Period(first, after, zone, Unit.DAY if unit is Unit.DAYS else unit)


def add_months(first: date, months: int) -> date:
    """Return the first of the month that is `months` later; negative: earlier."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def previous_period(period: Period, *, now: datetime) -> Period:
    """Return what a period is compared with: the same stretch of time before it.

    A period that is still running is compared with as many days of the one before, so that three
    weeks of November are not measured against the whole of October.
    """
    if period.unit is Unit.DAYS:
        before = Period(_as_long_before(period), period.first, period.zone)
    else:
        before = whole_period(period.first - DAY, period.unit, period.zone)
    elapsed = (local_day(now, period.zone) - period.first).days + 1
    if 0 < elapsed < period.days:
        after = min(before.first + timedelta(days=elapsed), before.after)
        return Period(before.first, after, period.zone)
    return before


def split_period(period: Period, unit: Unit) -> list[Period]:
    """Cut a period into calendar days, weeks, months, quarters or years, in order.

    The first and the last piece are cut to the period.
    """
    pieces: list[Period] = []
    day = period.first
    while day < period.after:
        whole = whole_period(day, unit, period.zone)
        after = min(whole.after, period.after)
        is_whole = (day, after) == (whole.first, whole.after)
        pieces.append(whole if is_whole else Period(day, after, period.zone))
        day = after
    return pieces


def _as_long_before(period: Period) -> date:
    first, after = period.first, period.after
    if first.day == after.day == 1:  # whole months: as many months
        return add_months(first, 12 * (first.year - after.year) + first.month - after.month)
    return first - timedelta(days=period.days)
