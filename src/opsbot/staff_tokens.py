"""Tokens with which programs act for a member of staff: named, revocable, kept as hashes."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base
from opsbot.errors import InvalidInputError, NotFoundError
from opsbot.staff import Staff

PREFIX = "opsbot_"
"""So begins every token: secret scanners find it, and no shop's token looks like it."""
_LONGEST_NAME = 60


class StaffToken(Base):
    """One token. Its text is shown once, when it is made."""

    __tablename__ = "staff_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    name: Mapped[str]
    """What it is for, in the person's own words."""
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def make_token(
    session: Session, staff: Staff, name: str, *, now: datetime, expires_at: datetime | None = None
) -> str:
    """Store a new token for a member of staff; return its text, which is kept nowhere.

    Raises:
        InvalidInputError: the name is empty, too long, or one of a token that is in use.
    """
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(f"A token needs a name of 1 to {_LONGEST_NAME} characters.")
    if any(token.name == name for token in tokens_of(session, staff.id, now=now)):
        raise InvalidInputError(f"There is a token called {name} already. Revoke it first.")
    text = PREFIX + secrets.token_urlsafe(32)
    session.add(
        StaffToken(
            staff_id=staff.id,
            name=name,
            token_hash=_hash(text),
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
    )
    session.flush()
    return text


def tokens_of(session: Session, staff_id: int, *, now: datetime) -> Sequence[StaffToken]:
    """Return the tokens of a member of staff that are in use, oldest first."""
    tokens = session.scalars(
        select(StaffToken)
        .where(StaffToken.staff_id == staff_id, StaffToken.revoked_at.is_(None))
        .order_by(StaffToken.id)
    )
    return [one for one in tokens if one.expires_at is None or now < one.expires_at]


def revoke_token(session: Session, staff: Staff, name: str, *, now: datetime) -> None:
    """End a token at once.

    Raises:
        NotFoundError: this person has no such token in use.
    """
    found = [one for one in tokens_of(session, staff.id, now=now) if one.name == name.strip()]
    if not found:
        raise NotFoundError("token", name[:_LONGEST_NAME])
    found[0].revoked_at = now
    session.flush()


def find_by_token(session: Session, text: str, *, now: datetime) -> Staff | None:
    """Return whose token it is; None when it is nobody's, over, revoked, or they have left."""
    token = session.scalar(select(StaffToken).where(StaffToken.token_hash == _hash(text)))
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and now >= token.expires_at:
        return None
    staff = session.get(Staff, token.staff_id)
    return staff if staff is not None and staff.active else None


def _hash(text: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
