"""Matters that a person must deal with."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.records import Versioned, record_event
from opsbot.db import Base


class CaseKind(StrEnum):
    """What a case is about."""

    SUPPORT = "support"
    DELIVERY = "delivery"
    RETURN = "return"
    QUALITY = "quality"
    RECOVERY = "recovery"


FIRST_RESPONSE: Mapping[CaseKind, timedelta] = {
    CaseKind.SUPPORT: timedelta(hours=24),
    CaseKind.DELIVERY: timedelta(hours=8),
    CaseKind.RETURN: timedelta(hours=24),
    CaseKind.QUALITY: timedelta(hours=8),
    CaseKind.RECOVERY: timedelta(hours=4),
}
"""How soon a person must answer."""


class CaseState(StrEnum):
    """new → open → waiting_customer → resolved → closed."""

    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Case(Versioned, Base):
    """One problem, from first word to last."""

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`CS-00123`."""
    kind: Mapped[CaseKind]
    state: Mapped[CaseState] = mapped_column(default=CaseState.NEW, index=True)
    subject: Mapped[str]
    summary: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    conversation_id: Mapped[str | None]
    contact_email: Mapped[str | None]
    """How to answer somebody who is not a known customer."""
    created_at: Mapped[datetime]
    first_response_due: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


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
    actor: str,
    now: datetime,
) -> Case:
    """Hand a matter to the people of the shop, with a time by which they answer."""
    case = Case(
        number=next_number(session, NumberKind.CASE),
        kind=kind,
        state=CaseState.NEW,
        subject=subject,
        summary=summary,
        customer_id=customer_id,
        order_id=order_id,
        conversation_id=conversation_id,
        contact_email=contact_email,
        created_at=now,
        first_response_due=now + FIRST_RESPONSE[kind],
    )
    session.add(case)
    session.flush()
    record_event(session, case, "case_opened", actor=actor, at=now)
    return case


def find_open_case(session: Session, order_id: int, subject: str) -> Case | None:
    """Return the case that people still work on for this order and subject, if there is one."""
    ended = (CaseState.RESOLVED, CaseState.CLOSED)
    about = select(Case).where(Case.order_id == order_id, Case.subject == subject)
    return session.scalar(about.where(Case.state.not_in(ended)).order_by(Case.id).limit(1))
