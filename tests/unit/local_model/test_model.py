"""The embedded model as LangChain sees it."""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from opsbot.conversation.local.model import LocalChatModel
from opsbot.retrieval.encoder import MiniLmEncoder, Vectors
from tests.local_model_chat import Chat
from tests.local_model_tools import SHOP


def test_the_same_messages_make_the_same_call(model: LocalChatModel) -> None:
    messages = [SystemMessage("Be kind."), HumanMessage("cancel order #1004")]

    first, second = (model.bind_tools(SHOP).invoke(messages) for _ in range(2))

    assert first.tool_calls == second.tool_calls
    assert first.tool_calls[0]["id"]


def test_a_stream_adds_up_to_the_whole_message(model: LocalChatModel) -> None:
    bound = model.bind_tools(SHOP)

    chunks: list[AIMessageChunk] = list(bound.stream([HumanMessage("hello")]))  # type: ignore[arg-type]  # chunks by contract
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk

    assert len(chunks) > 2
    assert chunks[-1].chunk_position == "last"
    assert whole.content == bound.invoke([HumanMessage("hello")]).content
    assert whole.additional_kwargs["frame"]["version"] == 1


def test_a_streamed_call_has_its_arguments(model: LocalChatModel) -> None:
    whole = None
    for chunk in model.bind_tools(SHOP).stream([HumanMessage("cancel order #1004")]):
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk

    assert whole is not None
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [
        ("cancel_order", {"order_number": "1004"})
    ]


@pytest.mark.parametrize(
    "frame",
    [None, {}, [], "x", {"version": 99}, {"version": 1, "open": {"tool": 3}, "known": 4}],
)
def test_a_damaged_frame_is_an_empty_frame(frame: object, model: LocalChatModel) -> None:
    before = AIMessage("Hello", additional_kwargs={"frame": frame})

    reply = model.bind_tools(SHOP).invoke([before, HumanMessage("cancel order #1004")])

    assert reply.tool_calls[0]["args"] == {"order_number": "1004"}


def test_a_frame_of_tools_that_are_gone_does_no_harm(model: LocalChatModel, customer: Chat) -> None:
    customer.say("cancel my order")
    others = [tool for tool in SHOP if tool["function"]["name"] == "search_articles"]

    reply = model.bind_tools(others).invoke([*customer.history, HumanMessage("the lamp")])

    assert {call["name"] for call in reply.tool_calls} <= {"search_articles"}


def test_calls_of_another_model_in_the_same_turn_are_taken_in(model: LocalChatModel) -> None:
    call = {
        "name": "order_status",
        "args": {"order_number": "1004"},
        "id": "x",
        "type": "tool_call",
    }
    messages = [
        HumanMessage("status of order #1004"),
        AIMessage("", tool_calls=[call]),
        ToolMessage('{"say": "It is packed.", "facts": {}}', tool_call_id="x"),
    ]

    reply = model.bind_tools(SHOP).invoke(messages)

    assert reply.content == "It is packed."


def test_without_tools_it_says_that_it_does_not_understand(model: LocalChatModel) -> None:
    reply = model.invoke([HumanMessage("cancel order #1004")])

    assert reply.content
    assert not reply.tool_calls


def test_a_known_set_of_tools_is_not_learned_again(minilm: MiniLmEncoder) -> None:
    encoder = _CountingEncoder(minilm)
    model = LocalChatModel(encoder)
    model.bind_tools(SHOP)
    learned = encoder.texts

    model.bind_tools(SHOP)

    assert learned > 0
    assert encoder.texts == learned


@pytest.mark.slow
def test_a_decision_takes_milliseconds(model: LocalChatModel) -> None:
    bound = model.bind_tools(SHOP)
    took = []
    for number in range(40):
        started = time.process_time()
        bound.invoke([HumanMessage(f"what is the status of my order #{2000 + number}?")])
        took.append(time.process_time() - started)

    assert statistics.median(took) < 0.03


class _CountingEncoder:
    """Counts the texts it is given."""

    def __init__(self, encoder: MiniLmEncoder) -> None:
        self._encoder = encoder
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        vectors: Any = self._encoder.encode(texts)
        return vectors  # type: ignore[no-any-return]  # float32 by contract
