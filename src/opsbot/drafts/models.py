"""Mails that came in, and the drafts of their answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.cases import Case
from opsbot.db import Base
from opsbot.errors import NotFoundError
from opsbot.mail.outgoing import OutgoingMail
from opsbot.staff import Staff


class ReceivedState(StrEnum):
    """new → drafted, ignored or failed."""

    NEW = "new"
    DRAFTED = "drafted"
    IGNORED = "ignored"
    FAILED = "failed"


class ReceivedMail(Base):
    """One mail from outside, kept whatever becomes of it."""

    __tablename__ = "incoming_mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    sender: Mapped[str] = mapped_column(index=True)
    """What From says. Anybody can write anything there."""
    subject: Mapped[str]
    text: Mapped[str]
    """Without quoted mails and signature."""
    in_reply_to: Mapped[str | None]
    received_at: Mapped[datetime]
    conversation_id: Mapped[str | None]
    state: Mapped[ReceivedState] = mapped_column(default=ReceivedState.NEW, index=True)
    reason: Mapped[str | None]
    """Why it was ignored, or could not be answered."""
    attempts: Mapped[int] = mapped_column(default=0)


class DraftState(StrEnum):
    """draft → edited → approved → sent, or rejected."""

    DRAFT = "draft"
    EDITED = "edited"
    APPROVED = "approved"
    SENT = "sent"
    REJECTED = "rejected"


OPEN_DRAFTS = (DraftState.DRAFT, DraftState.EDITED)


class Draft(Base):
    """What would be answered, to a mail or in a case. Nothing leaves before it is approved."""

    __tablename__ = "drafts"
    __table_args__ = (
        CheckConstraint("(mail_id IS NULL) <> (case_id IS NULL)", name="one_matter"),
        CheckConstraint("case_id IS NULL OR recipient IS NOT NULL", name="case_has_recipient"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("incoming_mails.id"), unique=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    recipient: Mapped[str | None]
    """Of a case: where the answer goes. A mail is answered to where it came from."""
    reply: Mapped[str]
    """The whole mail, as the assistant wrote it."""
    edited: Mapped[str | None]
    """The whole mail, as a person changed it."""
    citations: Mapped[list[dict[str, Any]]]
    """Keys: n, title, heading, url, quote."""
    state: Mapped[DraftState] = mapped_column(default=DraftState.DRAFT, index=True)
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str | None]
    """Why it was rejected."""
    outgoing_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_mails.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    mail: Mapped[ReceivedMail | None] = relationship(lazy="raise")
    case: Mapped[Case | None] = relationship(lazy="raise")
    reviewer: Mapped[Staff | None] = relationship(lazy="raise")
    outgoing: Mapped[OutgoingMail | None] = relationship(lazy="raise")

    @property
    def text(self) -> str:
        """The mail as it stands."""
        return self.reply if self.edited is None else self.edited

    @property
    def asked(self) -> "Asked":
        """What it answers; needs mail and case loaded."""
        if self.mail is not None:
            mail = self.mail
            return Asked(mail.sender, mail.subject, mail.text, mail.received_at, mail.message_id)
        case = self.case
        if case is None:  # the table forbids it
            raise NotFoundError("what is answered by draft", str(self.id))
        subject = f"{case.subject} [{case.number}]"
        return Asked(self.recipient or "", subject, case.summary, case.created_at, None)


@dataclass(frozen=True)
class Asked:
    """What a draft answers."""

    sender: str
    """Whom the answer goes to."""
    subject: str
    text: str
    at: datetime
    message_id: str | None
    """Of a mail."""
