"""One message to answer, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langchain_core.messages import BaseMessage

from opsbot.conversation.loop import Called
from opsbot.conversation.proof.quotes import Proof
from opsbot.toolkit.caller import Caller


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
    proofs: Sequence[Proof]
    """What the earlier replies rested on: it may be said again."""
    context: str
    """What the question may lean on, for searching: the last question and answer."""
    now: datetime
    new_id: Callable[[], str]
    elapsed: Callable[[], float]
    """Seconds on a clock that never goes back."""
    keep_proof: Callable[[Caller], None]
    """Keeps what the caller has proved for the rest of the conversation."""
    asked_proposal_id: str = ""
    """The preview that the last reply showed; empty when it showed none."""
    message_id: str = ""
    """Of the reply being written; each attempt has another."""
    calls: list[Called] = field(default_factory=list)

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
