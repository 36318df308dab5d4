"""Whole conversations with the embedded model: carrying on, correcting, proving, choosing."""

import json

import pytest

from tests.local_model_chat import Chat, Told
from tests.local_model_world import SIGNED_IN


def test_what_a_tool_says_is_said_word_for_word(customer: Chat) -> None:
    reply = customer.say("How do I clean the grinder?")

    assert reply.tools == ["search_articles"]
    assert reply.text == "The article says so [1]. (How do I clean the grinder?)"


def test_a_change_comes_last_and_after_what_was_read(customer: Chat) -> None:
    reply = customer.say("cancel #1004 and where is #1003?")

    assert reply.proposal == ("cancel_order", {"order_number": "1004"})
    assert reply.text.strip() == "Order #1003 is shipped."


def test_a_second_change_is_announced_and_taken_up(customer: Chat) -> None:
    first = customer.say("cancel #1004 and return the mugs from #1003, they are broken")
    second = customer.say("continue")

    assert first.proposal == ("cancel_order", {"order_number": "1004"})
    assert "return the mugs from #1003" in first.text
    assert second.proposal == (
        "request_return",
        {
            "order_number": "1003",
            "items": ["Kiln mug, moss", "Kiln mug, ink"],
            "reason": "damaged",
        },
    )


def test_two_numbers_are_two_calls(customer: Chat) -> None:
    reply = customer.say("where are #1003 and #1004?")

    assert [arguments["order_number"] for _, arguments in reply.calls] == ["1003", "1004"]


def test_a_follow_up_keeps_what_was_spoken_of(customer: Chat) -> None:
    customer.say("where is #1003?")
    pronoun = customer.say("and when does it arrive?")
    another = customer.say("and #1004?")
    corrected = customer.say("no, I meant #1001")
    cancelled = customer.say("cancel it")

    assert pronoun.calls == [("track_shipment", {"order_number": "1003"})]
    assert another.calls == [("track_shipment", {"order_number": "1004"})]
    assert corrected.calls == [("track_shipment", {"order_number": "1001"})]
    assert cancelled.proposal == ("cancel_order", {"order_number": "1001"})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("cancel the lamp", "#1004"),
        ("cancel my last order", "#1004"),
        ("cancel the order with the grinder", "#1001"),
        ("cancel the order with the notbook in it", "#1003"),
    ],
)
def test_a_description_is_found_among_the_own_orders(
    text: str, number: str, customer: Chat
) -> None:
    reply = customer.say(text)

    assert reply.proposal == ("cancel_order", {"order_number": number})


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("#1003", "#1003"),
        ("the second one", "#1003"),
        ("3", "#1001"),
        ("the one with the lamp", "#1004"),
    ],
)
def test_several_orders_are_a_question_with_choices(
    answer: str, number: str, customer: Chat
) -> None:
    question = customer.say("cancel my order")
    reply = customer.say(answer)

    assert question.proposal is None
    assert question.choices == ["#1004", "#1003", "#1001"]
    assert "Ember bedside lamp" in question.text
    assert reply.proposal == ("cancel_order", {"order_number": number})


def test_another_question_is_answered_before_ours_is_asked_again(customer: Chat) -> None:
    customer.say("cancel my order")
    aside = customer.say("how do I clean the grinder?")
    reply = customer.say("the lamp")

    assert aside.tools == ["search_articles"]
    assert "Which order is it about?" in aside.text
    assert reply.proposal == ("cancel_order", {"order_number": "#1004"})


def test_a_question_can_be_left(customer: Chat) -> None:
    customer.say("cancel my order")
    left = customer.say("never mind")
    later = customer.say("the lamp")

    assert left.calls == []
    assert left.frame["open"] is None
    assert later.proposal is None


def test_a_new_request_may_follow_never_mind(customer: Chat) -> None:
    customer.say("cancel my order")
    reply = customer.say("never mind, where is #1003?")

    assert reply.calls == [("order_status", {"order_number": "1003"})]


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("cancel #1004 if it has not shipped", True),
        ("cancel #1003 if it has not shipped", False),
        ("cancel #1003 unless it has shipped", False),
        ("if order #1004 has not been sent yet, please cancel it", True),
    ],
)
def test_a_condition_is_looked_up_before_the_change(
    text: str, customer: Chat, *, proposed: bool
) -> None:
    reply = customer.say(text)

    assert reply.tools[0] == "order_status"
    assert (reply.proposal is not None) is proposed


def test_otherwise_means_the_opposite(customer: Chat) -> None:
    reply = customer.say(
        "if #1003 has not shipped yet, cancel it, otherwise track it for me please"
    )

    assert "cancel_order" not in reply.tools
    assert reply.tools == ["order_status", "track_shipment"]


