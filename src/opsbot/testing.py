"""Stand-ins for tests and offline trials: shipped, so that a shop can test its own tools."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from opsbot.errors import UnavailableError


class ScriptedModel(BaseChatModel):
    """A chat model that says its lines in order, whatever it is asked; what it was asked is kept.

    A line that is an exception is raised. `whole` says whether its messages end with the mark of
    a finished message, as real ones do.
    """

    lines: list[Any]
    heard: list[Sequence[BaseMessage]] = Field(default_factory=list)
    whole: bool = True

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_options: Any) -> "ScriptedModel":
        """Take any tools; the script decides what is called."""
        return self

    def _next(self, messages: Sequence[BaseMessage]) -> AIMessage:
        self.heard.append(list(messages))
        line = self.lines.pop(0)
        if isinstance(line, Exception):
            raise line
        message: AIMessage = line
        return message

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        line = self._next(messages)
        for word in str(line.content).split(" ") if line.content else []:
            yield ChatGenerationChunk(message=AIMessageChunk(content=word + " "))
        end = AIMessageChunk(
            content="",
            tool_calls=line.tool_calls,
            invalid_tool_calls=line.invalid_tool_calls,
            additional_kwargs=line.additional_kwargs,
            response_metadata={"finish_reason": "stop"} if self.whole else {},
            chunk_position="last" if self.whole else None,
        )
        yield ChatGenerationChunk(message=end)


@dataclass(frozen=True)
class Delivery:
    """One thing that a port did."""

    operation: str
    payload: Mapping[str, Any]
    key: str
    reference: str


class RecordingPort:
    """A provider in memory: does each key once, keeps what it did, and fails when it is told to.

    `failures` are raised by the next calls, one each, before anything is done. `lost` answers are
    lost: the thing is done, and the caller is told that nobody answered.
    """

    def __init__(self, *, failures: Sequence[BaseException] = (), lost: int = 0) -> None:
        self.failures = list(failures)
        self.lost = lost
        self.done: dict[str, Delivery] = {}
        """By key, in order."""
        self.calls = Counter[str]()
        """How often each key came."""
        self.doubles = 0
        """Calls for what had been done: what would have happened twice without a key."""
        self._lock = threading.Lock()

    def deliver(self, operation: str, payload: Mapping[str, Any], key: str) -> str:
        """Do it unless the key is known; see `opsbot.commerce.ports.Port`."""
        with self._lock:
            self.calls[key] += 1
            if self.failures:
                raise self.failures.pop(0)
            self.doubles += key in self.done
            if key not in self.done:
                reference = f"{operation}-{len(self.done) + 1}"
                self.done[key] = Delivery(operation, dict(payload), key, reference)
            if self.lost:
                self.lost -= 1
                raise UnavailableError("The provider did not answer in time.")
            return self.done[key].reference
