"""One message to answer, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from opsbot.conversation.access import Access
from opsbot.conversation.loop import Called
from opsbot.conversation.proof.quotes import Proof
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.results import Result

NO_MODEL = "none"
"""Stands where an answer names its model: no model was asked."""


@dataclass
class Turn:
    """One message to answer."""

    caller: Caller
    conversation_id: str
    text: str
    history: Sequence[BaseMessage]
    """The conversation with this message last; no system message."""
    said: Sequence[str]
    """Texts of the conversation so far; figures may be repeated from them."""
    own: Sequence[tuple[datetime, str]]
    """The person's own earlier messages, with their times."""
    proofs: Sequence[Proof]
    """What the earlier replies rested on: it may be said again."""
    context: str
    """What the question may lean on, for searching: the last question and answer."""
    now: datetime
    new_id: Callable[[], str]
    elapsed: Callable[[], float]
    """Seconds on a clock that never goes back."""
    asked_by: Caller
    """The caller when the turn began, before anything was proved in it."""
    access: Access
    """What may be asked of the shop; keeps what it told."""
    keep_proof: Callable[[Caller], None]
    """Keeps what the caller has proved for the rest of the conversation."""
    asked_proposal_id: str = ""
    """The preview that the last reply showed; empty when it showed none."""
    message_id: str = ""
    """Of the reply being written; each attempt has another."""
    calls: list[Called] = field(default_factory=list)
    written: list[AIMessage] = field(default_factory=list)
    """What the model wrote, message by message, as the loop understood it."""
    done: Result | None = None
    """What came of the change that the message confirmed: the reply begins with it."""

    @property
    def has_more(self) -> bool:
        """Whether the embedded model has put off something that was asked for as well."""
        return bool(self._frame.get("waiting"))

    @property
    def is_interrupted(self) -> bool:
        """Whether the embedded model was looking something up when a code was asked for."""
        written = (m for m in reversed(self.history) if isinstance(m, AIMessage))
        frames = (m.additional_kwargs.get("frame") for m in written)
        return bool(next((f for f in frames if isinstance(f, Mapping)), {}).get("interrupted"))

    @property
    def is_asked(self) -> bool:
        """Whether the embedded model's last reply asked for something."""
        return bool(self._frame.get("open"))

    @property
    def _frame(self) -> Mapping[str, Any]:
        last = next((m for m in reversed(self.history) if isinstance(m, AIMessage)), None)
        frame = last.additional_kwargs.get("frame") if last is not None else None
        return frame if isinstance(frame, Mapping) else {}

    def go_on_with(self, rest: str, *, after: Result) -> None:
        """Answer the rest of the message, below the outcome of what it confirmed."""
        self.text, self.done = rest, after
        self.history = [*self.history[:-1], HumanMessage(rest)]

    def forget(self, *, since: int) -> None:
        """Forget an attempt that failed: what it asked since then, and what it wrote."""
        self.calls.clear()
        self.written.clear()
        del self.access.answers[since:]

    def raise_level(self, caller: Caller) -> None:
        """Go on as the same person with a better proof."""
        self.caller = caller
        self.keep_proof(caller)


@dataclass(frozen=True)
class Answer:
    """What came of a turn."""

    message_id: str
    text: str
    body: Mapping[str, Any]
    frame: Mapping[str, Any] | None
    model: str
    dropped: Sequence[str]
