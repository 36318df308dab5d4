"""Send the stored mails: by SMTP, or into files where no server is set.

A mail is claimed by one conditional UPDATE, so two workers never send one mail twice. When a
worker dies, or the line breaks, after the text went out, nobody knows whether the mail arrived.
Such a mail is not sent again by itself: it fails, says why, and waits for a person.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.mail.messages import write_message
from opsbot.mail.outgoing import MailState, OutgoingMail, make_message_id
from opsbot.mail.smtp import NotSentError, transmit
from opsbot.settings import Settings

MAX_ATTEMPTS = 8
"""Tries before a mail is given up; the last is about four hours after the first."""
BATCH = 100
LEASE = timedelta(minutes=10)
FORGOTTEN = "(not kept)"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Outcome:
    state: MailState
    error: str | None = None


def deliver(database: Database, settings: Settings, *, now: datetime) -> int:
    """Send what is due; return how many mails left."""
    with database.write() as session:
        _settle_lost(session, settings, now)
    sent = 0
    for mail_id in _due(database, now):
        mail = _claim(database, mail_id, now)
        if mail is None:
            continue
        outcome = _send(mail, settings, now)
        sent += outcome.state is MailState.SENT
        _note(database, mail, outcome, settings, now)
    return sent


def _settle_lost(session: Session, settings: Settings, now: datetime) -> None:
    """Decide about mails whose sender died. A file is written again, a mail is not."""
    state = MailState.FAILED if settings.mail.smtp_host else MailState.QUEUED
    session.execute(
        sa.update(OutgoingMail)
        .where(OutgoingMail.state == MailState.SENDING, OutgoingMail.next_at < now)
        .values(state=state, last_error="The sender stopped half-way; it may have been sent.")
    )


def _due(database: Database, now: datetime) -> list[int]:
    waiting = (OutgoingMail.state == MailState.QUEUED, OutgoingMail.next_at <= now)
    query = sa.select(OutgoingMail.id).where(*waiting).order_by(OutgoingMail.id).limit(BATCH)
    with database.read() as session:
        return list(session.scalars(query))


def _claim(database: Database, mail_id: int, now: datetime) -> OutgoingMail | None:
    """Take the mail, or return None when another worker has it."""
    claim = (
        sa.update(OutgoingMail)
        .where(OutgoingMail.id == mail_id, OutgoingMail.state == MailState.QUEUED)
        .where(OutgoingMail.next_at <= now)
        .values(state=MailState.SENDING, attempts=OutgoingMail.attempts + 1, next_at=now + LEASE)
        .returning(OutgoingMail)
    )
    with database.write(durable=True) as session:
        return session.scalars(claim).one_or_none()


def _note(
    database: Database, mail: OutgoingMail, outcome: _Outcome, settings: Settings, now: datetime
) -> None:
    values: dict[str, object] = {"state": outcome.state, "last_error": outcome.error}
    if outcome.state is MailState.SENT:
        values |= {
            "sent_at": now,
            "message_id": make_message_id(mail.dedupe_key, settings),
        }
        if mail.confidential:
            values |= {"text": FORGOTTEN, "html": None}
    if outcome.state is MailState.QUEUED:
        values["next_at"] = now + timedelta(minutes=2**mail.attempts)
    if outcome.error is not None:
        _log.warning("Mail %s was not sent: %s", mail.id, outcome.error)
    # Only while the mail is still ours: after the lease somebody else has decided about it.
    ours = (OutgoingMail.state == MailState.SENDING, OutgoingMail.attempts == mail.attempts)
    with database.write(durable=True) as session:
        session.execute(
            sa.update(OutgoingMail).where(OutgoingMail.id == mail.id, *ours).values(**values)
        )


def _send(mail: OutgoingMail, settings: Settings, now: datetime) -> _Outcome:
    try:
        raw = write_message(mail, settings, now=now)
    except InvalidInputError as error:
        return _Outcome(MailState.FAILED, str(error))
    if settings.mail.smtp_host is None:
        return _keep(raw, settings.data_dir / "mail" / "out", mail)
    # RFC 3834: an automatic answer has no sender, so that no machine answers it.
    sender = "" if mail.automatic and mail.in_reply_to else settings.mail.address
    try:
        transmit(raw, sender=sender, recipient=mail.recipient, server=settings.mail)
    except NotSentError as error:
        return (
            _Outcome(MailState.FAILED, str(error)) if error.final else _try_later(mail, str(error))
        )
    return _Outcome(MailState.SENT)


def _keep(raw: bytes, folder: Path, mail: OutgoingMail) -> _Outcome:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{mail.id}.part"
        part.write_bytes(raw)
        part.replace(folder / f"{mail.id}.eml")
    except OSError as error:
        return _try_later(mail, f"The folder {folder} cannot be written: {error.strerror}.")
    return _Outcome(MailState.SENT)


def _try_later(mail: OutgoingMail, error: str) -> _Outcome:
    final = mail.attempts >= MAX_ATTEMPTS
    return _Outcome(MailState.FAILED if final else MailState.QUEUED, error)
