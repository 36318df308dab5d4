"""A sentence is supported by a quote, or it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.conversation.proof.prover import MARK
from opsbot.conversation.proof.quotes import Proof, Quotes, Section, find_section, read_sentence
from opsbot.conversation.proof.talk import is_talk
from opsbot.conversation.proof.tokens import read_tokens

LAMP = """Screw the shade to the base. The base weighs 1.5 kg and the shade 200 g, without the bulb.
If the lamp flickers, tighten the bulb. Unplug the lamp before you open the base.
Wipe the shade with a soft, dry cloth. Do not use alcohol, vinegar or glass cleaner on the shade.
The lamp works with 100 to 240 V. Send it back within thirty days. It may flicker at first.
The grey cord is at least 2 m long. It comes in black, white and green. Error E-02 means no bulb.
Hold the wheel for 3 seconds to switch the lamp off. The kit (LL-SPR-02) fits the lamp.

| Part | Weight for one | Life |
|---|---|---|
| Bulb | 30 g | 20,000 hours |
| Cord | 90 g | 5 years |

To open the base:

1. Turn the left screw.
2. Lift the cover off.
"""
GERMAN = """Die Lampe nicht mit Wasser reinigen. Wischen Sie den Schirm mit einem trockenen Tuch ab.
Der Sockel wiegt 1,5 kg. Die Garantie gilt zwei Jahre. Ziehen Sie den Stecker, bevor Sie den Sockel
öffnen."""


def prove(sentence: str, text: str = LAMP, language: str = "en") -> Proof | str:
    section = Section("lamp", 3, "Wave lamp manual", ("Care",), language, text, 100)
    return Quotes(section).prove(read_sentence(sentence, language))


def holds(sentence: str, text: str = LAMP, language: str = "en") -> bool:
    return isinstance(prove(sentence, text, language), Proof)


@pytest.mark.parametrize(
    "sentence",
    [
        "Screw the shade to the base.",
        "You should screw the shade to the base [2].",
        "The shade is screwed to the base.",
        "The base weighs 1,5 kg.",
        "Tighten the bulb if the lamp flickers.",
        "**Tighten the bulb.**",
        "Before you open the base, unplug the lamp.",
        "Please also wipe the shade with a soft, dry cloth.",
        "Don't use alcohol, vinegar or glass cleaner on the shade.",
        "Do not use alcohol.",
        "According to our manual, the lamp works with 100\u2013240 V.",
        "Send it back within 30 days.",
        "The gray cord is 2 m or more long.",
        "It comes in black and green.",
        "Error E-2 means no bulb.",
        "The kit fits the lamp.",
        "The kit (ll-spr-02) fits the lamp.",
        "The bulb of the Wave lamp weighs 30 g.",
        "Cord: 90 g, 5 years.",
        "1. Turn the left screw.",
        "To open the base, turn the left screw.",
    ],
)
def test_what_the_article_says_holds_also_in_slightly_other_words(sentence: str) -> None:
    assert holds(sentence), prove(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Screw the base to the shade.",
        "Screw the bulb to the base.",
        "Screw the lamp to the base.",
        "The base weighs 1.4 kg.",
        "The base weighs 1.5 g.",
        "The base weighs 200 g.",
        "The base weighs 15 kg.",
        "The shade weighs 1.5 kg.",
        "The base weighs at least 1.5 kg.",
        "The base weighs 1.5 kg with the bulb.",
        "The shade weighs 200 g, with the bulb.",
        "Unplug the lamp after you open the base.",
        "Open the base before you unplug the lamp.",
        "Wipe the shade with a wet cloth.",
        "Use glass cleaner on the shade.",
        "Use alcohol, vinegar or glass cleaner on the shade.",
        "Do not wipe the shade with a dry cloth.",
        "Only wipe the shade with a dry cloth.",
        "Never tighten the bulb.",
        "The lamp works with 240 to 100 V.",
        "The lamp works with 100 to 240 W.",
        "Send it back within thirty weeks.",
        "Send it back within thirteen days.",
        "It must flicker at first.",
        "The grey cord is at most 2 m long.",
        "The grey cord is 2 m long.",
        "It comes in black and red.",
        "Error E-20 means no bulb.",
        "Error E-02 means a bulb.",
        "Hold the wheel for 3 seconds to switch the lamp on.",
        "Hold the wheel for 3 minutes to switch the lamp off.",
        "The bulb weighs 90 g.",
        "The bulb has a life of 5 years.",
        "Turn the right screw.",
        "Lift the base off.",
        "The lamp is made of steel.",
    ],
)
def test_what_the_article_does_not_say_fails(sentence: str) -> None:
    assert not holds(sentence), prove(sentence)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Die Lampe nicht mit Wasser reinigen.", True),
        ("Den Schirm mit einem trockenen Tuch abwischen.", False),
        ("Wischen Sie den Schirm mit einem trockenen Tuch ab.", True),
        ("Der Sockel wiegt 1,5 kg.", True),
        ("Die Garantie gilt 2 Jahre.", True),
        ("Die Lampe mit Wasser reinigen.", False),
        ("Der Sockel wiegt 15 kg.", False),
        ("Die Garantie gilt zwei Monate.", False),
        ("Die Garantie gilt keine zwei Jahre.", False),
        ("Ziehen Sie den Stecker, nachdem Sie den Sockel öffnen.", False),
    ],
)
def test_german_is_read_with_its_own_small_words(sentence: str, *, expected: bool) -> None:
    assert holds(sentence, GERMAN, "de") is expected, prove(sentence, GERMAN, "de")


def test_a_language_we_do_not_know_is_proved_word_for_word() -> None:
    text = "Essuyez la lampe avec un chiffon sec."

    assert holds(text, text, "xx")
    assert not holds("Essuyez la lampe avec un chiffon mouillé.", text, "xx")
    assert not holds("Essuyez avec la lampe un chiffon sec.", text, "xx")


def test_a_proof_is_the_shortest_quote_with_its_place_in_the_article() -> None:
    proof = prove("Send it back within 30 days.")

    assert isinstance(proof, Proof)
    assert proof.quote == "Send it back within thirty days."
    assert LAMP[proof.start - 100 : proof.end - 100] == proof.quote
    assert (proof.article, proof.version) == ("lamp", 3)


def test_a_sentence_may_rest_on_sentences_that_follow_each_other() -> None:
    proof = prove("Turn the left screw, and lift the cover off.")

    assert isinstance(proof, Proof)
    assert proof.quote == "Turn the left screw.\n2. Lift the cover off."


def test_a_failed_sentence_tells_what_the_article_lacks() -> None:
    assert prove("The base weighs 1.4 kg.") == "the article does not say 1.4 kg"


def test_a_quote_can_be_checked_again_from_the_whole_article() -> None:
    text = f"# Wave\n\nAn introduction.\n\n## Care\n\n{LAMP}"
    start = text.index("Send it back")
    end = start + len("Send it back within thirty days.")
    found = find_section(text, start, article="lamp", version=3, title="Wave", language="en")
    assert found is not None
    section, anchor = found

    quotes = Quotes(section)

    assert anchor == "care"
    assert quotes.check(read_sentence("Send it back within 30 days.", "en"), start, end) is None
    assert quotes.check(read_sentence("Send it back within 3 days.", "en"), start, end)
    assert quotes.check(read_sentence("Send it back within 30 days.", "en"), start + 5, end)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("two years", "2 years"),
        ("a 30-day return", "30 days return"),
        ("twenty-five minutes", "25 min"),
        ("1,000.50 EUR", "€1000.5"),
        ("5\u201310 minutes", "5 minutes to 10 minutes"),
        ("at least 3 kg", "3 kg or more"),
        ("cannot", "can't"),
        ("half a metre", "half a meter"),
        ("-5 °C", "\u22125 °C"),
        ("one year", "a year"),
        ("E-02", "e2"),
    ],
)
def test_different_ways_to_write_the_same_are_read_alike(one: str, other: str) -> None:
    first, second = (read_tokens(text, "en").items for text in (one, other))

    assert sorted(token.key for token in first) == sorted(token.key for token in second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 mm", "5 cm"),
        ("5 MW", "5 mW"),
        ("1.5 kg", "15 kg"),
        ("over 5 kg", "under 5 kg"),
        ("E-02", "E-20"),
        ("3.1.2", "3.12"),
        ("5 °C", "-5 °C"),
        ("two", "twelve"),
    ],
)
def test_different_numbers_are_read_differently(one: str, other: str) -> None:
    first, second = (read_tokens(text, "en").items for text in (one, other))

    assert [token.key for token in first] != [token.key for token in second]


WORDS = st.sampled_from(["lamp", "shade", "bulb", "cord", "base", "kettle", "mug", "lid", "strap"])
VERBS = st.sampled_from(["clean", "lift", "press", "turn", "hold", "open", "close"])


@given(VERBS, WORDS, WORDS, st.integers(2, 9999), st.sampled_from(["mm", "kg", "hours", "W"]))
def test_a_sentence_proves_itself_and_no_other_number(
    verb: str, one: str, other: str, number: int, unit: str
) -> None:
    text = f"{verb.capitalize()} the {one} at the {other} with {number} {unit}."

    assert holds(text, text)
    assert not holds(text.replace(f" {number} ", f" {number + 1} "), text)
    assert not holds(text.replace(f" {number} {unit}", f" {number} g"), text)
    assert not holds(f"Do not {text[:1].lower()}{text[1:]}", text)
    assert not holds(text, f"Do not {text[:1].lower()}{text[1:]}")
    if one != other:
        swapped = text.replace(one, "#").replace(other, one).replace("#", other)
        assert not holds(swapped, text)


@given(st.text(max_size=200), st.sampled_from(["en", "de", "xx"]))
def test_any_text_can_be_read_and_proves_itself(text: str, language: str) -> None:
    tokens = read_tokens(text, language)

    assert all(token.key for token in tokens.items)
    if tokens.items:
        assert isinstance(prove(text, LAMP, language), Proof | str)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Hello, happy to help!", True),
        ("Our articles do not say anything about the shade.", True),
        ("I could not find whether the lamp is waterproof.", True),
        ("Let me know if you have a further question.", True),
        ("Here you are:", True),
        ("Yes.", False),
        ("You can.", False),
        ("I could not find that, but the lamp is waterproof.", False),
        ("The lamp is waterproof.", False),
        ("I am happy to tell you that the shade is waterproof.", False),
        ("Hello 42.", False),
    ],
)
def test_talk_is_told_from_claims(sentence: str, *, expected: bool) -> None:
    said = frozenset(t.key for t in read_tokens("Is the lamp with shade waterproof?", "en").items)

    found = is_talk(MARK.sub("", sentence), read_sentence(sentence, "en"), said, "en")

    assert found is expected
