"""Which known address words refer to."""

import re

import pytest

from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.places import pick_address

HOME = "3 Oak Street, 10115 Berlin"
OFFICE = "8 Mill Lane, 20095 Hamburg"
OLD = "1 Elm Road, 50667 Köln"
KNOWN = [
    Option(HOME, HOME, also="default account order #1004 Lamp, sage"),
    Option(OFFICE, OFFICE, also="order #1002 Tote, navy"),
    Option(OLD, OLD, also="account"),
]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("change the address of order #1004 to the same as order #1002", OFFICE),
        ("send order #1002 to my default address", HOME),
        ("change my default address to my office in Hamburg", OFFICE),
        ("make my office in Hamburg my default address", OFFICE),
        ("send order #1004 to where the tote went", OFFICE),
        ("send it somewhere else", ""),
    ],
)
def test_an_address_is_found_by_order_place_or_use(words: str, meant: str) -> None:
    number = re.search(r"#\d+", words)
    target = {"order_number": number[0]} if number else {}

    assert pick_address(words, KNOWN, last=[], target=target) == meant


def test_back_to_the_original_is_the_one_before_the_last_change() -> None:
    assert pick_address("change it back to the original", KNOWN, last=[HOME], target={}) == OLD


def test_this_new_address_is_the_one_spoken_of_last() -> None:
    words = "update my orders to match this new address"

    assert pick_address(words, KNOWN, last=[OFFICE], target={}) == OFFICE


def test_the_new_home_becomes_the_default_although_another_is_the_default_now() -> None:
    words = "please make the new home my default address"

    assert pick_address(words, KNOWN, last=[OFFICE], target={}) == OFFICE
