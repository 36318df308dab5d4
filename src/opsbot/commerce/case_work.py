"""What becomes of a case: who has it, what is waited for, when it is over."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opsbot.commerce.cases import (
    AT_WORK,
    ENDED,
    Case,
    CaseKind,
    CasePriority,
    CaseState,
    due_times,
)
from opsbot.commerce.records import History, change_state, record_event
from opsbot.errors import ConflictError, NotFoundError
from opsbot.planning.office_hours import OfficeHours

REOPEN_WITHIN = timedelta(days=14)
"""After that a new case is opened instead."""

TRANSITIONS: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.NEW: frozenset(AT_WORK) - {CaseState.NEW} | {CaseState.RESOLVED},
    CaseState.OPEN: frozenset(AT_WORK) - {CaseState.NEW, CaseState.OPEN} | {CaseState.RESOLVED},
    CaseState.WAITING_CUSTOMER: frozenset(
        {CaseState.OPEN, CaseState.WAITING_INTERNAL, CaseState.RESOLVED}
    ),
    CaseState.WAITING_INTERNAL: frozenset(
        {CaseState.OPEN, CaseState.WAITING_CUSTOMER, CaseState.RESOLVED}
    ),
    CaseState.RESOLVED: frozenset({CaseState.OPEN, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset({CaseState.OPEN}),
}
"""Where a case may go from each state. To go back to open takes 14 days at most."""


def find_case(session: Session, number: str, *, customer_id: int | None) -> Case:
    """Return a case.

    Args:
        session: an open session.
        number: as people write it: "CS-00012", "cs 12".
        customer_id: whose it must be; None for staff, who see every case.

    Raises:
        NotFoundError: there is no such case, or it is somebody else's. The two look alike.
    """
    digits = re.search(r"\d{1,9}", number)
    written = f"CS-{int(digits[0]):05}" if digits else number.strip()[:40]
    query = select(Case).where(Case.number == written)
    if customer_id is not None:
        query = query.where(Case.customer_id == customer_id)
    case = session.scalar(query)
    if case is None:
        raise NotFoundError("case", written)
    return case


def cases_of(session: Session, customer_id: int, *, limit: int = 20) -> list[Case]:
    """Return a customer's cases: those at work first, then the newest."""
    own = select(Case).where(Case.customer_id == customer_id)
    ordered = own.order_by(Case.state.in_(ENDED), Case.created_at.desc(), Case.id.desc())
    return list(session.scalars(ordered.limit(limit)))


def move_case(
    session: Session,
    case: Case,
    to: CaseState,
    *,
    hours: OfficeHours,
    actor: str,
    now: datetime,
    note: str = "",
) -> None:
    """Bring a case into another state.

    Raises:
        ConflictError: from where it is, it cannot go there, or it ended more than 14 days ago.
        StaleError: somebody changed it a moment ago.
    """
    if to not in TRANSITIONS[case.state]:
        state = case.state.replace("_", " ")
        raise ConflictError(f"{case.number} is {state}; it cannot become {to.replace('_', ' ')}.")
    values: dict[str, Any] = {"waiting_since": None, "resolution_due": case.resolution_due}
    event = f"case_{to}"
    if case.state in ENDED and to is CaseState.OPEN:
        _check_reopening(case, now)
        due = due_times(case.kind, case.priority, now=now, hours=hours)
        values |= {"resolved_at": None, "reopened": case.reopened + 1}
        values |= {"first_response_at": None, "first_response_due": due[0]}
        if case.kind is not CaseKind.PRIVACY:
            values["resolution_due"] = due[1]
        event = "case_reopened"
    elif case.waiting_since is not None:
        values["resolution_due"] = _moved_on(case, hours, now)
    if to is CaseState.WAITING_CUSTOMER:
        values["waiting_since"] = now
    elif to is CaseState.RESOLVED:
        values["resolved_at"] = now
    before = case.state
    change_state(session, case, to, allowed=[before], **values)
    detail = {"from": before, **({"note": note} if note else {})}
    record_event(session, case, event, actor=actor, at=now, **detail)


def answer_case(
    session: Session,
    case: Case,
    *,
    hours: OfficeHours,
    actor: str,
    now: datetime,
    to: CaseState = CaseState.WAITING_CUSTOMER,
) -> None:
    """Note that a person answered the customer, who is waited for from now on.

    Raises:
        ConflictError: it has ended; reopen it first.
    """
    if case.state in ENDED:
        raise ConflictError(f"{case.number} is {case.state}. Reopen it before you answer.")
    if case.first_response_at is None:
        change_state(session, case, case.state, allowed=[case.state], first_response_at=now)
    if case.state is not to:
        move_case(session, case, to, hours=hours, actor=actor, now=now)
    record_event(session, case, "case_answered", actor=actor, at=now)


def take_case(
    session: Session, case: Case, staff_id: int | None, *, actor: str, now: datetime
) -> None:
    """Say who deals with a case; None: nobody yet."""
    change_state(session, case, case.state, allowed=list(AT_WORK), owner_id=staff_id)
    record_event(session, case, "case_taken", actor=actor, at=now, staff_id=staff_id)


def raise_priority(
    session: Session, case: Case, to: CasePriority, *, hours: OfficeHours, actor: str, now: datetime
) -> None:
    """Set how soon somebody must look; an urgent case is due sooner, never later."""
    values: dict[str, Any] = {"priority": to}
    if to is CasePriority.URGENT and case.first_response_at is None:
        due, _ = due_times(case.kind, to, now=now, hours=hours)
        values["first_response_due"] = min(due, case.first_response_due)
    change_state(session, case, case.state, allowed=list(AT_WORK), **values)
    record_event(session, case, "case_priority", actor=actor, at=now, priority=to)


def note_case(session: Session, case: Case, text: str, *, actor: str, now: datetime) -> None:
    """Write something down that only staff read."""
    record_event(session, case, "case_note", actor=actor, at=now, note=text)


def notes_of(session: Session, case: Case) -> list[History]:
    """Return the history of a case, the newest first."""
    query = select(History).where(History.subject == "cases", History.subject_id == str(case.id))
    return list(session.scalars(query.order_by(History.at.desc(), History.id.desc())))


def close_resolved(session: Session, *, now: datetime) -> int:
    """Close what was resolved so long ago that it cannot be reopened; return how many."""
    closed = session.execute(
        update(Case)
        .where(Case.state == CaseState.RESOLVED, Case.resolved_at < now - REOPEN_WITHIN)
        .values(state=CaseState.CLOSED, version=Case.version + 1)
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(closed)


def _check_reopening(case: Case, now: datetime) -> None:
    if case.resolved_at is not None and now - case.resolved_at > REOPEN_WITHIN:
        days = REOPEN_WITHIN.days
        raise ConflictError(
            f"{case.number} ended more than {days} days ago. Please open a new case; it can name "
            "this one."
        )


def _moved_on(case: Case, hours: OfficeHours, now: datetime) -> datetime | None:
    """Return when the case must be over, now that the customer has answered."""
    if case.resolution_due is None or case.waiting_since is None or case.kind is CaseKind.PRIVACY:
        return case.resolution_due
    return hours.add(case.resolution_due, hours.between(case.waiting_since, now))
