"""Values of records, held against how people write them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from opsbot.evaluation.fields import fits, show

PLACE = ["Ada Brandt", "Torstraße 12", "10119", "Berlin", "DE"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("in fulfillment", "in_fulfillment"),
        ("Cancelled", "cancelled"),
        ("none", None),
        ("yes", True),
        ("no", False),
        ("2", 2),
        ("97", Decimal("97.00")),
        ("97.00 EUR", Decimal("97.00")),
        ("€97,00", Decimal("97.00")),
        ("2026-11-21", datetime(2026, 11, 20, 23, 30, tzinfo=UTC)),
        ("2026-11-20", date(2026, 11, 20)),
        ("1004", {"#1004"}),
        ("ada@example.com", {"C-1001", "ada@example.com"}),
        ("Torstraße 12, 10119 Berlin", PLACE),
        ({"LL-MUG-01": "2"}, {"LL-MUG-01": 2}),
        ([{"LL-MUG-01": "2"}], {"LL-MUG-01": 2}),
    ],
)
def test_a_value_fits_however_it_is_written(wanted: Any, found: Any) -> None:
    assert fits(wanted, found, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("cancelled", "confirmed"),
        ("none", "x"),
        ("x", None),
        ("yes", False),
        ("2", 3),
        ("nine", 9),
        ("97.01", Decimal("97.00")),
        ("2026-11-20", datetime(2026, 11, 20, 23, 30, tzinfo=UTC)),
        ("100", {"#1004"}),
        ("Torstraße 13, Berlin", PLACE),
        ({"LL-MUG-01": "2"}, {"LL-MUG-01": 2, "LL-LMP-01": 1}),
        ({"LL-MUG-01": "2"}, "LL-MUG-01"),
    ],
)
def test_another_value_does_not_fit(wanted: Any, found: Any) -> None:
    assert not fits(wanted, found, zone="Europe/Berlin")


def test_values_are_shown_as_people_write_them() -> None:
    assert [show(one) for one in (None, True, {"a": 1}, {"b", "a"}, ["x", "y"])] == [
        "none",
        "yes",
        "a: 1",
        "a / b",
        "x, y",
    ]
