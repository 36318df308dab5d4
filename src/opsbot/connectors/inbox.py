"""Webhooks that came in: kept first, handled afterwards, each exactly once.

What a delivery changes and that it is handled are one transaction. One that fails is kept with its
reason and tried again, later and later.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base, Database
from opsbot.errors import OpsbotError

MAX_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=2)
KEPT = timedelta(days=30)
"""How long what is over stays: it holds personal data."""
LONGEST_REASON = 500
MOST_AT_ONCE = 500
_log = logging.getLogger(__name__)


class InboxState(StrEnum):
    """received → handled, ignored, or failed."""

    RECEIVED = "received"
    HANDLED = "handled"
    IGNORED = "ignored"
    """Its topic means nothing here."""
    FAILED = "failed"


class InboxEvent(Base):
    """One delivery of one sender."""

    __tablename__ = "inbox_events"
    __table_args__ = (
        UniqueConstraint("source", "delivery_id"),
        Index("ix_inbox_events_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    delivery_id: Mapped[str]
    topic: Mapped[str]
    body: Mapped[str]
    """As it came; its signature was right."""
    happened_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it happened, as its sender says beside the body; never later than it came."""
    received_at: Mapped[datetime]
    state: Mapped[InboxState] = mapped_column(default=InboxState.RECEIVED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    """Not tried before."""
    reason: Mapped[str | None]
    """Why it was ignored, or failed last."""
    handled_at: Mapped[datetime | None]


Handle = Callable[[Session, InboxEvent], str | None]
"""Does what an event asks for; returns why it means nothing here, or None."""


def keep_event(
    session: Session,
    source: str,
    delivery_id: str,
    topic: str,
    body: bytes,
    *,
    now: datetime,
    happened_at: datetime | None = None,
) -> bool:
    """Keep a delivery; tell whether it is new. The same again changes nothing."""
    return insert_or_ignore(
        session,
        InboxEvent,
        source=source,
        delivery_id=delivery_id,
        topic=topic,
        body=body.decode(),
        happened_at=None if happened_at is None else min(happened_at, now),
        received_at=now,
        state=InboxState.RECEIVED,
        attempts=0,
        due_at=now,
    )


def handle_inbox(database: Database, handle: Handle, *, now: datetime) -> int:
    """Handle what is due, in the order in which it came; return how many were tried."""
    due = (
        select(InboxEvent.id)
        .where(InboxEvent.state == InboxState.RECEIVED, InboxEvent.due_at <= now)
        .order_by(InboxEvent.id)
        .limit(MOST_AT_ONCE)
    )
    with database.read() as session:
        ids = session.scalars(due).all()
    for key in ids:
        _handle_one(database, handle, key, now)
    return len(ids)


def _handle_one(database: Database, handle: Handle, key: int, now: datetime) -> None:
    try:
        with database.write(durable=True) as session:
            event = session.scalar(
                select(InboxEvent)
                .where(InboxEvent.id == key, InboxEvent.state == InboxState.RECEIVED)
                .with_for_update(skip_locked=True)
            )
            if event is None:  # another worker has it
                return
            reason = handle(session, event)
            event.state = InboxState.HANDLED if reason is None else InboxState.IGNORED
            event.attempts += 1
            event.reason, event.handled_at = reason, now
    except OpsbotError as error:
        _keep_failure(database, key, str(error), now)
    except IntegrityError:
        _keep_failure(database, key, "It clashes with another record here.", now)
    except Exception as error:  # noqa: BLE001  (one broken delivery must not stop the others)
        _log.exception("Delivery %s broke", key)
        _keep_failure(database, key, f"{type(error).__name__}: it could not be handled.", now)


def _keep_failure(database: Database, key: int, reason: str, now: datetime) -> None:
    with database.write() as session:
        event = session.get(InboxEvent, key)
        if event is None or event.state is not InboxState.RECEIVED:
            return
        event.attempts += 1
        event.reason = reason[:LONGEST_REASON]
        event.due_at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**event.attempts)
        if event.attempts >= MAX_ATTEMPTS:
            event.state, event.handled_at = InboxState.FAILED, now


def retry_failed(session: Session, *, now: datetime) -> int:
    """Try again everything that had been given up; return how many."""
    again = session.scalars(
        update(InboxEvent)
        .where(InboxEvent.state == InboxState.FAILED)
        .values(state=InboxState.RECEIVED, attempts=0, due_at=now)
        .returning(InboxEvent.id)
        .execution_options(synchronize_session=False)
    )
    return len(again.all())


def forget_old_events(session: Session, *, now: datetime) -> None:
    """Delete what was over long ago."""
    session.execute(
        delete(InboxEvent)
        .where(InboxEvent.state != InboxState.RECEIVED, InboxEvent.handled_at < now - KEPT)
        .execution_options(synchronize_session=False)
    )


def failed_events(session: Session, limit: int = 50) -> list[InboxEvent]:
    """Return the latest deliveries that failed or wait for another try, newest first."""
    found = (
        select(InboxEvent)
        .where(InboxEvent.state.in_((InboxState.RECEIVED, InboxState.FAILED)))
        .where(InboxEvent.reason.is_not(None))
        .order_by(InboxEvent.id.desc())
        .limit(limit)
    )
    return list(session.scalars(found))
