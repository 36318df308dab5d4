"""Amounts, times and countries are read as they are meant, or not at all."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.connectors.foreign import share_out, spread
from opsbot.connectors.pricing import Priced, price_lines
from opsbot.connectors.values import (
    read_count,
    read_country,
    read_moment,
    read_money,
    read_number,
)
from opsbot.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "currency", "decimal", "minor"),
    [
        ("12.50", "EUR", None, 1250),
        ("12,50", "EUR", None, 1250),
        ("1.234,56", "EUR", None, 123456),
        ("1,234.56", "USD", None, 123456),
        ("1.234.567", "EUR", None, 123456700),
        ("1,234", "EUR", ".", 123400),
        ("€ 3", "EUR", None, 300),
        ("24.00 EUR", "EUR", None, 2400),
        ("-7.5", "EUR", ".", -750),
        ("1'250.00", "CHF", None, 125000),
        ("500", "JPY", None, 500),
        ("1.234", "KWD", ".", 1234),
        ("2.550", "GBP", ".", 255),
    ],
)
def test_amounts_become_minor_units(
    text: str, currency: str, decimal: str | None, minor: int
) -> None:
    assert read_money(text, currency, decimal=decimal) == minor


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("1,234", "EUR", "two ways"),
        ("0.001", "GBP", "two ways"),
        ("12.505", "EUR", "two ways"),
        ("12.50", "JPY", "smallest coin"),
        ("1.2.3", "EUR", "not an amount"),
        ("1,23,4.5", "EUR", "not an amount"),
        ("twelve", "EUR", "not an amount"),
        ("NaN", "EUR", "not an amount"),
        ("1e9", "EUR", "not an amount"),
        ("99999999999", "EUR", "more than can be recorded"),
        ("1", "EURO", "not a currency"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        read_money(text, currency)


@given(minor=st.integers(-(10**8), 10**8), sign=st.sampled_from(".,"))
def test_every_amount_survives_being_written(minor: int, sign: str) -> None:
    text = str(Decimal(minor).scaleb(-2)).replace(".", sign)

    assert read_money(text, "EUR", decimal=sign) == minor


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-10-02 17:09:34 -0300", datetime(2025, 10, 2, 20, 9, 34, tzinfo=UTC)),
        ("2025-10-02T17:09:34Z", datetime(2025, 10, 2, 17, 9, 34, tzinfo=UTC)),
        ("2025-07-01 12:00", datetime(2025, 7, 1, 10, tzinfo=UTC)),
        ("02.10.2025 17:09", datetime(2025, 10, 2, 15, 9, tzinfo=UTC)),
        ("2025-01-31", datetime(2025, 1, 30, 23, tzinfo=UTC)),
    ],
)
def test_moments_become_utc(text: str, moment: datetime) -> None:
    assert read_moment(text, "Europe/Berlin") == moment


@pytest.mark.parametrize("text", ["01/02/2025", "yesterday", "", "2025-13-01", "31.02.2025"])
def test_what_could_be_two_days_or_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="date and time"):
        read_moment(text, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "code"),
    [("de", "DE"), ("Germany", "DE"), ("EIRE", "IE"), ("United Kingdom", "GB"), ("RSA", "ZA")],
)
def test_countries_become_codes(text: str, code: str) -> None:
    assert read_country(text) == code


def test_a_country_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not a country"):
        read_country("Atlantis")


@pytest.mark.parametrize(("text", "number"), [("#1001", "#1001"), ("LL-1001", "#1001")])
def test_an_orders_name_becomes_its_number(text: str, number: str) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["1001-2", "none", "#"])
def test_a_name_without_one_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="single number"):
        read_number(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "9" * 12])
def test_impossible_quantities_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_count(text)


@given(amount=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1))
def test_shares_sum_to_the_whole(amount: int, weights: list[int]) -> None:
    shares = share_out(amount, weights)

    assert sum(shares) == amount
    assert all(share >= 0 for share in shares)


@given(
    unit=st.integers(0, 10**6),
    quantity=st.integers(1, 1000),
    tax=st.integers(0, 10**6),
    data=st.data(),
)
def test_a_gross_line_costs_its_price_its_tax_and_no_more(
    unit: int, quantity: int, tax: int, data: st.DataObject
) -> None:
    off = data.draw(st.integers(0, unit * quantity))
    (line,) = price_lines([Priced("A", "A", unit, quantity)], [off], [tax])

    assert line.unit_price_minor * quantity - line.discount_minor == unit * quantity - off + tax
    assert line.discount_minor >= 0


def test_units_are_shared_out_over_lines_of_one_item() -> None:
    room = [2, 1, 5]

    first = spread(["A", "B", "A"], room, {"A": 3})
    second = spread(["A", "B", "A"], room, {"A": 9, "B": 1})

    assert (first, second) == ([2, 0, 1], [0, 1, 4])
