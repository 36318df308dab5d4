"""Invitations, answers, and what customers said."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from opsbot.commerce.cases import Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.db import Base
from opsbot.mail.outgoing import OutgoingMail
from opsbot.surveys.flows import Flow


class InvitationState(StrEnum):
    """scheduled → sent → opened → started → completed; or an early end."""

    SCHEDULED = "scheduled"
    """The mail is written and waits to be sent."""
    SENT = "sent"
    OPENED = "opened"
    STARTED = "started"
    """Some answers are there, but not all that are needed."""
    COMPLETED = "completed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    """Never sent; the reason says why."""
    OPTED_OUT = "opted_out"


ANSWERABLE = (
    InvitationState.SCHEDULED,
    InvitationState.SENT,
    InvitationState.OPENED,
    InvitationState.STARTED,
    InvitationState.COMPLETED,
)
"""States in which answers are taken, until the invitation expires."""


class Suppression(StrEnum):
    """Why somebody was not asked."""

    OPTED_OUT = "opted_out"
    ANONYMIZED = "anonymized"
    STAFF = "staff"
    CANCELLED = "cancelled"
    COOLDOWN = "cooldown"
    """Asked less than 30 days ago."""
    YEARLY_LIMIT = "yearly_limit"
    OPEN_CASE = "open_case"
    OPEN_RETURN = "open_return"
    OTHER_SURVEY = "other_survey"
    """A survey of higher priority was due at the same time."""
    MAIL_FAILED = "mail_failed"


class SurveyVersion(Base):
    """A flow as it was when somebody was invited; never changed."""

    __tablename__ = "survey_versions"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Hash of the content."""
    survey: Mapped[str] = mapped_column(index=True)
    content: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]

    @property
    def flow(self) -> Flow:
        """The flow itself."""
        return Flow.model_validate(self.content)


class SurveyInvitation(Base):
    """One customer, asked once about one order."""

    __tablename__ = "survey_invitations"
    __table_args__ = (
        UniqueConstraint("order_id", "survey"),
        Index("ix_survey_invitations_customer_id_created_at", "customer_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey: Mapped[str] = mapped_column(index=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("survey_versions.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    sku: Mapped[str | None]
    """The product it is about, if it is about one."""
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_mails.id"))
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 of the link's token. The token itself is nowhere but in the mail."""
    state: Mapped[InvitationState] = mapped_column(index=True)
    reason: Mapped[str | None]
    """A `Suppression`, when it was suppressed."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    version: Mapped[SurveyVersion] = relationship(lazy="raise")
    order: Mapped[Order] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    mail: Mapped[OutgoingMail | None] = relationship(lazy="raise")


class SurveyResponse(Base):
    """What one invitation brought back. Sent again, it is replaced."""

    __tablename__ = "survey_responses"

    id: Mapped[int] = mapped_column(primary_key=True)
    invitation_id: Mapped[int] = mapped_column(ForeignKey("survey_invitations.id"), unique=True)
    complete: Mapped[bool]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime] = mapped_column(index=True)
    """When the last answers came."""
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    """The case that a low score opened."""

    invitation: Mapped[SurveyInvitation] = relationship(lazy="raise")
    case: Mapped[Case | None] = relationship(lazy="raise")
    answers: Mapped[list["SurveyAnswer"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="SurveyAnswer.id"
    )


class SurveyAnswer(Base):
    """The answer to one question: a number or a text."""

    __tablename__ = "survey_answers"
    __table_args__ = (UniqueConstraint("response_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("survey_responses.id"))
    question: Mapped[str]
    number: Mapped[int | None]
    text: Mapped[str | None]


class FeedbackState(StrEnum):
    """new → read → done."""

    NEW = "new"
    READ = "read"
    DONE = "done"


class Feedback(Base):
    """Something a customer said, from whatever source, in one place."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("source", "source_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    """Such as `survey:delivery_csat`."""
    source_id: Mapped[str]
    """The record it came from, in words of that source."""
    scale: Mapped[str | None]
    """`nps`, `csat` or `ces`: what the rating means."""
    rating: Mapped[int | None]
    text: Mapped[str]
    """Empty when only a number was given."""
    language: Mapped[str]
    sku: Mapped[str | None] = mapped_column(index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    state: Mapped[FeedbackState] = mapped_column(default=FeedbackState.NEW)
    said_at: Mapped[datetime] = mapped_column(index=True)
