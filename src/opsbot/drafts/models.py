"""Mails that came in, and the drafts of their answers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.db import Base
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
    """What would be answered. Nothing leaves before a person approves it."""

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("incoming_mails.id"), unique=True)
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

    mail: Mapped[ReceivedMail] = relationship(lazy="raise")
    reviewer: Mapped[Staff | None] = relationship(lazy="raise")
    outgoing: Mapped[OutgoingMail | None] = relationship(lazy="raise")

    @property
    def text(self) -> str:
        """The mail as it stands."""
        return self.reply if self.edited is None else self.edited
