"""A turn from the messages of its conversation, as they are stored."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage

from opsbot.conversation.access import Access
from opsbot.conversation.chat_model import EMBEDDED
from opsbot.conversation.models import Message, TurnInputs
from opsbot.conversation.replies import read_proofs
from opsbot.conversation.store import as_chat, context_of
from opsbot.conversation.turn import NO_MODEL, Answer, Turn
from opsbot.toolkit.caller import Caller, dump_caller

_REMEMBERED = 7
"""Messages back to which an answer may repeat what was proved, with the one to answer."""


def make_turn(
    messages: Sequence[Message],
    caller: Caller,
    access: Access,
    *,
    now: datetime,
    new_id: Callable[[], str],
    elapsed: Callable[[], float],
    keep_proof: Callable[[Caller], None],
    message_id: str = "",
) -> Turn:
    """Return the turn of the last of these messages, which are a conversation's, oldest first.

    `message_id` is that of a reply that an earlier run began; empty: none did.
    """
    *earlier, message = messages
    return Turn(
        caller=caller,
        asked_by=caller,
        conversation_id=message.conversation_id,
        text=message.text,
        history=as_chat(messages),
        said=[m.text for m in earlier],
        own=[(m.sent_at, m.text) for m in earlier if m.author is message.author],
        proofs=[proof for m in messages[-_REMEMBERED:-1] for *_, proof in read_proofs(m.body)],
        context=context_of(earlier),
        now=now,
        new_id=new_id,
        elapsed=elapsed,
        access=access,
        asked_proposal_id=_asked_proposal(earlier),
        message_id=message_id,
        keep_proof=keep_proof,
    )


def inputs_of(turn: Turn, answer: Answer) -> TurnInputs:
    """Return what the turn was given beside its conversation, to be stored with its reply."""
    is_ours = answer.model in {EMBEDDED, NO_MODEL}
    return TurnInputs(
        message_id=answer.message_id,
        at=turn.now,
        caller=dump_caller(turn.asked_by),
        answers=list(turn.access.answers),
        written=[] if is_ours else [_dump_message(one) for one in turn.written],
    )


def _dump_message(message: AIMessage) -> dict[str, Any]:
    return {
        "text": str(message.text),
        "tool_calls": message.tool_calls,
        "invalid_tool_calls": message.invalid_tool_calls,
    }


def _asked_proposal(messages: Sequence[Message]) -> str:
    """Return the id of the preview that the last message showed; empty when it showed none."""
    proposal = messages[-1].body.get("proposal") if messages else None
    return str(proposal["proposal_id"]) if proposal else ""
