"""A model from outside is offered few tools, chosen by what the conversation is about."""

import pytest

from opsbot.content import content_root
from opsbot.conversation.local.declarations import read_declaration
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.topics import MOST, choose_tools
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import load_tools

ALWAYS = {"search_articles", "contact_person", "verify_order", "verify_customer"}


@pytest.fixture(scope="module")
def minds(minilm: MiniLmEncoder) -> dict[Audience, Understanding]:
    tools = load_tools(content_root() / "tools").values()
    return {
        audience: Understanding(
            [read_declaration(t.schema) for t in tools if t.audience is audience], minilm
        )
        for audience in Audience
    }


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (["Please cancel my order"], {"cancel_order", "my_orders"}),
        (["hi", "I want to send the mug back"], {"request_return", "return_options"}),
        (["Wo ist mein Paket? Bitte stornieren Sie die Bestellung."], {"cancel_order"}),
        (["Change the address of #1004 please", "Sonnenallee 5, 12047 Berlin"], {"change_address"}),
        ([], set[str]()),
    ],
)
def test_the_tools_of_the_topic_are_among_them(
    minds: dict[Audience, Understanding], said: list[str], wanted: set[str]
) -> None:
    chosen = choose_tools(minds[Audience.CUSTOMER], said)

    assert set(chosen) >= wanted | ALWAYS
    assert len(chosen) <= MOST


def test_every_wish_that_a_tool_declares_brings_that_tool(
    minds: dict[Audience, Understanding],
) -> None:
    missed = [
        (tool.name, text)
        for mind in minds.values()
        for tool in mind.tools.values()
        for text in tool.examples
        if tool.name not in choose_tools(mind, [text])
    ]

    assert missed == []
