"""What the chat says when it cannot answer from the articles, and when the product decides."""

from collections.abc import Callable
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from opsbot.conversation.local.model import LocalChatModel
from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.gap_rows import GapState
from opsbot.retrieval.gaps import Gaps, list_gaps
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.toolkit.caller import Audience, Caller
from tests.factories import NOON, make_item
from tests.integration.conversation.conftest import Shop, call
from tests.retrieval_fixtures import write_article

VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="one")
FOREIGN = "Who won the football world cup?"


class BrokenGaps(Gaps):
    """Gaps that cannot be kept."""

    def note(self, *_arguments: object, **_options: object) -> None:
        """Fail."""
        raise UnavailableError("The disk is full.")


@pytest.fixture
def two_lamps(
    knowledge: Knowledge, database: Database, folder: Path, encoder: MiniLmEncoder
) -> Knowledge:
    """Beside the others, two lamps whose manuals say opposite things."""
    with database.write() as session:
        session.add(make_item("LL-LMP-21", "Vega desk lamp", category="lamps"))
        session.add(make_item("LL-LMP-22", "Nova desk lamp", category="lamps"))
    for name, number, words in (
        ("Vega", 21, "Put the shade of the Vega into the dishwasher."),
        ("Nova", 22, "Never wash the shade of the Nova. Dust it with a brush."),
    ):
        text = f"The {name} is a desk lamp.\n\n## Clean the shade\n\n{words}\n"
        more = f"product: [LL-LMP-{number}]\n"
        write_article(
            folder, f"{name.lower()}.md", text, title=f"{name} desk lamp manual", more=more
        )
    ingest(database, folder, encoder, now=NOON)
    return knowledge


def kept(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        found = list_gaps(session, state=GapState.OPEN, limit=9)
        return [(gap.question, gap.count) for gap in found]


def test_the_chat_asks_which_of_two_lamps_and_then_answers_about_that(
    make_shop: Callable[..., Shop], two_lamps: Knowledge, encoder: MiniLmEncoder
) -> None:
    shop = make_shop(knowledge=two_lamps, embedded=LocalChatModel(encoder=encoder))

    asked = shop.say("How do I clean the shade of my lamp?", caller=VISITOR)
    told = shop.say("the nova", caller=VISITOR, conversation=asked.conversation_id)

    assert "Which one is it" in asked.text
    assert "dishwasher" not in asked.text
    assert "Never wash" not in asked.text
    assert {"Vega" in reply for reply in asked.quick_replies} == {True, False}
    assert "Never wash the shade" in told.text
    assert "dishwasher" not in told.text


def test_a_tapped_answer_asks_the_whole_question(
    make_shop: Callable[..., Shop], two_lamps: Knowledge, encoder: MiniLmEncoder
) -> None:
    shop = make_shop(knowledge=two_lamps, embedded=LocalChatModel(encoder=encoder))
    asked = shop.say("How do I clean the shade of my lamp?", caller=VISITOR)
    [tapped] = [reply for reply in asked.quick_replies if "Vega" in reply]

    told = shop.say(tapped, caller=VISITOR, conversation=asked.conversation_id)

    assert "into the dishwasher" in told.text
    assert "Never" not in told.text


def test_a_named_lamp_is_answered_at_once(
    make_shop: Callable[..., Shop], two_lamps: Knowledge, encoder: MiniLmEncoder
) -> None:
    shop = make_shop(knowledge=two_lamps, embedded=LocalChatModel(encoder=encoder))

    told = shop.say("How do I clean the shade of the Vgea lamp?", caller=VISITOR)

    assert "into the dishwasher" in told.text
    assert "Never" not in told.text


@pytest.mark.parametrize("remote", [False, True], ids=["embedded", "remote"])
def test_what_the_articles_do_not_answer_is_kept(
    make_shop: Callable[..., Shop],
    knowledge: Knowledge,
    database: Database,
    encoder: MiniLmEncoder,
    *,
    remote: bool,
) -> None:
    shop = make_shop(
        knowledge=knowledge,
        remote=remote,
        embedded=LocalChatModel(encoder=encoder),
        gaps=Gaps(database, knowledge),
    )
    shop.remote.lines += [
        call("search_articles", question=FOREIGN),
        AIMessage("I am sorry, our articles do not say."),
    ]

    reply = shop.say(FOREIGN, caller=VISITOR)

    assert reply.text
    assert kept(database) == [(FOREIGN, 1)]


def test_what_is_answered_is_no_gap(
    make_shop: Callable[..., Shop],
    knowledge: Knowledge,
    database: Database,
    encoder: MiniLmEncoder,
) -> None:
    gaps = Gaps(database, knowledge)
    shop = make_shop(knowledge=knowledge, embedded=LocalChatModel(encoder=encoder), gaps=gaps)

    reply = shop.say("How do I change the LED module?", caller=VISITOR)

    assert "Turn the white cover" in reply.text
    assert kept(database) == []


def test_a_gap_that_cannot_be_kept_breaks_no_turn(
    make_shop: Callable[..., Shop],
    knowledge: Knowledge,
    database: Database,
    encoder: MiniLmEncoder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gaps = BrokenGaps(database, knowledge)
    shop = make_shop(knowledge=knowledge, embedded=LocalChatModel(encoder=encoder), gaps=gaps)

    reply = shop.say(FOREIGN, caller=VISITOR)

    assert reply.text.startswith("Our articles do not say anything about that.")
    assert "a gap was not kept" in caplog.text
