"""What a product's record does not tell, the articles may."""

from collections.abc import Mapping
from typing import Any

import pytest

from opsbot.conversation.local.model import LocalChatModel
from tests.local_model_chat import Chat, Told
from tests.local_model_tools import SHOP

FACTS = "The tote bag costs EUR 29.00."


def shop(model: LocalChatModel, articles: Told) -> Chat:
    def facts(_arguments: Mapping[str, Any]) -> Told:
        return {"say": FACTS, "facts": {"unmatched": ["vegan"]}}

    answers = {"product_facts": facts, "check_availability": facts}
    return Chat(model, SHOP, answers | {"search_articles": lambda _arguments: articles})


@pytest.mark.parametrize("words", ["The dye is vegan. [1]", "No animal glue. [1]"])
def test_articles_answer_where_they_speak_of_it(words: str, model: LocalChatModel) -> None:
    passages = [{"n": 1, "title": "Tote", "heading": "Is it vegan?"}]
    chat = shop(model, {"say": words, "facts": {"known": True, "passages": passages}})

    reply = chat.say("is the tote bag vegan and what does it cost?")

    assert words in reply.text


def test_the_record_answers_where_the_articles_do_not_speak_of_it(model: LocalChatModel) -> None:
    chat = shop(model, {"say": "Wash it cold. [1]", "facts": {"known": True, "passages": []}})

    reply = chat.say("How much is the vegan tote bag?")

    assert reply.tools[-1] == "search_articles"
    assert reply.text == FACTS
