"""Who did what: an append-only table whose rows are chained by hashes.

Each row's hash covers the row before it, and one head row keeps the last hash and the count. A row
that is changed, deleted, added or moved by anybody who does not rebuild the whole chain is found.

What may hold personal data, such as what a tool was called with, stands in a column of its own. The
chain covers a salted digest of it, so that it can be erased when a person asks for it, and the
chain still holds. An erasure is a row of the audit too, which names the rows it emptied.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Select, Text, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base
from opsbot.toolkit.running import Place

ERASED = "erased"
"""Where a row of the audit names the rows whose personal data it erased."""
UNKNOWN = "unknown"
"""The subject of a row about something that does not exist; what it was called is personal."""
_HEAD = 1
_AT_ONCE = 500
_SALT_BYTES = 16


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
    """Never personal data: it can not be erased."""
    personal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What may hold personal data; None when there is none, or when it was erased."""
    salt: Mapped[str | None]
    """Kept and erased with `personal`: without it nobody can try out what the digest is of."""
    personal_hash: Mapped[str | None]
    """Salted digest of `personal`, which the chain covers; None when there never was any."""
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


_EVENTS, _HEADS = Base.metadata.tables["audit_events"], Base.metadata.tables["audit_heads"]
_HEAD_ROW = select(_HEADS.c.count, _HEADS.c.hash).where(_HEADS.c.id == _HEAD).with_for_update()
_ADD_EVENT = insert(_EVENTS)
_MOVE_HEAD = (
    update(_HEADS)
    .where(_HEADS.c.id == _HEAD)
    .values(count=bindparam("new_count"), hash=bindparam("new_hash"))
)


@dataclass(frozen=True)
class AuditCheck:
    """What a look over the whole chain found."""

    count: int
    """Rows that were checked."""
    problem: str
    """One sentence that names the first bad row; empty when all hold."""


def record_audit(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    at: datetime,
    personal: Mapping[str, object] | None = None,
    **detail: object,
) -> None:
    """Append one row. Call it last in a transaction: other writers wait for its end.

    Args:
        session: an open transaction.
        actor: who.
        action: see `AuditEvent.action`.
        subject: what it was about.
        at: when.
        personal: what people wrote or were told; it can be erased. No secrets.
        detail: anything JSON can hold; no secrets, and nothing personal.
    """
    session.flush()
    count, previous = _lock_head(session)
    row: dict[str, Any] = {
        "number": count + 1,
        "actor": actor,
        "action": action,
        "subject": clean(subject),
        "detail": json.loads(_canonical(detail)),
        "at": at,
        "previous": previous,
        "personal": None,
        "salt": None,
        "personal_hash": None,
    }
    if personal:
        row["salt"] = secrets.token_hex(_SALT_BYTES)
        row["personal"] = json.loads(_canonical(personal))
        row["personal_hash"] = _digest(row["salt"], row["personal"])
    row["hash"] = _hash_of(row, row["number"])
    # Statements, not objects: this is written at every look at personal data.
    session.execute(_ADD_EVENT, row)
    session.execute(_MOVE_HEAD, {"new_count": row["number"], "new_hash": row["hash"]})


def _lock_head(session: Session) -> tuple[int, str]:
    """Return the end of the chain; whoever else appends waits for the end of this transaction."""
    head = session.execute(_HEAD_ROW).first()
    if head is None:
        insert_or_ignore(session, AuditHead, id=_HEAD, count=0, hash="")
        head = session.execute(_HEAD_ROW).one()
    count, last = head
    return count, last


def record_for(
    session: Session,
    place: Place,
    action: str,
    subject: str,
    *,
    personal: Mapping[str, object] | None = None,
    **detail: object,
) -> None:
    """Append a row for whom a tool is run for; see `record_audit`."""
    record_audit(
        session,
        actor=place.caller.actor,
        action=action,
        subject=subject,
        at=place.now,
        personal=personal,
        **detail,
    )


def erase_personal(session: Session, numbers: Collection[int]) -> None:
    """Erase what is personal in these rows. The caller records it, with the numbers as `ERASED`."""
    session.execute(
        update(AuditEvent)
        .where(AuditEvent.number.in_(numbers))
        .values(personal=None, salt=None)
        .execution_options(synchronize_session=False)
    )


def verify(session: Session) -> AuditCheck:
    """Look over the whole chain."""
    walk = _Walk(session.get(AuditHead, _HEAD))
    while rows := session.scalars(_after(walk.count)).all():
        for event in rows:
            if problem := walk.step(event):
                return AuditCheck(walk.count, f"Row {walk.count} of the audit {problem}.")
            session.expunge(event)  # a long audit must not fill the memory
    count, head = walk.count, walk.head
    if (head.count, head.hash) != (count, walk.previous) if head else count > 0:
        return AuditCheck(count, f"The audit ends at row {count}, but more had been written.")
    if walk.emptied:
        return AuditCheck(count, f"Row {min(walk.emptied)} of the audit was emptied.")
    return AuditCheck(count, "")


@dataclass
class _Walk:
    """A look over the chain, as far as it has come."""

    head: AuditHead | None
    count: int = 0
    previous: str = ""
    emptied: set[int] = field(default_factory=set)
    """Rows whose personal part is gone, and no row so far says that it was erased."""

    def step(self, event: AuditEvent) -> str:
        """Say what is wrong with the next row; empty when nothing is."""
        self.count += 1
        problem = _wrong(event, self.count, self.previous, self.head) or _wrong_personal(event)
        if not problem:
            self.previous = event.hash
            if event.personal_hash is not None and event.salt is None:
                self.emptied.add(event.number)
            self.emptied.difference_update(event.detail.get(ERASED, ()))
        return problem


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


def _wrong_personal(event: AuditEvent) -> str:
    """Say what is wrong with the part that can be erased; whether it may be gone is told later."""
    if event.salt is None and event.personal is None:
        return ""
    whole = event.personal_hash == _digest(event.salt or "", event.personal or {})
    return "" if whole else "was changed"


def _after(number: int) -> Select[AuditEvent]:
    later = select(AuditEvent).where(AuditEvent.number > number)
    return later.order_by(AuditEvent.number).limit(_AT_ONCE)


def _hash(event: AuditEvent, *, number: int | None = None) -> str:
    return _hash_of(vars(event), number or event.number)


def _hash_of(row: Mapping[str, Any], number: int) -> str:
    at = row["at"].astimezone(UTC).isoformat()
    names = ("actor", "action", "subject", "detail")
    content = [row["previous"], number, *(row[name] for name in names), at]
    if row["personal_hash"] is not None:
        content.append(row["personal_hash"])
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _digest(salt: str, personal: Mapping[str, object]) -> str:
    return hashlib.sha256(f"{salt}{_canonical(personal)}".encode()).hexdigest()


def clean(text: str) -> str:
    """Return a text that every database keeps: what a model made up may be no text."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _canonical(value: Mapping[str, object] | list[Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
