"""A knowledge answer says what the articles say, whoever words it; and it can be checked later."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from sqlalchemy import select

from opsbot.conversation.grounding import NOTHING_LEFT
from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.models import Message
from opsbot.conversation.verification import Age
from opsbot.db import Database
from opsbot.errors import NotFoundError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.toolkit.caller import Audience, Caller
from tests.factories import NOON
from tests.integration.conversation.conftest import Shop, call
from tests.retrieval_fixtures import LAMP, write_article

SEARCH = call("search_articles", question="How do I clean the Halo lamp?")
VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="one")
STAFF = Caller(Audience.STAFF, "console", staff_id=1)


@pytest.fixture
def shop(make_shop: Callable[..., Shop], knowledge: Knowledge) -> Shop:
    """A shop with three articles whose remote model follows a script."""
    return make_shop(remote=True, knowledge=knowledge)


def ask(shop: Shop, *sentences: str, question: str = "How do I clean the Halo lamp?") -> Any:
    """Return the reply when the remote model searches and then says these sentences."""
    shop.remote.lines += [SEARCH, AIMessage(" ".join(sentences))]
    return shop.say(question, caller=VISITOR)


def dropped(shop: Shop, reply: Any) -> list[str]:
    """Return what was not said, with the reasons."""
    with shop.database.read() as session:
        return list(session.get_one(Message, reply.message_id).trace["dropped"])


def test_a_sentence_that_an_article_supports_is_said_with_its_proof(
    shop: Shop, knowledge: Knowledge
) -> None:
    reply = ask(shop, "Please wipe the oak arm with a dry cloth [1].", "Anything else?")

    assert reply.text == "Please wipe the oak arm with a dry cloth [1]. Anything else?"
    [proof] = reply.proofs
    assert reply.text[proof["text_start"] : proof["text_end"]].startswith("Please wipe")
    article = knowledge.read_version(proof["article"], proof["version"], audience="customer")
    assert article.text[proof["start"] : proof["end"]] == proof["quote"]
    assert proof["quote"] == "Wipe the oak arm with a dry cloth."


FALSE = (
    "Wipe the oak arm with a wet cloth [1].",
    "Wipe the ring cover with a dry cloth [1].",
    "Use alcohol on the ring cover [1].",
    "Never wipe the oak arm with a dry cloth [1].",
    "You need a size 2 cross-head screwdriver.",
    "Push the plug before you open the head.",
    "The lamp likes vinegar.",
    "Yes, you can.",
)


def test_sentences_that_no_article_supports_are_dropped(shop: Shop) -> None:
    reply = ask(shop, *FALSE, "Do not use alcohol on the ring cover [1].")

    assert reply.text == "Do not use alcohol on the ring cover [1]."
    told = dropped(shop, reply)
    assert all(text.endswith(false) for text, false in zip(told, FALSE, strict=True))


def test_nobody_reads_a_dropped_sentence_while_it_streams(shop: Shop) -> None:
    reply = ask(shop, "Wipe the oak arm with petrol.", "Wipe the oak arm with a dry cloth.")

    shown = [
        e.data["text"] for e in shop.events(reply.conversation_id, VISITOR) if "text" in e.data
    ]
    assert "petrol" not in "".join(shown)


def test_when_nothing_holds_the_articles_speak_themselves(shop: Shop) -> None:
    reply = ask(shop, "Scrub it with sand.")

    assert "Wipe the oak arm with a dry cloth." in reply.text
    assert reply.citations
    assert reply.proofs


def test_a_mark_that_leads_to_the_wrong_passage_is_set_right(shop: Shop) -> None:
    reply = ask(shop, "Brush both burrs with the dry brush [1].")

    [citation] = reply.citations
    assert citation["title"] == "Pebble grinder"
    assert reply.proofs[0]["article"] == "grinder"


def test_a_model_that_answers_without_searching_is_held_against_the_articles(shop: Shop) -> None:
    shop.remote.lines.append(AIMessage("Wipe the oak arm with petrol. Have a nice day!"))

    reply = shop.say("How do I clean the Halo lamp?", caller=VISITOR)

    assert reply.text == "Have a nice day!"


def test_facts_of_other_tools_and_small_talk_need_no_article(shop: Shop) -> None:
    shop.remote.lines += [call("look_up", key="A mug"), AIMessage("Hello! A mug costs €19.10.")]

    reply = shop.say("What is a mug?", caller=VISITOR)

    assert reply.text == "Hello! A mug costs €19.10."
    assert list(reply.proofs) == []


def test_what_was_proved_may_be_said_again_without_a_new_search(shop: Shop) -> None:
    first = ask(shop, "Do not use alcohol on the ring cover [1].")
    shop.remote.lines.append(AIMessage("Right: do not use alcohol on the ring cover."))

    again = shop.say(
        "So alcohol on the ring cover is bad?", caller=VISITOR, conversation=first.conversation_id
    )

    assert again.text == "Right: do not use alcohol on the ring cover."
    assert again.proofs[0]["quote"] == first.proofs[0]["quote"]


def test_when_the_articles_say_nothing_the_model_may_only_say_so(
    shop: Shop, encoder: MiniLmEncoder
) -> None:
    shop.remote.lines += [
        call("search_articles", question="Who won the chess championship?"),
        AIMessage("Our articles do not say who won. The Soviet team won the championship."),
    ]

    reply = shop.say("Who won the chess championship?", caller=VISITOR)

    assert reply.text == "Our articles do not say who won."


def test_the_embedded_model_proves_every_sentence_of_an_article(
    make_shop: Callable[..., Shop], knowledge: Knowledge, encoder: MiniLmEncoder
) -> None:
    shop = make_shop(knowledge=knowledge, embedded=LocalChatModel(encoder=encoder))

    reply = shop.say("How do I change the LED module of the Halo?", caller=VISITOR)

    assert "1. Turn the white cover to the left." in reply.text
    proved = [reply.text[p["text_start"] : p["text_end"]] for p in reply.proofs]
    lines = [line for line in reply.text.splitlines() if line and not line.startswith("[")]
    assert " ".join(proved).split() == " ".join(lines).split()
    assert dropped(shop, reply) == []


def test_an_answer_is_checked_again_and_says_what_became_of_its_article(
    shop: Shop, folder: Path, database: Database, encoder: MiniLmEncoder
) -> None:
    reply = ask(shop, "Wipe the oak arm with a dry cloth [1].")
    now = shop.service.verify(VISITOR, reply.message_id)
    write_article(folder, "manuals/lamp.md", LAMP.replace("dry", "damp"), title="Halo desk lamp")
    ingest(database, folder, encoder, now=NOON + timedelta(days=1))
    changed = shop.service.verify(STAFF, reply.message_id)
    (folder / "manuals/lamp.md").unlink()
    ingest(database, folder, encoder, now=NOON + timedelta(days=2))
    deleted = shop.service.verify(VISITOR, reply.message_id)

    for checked, state in ((now, Age.CURRENT), (changed, Age.CHANGED), (deleted, Age.DELETED)):
        assert checked.ok
        [sentence] = checked.sentences
        assert sentence.text == "Wipe the oak arm with a dry cloth [1]."
        assert sentence.state is state
    assert changed.sentences[0].current_version == now.sentences[0].version + 1
    assert now.sentences[0].url == "/help/lamp#clean-the-lamp"


def test_a_forged_proof_does_not_hold(shop: Shop) -> None:
    reply = ask(shop, "Wipe the oak arm with a dry cloth [1].")
    forgeries: list[dict[str, Any]] = [
        {"quote": "Wipe the oak arm with a wet cloth."},
        {"start": 0},
        {"version": 99},
        {"article": "inspection"},  # for staff alone
    ]
    with shop.database.write() as session:
        message = session.get_one(Message, reply.message_id)
        message.body = message.body | {"proofs": [reply.proofs[0] | f for f in forgeries]}

    checked = shop.service.verify(VISITOR, reply.message_id)

    assert not checked.ok
    assert [sentence.holds for sentence in checked.sentences] == [False] * 4
    assert all(sentence.reason for sentence in checked.sentences)


def test_a_sentence_that_was_changed_afterwards_does_not_hold(shop: Shop) -> None:
    reply = ask(shop, "Wipe the oak arm with a dry cloth [1].")
    with shop.database.write() as session:
        message = session.get_one(Message, reply.message_id)
        message.text = message.text.replace("dry", "wet")

    checked = shop.service.verify(VISITOR, reply.message_id)

    assert not checked.ok
    assert "wet" in checked.sentences[0].reason


def test_a_strangers_answer_cannot_be_checked(shop: Shop) -> None:
    reply = ask(shop, "Wipe the oak arm with a dry cloth [1].")
    stranger = Caller(Audience.CUSTOMER, "widget", visitor="two")
    with shop.database.read() as session:
        asked = session.scalars(select(Message).where(Message.id != reply.message_id)).one()

    for caller, message in ((stranger, reply.message_id), (VISITOR, "none"), (VISITOR, asked.id)):
        with pytest.raises(NotFoundError):
            shop.service.verify(caller, message)


def test_nothing_is_left_but_the_honest_sentence(shop: Shop) -> None:
    shop.remote.lines += [
        call("search_articles", question="Who won the chess championship?"),
        AIMessage("The Soviet team won."),
    ]

    reply = shop.say("Who won the chess championship?", caller=VISITOR)

    assert reply.text == NOTHING_LEFT
