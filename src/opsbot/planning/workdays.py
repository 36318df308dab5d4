"""Counting working days. Which days are open is passed in: calendars belong to the shop."""

from collections.abc import Callable
from datetime import date, timedelta

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least

LONGEST_CLOSED = 366
"""Days after which a calendar without an open day is taken for a mistake."""


def next_open_day(day: date, is_open: Callable[[date], bool], *, step: int = 1) -> date:
    """Return the day itself when it is open, else the nearest open one in a direction.

    Args:
        day: where to begin.
        is_open: tells whether a day is a working day.
        step: 1: later; -1: earlier.

    Raises:
        InvalidInputError: no day of a whole year is open.
    """
    for days in range(LONGEST_CLOSED):
        found = day + timedelta(days=days * step)
        if is_open(found):
            return found
    raise InvalidInputError("The calendar has no open day within a year.")


def add_workdays(day: date, workdays: int, is_open: Callable[[date], bool]) -> date:
    """Return the open day that comes so many working days after a day.

    0 gives the day itself, or the next open one.

    Raises:
        InvalidInputError: the number is negative, or no day of a whole year is open.
    """
    at_least(0, workdays, "The number of working days")
    found = next_open_day(day, is_open)
    for _ in range(workdays):
        found = next_open_day(found + timedelta(days=1), is_open)
    return found


def subtract_workdays(day: date, workdays: int, is_open: Callable[[date], bool]) -> date:
    """Return the open day that lies so many working days before a day; see `add_workdays`.

    0 gives the day itself, or the open one before it.
    """
    at_least(0, workdays, "The number of working days")
    found = next_open_day(day, is_open, step=-1)
    for _ in range(workdays):
        found = next_open_day(found - timedelta(days=1), is_open, step=-1)
    return found
