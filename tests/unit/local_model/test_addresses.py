"""Addresses as people write them, with words around them."""

import pytest

from opsbot.conversation.local.addresses import find_address, full_address, tidy_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("send it to Lindenweg 2, 10115 Berlin", "Lindenweg 2, 10115 Berlin"),
        (
            "my new address is Rosenstr. 4a, 50667 Köln, and my e-mail is a.b@example.org",
            "Rosenstr. 4a, 50667 Köln",
        ),
        ("No, the address is only Rosenstr. 4a, 50667 Köln.", "Rosenstr. 4a, 50667 Köln"),
        ("Street: Rosenstr. 4a. Postcode: 50667. Town: Köln.", "Rosenstr. 4a, 50667 Köln"),
        ("can it go to Anna Berg, Rosenstr. 4a, 50667 Köln", "Anna Berg, Rosenstr. 4a, 50667 Köln"),
        ("thank you for nothing", ""),
    ],
)
def test_an_address_is_found_without_what_leads_to_it(text: str, address: str) -> None:
    assert tidy_address(find_address(text, text)) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ('Without the word "only"! Rosenstr. 4a, 50667 Köln', "Rosenstr. 4a, 50667 Köln"),
        ("I live at 14 High Street, London SW1A 1AA", "14 High Street, London SW1A 1AA"),
        ("I ordered 2 mugs, 3 bowls and a lamp", ""),
    ],
)
def test_a_full_address_is_seen_anywhere(text: str, address: str) -> None:
    assert full_address(text) == address