def test_a_condition_needs_no_comma(customer: Chat) -> None:
    reply = customer.say("if #1003 has not been shipped cancel it, otherwise track it for me")

    assert reply.tools == ["order_status", "track_shipment"]


def test_after_all_is_not_all(customer: Chat) -> None:
    customer.say("where is #1004?")
    reply = customer.say("cancel it after all")

    assert reply.proposal == ("cancel_order", {"order_number": "1004"})
    assert reply.text == ""


def test_a_value_said_again_is_no_new_request(customer: Chat) -> None:
    customer.say("I want to return the moss mug from #1003")
    reply = customer.say("#1003")

    assert "Why do you send it back?" in reply.text
    assert "order_status" not in reply.tools[1:]


def test_another_variant_takes_the_place_of_the_first(customer: Chat) -> None:
    customer.say("is the Ember lamp available in sage?")
    reply = customer.say("and in white?")

    assert reply.calls == [("availability", {"item": "Ember lamp white"})]


def test_a_thing_of_that_order_is_found_in_it(customer: Chat) -> None:
    customer.say("can I return order #1003?")
    reply = customer.say("what about the notebook from that order")

    assert reply.calls[-1] == (
        "return_options",
        {"order_number": "1003", "items": ["A5 notebook, dotted"]},
    )


def test_what_has_no_word_is_not_looked_up(customer: Chat) -> None:
    reply = customer.say("?!")

    assert reply.calls == []
    assert "You can ask me" in reply.text


def test_a_return_is_filled_step_by_step(customer: Chat) -> None:
    customer.say("I want to return something")
    customer.say("1003")
    customer.say("both mugs")
    reply = customer.say("they are too big")

    assert reply.proposal == (
        "request_return",
        {
            "order_number": "#1003",
            "items": ["Kiln mug, moss", "Kiln mug, ink"],
            "reason": "changed_mind",
        },
    )


def test_everything_except_one_item(customer: Chat) -> None:
    reply = customer.say("please return everything from 1003 except the notebook, wrong colour")

    assert reply.proposal is not None
    assert reply.proposal[1]["items"] == ["Kiln mug, moss", "Kiln mug, ink"]


def test_an_address_is_taken_from_the_request_or_asked_for(customer: Chat) -> None:
    at_once = customer.say("change the address of #1004 to Hauptstr. 5, 10115 Berlin")
    instead = customer.say("please send #1004 to 14 Mill Road, CB1 2AD Cambridge instead, thanks")
    question = customer.say("change the address of order 1003")
    reply = customer.say("Sonnenallee 12\n12045 Berlin")

    assert at_once.proposal is not None
    assert at_once.proposal[1]["address"] == "Hauptstr. 5, 10115 Berlin"
    assert instead.proposal is not None
    assert instead.proposal[1]["address"] == "14 Mill Road, CB1 2AD Cambridge"
    assert question.text == "What is the new address, with postcode and town?"
    assert reply.proposal == (
        "change_address",
        {"order_number": "1003", "address": "Sonnenallee 12\n12045 Berlin"},
    )


def test_a_visitor_proves_an_order_and_the_request_goes_on(visitor: Chat) -> None:
    asked = visitor.say("where is my order?")
    number = visitor.say("1003")
    reply = visitor.say("kim@example.com")
    later = visitor.say("and what is its status?")

    assert "e-mail address" in asked.text
    assert "postcode" in asked.text
    assert number.calls == []
    assert reply.tools == ["verify_order", "order_status"]
    assert reply.text == "Order #1003 is shipped."
    assert later.tools == ["order_status"]


def test_a_proof_given_with_the_request_is_used_at_once(visitor: Chat) -> None:
    reply = visitor.say("where is order #1003, my email is kim@example.com")

    assert reply.tools[1:] == ["verify_order", reply.tools[0]]
    assert "1003" in reply.text


def test_a_wrong_proof_can_be_corrected(visitor: Chat) -> None:
    visitor.say("status of #1003")
    wrong = visitor.say("10117")
    reply = visitor.say("the postcode is 10115")

    assert wrong.text == "That does not match any order of ours."
    assert reply.tools == ["verify_order", "order_status"]


def test_a_higher_level_is_said_in_the_tools_words(visitor: Chat) -> None:
    visitor.say("status of #1003")
    visitor.say("kim@example.com")
    reply = visitor.say("cancel it")

    assert reply.proposal is None
    assert reply.text == "Please sign in to cancel an order."


def test_a_code_resumes_what_it_was_asked_for(visitor: Chat) -> None:
    own = [t for t in visitor.tools if t["function"]["x-tool"]["role"] != "proof"]
    known = Chat(visitor.model, own, visitor.answers)
    known.say("cancel order #1003")
    reply = known.say("123456")

    assert reply.calls == [("cancel_order", {"order_number": "1003"})]


