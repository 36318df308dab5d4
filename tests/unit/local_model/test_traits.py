"""Which variant words mean."""

import pytest

from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.traits import (
    before_change,
    by_worth_of_parts,
    has_all,
    named_traits,
    narrow,
    pick_variants,
    words_about,
)

BOTTLE = {"colour": "blue", "volume": "750ml", "lid": "screw", "insulated": "no"}


def bottle(worth: float = 20, **traits: str) -> Option:
    own = BOTTLE | traits
    return Option(" ".join(own.values()), "", traits=own, of=BOTTLE, group="Bottle", worth=worth)


OPTIONS = [
    bottle(colour="red"),
    bottle(colour="red", volume="1L"),
    bottle(colour="black", volume="500ml", insulated="yes", worth=35),
    bottle(colour="black", lid="straw"),
    bottle(volume="1L", worth=25),
    bottle(colour="dark blue", volume="500ml"),
]


@pytest.mark.parametrize(
    ("words", "traits"),
    [
        ("the same in red", {"colour": "red", "volume": "750ml"}),
        ("a red one with 1 litre", {"colour": "red", "volume": "1L"}),
        ("I want the blue one in black with a straw", {"colour": "black", "lid": "straw"}),
        ("one that is insulated, half a litre, black", {"insulated": "yes"}),
        ("dark blue please", {"colour": "dark blue"}),
        ("the one-liter version, keeping the same colour", {"volume": "1L", "colour": "blue"}),
    ],
)
def test_what_is_not_named_stays_as_it_is(words: str, traits: dict[str, str]) -> None:
    [picked] = pick_variants(words, OPTIONS)

    assert {name: picked.traits[name] for name in traits} == traits


def test_the_dearest_or_cheapest_is_chosen_by_its_price_alone() -> None:
    assert [o.worth for o in pick_variants("the most expensive one", OPTIONS)] == [35]
    assert OPTIONS[2] not in pick_variants("the cheapest you have", OPTIONS)


def test_words_that_name_no_trait_pick_nothing() -> None:
    assert pick_variants("something nicer", OPTIONS) == []


def test_the_last_message_has_the_last_word() -> None:
    said = "in red please\nno, black with a straw"

    [picked] = pick_variants(said, OPTIONS, latest="no, black with a straw")

    assert picked.traits["colour"] == "black"


def test_a_variant_that_lacks_what_is_named_is_told_from_one_that_has_all() -> None:
    [nearest] = pick_variants("a red one with a straw", [OPTIONS[0]])

    assert not has_all("a red one with a straw", OPTIONS, nearest)
    assert has_all("a red one", OPTIONS, nearest)


def test_not_insulated_is_read_as_the_lack_of_it() -> None:
    wet = {"water resistance": "IPX4"}
    dry = Option("dry", "", traits={"water resistance": "not resistant"}, of=wet)

    assert named_traits("one that is not water-resistant", [dry]) == {
        "water resistance": frozenset({"not resistant"})
    }


def test_a_part_of_a_name_stands_for_a_value_that_no_other_shares() -> None:
    now = {"works with": "Apple HomeKit"}
    google = Option("g", "", traits={"works with": "Google Assistant"}, of=now)
    alexa = Option("a", "", traits={"works with": "Amazon Alexa"}, of=now)

    text = "one that works with Google Home instead of Apple HomeKit"
    assert pick_variants(text, [google, alexa]) == [google]


def test_the_dearer_of_two_things_is_told_by_its_price() -> None:
    cheap, dear = Option("1", "Speaker", worth=10), Option("2", "Speaker", worth=30)

    assert narrow("the more expensive speaker", [cheap, dear]) == [dear]
    assert narrow("the cheaper one", [cheap, dear]) == [cheap]
    assert narrow("the speaker", [cheap, dear]) == [cheap, dear]


def test_an_order_is_told_by_the_price_of_the_thing_that_is_named() -> None:
    one = Option("#1", "", parts=(("Tablet, 8-inch", 900), ("Sofa", 5000)))
    two = Option("#2", "", parts=(("Tablet, 10-inch", 1000),))

    assert by_worth_of_parts("return the more expensive tablet", [one, two]) == [two]
    assert by_worth_of_parts("return the tablet", [one, two]) == [one, two]


def test_each_thing_gets_the_words_about_it() -> None:
    text = "exchange the mug for ink, and the bowl for a large one"
    names = ["Mug, moss", "Bowl, small"]

    assert "ink" in words_about(text, names[0], names)
    assert "large" not in words_about(text, names[0], names)
    assert "large" in words_about(text, names[1], names)


def test_what_a_thing_is_comes_before_what_it_shall_become() -> None:
    assert "13-inch" not in before_change("change the 17-inch laptop to a 13-inch version")
