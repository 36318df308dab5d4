"""Who did what: an append-only table whose rows are chained by hashes.

Each row's hash covers the row before it, and one head row keeps the last hash and the count. A row
that is changed, deleted, added or moved by anybody who does not rebuild the whole chain is found.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base
from opsbot.toolkit.running import Place

_HEAD = 1
_AT_ONCE = 500


class AuditEvent(Base):
    """One thing that somebody did, was refused, or looked at. Never changed, never deleted."""

    __tablename__ = "audit_events"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1, without gaps."""
    actor: Mapped[str] = mapped_column(index=True)
    """`customer:12`, `staff:3`, `visitor`, `system`."""
    action: Mapped[str]
    """`executed`, `refused`, `read`, `export`, `imported`, `signed_in`, `code_sent`, …"""
    subject: Mapped[str]
    """What it was about: the tool, or the order a proof named."""
    detail: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    previous: Mapped[str]
    """Hash of the row before; empty for the first one."""
    hash: Mapped[str]


class AuditHead(Base):
    """The end of the chain; its lock lets writers wait for each other."""

    __tablename__ = "audit_heads"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    hash: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class AuditCheck:
    """What a look over the whole chain found."""

    count: int
    """Rows that were checked."""
    problem: str
    """One sentence that names the first bad row; empty when all hold."""


def record_audit(
    session: Session, *, actor: str, action: str, subject: str, at: datetime, **detail: object
) -> AuditEvent:
    """Append one row. Call it last in a transaction: other writers wait for its end.

    Args:
        session: an open transaction.
        actor: who.
        action: see `AuditEvent.action`.
        subject: what it was about.
        at: when.
        detail: anything JSON can hold; no secrets, and no more personal data than is needed.
    """
    session.flush()
    insert_or_ignore(session, AuditHead, id=_HEAD, count=0, hash="")
    head = session.scalars(
        select(AuditHead)
        .where(AuditHead.id == _HEAD)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    event = AuditEvent(
        number=head.count + 1,
        actor=actor,
        action=action,
        subject=clean(subject),
        detail=json.loads(_canonical(detail)),
        at=at,
        previous=head.hash,
    )
    event.hash = _hash(event)
    session.add(event)
    head.count, head.hash = event.number, event.hash
    session.flush()
    return event


def record_for(session: Session, place: Place, action: str, subject: str, **detail: object) -> None:
    """Append a row for whom a tool is run for; see `record_audit`."""
    actor = place.caller.actor
    record_audit(session, actor=actor, action=action, subject=subject, at=place.now, **detail)


def verify(session: Session) -> AuditCheck:
    """Look over the whole chain."""
    previous, count = "", 0
    head = session.get(AuditHead, _HEAD)
    while rows := session.scalars(_after(count)).all():
        for event in rows:
            count += 1
            if problem := _wrong(event, count, previous, head):
                return AuditCheck(count, f"Row {count} of the audit {problem}.")
            previous = event.hash
            session.expunge(event)  # a long audit must not fill the memory
    if (head.count, head.hash) != (count, previous) if head else count > 0:
        return AuditCheck(count, f"The audit ends at row {count}, but more had been written.")
    return AuditCheck(count, "")


def _wrong(event: AuditEvent, number: int, previous: str, head: AuditHead | None) -> str:
    """Say what is wrong with the row that should be row `number`; empty when nothing is."""
    if event.number != number:
        return "is missing"
    if event.previous == previous and event.hash == _hash(event):
        return ""
    if head is None or number > head.count:
        return "was added"
    # Its hash covers its own number: a row that holds under another one was put here.
    moved = any(_hash(event, number=other) == event.hash for other in range(1, head.count + 1))
    return "was moved here from another place" if moved else "was changed"


def _after(number: int) -> Select[AuditEvent]:
    later = select(AuditEvent).where(AuditEvent.number > number)
    return later.order_by(AuditEvent.number).limit(_AT_ONCE)


def _hash(event: AuditEvent, *, number: int | None = None) -> str:
    at = event.at.astimezone(UTC).isoformat()
    content = [
        event.previous, number or event.number, event.actor, event.action, event.subject,
        event.detail, at,
    ]  # fmt: skip
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def clean(text: str) -> str:
    """Return a text that every database keeps: what a model made up may be no text."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _canonical(value: Mapping[str, object] | list[Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
