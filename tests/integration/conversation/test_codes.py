"""One-time codes in a conversation: one is enough, and none is taken where none is waited for."""

from langchain_core.messages import AIMessage
from sqlalchemy import update

from opsbot.conversation.models import Conversation
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.identity import OneTimeCode
from tests.factories import DAY, NOON
from tests.integration.conversation.conftest import Shop, call, code_for, codes_for


def test_a_risky_change_asks_for_a_mailed_code_and_goes_on_with_it(shop: Shop) -> None:
    asked = shop.say("Change it", call("change", to="blue"))
    code = code_for(shop)

    wrong = shop.say("000000" if code != "000000" else "111111", conversation=asked.conversation_id)
    right = shop.say(f"the code is {code}", conversation=asked.conversation_id)
    done = shop.say("yes", conversation=asked.conversation_id)

    assert "6-digit code" in asked.text
    assert "not the code" in wrong.text
    assert right.proposal["title"] == "Change it to blue?"
    assert done.text == "It is blue now."


def test_one_code_is_enough_for_who_only_knows_an_order(shop: Shop) -> None:
    ada = shop.ada.at_level(Level.ORDER)
    asked = shop.say("Change it", call("change", to="blue"), caller=ada)
    talk = asked.conversation_id

    shown = shop.say(code_for(shop), conversation=talk, caller=ada)
    done = shop.say("yes", conversation=talk, caller=ada)

    assert shown.proposal["title"] == "Change it to blue?"
    assert done.text == "It is blue now."
    assert len(codes_for(shop)) == 1


def test_a_code_goes_on_with_what_it_was_for_whatever_was_said_in_between(shop: Shop) -> None:
    asked = shop.say("Change it", call("change", to="blue"))
    talk = asked.conversation_id
    shop.say(
        "What is there?",
        call("look_up", key="A lamp"),
        AIMessage("A lamp costs €19.10."),
        conversation=talk,
    )

    shown = shop.say(code_for(shop), conversation=talk)

    assert shown.proposal["title"] == "Change it to blue?"


def test_a_used_code_and_a_wrong_one_read_the_same_when_none_is_waited_for(shop: Shop) -> None:
    asked = shop.say("Change it", call("change", to="blue"))
    talk, code = asked.conversation_id, code_for(shop)
    shop.say(code, conversation=talk)
    shop.say("yes", conversation=talk)

    again = shop.say(code, conversation=talk)
    wrong = shop.say("000000" if code != "000000" else "111111", conversation=talk)
    elsewhere = shop.say(f"the code is {code}")

    assert again.text.startswith("I am not waiting for a code now: the last one was used")
    assert wrong.text == again.text
    assert elsewhere.text.startswith("I am not waiting for a code: none was asked for")


def test_an_expired_code_offers_a_new_one_which_goes_on_with_the_change(shop: Shop) -> None:
    asked = shop.say("Change it", call("change", to="blue"))
    talk, old = asked.conversation_id, code_for(shop)
    with shop.database.write() as session:
        session.execute(update(OneTimeCode).values(expires_at=NOON))

    late = shop.say(old, conversation=talk)
    sent = shop.say(late.quick_replies[0], conversation=talk)
    shown = shop.say(code_for(shop), conversation=talk)

    assert "has expired" in late.text
    assert "6-digit code" in sent.text
    assert shown.proposal["title"] == "Change it to blue?"


def test_six_digits_where_no_code_was_sent_may_be_a_number(shop: Shop) -> None:
    reply = shop.say("104728", AIMessage("Order #104728 is on its way."))

    assert reply.text == "Order #104728 is on its way."


def test_a_new_code_is_no_wish_where_nothing_needs_one(shop: Shop) -> None:
    reply = shop.say("send me a new code", AIMessage("Which code do you mean?"))

    assert reply.text == "Which code do you mean?"
    assert codes_for(shop) == []


def test_a_stranger_is_told_how_to_get_a_code(shop: Shop) -> None:
    stranger = Caller(Audience.CUSTOMER, "widget", visitor="one")

    shop.say("Change it", call("change", to="blue"), AIMessage("Who are you?"), caller=stranger)

    assert "an order number with its e-mail address" in str(shop.model.heard)
    assert codes_for(shop) == []


def test_a_code_is_fresh_for_a_while_only(shop: Shop) -> None:
    asked = shop.say("Change it", call("change", to="blue"))
    talk = asked.conversation_id
    shop.say(code_for(shop), conversation=talk)
    shop.say("yes", conversation=talk)

    soon = shop.say("Now red", call("change", to="red"), conversation=talk)
    shop.say("no", conversation=talk)
    with shop.database.write() as session:
        session.execute(update(Conversation).values(fresh_until=NOON - DAY))
    later = shop.say("Now green", call("change", to="green"), conversation=talk)

    assert soon.proposal["title"] == "Change it to red?"
    assert "6-digit code" in later.text
