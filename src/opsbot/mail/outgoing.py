"""Mails to send. A mail is a row first, in the transaction that causes it."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base
from opsbot.errors import ConflictError
from opsbot.mail.rows import insert_new
from opsbot.mail.text import check_address, clean_text, safe_header
from opsbot.settings import Settings

MAX_TEXT = 64 * 1024


class MailState(StrEnum):
    """queued → sending → sent, or failed; withdrawn before anybody sent it."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Attachment:
    """One file of a mail."""

    name: str
    media_type: str
    """Such as `application/pdf`."""
    content: bytes


class OutgoingMail(Base):
    """One mail to one address."""

    __tablename__ = "outgoing_mails"
    __table_args__ = (Index("ix_outgoing_mails_state_next_at", "state", "next_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    """What the mail is about: a second one with the same key is not queued."""
    recipient: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str | None]
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Keys: name, media_type, base64."""
    in_reply_to: Mapped[str | None]
    automatic: Mapped[bool]
    """Nobody wrote it: the mail says so, and other machines must not answer it."""
    confidential: Mapped[bool]
    """The text holds a code or a one-time link: it is forgotten once the mail is sent."""
    state: Mapped[MailState] = mapped_column(default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    """When to try; while sending, until when the sender may take."""
    message_id: Mapped[str | None] = mapped_column(index=True)
    """Made from the dedupe key when the mail is sent, so that a second copy can be recognised."""
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


def queue_mail(
    session: Session,
    *,
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    now: datetime,
    dedupe_key: str,
    in_reply_to: str | None = None,
    attachments: Sequence[Attachment] = (),
    automatic: bool = True,
    confidential: bool = False,
) -> OutgoingMail:
    """Store a mail to be sent after the caller's transaction commits.

    Args:
        session: an open transaction.
        to: the one recipient; chosen by code, never by a model.
        subject: any text; it is made safe for a header.
        text: the plain text.
        html: the same, sanitised already.
        now: when to send it at the earliest.
        dedupe_key: what the mail is about, such as `draft:12`. With a known key nothing is
            stored, and the mail that is there already is returned.
        in_reply_to: Message-ID of the mail that this one answers.
        attachments: files to go with it.
        automatic: nobody wrote it; false for what a person wrote or approved.
        confidential: forget the text once the mail is sent.

    Raises:
        InvalidInputError: `to` is not an address.
    """
    values = {
        "dedupe_key": dedupe_key,
        "recipient": check_address(to),
        "subject": safe_header(subject),
        "text": clean_text(text, limit=MAX_TEXT),
        "html": None if html is None else clean_text(html, limit=MAX_TEXT),
        "attachments": [_stored(attachment) for attachment in attachments],
        "in_reply_to": in_reply_to,
        "automatic": automatic,
        "confidential": confidential,
        "next_at": now,
        "created_at": now,
    }
    insert_new(session, OutgoingMail, {"state": MailState.QUEUED, "attempts": 0, **values})
    by_key = sa.select(OutgoingMail).where(OutgoingMail.dedupe_key == dedupe_key)
    return session.scalars(by_key).one()


def count_mails(session: Session, *, to: str, since: datetime) -> int:
    """Return how many mails were queued to an address since then: a limit for those who ask."""
    counted = sa.select(sa.func.count()).select_from(OutgoingMail)
    recent = OutgoingMail.created_at >= since
    return session.scalar(counted.where(OutgoingMail.recipient == to.strip().lower(), recent)) or 0


def retry_mail(session: Session, mail_id: int, *, now: datetime) -> None:
    """Send a failed mail once more; for staff who looked at the reason.

    Raises:
        ConflictError: the mail has not failed.
    """
    changed = session.execute(
        sa.update(OutgoingMail)
        .where(OutgoingMail.id == mail_id, OutgoingMail.state == MailState.FAILED)
        .values(state=MailState.QUEUED, attempts=0, next_at=now)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
        raise ConflictError(f"Mail {mail_id} has not failed, so it is not sent again.")


def withdraw_mails(session: Session, mail_ids: Sequence[int]) -> None:
    """Do not send these mails, unless they are on their way already."""
    session.execute(
        sa.update(OutgoingMail)
        .where(OutgoingMail.id.in_(mail_ids), OutgoingMail.state == MailState.QUEUED)
        .values(state=MailState.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )


def make_message_id(dedupe_key: str, settings: Settings) -> str:
    """Return the Message-ID of the mail with this key: always the same one.

    Only the holder of the secret key can tell it: who knows it can write a mail that seems to
    answer ours.
    """
    key = settings.secret_key.get_secret_value().encode()
    digest = hmac.new(key, f"message-id:{dedupe_key}".encode(), "sha256").hexdigest()[:32]
    return f"<{digest}@{settings.mail.address.rpartition('@')[2]}>"


def _stored(attachment: Attachment) -> dict[str, Any]:
    content = base64.b64encode(attachment.content).decode()
    return {
        "name": safe_header(attachment.name, limit=80),
        "media_type": attachment.media_type,
        "base64": content,
    }
