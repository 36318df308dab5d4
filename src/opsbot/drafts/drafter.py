"""From an incoming mail to a draft in the review queue."""

import hashlib
import logging
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opsbot.commerce.records import insert_or_ignore
from opsbot.conversation.replies import Reply
from opsbot.db import Database
from opsbot.drafts.models import Draft, DraftState, ReceivedMail, ReceivedState
from opsbot.drafts.senders import Sender, identify_sender, reveals_another
from opsbot.drafts.wording import find_question, plain_subject, write_mail, write_refusal
from opsbot.errors import ConflictError, InvalidInputError, UnavailableError
from opsbot.mail.imap import append_draft
from opsbot.mail.incoming import IncomingMail
from opsbot.mail.messages import start_message, to_bytes
from opsbot.mail.outgoing import OutgoingMail
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller

MAX_ATTEMPTS = 3
LONGEST_QUESTION = 8_000
"""Characters of a mail that the assistant is shown."""

_log = logging.getLogger(__name__)


class Conversations(Protocol):
    """What answers: `conversation.service.ConversationService`."""

    def reply(
        self,
        caller: Caller,
        text: str,
        *,
        client_id: str,
        now: datetime,
        conversation_id: str | None = None,
    ) -> Reply:
        """Return the answer to a message."""
        ...


class Drafter:
    """Writes drafts. Nothing leaves, and no record of the shop changes."""

    def __init__(
        self, database: Database, conversations: Conversations, settings: Settings
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._settings = settings

    def read(self, mail: IncomingMail, *, now: datetime) -> Draft | None:
        """Keep a mail and draft its answer. The same mail a second time changes nothing.

        Returns:
            The draft, or None when the mail needs no answer.

        Raises:
            UnavailableError: no answer could be given; the mail is kept and may be read again.
            ConflictError: no answer could be given three times; a person must write it.
        """
        received = self._keep(mail, now)
        if received.state is not ReceivedState.NEW:
            return self._find_draft(received)
        reason = _why_ignored(mail, self._settings)
        if reason:
            self._settle(received, ReceivedState.IGNORED, reason)
            return None
        with self._database.read() as session:
            sender = identify_sender(session, mail.sender, f"{mail.subject}\n{mail.text}")
            thread = _find_thread(session, mail)
        reply = self._answer(received, sender, thread, now)
        draft = self._store(received, sender, reply, now)
        if draft is not None:
            self._leave_file(draft, received)
        return draft

    def _keep(self, mail: IncomingMail, now: datetime) -> ReceivedMail:
        with self._database.write(durable=True) as session:
            insert_or_ignore(
                session,
                ReceivedMail,
                message_id=mail.message_id,
                sender=mail.sender,
                subject=mail.subject,
                text=mail.text,
                in_reply_to=mail.in_reply_to,
                received_at=now,
                state=ReceivedState.NEW,
                attempts=0,
            )
            known = select(ReceivedMail).where(ReceivedMail.message_id == mail.message_id)
            return session.scalars(known).one()

    def _find_draft(self, received: ReceivedMail) -> Draft | None:
        with self._database.read() as session:
            return session.scalar(select(Draft).where(Draft.mail_id == received.id))

    def _answer(
        self, received: ReceivedMail, sender: Sender, thread: str | None, now: datetime
    ) -> Reply:
        question = find_question(received.subject, received.text)[:LONGEST_QUESTION]
        digest = hashlib.sha256(received.message_id.encode()).hexdigest()
        try:
            return self._conversations.reply(
                sender.caller,
                question,
                client_id=f"mail:{digest[:48]}",
                conversation_id=thread,
                now=now,
            )
        except InvalidInputError as error:
            self._settle(received, ReceivedState.FAILED, str(error))
            raise
        except UnavailableError as error:
            if received.attempts + 1 < MAX_ATTEMPTS:
                self._settle(received, ReceivedState.NEW, str(error))
                raise
            self._settle(received, ReceivedState.FAILED, str(error))
            message = f"No answer could be given {MAX_ATTEMPTS} times; please write it yourself."
            raise ConflictError(message) from error

    def _settle(self, received: ReceivedMail, state: ReceivedState, reason: str) -> None:
        with self._database.write() as session:
            session.execute(
                update(ReceivedMail)
                .where(ReceivedMail.id == received.id, ReceivedMail.state == ReceivedState.NEW)
                .values(state=state, reason=reason, attempts=ReceivedMail.attempts + 1)
            )

    def _store(
        self, received: ReceivedMail, sender: Sender, reply: Reply, now: datetime
    ) -> Draft | None:
        with self._database.write(durable=True) as session:
            taken = session.execute(
                update(ReceivedMail)
                .where(ReceivedMail.id == received.id, ReceivedMail.state == ReceivedState.NEW)
                .values(
                    state=ReceivedState.DRAFTED,
                    conversation_id=reply.conversation_id,
                    reason=None,
                )
                .returning(ReceivedMail.id)
            ).scalar_one_or_none()
            if taken is None:  # another worker was faster
                return session.scalar(select(Draft).where(Draft.mail_id == received.id))
            withheld = reveals_another(session, reply.conversation_id, received.sender)
            words = write_mail(reply, self._settings, name=sender.name)
            draft = Draft(
                mail_id=received.id,
                reply=write_refusal(self._settings) if withheld else words,
                citations=[] if withheld else [dict(citation) for citation in reply.citations],
                state=DraftState.DRAFT,
                created_at=now,
            )
            session.add(draft)
            session.flush()
            return draft

    def _leave_file(self, draft: Draft, received: ReceivedMail) -> None:
        """Leave the draft for mail programs too. The queue has it anyway: a failure is logged."""
        raw = write_draft_file(draft, received, self._settings)
        folder = self._settings.data_dir / "mail" / "drafts"
        try:
            _write(folder / f"{draft.id}.eml", raw)
            if self._settings.mail.imap_host is not None:
                append_draft(self._settings.mail, raw)
        except (OSError, UnavailableError) as error:
            _log.warning(
                "Draft %s is in the queue, but not in the mail program: %s", draft.id, error
            )


def write_draft_file(draft: Draft, received: ReceivedMail, settings: Settings) -> bytes:
    """Return the draft as a message that mail programs open for editing."""
    message = start_message(
        settings,
        to=received.sender,
        subject=reply_subject(received.subject),
        in_reply_to=received.message_id,
    )
    message["X-Unsent"] = "1"
    message.set_content(draft.text)
    return to_bytes(message)


def reply_subject(subject: str) -> str:
    """Return the subject of the answer."""
    return f"Re: {plain_subject(subject) or 'Your message'}"


def _why_ignored(mail: IncomingMail, settings: Settings) -> str:
    if mail.automatic:
        return mail.automatic
    if mail.sender == settings.mail.address.lower():
        return "our own mail"
    return "" if find_question(mail.subject, mail.text) else "an empty mail"


def _find_thread(session: Session, mail: IncomingMail) -> str | None:
    """Return the conversation this mail goes on with: an earlier one from the same address."""
    if mail.in_reply_to is None:
        return None
    return session.scalar(
        select(ReceivedMail.conversation_id)
        .join(Draft, Draft.mail_id == ReceivedMail.id)
        .join(Draft.outgoing)
        .where(ReceivedMail.sender == mail.sender)
        .where(OutgoingMail.message_id == mail.in_reply_to)
        .limit(1)
    )


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(raw)
    part.replace(path)
