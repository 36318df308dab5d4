"""The conversation service: nothing is lost, nothing happens twice, nothing is a stranger's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import Field
from sqlalchemy import select

from opsbot.conversation.models import Author, Message, TurnState
from opsbot.conversation.store import SupersededError, add_message, hold_turn
from opsbot.errors import InvalidInputError, NotFoundError, UnavailableError
from opsbot.testing import ScriptedModel
from opsbot.toolkit.caller import Audience, Caller, dump_caller
from tests.factories import NOON
from tests.integration.conversation.conftest import Shop, call


def test_a_reply_is_stored_with_its_events_in_order(shop: Shop) -> None:
    reply = shop.say(
        "What is a mug?", call("look_up", key="A mug"), AIMessage("A mug costs €19.10.")
    )

    events = shop.events(reply.conversation_id)
    assert reply.text == "A mug costs €19.10."
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[0].type == "message_start"
    assert events[-1].data == {"message_id": reply.message_id, "text": reply.text}
    assert (
        "".join(e.data["text"] for e in events if e.type == "message_delta").strip() == reply.text
    )


def test_words_that_are_stored_together_are_one_event(make_shop: Callable[..., Shop]) -> None:
    answer = "A mug is a cup with a handle. It holds a tea."
    shop = make_shop(tick_s=0.001)
    reply = shop.say("What is a mug?", AIMessage(answer))

    deltas = [e for e in shop.events(reply.conversation_id) if e.type == "message_delta"]

    assert [delta.data["text"].strip() for delta in deltas] == [answer]


def test_a_message_sent_twice_is_answered_once(shop: Shop) -> None:
    shop.model.lines.append(AIMessage("Hello!"))

    first = shop.service.reply(shop.ada, "Hi", client_id="same", now=NOON)
    second = shop.service.reply(shop.ada, "Hi", client_id="same", now=NOON)

    assert first == second
    with pytest.raises(InvalidInputError, match="another message"):
        shop.service.reply(shop.ada, "Bye", client_id="same", now=NOON)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4_001, "a\0b", "\ud800"])
def test_what_is_no_message_is_refused_in_words(shop: Shop, text: str) -> None:
    with pytest.raises(InvalidInputError, match="The message"):
        shop.say(text)


def test_a_strangers_conversation_is_not_there(shop: Shop) -> None:
    reply = shop.say("Hi", AIMessage("Hello!"))
    stranger = Caller(Audience.CUSTOMER, "widget", visitor="somebody")

    with pytest.raises(NotFoundError):
        shop.service.events(stranger, reply.conversation_id)
    with pytest.raises(NotFoundError):
        shop.say("Hi", caller=stranger, conversation=reply.conversation_id)


def test_a_change_waits_for_a_typed_yes_and_happens_once(shop: Shop) -> None:
    preview = shop.say("Report it", call("report", about="a leak"))
    assert preview.proposal is not None
    assert shop.cases() == 0

    done = shop.say("yes", conversation=preview.conversation_id)
    again = shop.say("yes", AIMessage("What else?"), conversation=preview.conversation_id)

    assert done.text.startswith("Case CS-")
    assert again.text == "What else?"
    assert shop.cases() == 1


def test_the_button_pressed_twice_says_the_same_and_does_it_once(shop: Shop) -> None:
    preview = shop.say("Report it", call("report", about="a leak"))
    proposal_id = preview.proposal["proposal_id"]

    first = shop.service.confirm(shop.ada, proposal_id, now=NOON)
    second = shop.service.confirm(shop.ada, proposal_id, now=NOON)

    assert first == second
    assert shop.cases() == 1


def test_a_no_drops_the_change(shop: Shop) -> None:
    preview = shop.say("Report it", call("report", about="a leak"))

    dropped = shop.say("no thanks", conversation=preview.conversation_id)

    assert "nothing was changed" in dropped.text
    assert shop.cases() == 0
    states = [
        e.data["state"] for e in shop.events(preview.conversation_id) if e.type == "action_result"
    ]
    assert states == ["cancelled"]


def test_a_question_before_the_yes_leaves_the_preview_waiting_in_sight(shop: Shop) -> None:
    asked = shop.say("Report it", call("report", about="a leak"))
    between = shop.say(
        "what does a mug cost?", AIMessage("Let us see."), conversation=asked.conversation_id
    )

    done = shop.say("yes", conversation=asked.conversation_id)

    assert between.proposal["proposal_id"] == asked.proposal["proposal_id"]
    assert "is open" in done.text
    assert shop.cases() == 1


def test_what_follows_a_yes_is_answered_below_what_was_done(shop: Shop) -> None:
    asked = shop.say("Report it", call("report", about="a leak"))

    reply = shop.say(
        "Yes, please. Now, what is a mug?",
        call("look_up", key="A mug"),
        AIMessage("A mug costs €19.10."),
        conversation=asked.conversation_id,
    )

    done, rest = reply.text.split("\n\n", 1)
    assert done.startswith("Case CS-")
    assert rest == "A mug costs €19.10."
    assert shop.cases() == 1
    assert shop.model.heard[-1][-3].text == "Now, what is a mug?"


def test_what_was_put_off_comes_right_after_the_yes(shop: Shop) -> None:
    put_off = call("report", about="a leak")
    put_off.additional_kwargs["frame"] = {"waiting": [{"tool": "report"}]}
    asked = shop.say("Report both", put_off)

    reply = shop.say("yes", call("report", about="a crack"), conversation=asked.conversation_id)

    assert reply.text.startswith("Case CS-")
    assert reply.proposal["title"] == "Open a case about a crack?"
    assert shop.cases() == 1


def test_a_yes_decides_only_about_the_preview_it_answers(shop: Shop) -> None:
    asked = shop.say("Report it", call("report", about="a leak"))
    shop.say(
        "no, I meant something else",
        AIMessage("Let us see."),
        conversation=asked.conversation_id,
    )

    later = shop.say("yes", AIMessage("Yes to what?"), conversation=asked.conversation_id)

    assert later.text == "Yes to what?"
    assert shop.cases() == 0


def test_a_no_with_more_words_drops_the_change_and_is_read_on(shop: Shop) -> None:
    asked = shop.say("Report it", call("report", about="a leak"))

    answer = shop.say("no, the other one", AIMessage("Which?"), conversation=asked.conversation_id)

    assert answer.text == "Which?"
    confirmed = shop.service.confirm(shop.ada, asked.proposal["proposal_id"], now=NOON)
    assert shop.cases() == 0
    assert "Case" not in confirmed.text


def test_a_turn_that_a_stop_interrupted_is_answered_after_the_start(shop: Shop) -> None:
    first = shop.say("Hi", AIMessage("Hello!"))
    with shop.database.write() as session:
        message = add_message(
            session,
            first.conversation_id,
            "interrupted",
            Author.CUSTOMER,
            text="And now?",
            sent_at=NOON,
            owner=shop.ada.owner,
            client_id="lost",
            caller=dump_caller(shop.ada),
            turn=TurnState.PENDING,
            attempt=1,
        )
    shop.model.lines.append(AIMessage("Here I am."))

    resumed = shop.service.resume()
    reply = shop.service.reply(
        shop.ada, "And now?", client_id="lost", now=NOON, conversation_id=message.conversation_id
    )

    assert resumed == 1
    assert reply.text == "Here I am."
    texts = [m.text for m in shop.service.transcript(shop.ada, first.conversation_id)]
    assert texts == ["Hi", "Hello!", "And now?", "Here I am."]
    with shop.database.write() as session, pytest.raises(SupersededError):
        hold_turn(session, "interrupted", 1, to=TurnState.DONE)


def test_a_remote_model_that_breaks_is_replaced_and_its_words_are_dropped(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop(remote=True)
    shop.remote.whole = False
    shop.remote.lines.append(AIMessage("It will come. Tomor"))

    reply = shop.say("When?", AIMessage("I cannot tell yet."))

    starts = [e.data for e in shop.events(reply.conversation_id) if e.type == "message_start"]
    assert reply.text == "I cannot tell yet."
    assert starts[1]["replaces"] == starts[0]["message_id"]


def test_a_turn_that_breaks_keeps_the_message_and_says_so(shop: Shop) -> None:
    with pytest.raises(Exception, match="kept"):
        shop.say("Hi", RuntimeError("database password"))

    with shop.database.read() as session:
        message = session.scalars(select(Message)).one()
    *_, error = shop.events(message.conversation_id)
    assert message.text == "Hi"
    assert error.type == "error"
    assert "password" not in str(error.data)


def test_a_failed_turn_is_tried_again_when_the_message_is_sent_again(shop: Shop) -> None:
    shop.model.lines += [RuntimeError("down"), AIMessage("Here I am.")]
    with pytest.raises(UnavailableError):
        shop.service.reply(shop.ada, "Hi", client_id="again", now=NOON)

    reply = shop.service.reply(shop.ada, "Hi", client_id="again", now=NOON)

    assert reply.text == "Here I am."


def test_a_visitor_id_keeps_visitors_apart(shop: Shop) -> None:
    one = Caller(Audience.CUSTOMER, "widget", visitor="one")
    reply = shop.say("Hi", AIMessage("Hello!"), caller=one)

    assert len(shop.service.transcript(one, reply.conversation_id)) == 2
    with pytest.raises(NotFoundError):
        shop.service.transcript(replace(one, visitor="two"), reply.conversation_id)


def test_a_handoff_opens_one_case_and_takes_an_address(shop: Shop) -> None:
    visitor = Caller(Audience.CUSTOMER, "widget", visitor="one")
    first = shop.say("I want a person", call("ask_person"), AIMessage("All right."), caller=visitor)
    again = shop.say(
        "A person!",
        call("ask_person"),
        AIMessage("Yes."),
        caller=visitor,
        conversation=first.conversation_id,
    )

    thanks = shop.say("Me@Example.com", caller=visitor, conversation=again.conversation_id)

    assert shop.cases() == 1
    assert "me@example.com" in thanks.text
    kinds = [event.type for event in shop.events(first.conversation_id, visitor)]
    assert kinds.count("handoff") == 2
    assert kinds[-1] == "message_end"


def test_the_tools_of_strangers_and_of_who_signed_in_are_learned_beforehand(
    make_shop: Callable[..., Shop],
) -> None:
    class Learner(ScriptedModel):
        learned: list[set[str]] = Field(default_factory=list)

        def bind_tools(self, tools: Sequence[Any], **_options: Any) -> "Learner":
            self.learned.append({tool["function"]["name"] for tool in tools})
            return self

    model = Learner(lines=[AIMessage("Hello!"), AIMessage("Hello!")])
    shop = make_shop(embedded=model)

    shop.service.warm()
    learned = list(model.learned)
    shop.say("Hi")
    shop.say("Hi", caller=Caller(Audience.CUSTOMER, "widget", visitor="somebody"))

    assert all(offered in learned for offered in model.learned)
