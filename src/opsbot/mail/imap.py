"""A mailbox on a server, read by IMAP.

Flags are not touched, for people read the same mailbox: what was fetched is known by its UID.
"""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime

import imap_tools
import sqlalchemy as sa
from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base, Database
from opsbot.errors import UnavailableError
from opsbot.mail.incoming import MAX_BYTES
from opsbot.mail.mailboxes import BATCH, MailHandler, hand_over
from opsbot.mail.rows import insert_new
from opsbot.settings import MailSettings

TIMEOUT_S = 30


class FetchedMail(Base):
    """One message that was taken from a mailbox."""

    __tablename__ = "fetched_mails"
    __table_args__ = (UniqueConstraint("mailbox", "uid_validity", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str]
    """User, host and folder."""
    uid_validity: Mapped[int] = mapped_column(sa.BigInteger)
    uid: Mapped[int] = mapped_column(sa.BigInteger)
    message_id: Mapped[str | None]
    problem: Mapped[str | None]
    """Why it could not be handled. It stays in the mailbox, where a person can read it."""
    fetched_at: Mapped[datetime]


def fetch_imap(
    database: Database, settings: MailSettings, handle: MailHandler, *, now: datetime
) -> int:
    """Handle what is new in the mailbox; return how many messages went well.

    On the first visit only unseen messages count as new; later all that came since.

    Raises:
        UnavailableError: the server, or something that the handler needs, did not answer.
    """
    name = f"{settings.imap_user}@{settings.imap_host}/{settings.imap_folder}"
    handled = 0
    with connect(settings) as mailbox:
        status = mailbox.folder.status(settings.imap_folder, ["UIDVALIDITY"])
        validity = status["UIDVALIDITY"]
        mailbox.folder.set(settings.imap_folder, readonly=True)
        for uid in _new_uids(mailbox, _last_uid(database, name, validity))[:BATCH]:
            came_of_it = hand_over(_download(mailbox, uid), handle)
            row = {"mailbox": name, "uid_validity": validity, "uid": uid, "fetched_at": now}
            with database.write() as session:
                insert_new(session, FetchedMail, {**row, **asdict(came_of_it)})
            handled += came_of_it.problem is None
    return handled


def append_draft(settings: MailSettings, raw: bytes, *, folder: str = "Drafts") -> None:
    """Leave a message in the mailbox's folder of drafts, for a person's own mail program.

    Raises:
        UnavailableError: the server did not answer, or has no such folder.
    """
    with connect(settings) as mailbox:
        mailbox.append(raw, folder, flag_set=[imap_tools.MailMessageFlags.DRAFT])


@contextmanager
def connect(settings: MailSettings) -> Iterator[BaseMailBox]:
    """Open the configured mailbox.

    Raises:
        UnavailableError: it cannot be reached, refuses the password, or breaks off.
    """
    try:
        mailbox = _open(settings)
        try:
            mailbox.login(
                settings.imap_user, settings.imap_password.get_secret_value(), initial_folder=None
            )
            yield mailbox
        finally:
            _close(mailbox)
    except (OSError, ImapToolsError, imaplib.IMAP4.error) as error:
        place = f"{settings.imap_host}:{settings.imap_port}"
        raise UnavailableError(f"The mailbox at {place} did not answer: {error}") from error


def _open(settings: MailSettings) -> BaseMailBox:
    host, port = settings.imap_host or "", settings.imap_port
    if not settings.imap_tls:
        return imap_tools.MailBoxUnencrypted(host, port, timeout=TIMEOUT_S)
    context = ssl.create_default_context()
    return imap_tools.MailBox(host, port, timeout=TIMEOUT_S, ssl_context=context)


def _close(mailbox: BaseMailBox) -> None:
    """Say good-bye, and let go of the line also when the server does not answer that."""
    with suppress(OSError, ImapToolsError, imaplib.IMAP4.error):
        mailbox.logout()
    with suppress(OSError):
        mailbox.client.shutdown()


def _last_uid(database: Database, name: str, validity: int) -> int | None:
    """Return the highest UID that was fetched; None when this mailbox is new to us."""
    ours = (FetchedMail.mailbox == name, FetchedMail.uid_validity == validity)
    with database.read() as session:
        return session.scalar(sa.select(sa.func.max(FetchedMail.uid)).where(*ours))


def _new_uids(mailbox: BaseMailBox, last: int | None) -> list[int]:
    criteria = "UNSEEN" if last is None else f"UID {last + 1}:*"
    # A range that ends in * always names the newest message, even when it is not new.
    return sorted(uid for uid in map(int, mailbox.uids(criteria)) if uid > (last or 0))


def _download(mailbox: BaseMailBox, uid: int) -> bytes:
    """Return the message, cut off one byte above what is accepted."""
    state, parts = mailbox.client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_BYTES + 1}>)")
    if state != "OK":
        raise UnavailableError(f"The mailbox did not give message {uid}.")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")
