"""Placeholders stand in for personal data, and turn back into it."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage

from opsbot.conversation.masking.kinds import Kind, Personal
from opsbot.conversation.masking.mask import Mask, Shown
from opsbot.conversation.masking.records import values_in

KNOWN = (
    Personal(Kind.NAME, "Jürgen Weiß"),
    Personal(Kind.NAME, "Will"),
    Personal(Kind.EMAIL, "jw@example.com"),
    Personal(Kind.PHONE, "+49 30 5550199"),
    Personal(Kind.STREET, "Lange Straße 5"),
    Personal(Kind.STREET, "12 Elm Road"),
    Personal(Kind.POSTCODE, "10119"),
    Personal(Kind.CITY, "Köln"),
    Personal(Kind.ORDER, "#1004"),
    Personal(Kind.PAYMENT, "9432"),
)


def mask_of(conversation: str = "c1", *, locale: str = "en") -> Mask:
    mask = Mask(b"secret", conversation, locale=locale)
    mask.know(KNOWN)
    return mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jürgen weiss", "Jürgen Weiß"),
        ("Juergen  Weiß", "Jürgen Weiß"),
        ("JW@Example.com", "jw@example.com"),
        ("(030) 555-0199", "+49 30 5550199"),
        ("+49305550199", "+49 30 5550199"),
        ("Lange Str. 5", "Lange Straße 5"),
        ("lange strasse 5", "Lange Straße 5"),
        ("12 elm rd", "12 Elm Road"),
        ("koeln", "Köln"),
        ("order 1004", "order #1004"),
        ("#1004", "#1004"),
        ("card ending in 9432", "card ending in 9432"),
        ("10119", "10119"),
        ("Will", "Will"),
    ],
)
def test_a_known_value_is_hidden_however_it_is_spelled(text: str, shown: str) -> None:
    mask = mask_of()

    hidden = mask.hide(f"({text})")

    assert text not in hidden
    assert mask.show(hidden) == f"({shown})"


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("My name is Anna de Souza.", "Anna de Souza"),
        ("my name is anna schmidt", "anna schmidt"),
        ("This is Tom O'Hara, hello", "Tom O'Hara"),
        ("Dear Mrs Nowak", "Nowak"),
        ("Kind regards,\nTom Ford", "Tom Ford"),
        ("write to a.b+c@mail.example.org", "a.b+c@mail.example.org"),
        ("call 0151 2345 6789", "0151 2345 6789"),
        ("DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("Visa •••• 1234", "1234"),
        ("the last four digits are 1234", "1234"),
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("to 7 Green Lane, please", "7 Green Lane"),
        ("to 221B Baker St", "221B Baker St"),
        ("in die torstr. 12", "torstr. 12"),
        ("Am Markt 3", "Am Markt 3"),
        ("5 rue de la Paix", "5 rue de la Paix"),
        ("12047 Berlin", "Berlin"),
        (", 1070 Wien", "1070"),
        ("Leeds LS1 4AB", "Leeds"),
        ("Leeds LS1 4AB", "LS1 4AB"),
        ("Springfield, IL 62704", "Springfield"),
        ("zip 62704", "62704"),
        ("order #1017", "1017"),
        ("order no. 1017", "1017"),
        ("customer C-1001", "C-1001"),
        ("it is 4711", "4711"),
    ],
)
def test_personal_data_that_no_record_holds_is_found_by_its_form(text: str, personal: str) -> None:
    mask = mask_of()

    hidden = mask.hide(text, by_person=True)

    assert personal not in hidden
    assert mask.show(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "It arrives on 2026-11-20, or 20.11.2026 at 12:00.",
        "€1,019.10 for 2 x Kiln mug, LL-GRD-02-WHT, 2700 K, 230 V",
        "I will wait 14 days in 2026.",
        "How do I clean the Tide grinder?",
        "Error E-17 after 30 seconds, 100 % of the time",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert mask_of().hide(text, by_person=True) == text


def test_a_placeholder_is_the_same_in_each_turn_of_a_conversation_and_in_no_other() -> None:
    first, again, other = mask_of(), mask_of(), mask_of("c2")
    first.hide("x@y.example")

    assert first.hide("Jürgen Weiß") == again.hide("Hi, Jürgen Weiß")[4:]
    assert first.hide("Jürgen Weiß") != other.hide("Jürgen Weiß")


def test_every_part_of_a_message_is_hidden() -> None:
    call = ToolCall(name="find", args={"who": ["Jürgen Weiß"], "deep": {"at": "Köln"}}, id="1")
    told = json.dumps({"say": "x\nKöln", "rows": [["#1004", 3, None]], "Jürgen Weiß": 1})
    messages = [
        SystemMessage("You work for Will."),
        HumanMessage("4711"),
        AIMessage("Dear Jürgen Weiß", tool_calls=[call]),
        ToolMessage(told, tool_call_id="1"),
    ]
    mask = mask_of()

    sent = str(mask.hide_messages(messages))

    for personal in ("Will", "4711", "Jürgen", "Weiß", "Köln", "1004"):
        assert personal not in sent
    assert mask.show_in(mask.hide_in(call["args"])) == call["args"]


@given(st.lists(st.integers(0, 80)), st.sampled_from(["", "[NAME_ZZZZZ]", " [ORDER", "name_of"]))
def test_a_stream_cut_anywhere_shows_the_same_as_the_whole(cuts: list[int], end: str) -> None:
    mask = mask_of()
    text = mask.hide("Dear Jürgen Weiß, #1004 goes to Lange Straße 5, 10119 Köln. [1]") + end
    places = sorted({0, *(c for c in cuts if c < len(text)), len(text)})
    shown = Shown(mask)

    pieces = [shown.feed(text[a:b]) for a, b in itertools.pairwise(places)]

    assert "".join([*pieces, shown.finish()]) == mask.show(text)
    assert "Jürgen Weiß, #1004 goes to Lange Straße 5, 10119 Köln" in mask.show(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Dear [NAME_ZZZZZ]!", "Dear the name!"),
        ("NAME_ZZZZZ, [EMAIL], [ORDER_1]", "the name, the e-mail address, the order"),
        ("the order_items of name_first [2]", "the order_items of name_first [2]"),
        ("[CITY_ABC", "[CITY_ABC"),
    ],
)
def test_a_placeholder_that_a_model_made_up_becomes_words(said: str, shown: str) -> None:
    assert mask_of().show(said) == shown


def test_what_is_said_for_a_made_up_placeholder_is_in_the_customers_language() -> None:
    assert mask_of(locale="de_AT").show("[NAME_ZZZZZ]") == "der Name"


def test_a_placeholder_without_its_brackets_is_understood() -> None:
    mask = mask_of()

    assert mask.show(mask.hide("Köln").strip("[]").lower()) == "Köln"


@given(st.text(max_size=200))
def test_hiding_twice_hides_nothing_more_and_all_comes_back(text: str) -> None:
    mask = Mask(b"secret", "c")
    hidden = mask.hide(text, by_person=True)

    assert mask.hide(hidden, by_person=True) == hidden


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["x", "1 ", "A-", "Aa.", "a@", "my name is ", "rue ", "1-"])
def test_hostile_words_hold_nothing_up(piece: str) -> None:
    text = piece * (100_000 // len(piece))

    assert mask_of().hide(text, by_person=True)


def test_personal_fields_of_results_are_known_by_their_names() -> None:
    told = {
        "facts": {
            "customer": "Milan Lindt",
            "payment_methods": [{"name": "gift card ending in 1062"}, {"name": "PayPal"}],
            "address": "Milan Lindt, Torstraße 12, 10119 Berlin",
            "to": "NL",
        },
        "columns": ["Order", "Customer"],
        "rows": [["#4417", "Elif Garnier"]],
    }

    found = {(value.kind, value.text) for value in values_in(told)}

    assert (Kind.NAME, "Milan Lindt") in found
    assert (Kind.NAME, "Garnier") in found
    assert (Kind.STREET, "Torstraße 12") in found
    assert not {text for _, text in found} & {"PayPal", "NL", "gift card ending in 1062"}
