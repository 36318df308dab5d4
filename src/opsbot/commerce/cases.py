"""Matters that a person must deal with: what they are, and how one begins."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.records import Versioned, record_event
from opsbot.db import Base
from opsbot.planning.office_hours import OfficeHours
from opsbot.settings import Settings


class CaseKind(StrEnum):
    """What a case is about."""

    SUPPORT = "support"
    DELIVERY = "delivery"
    RETURN = "return"
    QUALITY = "quality"
    RECOVERY = "recovery"
    SUPPLIER = "supplier"
    PRODUCTION = "production"
    PRIVACY = "privacy"


class CasePriority(StrEnum):
    """How soon somebody must look."""

    NORMAL = "normal"
    URGENT = "urgent"
    """Somebody may come to harm."""


_HOUR = timedelta(hours=1)

FIRST_RESPONSE: Mapping[CaseKind, timedelta] = {
    CaseKind.SUPPORT: 8 * _HOUR,
    CaseKind.DELIVERY: 8 * _HOUR,
    CaseKind.RETURN: 8 * _HOUR,
    CaseKind.QUALITY: 8 * _HOUR,
    CaseKind.RECOVERY: 4 * _HOUR,
    CaseKind.SUPPLIER: 16 * _HOUR,
    CaseKind.PRODUCTION: 8 * _HOUR,
    CaseKind.PRIVACY: 16 * _HOUR,
}
"""How soon a person must answer, in office time: a day has eight hours by default."""
RESOLUTION: Mapping[CaseKind, timedelta] = {
    CaseKind.SUPPORT: 24 * _HOUR,
    CaseKind.DELIVERY: 40 * _HOUR,
    CaseKind.RETURN: 40 * _HOUR,
    CaseKind.QUALITY: 40 * _HOUR,
    CaseKind.RECOVERY: 24 * _HOUR,
    CaseKind.SUPPLIER: 80 * _HOUR,
    CaseKind.PRODUCTION: 40 * _HOUR,
}
"""How soon it must be over, in office time that does not run while the customer is waited for."""
URGENT_RESPONSE = 2 * _HOUR
PRIVACY_LIMIT = timedelta(days=30)
"""Calendar days in which the law wants a request about personal data done (GDPR Art. 12)."""


class CaseState(StrEnum):
    """new → open ⇄ waiting_customer, waiting_internal → resolved → closed; reopened: open."""

    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_INTERNAL = "waiting_internal"
    RESOLVED = "resolved"
    CLOSED = "closed"


ENDED = (CaseState.RESOLVED, CaseState.CLOSED)
AT_WORK = tuple(state for state in CaseState if state not in ENDED)
"""States in which somebody still has to do something."""


class Case(Versioned, Base):
    """One problem, from first word to last."""

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_state_first_response_due", "state", "first_response_due"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`CS-00123`."""
    kind: Mapped[CaseKind]
    state: Mapped[CaseState] = mapped_column(default=CaseState.NEW, index=True)
    priority: Mapped[CasePriority] = mapped_column(
        default=CasePriority.NORMAL, server_default=CasePriority.NORMAL
    )
    subject: Mapped[str]
    summary: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(index=True)
    contact_email: Mapped[str | None]
    """How to answer somebody who is not a known customer."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who of the staff deals with it."""
    created_at: Mapped[datetime]
    first_response_due: Mapped[datetime]
    first_response_at: Mapped[datetime | None]
    """When a person first answered."""
    resolution_due: Mapped[datetime | None]
    """Moves on by the office time in which the customer is waited for; of a privacy case never."""
    waiting_since: Mapped[datetime | None]
    """While the customer is waited for."""
    resolved_at: Mapped[datetime | None]
    reopened: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it came back after it had been resolved."""

    @property
    def is_at_work(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in AT_WORK

    def breach(self, now: datetime) -> str:
        """Return which promised time has passed: `first answer`, `resolution`, or nothing."""
        if not self.is_at_work:
            return ""
        if self.first_response_at is None and now > self.first_response_due:
            return "first answer"
        waits = self.state is CaseState.WAITING_CUSTOMER and self.kind is not CaseKind.PRIVACY
        if self.resolution_due is not None and not waits and now > self.resolution_due:
            return "resolution"
        return ""

    def next_due(self) -> datetime | None:
        """Return by when something must happen; None while the customer is waited for."""
        if not self.is_at_work:
            return None
        if self.first_response_at is None:
            return self.first_response_due
        waits = self.state is CaseState.WAITING_CUSTOMER and self.kind is not CaseKind.PRIVACY
        return None if waits else self.resolution_due


def office_hours(settings: Settings) -> OfficeHours:
    """Return when the people of the shop work."""
    country, _, region = settings.office.holidays.partition("-")
    office = settings.office
    return OfficeHours(settings.time_zone, office.opens, office.closes, country, region)


def due_times(
    kind: CaseKind, priority: CasePriority, *, now: datetime, hours: OfficeHours
) -> tuple[datetime, datetime]:
    """Return by when a case of this kind must be answered, and by when it must be over."""
    first = URGENT_RESPONSE if priority is CasePriority.URGENT else FIRST_RESPONSE[kind]
    answered = hours.add(now, min(first, FIRST_RESPONSE[kind]))
    if kind is CaseKind.PRIVACY:
        return answered, now + PRIVACY_LIMIT
    return answered, hours.add(now, RESOLUTION[kind])


def open_case(
    session: Session,
    kind: CaseKind,
    *,
    subject: str,
    summary: str,
    customer_id: int | None = None,
    order_id: int | None = None,
    conversation_id: str | None = None,
    contact_email: str | None = None,
    priority: CasePriority = CasePriority.NORMAL,
    hours: OfficeHours | None = None,
    actor: str,
    now: datetime,
) -> Case:
    """Hand a matter to the people of the shop, with the times by which they answer and end it.

    Args:
        session: an open transaction.
        kind: what it is about.
        subject: one line.
        summary: what is known.
        customer_id: whose matter it is, if they are known.
        order_id: the order it is about.
        conversation_id: where it began.
        contact_email: where to answer somebody who is not a known customer.
        priority: urgent ones are answered first.
        hours: when people work; None: Monday to Friday, 9 to 17 o'clock in Berlin.
        actor: who opens it.
        now: the time.
    """
    answer_by, end_by = due_times(kind, priority, now=now, hours=hours or OfficeHours())
    case = Case(
        number=next_number(session, NumberKind.CASE),
        kind=kind,
        state=CaseState.NEW,
        priority=priority,
        subject=subject,
        summary=summary,
        customer_id=customer_id,
        order_id=order_id,
        conversation_id=conversation_id,
        contact_email=contact_email,
        created_at=now,
        first_response_due=answer_by,
        resolution_due=end_by,
        reopened=0,
    )
    session.add(case)
    session.flush()
    record_event(session, case, "case_opened", actor=actor, at=now)
    return case


def find_open_case(session: Session, order_id: int, subject: str) -> Case | None:
    """Return the case that people still work on for this order and subject, if there is one."""
    about = select(Case).where(Case.order_id == order_id, Case.subject == subject)
    return session.scalar(about.where(Case.state.in_(AT_WORK)).order_by(Case.id).limit(1))
