"""The embedded chat model, as LangChain sees it: messages and tools in, words or a call out."""

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from opsbot.conversation.local.declarations import read_declaration
from opsbot.conversation.local.frame import Frame, read_frame
from opsbot.conversation.local.turn import Call, Say, Turn
from opsbot.conversation.local.understand import Encoder, Understanding

NAME = "embedded"
FRAME = "frame"
CHOICES = "choices"
CHUNK_WORDS = 4
MOST_SETS = 16
"""Sets of tools whose understanding is kept."""


class _Minds:
    """The understandings made so far, by what the tools declare. Safe in several threads."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._made: OrderedDict[str, Understanding] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, schemas: Sequence[dict[str, Any]]) -> Understanding:
        written = orjson.dumps(schemas, default=str, option=orjson.OPT_SORT_KEYS)
        key = hashlib.sha256(written).hexdigest()
        with self._lock:
            if key not in self._made:
                tools = [read_declaration(schema) for schema in schemas]
                self._made[key] = Understanding(tools, self._encoder)
                while len(self._made) > MOST_SETS:
                    self._made.popitem(last=False)
            self._made.move_to_end(key)
            return self._made[key]


@dataclass(frozen=True)
class _Decision:
    action: Call | Say
    frame: Frame


class LocalChatModel(BaseChatModel):
    """Decides the next tool call, question or words from the tools' declarations alone.

    It keeps nothing between calls: what it must remember travels in its own messages, in
    `additional_kwargs["frame"]`. Beside it, `additional_kwargs["choices"]` lists short answers to
    the question it asks.
    """

    _minds: _Minds = PrivateAttr()
    _mind: Understanding | None = PrivateAttr(default=None)

    def __init__(self, encoder: Encoder, **options: Any) -> None:
        """Make the model.

        Args:
            encoder: turns texts into unit vectors.
            options: those of `BaseChatModel`.
        """
        super().__init__(**options)
        self._minds = _Minds(encoder)

    @property
    def _llm_type(self) -> str:
        return f"opsbot-{NAME}"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": NAME}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with tools; the understanding of a known set is used again.

        Args:
            tools: declarations as `Tool.schema` makes them, or anything LangChain can describe.
            tool_choice: ignored; the words decide.
            kwargs: ignored.
        """
        schemas = [
            tool if isinstance(tool, dict) and "function" in tool else convert_to_openai_tool(tool)
            for tool in tools
        ]
        bound = self.model_copy()
        bound._mind = self.understand(schemas)  # noqa: SLF001  (a copy of ourselves)
        return bound

    def understand(self, schemas: Sequence[dict[str, Any]]) -> Understanding:
        """Return what understands messages about these tools: also for a model from outside."""
        return self._minds.of(schemas)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        decision = self._decide(messages)
        return ChatResult(generations=[ChatGeneration(message=_message(decision, messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(_message(self._decide(messages), messages)):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.content), chunk=generation)
            yield generation

    def _decide(self, messages: Sequence[BaseMessage]) -> _Decision:
        """Play the turn from the person's last message through the results so far."""
        mind = self._mind if self._mind is not None else self._minds.of([])
        start = _last_place(messages, HumanMessage)
        frame = _frame_before(messages[:start])
        message = str(messages[start].text) if start < len(messages) else ""
        turn = Turn(mind, frame, message)
        action = turn.next_action()
        calls: dict[str, ToolCall] = {}
        for one in messages[start + 1 :]:
            if isinstance(one, AIMessage):
                calls |= {call["id"] or "": call for call in one.tool_calls}
            elif isinstance(one, ToolMessage) and (call := calls.get(one.tool_call_id)):
                turn.told(call["name"], call["args"], str(one.text))
                action = turn.next_action()
        return _Decision(action, turn.frame)


def _last_place(messages: Sequence[BaseMessage], kind: type[BaseMessage]) -> int:
    places = (i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], kind))
    return next(places, len(messages))


def _frame_before(messages: Sequence[BaseMessage]) -> Frame:
    """Return the frame of our latest message that carries one."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and message.additional_kwargs.get(FRAME):
            return read_frame(message.additional_kwargs[FRAME])
    return Frame()


def _message(decision: _Decision, messages: Sequence[BaseMessage]) -> AIMessage:
    extra: dict[str, Any] = {FRAME: decision.frame.as_json()}
    metadata = {"model_name": NAME, "finish_reason": "stop"}
    action = decision.action
    if isinstance(action, Say):
        if action.choices:
            extra[CHOICES] = list(action.choices)
        return AIMessage(action.words, additional_kwargs=extra, response_metadata=metadata)
    arguments = dict(action.arguments)
    # Made of what is asked and where, so that a turn played again gives the same id.
    made_of = json.dumps([len(messages), action.tool, arguments], sort_keys=True, default=str)
    digest = hashlib.blake2s(made_of.encode(), digest_size=8).hexdigest()
    call = ToolCall(name=action.tool, args=arguments, id=f"call_{digest}", type="tool_call")
    return AIMessage(
        action.words, tool_calls=[call], additional_kwargs=extra, response_metadata=metadata
    )


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Cut a message into chunks of a few words; the last one carries all the rest."""
    words = re.findall(r"\s*\S+\s*", str(message.content))
    pieces = ["".join(words[i : i + CHUNK_WORDS]) for i in range(0, len(words), CHUNK_WORDS)]
    for piece in pieces:
        yield AIMessageChunk(content=piece)
    yield AIMessageChunk(
        content="",
        tool_call_chunks=[
            ToolCallChunk(
                name=call["name"],
                args=json.dumps(call["args"]),
                id=call["id"],
                index=place,
                type="tool_call_chunk",
            )
            for place, call in enumerate(message.tool_calls)
        ],
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
