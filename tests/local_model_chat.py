"""A conversation with the embedded model over tools whose answers are written down."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from opsbot.conversation.local.declarations import read_declaration
from opsbot.conversation.local.model import LocalChatModel

Told = dict[str, Any]
Answer = Callable[[Mapping[str, Any]], Told]


@dataclass
class Reply:
    """What came of one message."""

    text: str
    calls: list[tuple[str, dict[str, Any]]]
    proposal: tuple[str, dict[str, Any]] | None
    frame: dict[str, Any]
    choices: list[str]

    @property
    def tools(self) -> list[str]:
        """Names of the tools called, in order."""
        return [name for name, _ in self.calls]


@dataclass
class Chat:
    """Plays the loop: runs reads, ends the turn at a change."""

    model: LocalChatModel
    tools: Sequence[dict[str, Any]]
    answers: Mapping[str, Answer]
    history: list[BaseMessage] = field(default_factory=list)

    def say(self, text: str) -> Reply:
        """Send a message and return what came of it."""
        bound = self.model.bind_tools(self.tools)
        writes = {tool["function"]["name"] for tool in self.tools if read_declaration(tool).writes}
        self.history.append(HumanMessage(text))
        said: list[str] = []
        calls: list[tuple[str, dict[str, Any]]] = []
        for _step in range(8):
            message = bound.invoke(self.history)
            self.history.append(message)
            said.append(str(message.content))
            if not message.tool_calls:
                return self._reply(message, said, calls, None)
            call = message.tool_calls[0]
            calls.append((call["name"], call["args"]))
            told = self.answers.get(call["name"], default_answer(call["name"]))(call["args"])
            if call["name"] in writes and "error" not in told:
                preview = json.dumps({"proposal": call["name"]})
                self.history.append(ToolMessage(preview, tool_call_id=call["id"] or ""))
                return self._reply(message, said, calls, (call["name"], call["args"]))
            self.history.append(
                ToolMessage(json.dumps(told), tool_call_id=call["id"] or "", name=call["name"])
            )
        raise AssertionError(f"no end after {calls}")

    def _reply(
        self,
        message: AIMessage,
        said: list[str],
        calls: list[tuple[str, dict[str, Any]]],
        proposal: tuple[str, dict[str, Any]] | None,
    ) -> Reply:
        # Other turns are told apart by their frames alone, as when history was stored as text.
        extra = message.additional_kwargs
        frame = json.loads(json.dumps(extra["frame"]))
        return Reply("".join(said), calls, proposal, frame, list(extra.get("choices", [])))


def default_answer(name: str) -> Answer:
    """Answer with the call itself, so that a test can read it."""
    return lambda arguments: {"say": f"{name} {json.dumps(dict(arguments))}", "facts": {}}
