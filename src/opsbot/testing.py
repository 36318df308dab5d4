"""Stand-ins for tests and offline trials: shipped, so that a shop can test its own tools."""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field


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
            response_metadata={"finish_reason": "stop"} if self.whole else {},
            chunk_position="last" if self.whole else None,
        )
        yield ChatGenerationChunk(message=end)
