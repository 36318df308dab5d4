"""Addresses as people write them."""

import pytest

from opsbot.errors import InvalidInputError
from opsbot.toolkit.addresses import parse_address


@pytest.mark.parametrize(
    ("text", "city", "region", "postal_code"),
    [
        ("101 Highway, New York, NY 10001, USA", "New York", "NY", "10001"),
        ("101 Highway, New York, 10001", "New York", "NY", "10001"),
        ("101 Highway, New York 10001", "New York", "NY", "10001"),
        ("1 Main St, Suite 3, Springfield, IL, 62704", "Springfield", "IL", "62704"),
        ("5 A St, Washington, DC 20001", "Washington", "DC", "20001"),
        ("953 Park Ave, Suite 613, New York, NY 10064", "New York", "NY", "10064"),
    ],
)
def test_a_city_and_its_state_are_told_apart(
    text: str, city: str, region: str, postal_code: str
) -> None:
    address = parse_address(text, country="US", name="Ada Brandt")

    assert (address["city"], address["region"]) == (city, region)
    assert address["postal_code"] == postal_code
    assert address["line1"].startswith(text.split(",", maxsplit=1)[0])


def test_a_state_alone_is_no_city() -> None:
    with pytest.raises(InvalidInputError, match="city is missing"):
        parse_address("5 A St, DC 20001", country="US", name="Ada Brandt")
