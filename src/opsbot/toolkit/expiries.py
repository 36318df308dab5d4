"""Proposals whose time is over. What a second person left undecided is not lost silently.

A member of staff who asked for it gets a mail; for a customer's request a case opens.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opsbot.commerce.cases import CaseKind, office_hours, open_case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order
from opsbot.formats import format_moment, format_span
from opsbot.mail import queue_mail
from opsbot.settings import Settings
from opsbot.staff import Staff
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.caller import Caller, load_caller
from opsbot.toolkit.proposals import Preview, Proposal, ProposalState, close_proposal, read_preview

SYSTEM = "system"
_LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class Undecided:
    """A confirmed change that nobody decided about in time."""

    preview: Preview
    """With the words for who asked for it."""
    conversation_id: str | None
    """Where they asked for it."""


def expire_late(session: Session, settings: Settings, *, now: datetime) -> list[Undecided]:
    """End the proposals whose time is over; return those that waited for a second person.

    Who asked for one of those is told: staff by mail, a customer by a case that a person answers,
    and by mail.
    """
    unseen = (Proposal.state == ProposalState.PROPOSED, Proposal.expires_at <= now)
    session.execute(update(Proposal).where(*unseen).values(state=ProposalState.EXPIRED))
    undecided = (Proposal.state == ProposalState.WAITING, Proposal.expires_at <= now)
    query = select(Proposal).where(*undecided).order_by(Proposal.expires_at, Proposal.id)
    return [
        _end(session, settings, proposal, now=now)
        for proposal in session.scalars(query.with_for_update(skip_locked=True)).all()
    ]


def _end(session: Session, settings: Settings, proposal: Proposal, *, now: datetime) -> Undecided:
    asker = load_caller(proposal.confirmed_by or {})
    if asker.is_staff:
        words, case = _tell_staff(session, settings, proposal, asker, now=now), None
    else:
        words, case = _open_case(session, settings, proposal, asker, now=now)
    proposal.decided_at = now
    close_proposal(session, proposal, ProposalState.EXPIRED, {"say": words})
    record_audit(
        session,
        actor=SYSTEM,
        action="expired",
        subject=proposal.tool,
        at=now,
        proposal=proposal.id,
        case=case,
    )
    return Undecided(read_preview(proposal, now=now), proposal.conversation_id)


def _tell_staff(
    session: Session, settings: Settings, proposal: Proposal, asker: Caller, *, now: datetime
) -> str:
    staff = session.get(Staff, asker.staff_id) if asker.staff_id else None
    words = (
        f"Nobody decided about it within {_waited(proposal)}, so nothing was changed. Ask for it "
        "again if it is still needed."
    )
    if staff is not None and staff.active:
        lines = [f"Hello {staff.name},", *_what(proposal), words]
        _mail(session, settings, proposal, staff.email, lines, now=now)
    return words


def _open_case(
    session: Session, settings: Settings, proposal: Proposal, asker: Caller, *, now: datetime
) -> tuple[str, str | None]:
    customer = session.get(Customer, asker.customer_id) if asker.customer_id else None
    if customer is not None and customer.anonymized_at is not None:
        return "Nobody decided about it in time, so nothing was changed.", None
    since = proposal.confirmed_at or proposal.created_at
    asked = format_moment(since, zone=settings.time_zone, locale=settings.locale)
    history = (
        f"Asked for on {asked}. It needed a second person{_why(proposal)}, and nobody decided "
        "about it. Nothing was changed."
    )
    case = open_case(
        session,
        CaseKind.SUPPORT,
        subject=f"Left undecided: {proposal.title}"[:_LONGEST_SUBJECT],
        summary="\n".join([history, *_what(proposal)]),
        customer_id=customer.id if customer else None,
        order_id=_order_of(session, proposal),
        conversation_id=proposal.conversation_id,
        hours=office_hours(settings),
        actor=SYSTEM,
        now=now,
    )
    words = (
        "I am sorry: nobody could decide about this in time, so nothing was changed. A person "
        f"takes care of it now; your case is {case.number}."
    )
    if customer is not None:
        lines = [f"Hello {customer.name},", *_what(proposal), words]
        _mail(session, settings, proposal, customer.email, lines, now=now)
    return words, case.number


def _mail(
    session: Session,
    settings: Settings,
    proposal: Proposal,
    to: str,
    lines: list[str],
    *,
    now: datetime,
) -> None:
    queue_mail(
        session,
        to=to,
        subject=f"Not decided in time: {proposal.title}"[:_LONGEST_SUBJECT],
        text="\n\n".join([*lines, settings.shop_name]) + "\n",
        now=now,
        dedupe_key=f"undecided:{proposal.id}",
    )


def _what(proposal: Proposal) -> list[str]:
    return [proposal.title, *(f"- {detail}" for detail in proposal.details)]


def _why(proposal: Proposal) -> str:
    why = (proposal.approval or {}).get("why")
    return f" ({why})" if why else ""


def _waited(proposal: Proposal) -> str:
    return format_span(proposal.expires_at - (proposal.confirmed_at or proposal.created_at))


def _order_of(session: Session, proposal: Proposal) -> int | None:
    number = proposal.arguments.get("order_number")
    if not isinstance(number, str):
        return None
    return session.scalar(select(Order.id).where(Order.number == number))
