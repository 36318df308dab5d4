"""What is said in a conversation about a proposal that was decided outside of any turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from opsbot.conversation.events import NewEvent, append_events
from opsbot.conversation.models import Author, Message
from opsbot.conversation.replies import Body
from opsbot.conversation.store import add_message
from opsbot.toolkit.proposals import Confirmation, ProposalState

CHANGED = "Something changed since that preview, so nothing was done. This is how it looks now."
DROPPED = "All right, nothing was changed."


@dataclass(frozen=True)
class Told:
    """A message of the assistant that no turn wrote."""

    message_id: str
    """The same for the same outcome: it is said once."""
    proposal_id: str
    text: str
    body: Body
    first: tuple[tuple[str, dict[str, Any]], ...] = ()
    """Events before those of the message."""


def outcome_of(confirmation: Confirmation) -> Told:
    """Return what is said about what came of a decision."""
    preview = confirmation.preview
    text, body = words_and_body(confirmation)
    message_id = f"{preview.id}-{preview.state}"
    first = (("action_result", event_of(confirmation)),)
    return Told(message_id, preview.id, text, body, first)


def tell(session: Session, conversation_id: str, told: Told, *, now: datetime) -> Message:
    """Add the message and its events, unless it is there; return it."""
    message = session.get(Message, told.message_id)
    if message is not None:
        return message
    stored = told.body.stored([])
    message = add_message(
        session,
        conversation_id,
        told.message_id,
        Author.ASSISTANT,
        text=told.text,
        sent_at=now,
        body=stored,
        trace={"proposal": told.proposal_id},
    )
    events = [*told.first, *events_of(told.message_id, told.text, stored)]
    append_events(session, conversation_id, [NewEvent(kind, data) for kind, data in events], at=now)
    return message


def words_of(confirmation: Confirmation) -> str:
    """Return what there is to say about what came of a decision."""
    return words_and_body(confirmation)[0]


def words_and_body(confirmation: Confirmation) -> tuple[str, Body]:
    """Return the words, and what is shown beside them."""
    body = Body()
    if confirmation.renewed is not None:
        body.preview = confirmation.renewed
        return CHANGED, body
    if confirmation.result is not None:
        body.take(confirmation.result)
        return confirmation.result.say, body
    return confirmation.preview.say or DROPPED, body


def event_of(confirmation: Confirmation) -> dict[str, Any]:
    """Return what the event of a decision tells."""
    preview = confirmation.preview
    undone = preview.undoes if preview.state is ProposalState.EXECUTED else None
    return {
        "proposal_id": preview.id,
        "state": str(preview.state),
        "text": words_of(confirmation),
        "can_undo": preview.can_undo,
        "undone": undone,
    }


def events_of(
    message_id: str, text: str, stored: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a message that is there at once."""
    of = {"message_id": message_id}
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", of | {"author": "assistant"}),
        ("message_delta", of | {"text": text}),
    ]
    events += [("card", of | card) for card in stored["cards"]]
    if stored["proposal"]:
        events.append(("action_proposal", of | stored["proposal"]))
    return [*events, ("message_end", of | {"text": text})]
