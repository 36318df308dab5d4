"""A wish that is carried through the question who is asking, and through lists, to the yes."""

from collections.abc import Mapping
from typing import Any

import pytest

from opsbot.conversation.local.model import LocalChatModel
from tests.local_model_chat import Chat, Told
from tests.local_model_tools import declare, parameter

ORDER = parameter(
    "order_number",
    "Which order is it about?",
    pattern=r"(?:#|\border\s*)(\d{4})\b",
    candidates="my_orders",
)
ITEMS = parameter("item", "Which items?", type_="array", candidates="order_lines")
NEW = parameter("variant", "What would you like instead?", type_="array", candidates="variants")
WHY = parameter("choice", "Why?", labels={"mistake": ["by mistake"], "no_need": ["no longer need"]})
EMAIL = parameter("email", "What is your e-mail address?", pattern=r"[\w.+-]+@[\w-]+\.\w+")

CHANGES = [
    declare(
        "exchange_goods",
        ["exchange the lamp", "I'd like to exchange what I got", "swap the bowl I received"],
        effect="write",
        level=2,
        required={"order_number": ORDER, "items": ITEMS, "new_items": NEW},
    ),
    declare(
        "change_goods",
        ["change the lamp in my order", "another colour before you send it", "change an item"],
        effect="write",
        level=2,
        required={"order_number": ORDER, "items": ITEMS, "new_items": NEW},
    ),
    declare(
        "cancel_purchase",
        ["cancel my order", "please cancel it", "I want to cancel the purchase"],
        effect="write",
        level=2,
        required={"order_number": ORDER},
        optional={"reason": WHY},
    ),
]
READS = [
    declare("my_orders", ["show my orders", "what have I ordered", "list my orders"], level=2),
    declare(
        "order_lines",
        ["what is in order 1001", "the status of my order", "where is it"],
        level=2,
        required={"order_number": ORDER},
    ),
    declare(
        "variants",
        ["which other colours are there", "what could I swap it for", "show the variants"],
        level=2,
        required={"order_number": ORDER},
        optional={"items": ITEMS},
    ),
]
PROOF = declare(
    "who_am_i",
    ["my e-mail is ada@example.com", "it's mia@example.org", "find me by my address"],
    role="proof",
    optional={"email": EMAIL},
)
PROOF["function"]["x-tool"]["grants"] = 2

MUG = {"size": "small", "colour": "moss"}


class Shelf:
    """Two orders: one that arrived, one that has not left."""

    def __init__(self) -> None:
        self.known = False
        self.refuse: dict[str, Told] = {}

    def answers(self) -> Mapping[str, Any]:
        return {
            "who_am_i": self._prove,
            "my_orders": lambda _: self._orders(),
            "order_lines": lambda call: self._lines(call["order_number"]),
            "variants": lambda _: self._variants(),
            **{tool["function"]["name"]: self._change(tool) for tool in CHANGES},
        }

    def _prove(self, call: Mapping[str, Any]) -> Told:
        if call.get("email") != "ada@example.com":
            return {"error": {"code": "not_found", "text": "I cannot find that account."}}
        self.known = True
        return {"say": "Thank you, Ada.", "facts": {"proved": True}}

    def _orders(self) -> Told:
        late = ["cancel_purchase", "change_goods"]
        orders = [
            {"value": "#1001", "words": "Mug, moss, small", "not_for": late},
            {"value": "#1002", "words": "Tote, navy", "not_for": ["exchange_goods"]},
        ]
        return {"say": "Your orders.", "facts": {"candidates": {"order_number": orders}}}

    def _lines(self, number: str) -> Told:
        line = "Mug, moss, small" if number.endswith("1001") else "Tote, navy"
        return {"say": line, "facts": {"candidates": {"item": [{"value": line, "words": line}]}}}

    def _variants(self) -> Told:
        others = [("ink", "small"), ("ink", "large"), ("moss", "large")]
        listed = [
            {
                "value": f"Mug, {colour}, {size}",
                "words": f"Mug, {colour}, {size}",
                "traits": {"size": size, "colour": colour},
                "of": MUG,
                "group": "Mug, moss, small",
            }
            for colour, size in others
        ]
        return {"say": "There are.", "facts": {"candidates": {"variant": listed}}}

    def _change(self, tool: Mapping[str, Any]) -> Any:
        name = tool["function"]["name"]

        def answer(call: Mapping[str, Any]) -> Told:
            wanted = self.refuse.get(name)
            if wanted and not (wanted["error"].get("field") and call.get("reason") == "mistake"):
                return wanted
            return {"say": f"{name} {dict(call)}"}

        return answer


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def stranger(model: LocalChatModel, shelf: Shelf) -> Chat:
    return Chat(model, [*CHANGES, *READS, PROOF], shelf.answers())


@pytest.fixture
def ada(model: LocalChatModel, shelf: Shelf) -> Chat:
    """Somebody who is known: the proof is not offered any more."""
    return Chat(model, [*CHANGES, *READS], shelf.answers())


def test_who_is_asking_comes_first_and_the_wish_goes_on(stranger: Chat) -> None:
    asked = stranger.say("Hi, I'd like to exchange the mug for the ink one")
    done = stranger.say("Sure, it's ada@example.com")

    assert "e-mail" in asked.text
    assert asked.proposal is None
    assert done.proposal == (
        "exchange_goods",
        {"order_number": "#1001", "items": ["Mug, moss, small"], "new_items": ["Mug, ink, small"]},
    )


def test_a_wrong_proof_and_a_complaint_do_not_lose_the_wish(stranger: Chat) -> None:
    stranger.say("please exchange my mug for the ink one")
    stranger.say("it's eva@example.com")
    stranger.say("Look, I need to exchange this mug. Is that so hard?")
    done = stranger.say("Wait, use ada@example.com")

    assert done.proposal is not None
    assert done.proposal[1]["new_items"] == ["Mug, ink, small"]


