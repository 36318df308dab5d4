"""Days to come, as people say them."""

from datetime import date

import pytest

from opsbot.errors import InvalidInputError
from opsbot.planning.days_ahead import read_day_ahead

TODAY = date(2026, 11, 20)  # a Friday


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("12 December", date(2026, 12, 12)),
        ("12th of December", date(2026, 12, 12)),
        ("December 3rd", date(2026, 12, 3)),
        ("10 January", date(2027, 1, 10)),
        ("20 November", TODAY),
        ("3 Dec 2027", date(2027, 12, 3)),
        ("2026-12-31", date(2026, 12, 31)),
        ("today", TODAY),
        ("tomorrow", date(2026, 11, 21)),
        ("Friday", date(2026, 11, 27)),
        ("next Monday", date(2026, 11, 23)),
        ("Christmas", date(2026, 12, 24)),
        ("the end of the month", date(2026, 11, 30)),
        ("end of next month", date(2026, 12, 31)),
        ("end of next year", date(2027, 12, 31)),
    ],
)
def test_a_day_is_read(words: str, day: date) -> None:
    assert read_day_ahead(words, today=TODAY) == day


@pytest.mark.parametrize("words", ["someday", "31 February", "Ju 3", "2026-13-01", ""])
def test_what_is_no_day_is_said_with_what_would_be_one(words: str) -> None:
    with pytest.raises(InvalidInputError, match="Say 12 December"):
        read_day_ahead(words, today=TODAY)


@pytest.mark.parametrize("words", ["2026-11-19", "1 March 2026"])
def test_a_day_that_has_passed_is_refused(words: str) -> None:
    with pytest.raises(InvalidInputError, match="has passed"):
        read_day_ahead(words, today=TODAY)
