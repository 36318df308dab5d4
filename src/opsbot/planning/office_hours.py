"""Time as the people of the shop work it: what a promise to answer is counted in."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opsbot.errors import InvalidInputError
from opsbot.planning.workdays import LONGEST_CLOSED

_SATURDAY = 5


@dataclass(frozen=True)
class OfficeHours:
    """When people work: Monday to Friday but public holidays, between two times of day."""

    zone: str = "Europe/Berlin"
    opens: time = time(9)
    closes: time = time(17)
    country: str = "DE"
    """Whose public holidays are free, ISO 3166 alpha-2."""
    region: str = ""
    """Part of the country with holidays of its own; empty: those of the whole country."""

    def is_open_on(self, day: date) -> bool:
        """Tell whether anybody works on a day."""
        if day.weekday() >= _SATURDAY:
            return False
        return day not in _holidays(self.country, self.region, day.year)

    def add(self, moment: datetime, work: timedelta) -> datetime:
        """Return when so much working time will have passed after a moment.

        Raises:
            InvalidInputError: the office never opens.
        """
        left, day = work, moment.astimezone(ZoneInfo(self.zone)).date()
        closed = 0
        while closed < LONGEST_CLOSED:
            opens, closes = self._open_times(day)
            start = max(opens, moment)
            if start < closes:
                closed = 0
                if left <= closes - start:
                    return start + left
                left -= closes - start
            closed += 1
            day += timedelta(days=1)
        raise InvalidInputError("The office has no open day within a year.")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much working time lies between two moments; zero when they are reversed."""
        zone = ZoneInfo(self.zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        passed = timedelta()
        while day <= last:
            opens, closes = self._open_times(day)
            passed += max(timedelta(), min(closes, end) - max(opens, start))
            day += timedelta(days=1)
        return passed

    def _open_times(self, day: date) -> tuple[datetime, datetime]:
        """Return when the office opens and closes on a day, in UTC; a closed day has no time."""
        zone, utc = ZoneInfo(self.zone), ZoneInfo("UTC")
        opens = datetime.combine(day, self.opens, zone).astimezone(utc)
        if not self.is_open_on(day):
            return opens, opens
        return opens, datetime.combine(day, self.closes, zone).astimezone(utc)


@lru_cache(maxsize=64)
def _holidays(country: str, region: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415  (takes 0.2 s, and most processes never need it)

    try:
        found = holidays.country_holidays(
            country, subdiv=region or None, years=year, observed=False
        )
    except NotImplementedError:  # how the library says that it does not know a country
        return frozenset()
    return frozenset(found)
