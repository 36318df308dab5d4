"""Spans of days as tools take them."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from opsbot.toolkit.arguments import KEY, Span

SPAN: TypeAdapter[int] = TypeAdapter(Span)


@pytest.mark.parametrize(
    ("value", "days"), [(21, 21), ("22", 22), ("three weeks", 21), ("a week", 7), ("month", 30)]
)
def test_a_span_is_days_in_digits_or_words(value: object, days: int) -> None:
    assert SPAN.validate_python(value) == days


@pytest.mark.parametrize("value", [0, 366, "20 years"])
def test_a_span_has_limits(value: object) -> None:
    with pytest.raises(ValidationError):
        SPAN.validate_python(value)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("What runs out in the next three weeks?", "three weeks"),
        ("parcels without a scan for 5 days", "5 days"),
        ("no scan for a week", "a week"),
        ("what runs out this month", "month"),
        ("orders per week in the last 3 months", None),
        ("days of cover", None),
        ("two weeks ago", None),
    ],
)
def test_a_span_is_found_in_words_and_told_from_a_period(words: str, found: str | None) -> None:
    pattern = SPAN.json_schema()[KEY]["pattern"]

    match = re.search(pattern, words, re.IGNORECASE)

    assert (match and (match[1] or match[2])) == found
