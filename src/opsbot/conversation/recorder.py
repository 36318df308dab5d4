"""Stores a reply while it is written, so that a lost line or a killed server loses nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from opsbot.conversation.events import Bell, NewEvent, append_events
from opsbot.conversation.handoff import customer_wrote, hand_over
from opsbot.conversation.loop import Called
from opsbot.conversation.models import Author, Message, ToolCall, TurnState
from opsbot.conversation.store import add_message, hold_turn
from opsbot.conversation.turn import Answer, Turn
from opsbot.conversation.turns import inputs_of
from opsbot.db import Database
from opsbot.planning.office_hours import OfficeHours
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.caller import load_caller

FLUSH_S = 0.08
"""How long events may wait before they are stored and shown."""


class Recorder:
    """Writes the events of one run of one turn, and at the end its reply.

    Every write checks that this run still holds the turn.
    """

    def __init__(
        self,
        database: Database,
        bell: Bell,
        message: Message,
        *,
        hours: OfficeHours,
        clock: Callable[[], datetime],
        elapsed: Callable[[], float],
    ) -> None:
        """`message` is the one to answer; `elapsed` counts seconds and never goes back."""
        self._database = database
        self._bell = bell
        self._message = message
        self._hours = hours
        self._clock = clock
        self._elapsed = elapsed
        self._waiting: list[NewEvent] = []
        self._flushed = self._started = elapsed()

    def emit(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Take one event; store what waits once it has waited long enough."""
        last = self._waiting[-1] if self._waiting else None
        if last is not None and _goes_on(last, kind, payload):
            self._waiting.pop()
            payload = {**payload, "text": f"{last.data['text']}{payload['text']}"}
        self._waiting.append(NewEvent(kind, payload))
        if kind != "message_end" and self._elapsed() - self._flushed > FLUSH_S:
            with self._database.write() as session:
                self._store(session, TurnState.PENDING)
            self._bell.ring(self._message.conversation_id)

    def finish(self, answer: Answer, turn: Turn, versions: Mapping[str, Any]) -> None:
        """Store the reply, what led to it, and the last events, in one transaction."""
        took = round((self._elapsed() - self._started) * 1000)
        with self._database.write(durable=True) as session:
            customer_wrote(session, self._message, hours=self._hours, now=self._clock())
            if any(called.result and called.result.hands_off for called in turn.calls):
                self._hand_over(session)
            now = self._store(session, TurnState.DONE)
            session.add_all(self._rows(turn.calls))
            add_message(
                session,
                self._message.conversation_id,
                answer.message_id,
                Author.ASSISTANT,
                text=answer.text,
                sent_at=now,
                in_reply_to=self._message.id,
                body=dict(answer.body),
                frame=dict(answer.frame) if answer.frame else None,
                trace={
                    "model": answer.model,
                    "milliseconds": took,
                    "dropped": list(answer.dropped),
                    **versions,
                },
            )
            session.add(inputs_of(turn, answer))
        self._bell.ring(self._message.conversation_id)

    def fail(self, text: str, code: str) -> None:
        """Store that the turn failed, in words; the message itself is kept."""
        self._waiting.append(NewEvent("error", {"code": code, "text": text, "retryable": True}))
        with self._database.write(durable=True) as session:
            self._store(session, TurnState.FAILED)
        self._bell.ring(self._message.conversation_id)

    def _hand_over(self, session: Session) -> None:
        """Open the case, and say so before the reply ends."""
        actor = load_caller(self._message.caller or {}).actor
        now = self._clock()
        case = hand_over(session, self._message, actor=actor, now=now, hours=self._hours)
        record_audit(session, actor=actor, action="handed_over", subject=case.number, at=now)
        told = {"state": "waiting", "case": case.number, "text": f"Your case is {case.number}."}
        self._waiting.insert(max(0, len(self._waiting) - 1), NewEvent("handoff", told))

    def _store(self, session: Session, state: TurnState) -> datetime:
        now = self._clock()
        hold_turn(session, self._message.id, self._message.attempt, to=state)
        append_events(session, self._message.conversation_id, self._waiting, at=now)
        self._waiting = []
        self._flushed = self._elapsed()
        return now

    def _rows(self, calls: list[Called]) -> list[ToolCall]:
        return [
            ToolCall(
                message_id=self._message.id,
                attempt=self._message.attempt,
                position=position,
                name=called.name,
                arguments=dict(called.arguments),
                outcome=dict(called.told),
                error=called.error,
                milliseconds=called.milliseconds,
            )
            for position, called in enumerate(calls, 1)
        ]


def _goes_on(last: NewEvent, kind: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether words go on where the last event ends: one event can then tell both."""
    together = last.type == kind == "message_delta"
    return together and last.data["message_id"] == payload["message_id"]
