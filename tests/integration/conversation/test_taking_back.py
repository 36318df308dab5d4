"""A typed "undo that": the last change of a conversation is shown, confirmed, and taken back."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from sqlalchemy import update

from opsbot.commerce.customers import Customer
from opsbot.conversation.models import Conversation
from opsbot.errors import NotFoundError, NotVerifiedError
from opsbot.toolkit.caller import Audience, Caller
from tests.factories import DAY, NOON
from tests.integration.conversation.conftest import Shop, call, code_for


def name(shop: Shop) -> str:
    with shop.database.read() as session:
        return session.get_one(Customer, shop.ada.customer_id).name


def renamed(shop: Shop, tool: str = "rename") -> Any:
    """Let Ada change her name, and return the reply that says so."""
    asked = shop.say("Call me Ida", call(tool, to="Ida"))
    return shop.say("yes", conversation=asked.conversation_id)


@pytest.mark.parametrize("words", ["undo that", "Oh no, sorry, please take that back!"])
def test_what_was_done_is_taken_back_after_a_yes(shop: Shop, words: str) -> None:
    done = renamed(shop)
    assert name(shop) == "Ida"

    shown = shop.say(words, conversation=done.conversation_id)

    assert shown.proposal["details"] == ["Not Ida."]
    assert name(shop) == "Ida"
    shop.say("yes", conversation=done.conversation_id)
    assert name(shop) == "Ada Brandt"
    results = [e.data for e in shop.events(done.conversation_id) if e.type == "action_result"]
    assert [one["can_undo"] for one in results] == [True, True]
    assert results[1]["undone"] == results[0]["proposal_id"]


def test_before_the_yes_it_only_drops_what_was_shown(shop: Shop) -> None:
    asked = shop.say("Call me Ida", call("rename", to="Ida"))

    dropped = shop.say("undo that", conversation=asked.conversation_id)

    assert "nothing was changed" in dropped.text
    assert name(shop) == "Ada Brandt"


def test_what_cannot_be_taken_back_is_said_to_be_so(shop: Shop) -> None:
    asked = shop.say("Report it", call("report", about="a leak"))
    shop.say("yes", conversation=asked.conversation_id)

    reply = shop.say("undo that", conversation=asked.conversation_id)

    assert reply.text == "That cannot be taken back. Ask for a person if something is wrong."
    assert shop.cases() == 1


def test_where_nothing_was_changed_the_assistant_answers(shop: Shop) -> None:
    reply = shop.say("undo that", AIMessage("What do you mean?"))

    assert reply.text == "What do you mean?"


def test_nobody_takes_back_what_somebody_else_changed(shop: Shop) -> None:
    done = renamed(shop)
    stranger = Caller(Audience.CUSTOMER, "widget", visitor="somebody")

    with pytest.raises(NotFoundError):
        shop.say("undo that", caller=stranger, conversation=done.conversation_id)
    elsewhere = shop.say("undo that", AIMessage("What do you mean?"), caller=stranger)

    assert elsewhere.proposal is None
    assert name(shop) == "Ida"


def test_a_code_that_is_not_fresh_any_more_is_sent_anew_and_goes_on_with_it(shop: Shop) -> None:
    asked = shop.say("Call me Ida", call("rename_safely", to="Ida"))
    talk = asked.conversation_id
    shop.say(code_for(shop), conversation=talk)
    shop.say("yes", conversation=talk)
    assert name(shop) == "Ida"
    with shop.database.write() as session:
        session.execute(update(Conversation).values(fresh_until=NOON - DAY))

    wanted = shop.say("undo that", conversation=talk)
    shown = shop.say(code_for(shop), conversation=talk)
    shop.say("yes", conversation=talk)

    assert "6-digit code" in wanted.text
    assert shown.proposal["details"] == ["Not Ida."]
    assert name(shop) == "Ada Brandt"
    results = [e.data for e in shop.events(talk) if e.type == "action_result"]
    assert results[-1]["undone"] == results[0]["proposal_id"], "it is the way back, not a new wish"


def test_the_button_says_how_to_get_a_code(shop: Shop) -> None:
    asked = shop.say("Call me Ida", call("rename_safely", to="Ida"))
    shop.say(code_for(shop), conversation=asked.conversation_id)
    shop.say("yes", conversation=asked.conversation_id)
    with shop.database.write() as session:
        session.execute(update(Conversation).values(fresh_until=NOON - DAY))
    events = shop.events(asked.conversation_id)
    [done] = [e.data["proposal_id"] for e in events if e.type == "action_result"]

    with pytest.raises(NotVerifiedError, match="Write \u201cundo that\u201d here in the chat"):
        shop.service.undo(shop.ada, done, now=NOON)
