"""What interrupts, harms, or is no English."""

import pytest

from opsbot.conversation.local import wording
from opsbot.conversation.local.language import is_foreign
from tests.local_model_chat import Chat


def test_a_change_is_come_back_to_once(customer: Chat) -> None:
    customer.say("cancel my order")

    first = customer.say("How do I clean the kiln mug?")
    second = customer.say("which payment methods do you accept?")

    assert "To go on with what you asked before" in first.text
    assert "To go on with what you asked before" not in second.text
    assert second.frame["open"]["soft"]


@pytest.mark.parametrize(
    "message",
    [
        "your product burned my hand",
        "it smokes",
        "the battery is swollen",
        "Why is my lamp on fire?",
    ],
)
def test_harm_brings_a_person_at_once(message: str, visitor: Chat) -> None:
    reply = visitor.say(message)

    assert reply.text.startswith(wording.SAFETY)
    assert len(reply.tools) == 1
    assert reply.frame["open"] is None


@pytest.mark.parametrize(
    "message", ["what do I do if it smokes?", "can I burn candles near the lamp?"]
)
def test_a_question_about_what_might_happen_is_no_alarm(message: str, visitor: Chat) -> None:
    assert wording.SAFETY not in visitor.say(message).text


def test_anger_is_offered_a_person_to_tap(customer: Chat) -> None:
    reply = customer.say("this is ridiculous")

    assert wording.OFFER in reply.text
    assert reply.choices == [wording.PERSON_PLEASE]


def test_another_language_is_answered_in_english_and_its_number_is_used(customer: Chat) -> None:
    reply = customer.say("Wo ist meine Bestellung 1003?")

    assert reply.text.startswith(wording.ENGLISH)
    assert reply.calls == [("order_status", {"order_number": "1003"})]


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Wo ist meine Bestellung?", True),
        ("¿Dónde está mi pedido?", True),
        ("где мой заказ", True),
        ("where is my order", False),
        ("the pour over kettle is for my son", False),
        ("#1003", False),
        ("La Marzocco", False),
    ],
)
def test_a_language_shows_in_its_frequent_words(text: str, foreign: bool) -> None:  # noqa: FBT001  (a row)
    assert is_foreign(text) is foreign


def test_one_order_by_its_number_is_not_the_list_of_all(customer: Chat) -> None:
    reply = customer.say("show me order 1003, it is the one with the grinder")

    assert reply.calls[0] == ("order_status", {"order_number": "1003"})


def test_each_question_of_a_mail_is_answered_and_it_is_the_thing_named_before(
    customer: Chat,
) -> None:
    reply = customer.say(
        "where is my grinder from order 1003? And how do I clean it? I also need an invoice"
    )

    asked = [call["question"] for name, call in reply.calls if name == "search_articles"]
    assert reply.calls[0][1] == {"order_number": "1003"}
    assert "clean the grinder" in asked[0]
    assert any("invoice" in str(arguments) for _, arguments in reply.calls)