def test_who_has_no_number_is_shown_what_they_have(ada: Chat) -> None:
    ada.say("I want to cancel my order")
    done = ada.say("I do not have the number")

    # One of the two is not for cancelling.
    assert done.proposal is None or done.proposal[1]["order_number"] == "#1002"


def test_what_a_tool_is_not_for_is_left_out_of_the_choice(ada: Chat) -> None:
    assert ada.say("please cancel my order").proposal == (
        "cancel_purchase",
        {"order_number": "#1002"},
    )


def test_only_what_is_described_is_meant_even_if_the_tool_must_refuse(ada: Chat) -> None:
    proposal = ada.say("please cancel the order with the mug").proposal

    assert proposal is not None
    assert proposal[1]["order_number"] == "#1001"


def test_a_tool_that_cannot_hands_over_to_the_one_that_can(ada: Chat, shelf: Shelf) -> None:
    shelf.refuse["exchange_goods"] = {
        "error": {"code": "policy_denied", "text": "Not yet.", "instead": "change_goods"}
    }

    done = ada.say("exchange the mug for the large ink one")

    assert done.proposal == (
        "change_goods",
        {"order_number": "#1001", "items": ["Mug, moss, small"], "new_items": ["Mug, ink, large"]},
    )


def test_a_reason_that_is_wanted_is_asked_for_and_never_made_up(ada: Chat, shelf: Shelf) -> None:
    shelf.refuse["cancel_purchase"] = {
        "error": {"code": "policy_denied", "text": "I need a reason.", "field": "reason"}
    }

    asked = ada.say("Okay, then please cancel the whole order")
    done = ada.say("I ordered it by mistake")

    assert asked.proposal is None
    assert "I need a reason." in asked.text
    assert done.proposal is not None
    assert done.proposal[1]["reason"] == "mistake"


def test_a_variant_is_asked_for_when_several_fit_and_found_by_what_is_said_then(ada: Chat) -> None:
    asked = ada.say("I'd like to exchange the mug")
    done = ada.say("the same size but in ink please")

    assert asked.proposal is None
    assert done.proposal is not None
    assert done.proposal[1]["new_items"] == ["Mug, ink, small"]


@pytest.mark.parametrize("words", ["Do NOT cancel order 1002!", "please don't exchange the mug"])
def test_what_is_forbidden_is_not_proposed(ada: Chat, words: str) -> None:
    reply = ada.say(words)

    assert reply.proposal is None
    assert "as it is" in reply.text


def test_a_detail_that_words_add_changes_what_waits_for_a_yes(ada: Chat) -> None:
    shown = ada.say("please cancel the purchase of the tote, order 1002")
    again = ada.say("it was by mistake, does that matter?")

    assert shown.proposal == ("cancel_purchase", {"order_number": "1002"})
    assert again.proposal == ("cancel_purchase", {"order_number": "1002", "reason": "mistake"})


@pytest.mark.parametrize(
    "words", ["The mug!", "not that order, the one with the mug", "No, the small mug"]
)
def test_what_another_order_has_means_that_order(ada: Chat, words: str) -> None:
    lines = {"1001": ["Mug, moss, small"], "1002": ["Tote, navy", "Bowl, salt"]}

    def order_lines(call: Mapping[str, Any]) -> Told:
        items = [{"value": one, "words": one} for one in lines[call["order_number"].lstrip("#")]]
        return {"say": "Its items.", "facts": {"candidates": {"item": items}}}

    ada.answers = {**ada.answers, "order_lines": order_lines}
    ada.say("show my orders")
    ada.say("I'd like to exchange something of order 1002")

    done = ada.say(words)

    order = next(call for name, call in done.calls if name == "order_lines")
    assert order["order_number"] == "#1001"
    assert "no, the small mug" not in done.text.lower()


def test_it_is_what_was_asked_about_before(ada: Chat) -> None:
    advice = declare("search", ["how do I clean it?", "what is it made of?"], role="knowledge")
    question = parameter("text", "What would you like to know?")
    advice["function"]["parameters"]["properties"]["question"] = question
    advice["function"]["parameters"]["required"] = ["question"]
    ada.tools = [*ada.tools, advice]
    ada.say("how do I clean the mug that I ordered?")

    done = ada.say("then please cancel it")

    assert done.proposal == ("cancel_purchase", {"order_number": "#1001"})


def test_who_has_no_order_is_not_asked_for_it_again(ada: Chat) -> None:
    ada.say("I want to exchange it")

    done = ada.say("I have no order")

    assert "Which order" not in done.text


def test_a_longer_yes_takes_the_person_who_was_offered(ada: Chat) -> None:
    ada.tools = [*ada.tools, declare("a_person", ["I want a person"], role="handoff")]
    ada.say("I want to exchange it")
    ada.say("I do not know")
    offered = ada.say("no idea, really")

    done = ada.say("yes please pass the question about my things on")

    assert "person" in offered.text
    assert done.tools == ["a_person"]


def test_one_of_the_things_that_were_chosen_is_no_other_record(ada: Chat) -> None:
    lines = ["Mug, moss, small", "Bowl, salt"]
    listed = [{"value": one, "words": one} for one in lines]
    told = {"say": "Its items.", "facts": {"candidates": {"item": listed}}}
    ada.answers = {**ada.answers, "order_lines": lambda _: told}
    asked = ada.say("I'd like to exchange the mug and the bowl of order 1001 for others")

    done = ada.say("only the bowl then")

    assert asked.proposal is None
    assert all(isinstance(call["items"], list) for _, call in done.calls if "items" in call)
