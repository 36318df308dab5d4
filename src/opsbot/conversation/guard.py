"""Keeps a model from outside to what it may do in one turn: few tools, and only asked-for changes.

Whatever such a model emits may have been chosen by who wrote a review, an article or a mail.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.topics import choose_tools
from opsbot.conversation.turn import Turn
from opsbot.conversation.warrant import NOT_ASKED, Warrant, Words
from opsbot.errors import ConfirmationRequiredError, NotAllowedError, OpsbotError
from opsbot.toolkit.wire import without_extras

Understand = Callable[[Sequence[dict[str, Any]]], Understanding]
"""Returns what understands messages about some tools: `LocalChatModel.understand`."""


class Guard:
    """The limits of one turn of a model from outside."""

    def __init__(self, turn: Turn, understand: Understand | None) -> None:
        """`understand` None: the model may read, and change nothing."""
        self._turn = turn
        offered = {tool.name: tool for tool in turn.access.offered(turn.caller)}
        self._writes = frozenset(name for name, tool in offered.items() if tool.writes)
        schemas = {name: tool.schema for name, tool in offered.items()}
        own = [*turn.own, (turn.now, turn.text)]
        self._warrant: Warrant | None = None
        names: Sequence[str] = sorted(schemas)
        if understand is not None:
            mind = understand(list(schemas.values()))
            names = choose_tools(mind, [text for _, text in own])
            self._warrant = Warrant(mind, Words(own, _last_reply(turn)), turn.access.past)
        self._offered = {name: without_extras(schemas[name]) for name in names}

    def schemas(self) -> list[dict[str, Any]]:
        """Return the declarations that the model is shown."""
        return list(self._offered.values())

    def refuses(
        self, name: str, arguments: Mapping[str, Any], records: Sequence[str]
    ) -> OpsbotError | None:
        """Return why a call may not be run, which is audited; None: it may."""
        error = self._why_not(name, arguments, records)
        if error is not None:
            self._turn.access.refuse(self._turn.caller, name, error)
        return error

    def _why_not(
        self, name: str, arguments: Mapping[str, Any], records: Sequence[str]
    ) -> OpsbotError | None:
        if name not in self._offered:
            return NotAllowedError("This tool was not offered for what they wrote.")
        if name not in self._writes:
            return None
        if self._warrant is None:
            return ConfirmationRequiredError(NOT_ASKED)
        return self._warrant.refuses(name, arguments, records)


def _last_reply(turn: Turn) -> str:
    replies = (m for m in reversed(turn.history) if isinstance(m, AIMessage))
    return next((str(reply.text) for reply in replies), "")
