"""What a person decides about a preview, by button or by word; and one-time codes.

None of it passes through a model.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from opsbot.conversation.events import Bell, NewEvent, append_events
from opsbot.conversation.handoff import keep_address, read_address
from opsbot.conversation.loop import Called
from opsbot.conversation.models import Author, Conversation, Message, ToolCall
from opsbot.conversation.replies import Body, Reply, read_reply
from opsbot.conversation.shortcuts import (
    Decision,
    begins_with_no,
    read_code,
    read_decision,
)
from opsbot.conversation.store import (
    add_message,
    caller_in,
    find_conversation,
    start_conversation,
)
from opsbot.conversation.turn import Answer, Turn
from opsbot.conversation.writer import CHECK_FIRST, Emit
from opsbot.db import Database
from opsbot.errors import NotFoundError, NotVerifiedError, OpsbotError
from opsbot.toolkit.audit import record_for
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Confirmation, Preview
from opsbot.toolkit.results import Result
from opsbot.toolkit.running import Place

CHANGED = "Something changed since that preview, so nothing was done. This is how it looks now."
DROPPED = "All right, nothing was changed."


class Decisions:
    """Confirms and drops previews, and takes one-time codes."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        bell: Bell,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._executor = executor
        self._bell = bell
        self._clock = clock
        self._new_id = new_id

    def confirm(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Do what the preview announced, once, and say so in the conversation."""
        caller, conversation_id = self._place(caller, proposal_id, now=now)
        confirmation = self._executor.confirm(caller, proposal_id, now=now)
        return self._say(conversation_id, confirmation, now=now)

    def cancel(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Drop the preview and say so in the conversation."""
        caller, conversation_id = self._place(caller, proposal_id, now=now)
        preview = self._executor.cancel(caller, proposal_id, now=now)
        return self._say(conversation_id, Confirmation(preview, None, None), now=now)

    def approve(self, caller: Caller, proposal_id: str, *, now: datetime) -> Confirmation:
        """Agree as the second person, and tell who asked for it in their conversation."""
        return self._tell(self._executor.approve(caller, proposal_id, now=now), now=now)

    def reject(
        self, caller: Caller, proposal_id: str, *, reason: str, now: datetime
    ) -> Confirmation:
        """Refuse as the second person, and tell who asked for it in their conversation."""
        rejected = self._executor.reject(caller, proposal_id, reason=reason, now=now)
        return self._tell(rejected, now=now)

    def undo(self, caller: Caller, proposal_id: str, *, now: datetime) -> Reply:
        """Show in a conversation of the caller what would take a change back."""
        conversation_id = self._own_conversation(caller, proposal_id, now=now)
        with self._database.read() as session:
            here = caller_in(session.get_one(Conversation, conversation_id), caller, now=now)
        preview = self._executor.undo(here, proposal_id, now=now, conversation_id=conversation_id)
        body = Body(preview=preview)
        return self._add(conversation_id, preview, preview.id, CHECK_FIRST, body, (), now=now)

    def _own_conversation(self, caller: Caller, proposal_id: str, *, now: datetime) -> str:
        """Return the conversation a change was made in, or a new one if it was somebody else's."""
        conversation_id = self._executor.conversation_of(proposal_id)
        with self._database.write() as session:
            try:
                return find_conversation(session, caller, conversation_id or "").id
            except NotFoundError:
                if not caller.is_staff:
                    raise NotFoundError("proposal", proposal_id[:40]) from None
                return start_conversation(session, caller, self._new_id(), now=now).id

    def _tell(self, confirmation: Confirmation, *, now: datetime) -> Confirmation:
        if confirmation.conversation_id is not None:
            self._say(confirmation.conversation_id, confirmation, now=now)
        return confirmation

    def shortcut(self, turn: Turn, emit: Emit) -> Answer | None:
        """Answer a message that no model needs to read, or return None."""
        preview = self._executor.open_proposal(turn.conversation_id, now=turn.now)
        # A word decides only about the preview it answers; the button works as long as it lives.
        if preview is not None and preview.id == turn.asked_proposal_id:
            decision = read_decision(turn.text, button=preview.button)
            if decision is not None:
                return self._decide(turn, preview, decision, emit)
            if begins_with_no(turn.text):
                dropped = self._executor.cancel(turn.caller, preview.id, now=turn.now)
                emit("action_result", _outcome(Confirmation(dropped, None, None)))
        code = read_code(turn.text)
        if code is not None and self._executor.awaits_code(turn.conversation_id, now=turn.now):
            return self._take_code(turn, code, emit)
        address = read_address(turn.text)
        if address is not None and turn.caller.customer_id is None:
            return self._take_address(turn, address, emit)
        return None

    def _take_address(self, turn: Turn, address: str, emit: Emit) -> Answer | None:
        with self._database.write(durable=True) as session:
            case = keep_address(session, turn.conversation_id, address)
            if case is not None:
                place = Place(turn.caller, turn.now, turn.conversation_id)
                record_for(session, place, "address_kept", case.number)
        if case is None:
            return None
        words = f"Thank you. A person writes to {address}; your case is {case.number}."
        return self._answer(turn, words, Body(), emit)

    def _place(self, caller: Caller, proposal_id: str, *, now: datetime) -> tuple[Caller, str]:
        try:
            conversation_id = self._executor.conversation_of(proposal_id) or ""
            with self._database.read() as session:
                conversation = find_conversation(session, caller, conversation_id)
        except NotFoundError as error:
            raise self._executor.refuse_unknown(caller, proposal_id, now=now) from error
        return caller_in(conversation, caller, now=now), conversation_id

    def _decide(self, turn: Turn, preview: Preview, decision: Decision, emit: Emit) -> Answer:
        if decision is Decision.CANCEL:
            dropped = self._executor.cancel(turn.caller, preview.id, now=turn.now)
            confirmation = Confirmation(dropped, None, None)
        else:
            confirmation = self._executor.confirm(turn.caller, preview.id, now=turn.now)
        text, body = _words(confirmation)
        emit("action_result", _outcome(confirmation))
        return self._answer(turn, text, body, emit)

    def _take_code(self, turn: Turn, code: str, emit: Emit) -> Answer:
        try:
            raised = self._executor.check_code(
                turn.caller, code, now=turn.now, conversation_id=turn.conversation_id
            )
        except OpsbotError as error:
            return self._answer(turn, str(error), Body(), emit)
        turn.raise_level(raised)
        refused = self._last_refused(turn.conversation_id)
        if refused is None:
            return self._answer(turn, "Thank you, that is the right code.", Body(), emit)
        return self._repeat(turn, refused, emit)

    def _repeat(self, turn: Turn, refused: ToolCall, emit: Emit) -> Answer:
        """Run again the call that asked for the code."""
        name, arguments = refused.name, refused.arguments
        body = Body()
        try:
            outcome = self._executor.run(
                turn.caller,
                name,
                arguments,
                now=turn.now,
                conversation_id=turn.conversation_id,
                question=turn.text,
            )
        except OpsbotError as error:
            turn.calls.append(Called(name, arguments, {"error": str(error)}, error=error.code))
            return self._answer(turn, str(error), body, emit)
        if isinstance(outcome, Result):
            body.take(outcome)
            text = outcome.say
        else:
            body.preview, text = outcome, f"Thank you. {CHECK_FIRST}"
        turn.calls.append(Called(name, arguments, {"say": text}))
        return self._answer(turn, text, body, emit)

    def _last_refused(self, conversation_id: str) -> ToolCall | None:
        with self._database.read() as session:
            last = session.scalar(
                select(ToolCall)
                .join(Message, Message.id == ToolCall.message_id)
                .where(Message.conversation_id == conversation_id)
                .order_by(ToolCall.id.desc())
                .limit(1)
            )
        return last if last is not None and last.error == NotVerifiedError.code else None

    def _answer(self, turn: Turn, text: str, body: Body, emit: Emit) -> Answer:
        turn.message_id = turn.new_id()
        stored = body.stored([])
        for kind, data in _events(turn.message_id, text, stored):
            emit(kind, data)
        return Answer(turn.message_id, text, stored, None, "none", ())

    def _say(self, conversation_id: str, confirmation: Confirmation, *, now: datetime) -> Reply:
        """Store the outcome of a button as a message of the assistant, once."""
        preview = confirmation.preview
        text, body = _words(confirmation)
        first = [("action_result", _outcome(confirmation))]
        message_id = f"{preview.id}-{preview.state}"
        return self._add(conversation_id, preview, message_id, text, body, first, now=now)

    def _add(
        self,
        conversation_id: str,
        preview: Preview,
        message_id: str,
        text: str,
        body: Body,
        first: Sequence[tuple[str, dict[str, Any]]],
        *,
        now: datetime,
    ) -> Reply:
        """Add a message of the assistant that no turn wrote, unless it is there, and its events."""
        with self._database.write(durable=True) as session:
            message = session.get(Message, message_id)
            if message is None:
                stored = body.stored([])
                message = add_message(
                    session,
                    session.get_one(Conversation, conversation_id),
                    message_id,
                    Author.ASSISTANT,
                    text=text,
                    sent_at=now,
                    body=stored,
                    trace={"proposal": preview.id},
                )
                events = [*first, *_events(message_id, text, stored)]
                numbered = [NewEvent(kind, data) for kind, data in events]
                append_events(session, conversation_id, numbered, at=now)
        self._bell.ring(conversation_id)
        return read_reply(message)


def words_of(confirmation: Confirmation) -> str:
    """Return what there is to say about what came of a decision."""
    return _words(confirmation)[0]


def _words(confirmation: Confirmation) -> tuple[str, Body]:
    body = Body()
    if confirmation.renewed is not None:
        body.preview = confirmation.renewed
        return CHANGED, body
    if confirmation.result is not None:
        body.take(confirmation.result)
        return confirmation.result.say, body
    return confirmation.preview.say or DROPPED, body


def _outcome(confirmation: Confirmation) -> dict[str, Any]:
    text, _body = _words(confirmation)
    preview = confirmation.preview
    return {"proposal_id": preview.id, "state": str(preview.state), "text": text}


def _events(
    message_id: str, text: str, stored: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    of = {"message_id": message_id}
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", of | {"author": "assistant"}),
        ("message_delta", of | {"text": text}),
    ]
    events += [("card", of | card) for card in stored["cards"]]
    if stored["proposal"]:
        events.append(("action_proposal", of | stored["proposal"]))
    return [*events, ("message_end", of | {"text": text})]
