"""The stored stream of a conversation: numbered events that any client can ask for again."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from opsbot.conversation.models import Conversation, Event, Message

Wake = Callable[[], None]
"""Tells a follower that there is something new."""


@dataclass(frozen=True)
class StoredEvent:
    """One event, as a client gets it."""

    number: int
    """Counts up by one in each conversation."""
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet."""

    type: str
    data: Mapping[str, Any]


def append_events(
    session: Session, conversation_id: str, events: Sequence[NewEvent], *, at: datetime
) -> None:
    """Number the events and store them, in the caller's transaction."""
    if not events:
        return
    more = {"conversation": conversation_id, "more": len(events), "at": at}
    last = session.execute(_counting(), more).scalar_one()
    first = last - len(events) + 1
    session.execute(
        insert(Event),
        [
            {
                "conversation_id": conversation_id,
                "number": first + i,
                "type": event.type,
                "data": dict(event.data),
                "at": at,
            }
            for i, event in enumerate(events)
        ],
    )


@cache  # putting it together takes longer than to run it, and every turn does
def _counting() -> ReturningUpdate[int]:
    counted = {
        "last_event": Conversation.last_event + bindparam("more"),
        "updated_at": bindparam("at"),
    }
    here = Conversation.id == bindparam("conversation")
    return update(Conversation).where(here).values(counted).returning(Conversation.last_event)


def events_after(session: Session, conversation_id: str, number: int) -> list[StoredEvent]:
    """Return the events behind `number`, oldest first."""
    rows = session.execute(
        select(Event.number, Event.type, Event.data)
        .where(Event.conversation_id == conversation_id, Event.number > number)
        .order_by(Event.number)
    )
    return [StoredEvent(*row) for row in rows]


def last_begun(session: Session, message: Message) -> str:
    """Return the id of the reply that an earlier run of a turn began; empty when none did."""
    begun = session.scalar(
        select(Event.data)
        .where(
            Event.conversation_id == message.conversation_id,
            Event.number > message.event_before,
            Event.type == "message_start",
        )
        .order_by(Event.number.desc())
        .limit(1)
    )
    return str(begun["message_id"]) if begun else ""


class Bell:
    """Wakes whoever follows a conversation when something was stored in this process.

    Followers look now and then as well: the events of another process ring no bell here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: defaultdict[str, list[Wake]] = defaultdict(list)

    def ring(self, conversation_id: str) -> None:
        """Wake everybody who follows this conversation."""
        with self._lock:
            wakes = list(self._listeners.get(conversation_id, ()))
        for wake in wakes:
            wake()

    @contextmanager
    def listen(self, conversation_id: str, wake: Wake) -> Iterator[None]:
        """Call `wake`, from any thread, whenever the bell of this conversation rings."""
        with self._lock:
            self._listeners[conversation_id].append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[conversation_id].remove(wake)
                if not self._listeners[conversation_id]:
                    del self._listeners[conversation_id]
