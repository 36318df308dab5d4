"""Requests that come twice: with the same key, the first one's answer comes back.

A program that heard nothing sends its request again, with the same `Idempotency-Key`. The key is
taken by a row of its own before anything is done; the answer is written into it afterwards. Keys
are one caller's own. What was asked is kept as a hash, the answer for a day.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base, Database
from opsbot.errors import CollisionError, InvalidInputError

KEPT = timedelta(days=1)
"""How long a key is remembered."""
LEASE = timedelta(minutes=2)
"""How long an answer may take. After it, whoever took the key is taken for dead."""
SHORT_LEASE = timedelta(seconds=10)
"""The same for what happens once anyway: who asks again after a crash need not wait long."""
LONGEST_KEY = 255
FIELD = "Idempotency-Key"


class Repeat(Base):
    """A key that was used, and what was answered."""

    __tablename__ = "repeats"
    __table_args__ = (
        UniqueConstraint("owner", "key"),
        Index("ix_repeats_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    """Whose key it is; see `Caller.owner`."""
    key: Mapped[str]
    request_hash: Mapped[str]
    """Of method, path and body."""
    lease: Mapped[str]
    """Random name of who answers; only they may write the answer."""
    lease_until: Mapped[datetime]
    status: Mapped[int | None]
    """Of the answer; empty while it is being worked out."""
    body: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@dataclass(frozen=True)
class Kept:
    """An answer that was given before."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """A key that is ours until the answer is written, or the lease is over."""

    id: int
    lease: str


def take_key(
    database: Database,
    *,
    owner: str,
    key: str,
    request_hash: str,
    repeatable: bool,
    now: datetime,
) -> Taken | Kept:
    """Take a key before anything is done, or return what was answered with it.

    Args:
        database: where the keys are.
        owner: whose key it is.
        key: as it was sent.
        request_hash: of all that the request says.
        repeatable: whether it may be done again when whoever took the key died over it: what it
            does happens once all the same.
        now: the time.

    Raises:
        InvalidInputError: the key came with another request before.
        CollisionError: the first request with it is being answered, or ended without an answer.
    """
    lease = secrets.token_hex(8)
    until = now + (SHORT_LEASE if repeatable else LEASE)
    ours = {"lease": lease, "lease_until": until, "status": None, "body": None}
    fresh = {**ours, "request_hash": request_hash, "created_at": now, "expires_at": now + KEPT}
    with database.write(durable=True) as session:
        inserted = insert_or_ignore(session, Repeat, owner=owner, key=key, **fresh)
        of = (Repeat.owner == owner, Repeat.key == key)
        known = session.scalars(select(Repeat).where(*of).with_for_update()).one()
        if inserted:
            return Taken(known.id, lease)
        if known.expires_at <= now:
            _write(session, known, fresh)
            return Taken(known.id, lease)
        if known.request_hash != request_hash:
            message = f"{FIELD}: this key came with another request before. Take a new one."
            raise InvalidInputError(message, field=FIELD)
        if known.status is not None:
            return Kept(known.status, known.body or {})
        _refuse_unfinished(known, repeatable=repeatable, now=now)
        _write(session, known, ours)
        return Taken(known.id, lease)


def keep_answer(database: Database, taken: Taken, status: int, body: dict[str, Any]) -> None:
    """Write the answer beside the key, unless another one has taken it meanwhile."""
    _settle(database, taken, {"status": status, "body": body})


def lose_answer(database: Database, taken: Taken, *, now: datetime) -> None:
    """Note that it broke, and nobody knows how far it came."""
    _settle(database, taken, {"lease_until": now})


def free_key(database: Database, taken: Taken) -> None:
    """Give a key back with which nothing was done."""
    with database.write() as session:
        session.execute(sa.delete(Repeat).where(*_is_ours(taken)))


def forget_keys(session: Session, *, now: datetime) -> None:
    """Delete the keys whose time is over."""
    session.execute(sa.delete(Repeat).where(Repeat.expires_at <= now))


def _refuse_unfinished(known: Repeat, *, repeatable: bool, now: datetime) -> None:
    if known.lease_until > now:
        raise CollisionError("The first request with this key is still being answered.")
    if not repeatable:
        raise CollisionError(
            "The first request with this key ended without an answer. See whether it was done, "
            "then take a new key."
        )


def _write(session: Session, known: Repeat, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(known, name, value)
    session.flush()


def _settle(database: Database, taken: Taken, values: dict[str, Any]) -> None:
    with database.write(durable=True) as session:
        session.execute(sa.update(Repeat).where(*_is_ours(taken)).values(**values))


def _is_ours(taken: Taken) -> tuple[sa.ColumnElement[bool], ...]:
    return (Repeat.id == taken.id, Repeat.lease == taken.lease, Repeat.status.is_(None))
