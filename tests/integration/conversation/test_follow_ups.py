"""A question in a conversation is searched with what was said, and without it when it is another.

Over the sample shop's own articles, with the embedded model and with one that only hands on what
the person asked.
"""

from collections.abc import Callable

import pytest
from langchain_core.messages import AIMessage

from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.models import Author, Message
from opsbot.conversation.store import context_of
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.knowledge import Knowledge
from opsbot.toolkit.caller import Audience, Caller
from tests.integration.conversation.conftest import Shop, call

VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="one")
CONVERSATIONS = [
    (("How heavy is the Halo desk lamp?", "halo-desk-lamp"), ("and the Ember?", "ember")),
    (
        ("How do I clean the Tide grinder?", "tide-electric-grinder"),
        ("how often should I do that?", "tide-electric-grinder"),
        ("and the Pebble hand grinder?", "pebble-hand-grinder"),
    ),
    (
        ("How do I change the LED module of the Halo?", "halo-desk-lamp"),
        ("which screwdriver do I need?", "halo-desk-lamp"),
        ("do you ship to Norway?", "shipping"),
    ),
    (
        ("What does E-05 mean on the Tide?", "grinder"),
        ("and E-09?", "grinder"),
        ("Which payment methods do you accept?", "payment-methods"),
    ),
    (
        ("Which grind setting does the Pebble need for espresso?", "pebble-hand-grinder"),
        ("and for French press?", "pebble-hand-grinder"),
    ),
]
NAMES = ["both lamps", "both grinders", "another subject", "codes", "rows of a table"]


@pytest.mark.parametrize("turns", CONVERSATIONS, ids=NAMES)
@pytest.mark.parametrize("remote", [False, True], ids=["embedded", "remote"])
def test_a_follow_up_is_answered_about_what_it_leans_on(
    make_shop: Callable[..., Shop],
    sample_knowledge: Knowledge,
    encoder: MiniLmEncoder,
    turns: tuple[tuple[str, str], ...],
    *,
    remote: bool,
) -> None:
    shop = make_shop(
        remote=remote, knowledge=sample_knowledge, embedded=LocalChatModel(encoder=encoder)
    )
    conversation = None
    for question, article in turns:
        # Without words of its own that hold, the articles' are said.
        shop.remote.lines += [call("search_articles", question=question), AIMessage("Petrol.")]

        reply = shop.say(question, caller=VISITOR, conversation=conversation)

        conversation = reply.conversation_id
        quoted = [proof["article"] for proof in reply.proofs]
        assert quoted, (question, reply.text)
        assert article in quoted[0], (question, quoted)


def test_a_follow_up_is_searched_with_the_titles_the_question_and_the_answer() -> None:
    asked = Message(author=Author.CUSTOMER, text="How heavy is it?", body={})
    cited = {"citations": [{"title": "Halo desk lamp"}, {"title": "Halo desk lamp"}]}
    reply = Message(author=Author.ASSISTANT, text="1.45 kg. [1]" + " And so on." * 90, body=cited)

    context = context_of([asked, reply])

    assert context.startswith("Halo desk lamp\nHow heavy is it?\n1.45 kg.")
    assert "[1]" not in context
    assert len(context) < 600
    assert context_of([]) == context_of([asked]) == ""