def test_without_the_number_a_person_is_offered(visitor: Chat) -> None:
    visitor.say("track my parcel")
    offered = visitor.say("I don't have the number")
    reply = visitor.say("yes please")

    assert "person" in offered.text
    assert reply.tools == ["contact_person"]
    assert "track my parcel" in reply.calls[0][1]["summary"]


def test_a_yes_after_an_unanswered_question_hands_it_over(customer: Chat) -> None:
    customer.say("why does the moon shine?")
    reply = customer.say("yes please")

    assert reply.calls == [("contact_person", {"summary": "why does the moon shine?"})]


def test_a_no_after_an_offer_is_taken_as_no(customer: Chat) -> None:
    customer.say("why does the moon shine?")
    declined = customer.say("no thanks")
    later = customer.say("yes")

    assert declined.calls == []
    assert later.calls == []


def test_a_number_that_does_not_exist_can_be_corrected(customer: Chat) -> None:
    wrong = customer.say("where is #9999?")
    reply = customer.say("sorry, #1003")

    assert wrong.text == "I could not find order #9999."
    assert reply.calls == [("order_status", {"order_number": "1003"})]


def test_a_follow_up_changes_one_value_of_a_question(member_of_staff: Chat) -> None:
    member_of_staff.say("revenue by month last year")
    by_carrier = member_of_staff.say("and by carrier?")
    other = member_of_staff.say("what about the return rate?")

    assert by_carrier.calls == [
        ("query_metric", {"metric": "revenue", "by": "carrier", "period": "last_year"})
    ]
    assert other.calls[0][1]["metric"] == "return_rate"


def test_another_trade_is_asked_and_answered_the_same_way(cyclist: Chat) -> None:
    price = cyclist.say("how much is a chain?")
    other = cyclist.say("and a saddle?")
    cyclist.say("I need an appointment")
    cyclist.say("flat tire")
    booked = cyclist.say("tuesday please")

    assert price.calls == [("part_price", {"part": "chain"})]
    assert other.calls == [("part_price", {"part": "saddle"})]
    assert booked.proposal == ("book_service", {"service": "tyre", "day": "tuesday"})


def _refuse(**error: object) -> dict[str, object]:
    return {"error": error}


def test_a_rule_is_quoted_with_what_is_possible_instead(customer: Chat) -> None:
    customer.answers = {
        **SIGNED_IN,
        "cancel_order": lambda _: _refuse(
            code="policy_denied",
            text="It is packed already.",
            clause="cancel.window",
            quote="An order can be cancelled until it is packed.",
            alternatives=["Send it back when it has arrived."],
        ),
    }

    reply = customer.say("cancel #1004")

    assert reply.text == (
        "It is packed already.\n\n> An order can be cancelled until it is packed.\n\n"
        "- Send it back when it has arrived."
    )


def test_an_ambiguous_item_is_a_choice_that_resumes(customer: Chat) -> None:
    variants = ["Ember bedside lamp, sage", "Ember bedside lamp, white"]

    def availability(arguments: object) -> Told:
        if arguments == {"item": variants[1]}:
            return {"say": "The white one is in stock.", "facts": {}}
        return _refuse(code="ambiguous", text="There are several.", candidates=variants)

    customer.answers = {**SIGNED_IN, "availability": availability}

    question = customer.say("is the Ember lamp in stock?")
    reply = customer.say("the white one")

    assert question.choices == variants
    assert reply.text == "The white one is in stock."


@pytest.mark.parametrize("code", ["rate_limited", "unavailable", "forbidden"])
def test_when_nothing_helps_a_person_is_offered(code: str, customer: Chat) -> None:
    customer.answers = {**SIGNED_IN, "order_status": lambda _: _refuse(code=code, text="Sorry.")}

    reply = customer.say("status of #1003")
    handed = customer.say("yes")

    assert reply.text.startswith("Sorry.")
    assert handed.tools == ["contact_person"]


def test_a_tool_that_always_refuses_does_not_make_a_loop(customer: Chat) -> None:
    refused = _refuse(code="not_verified", text="Prove it.", level=1)
    customer.answers = dict.fromkeys(
        ("order_status", "track_shipment", "my_orders"), lambda _: refused
    )

    reply = customer.say("status of #1003, my e-mail is kim@example.com")

    assert len(reply.calls) <= 6


@pytest.mark.parametrize(
    "content", ["", "not json", "[]", "null", '{"facts": 3}', '{"error": "x"}']
)
def test_a_damaged_result_is_survived(content: str, customer: Chat) -> None:
    customer.answers = {**SIGNED_IN, "order_status": lambda _: _Raw(content)}

    reply = customer.say("status of #1003")

    assert isinstance(reply.text, str)


class _Raw(dict[str, object]):
    """A result that is no result."""

    def __init__(self, content: str) -> None:
        try:
            super().__init__(json.loads(content))
        except (TypeError, ValueError):
            super().__init__({"say": content})
