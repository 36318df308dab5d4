"""The second person: who may agree to a change, what waits for them, on whose behalf it is done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.errors import ApprovalRequiredError, NotAllowedError, NotFoundError
from opsbot.staff import Staff
from opsbot.toolkit.caller import Caller, dump_caller, load_caller
from opsbot.toolkit.proposals import (
    APPROVAL_LIFETIME,
    Preview,
    Proposal,
    ProposalState,
    close_proposal,
    find_any,
    read_preview,
)
from opsbot.toolkit.results import Approval
from opsbot.toolkit.running import Place

ASK_A_PERSON = "A person must decide this: please sign in to the console, where it waits for you."


@dataclass(frozen=True)
class Waiting:
    """A confirmed change that waits for a second person, as that person sees it."""

    preview: Preview
    asked_by: str
    """Name of who asked for it and confirmed it."""
    asked_at: datetime
    may_decide: bool
    """False for one's own, and for want of a role."""


def waiting_for(session: Session, caller: Caller, *, now: datetime) -> list[Waiting]:
    """Return what waits for a second person and concerns this member of staff, oldest first."""
    waits = (Proposal.state == ProposalState.WAITING, Proposal.expires_at > now)
    oldest = select(Proposal).where(*waits).order_by(Proposal.confirmed_at, Proposal.id)
    return [
        Waiting(
            read_preview(proposal, now=now),
            name_of(session, proposal),
            proposal.confirmed_at or proposal.created_at,
            may_decide=has_role(caller, proposal) and proposal.actor != caller.actor,
        )
        for proposal in session.scalars(oldest)
        if has_role(caller, proposal) or proposal.actor == caller.actor
    ]


def let_wait(session: Session, proposal: Proposal, approval: Approval, place: Place) -> None:
    """Let a confirmed change wait for a second person, with the words for who confirmed it."""
    who = " or ".join(role.replace("_", " ") for role in approval.roles)
    words = f"It needs a second person ({approval.why}) and now waits for a {who} to approve it."
    if not place.caller.is_staff:
        words = f"A colleague must agree to it first ({approval.why}). You will hear from us."
    proposal.confirmed_at = place.now
    proposal.confirmed_by = dump_caller(place.caller)
    proposal.expires_at = place.now + APPROVAL_LIFETIME
    proposal.decided_at = None
    close_proposal(session, proposal, ProposalState.WAITING, {"say": words})


def find_to_decide(session: Session, caller: Caller, proposal_id: str) -> Proposal:
    """Return a proposal that this member of staff may approve or reject.

    Raises:
        NotFoundError: there is none, or the caller does not work here.
        ApprovalRequiredError: it is their own, or they have none of the roles.
    """
    if not caller.is_staff:
        raise NotFoundError("proposal", proposal_id[:40])
    proposal = find_any(session, proposal_id)
    if proposal.approval is None or proposal.confirmed_at is None:
        raise NotFoundError("proposal", proposal_id[:40])
    roles = proposal.approval["roles"]
    if proposal.actor == caller.actor:
        message = "Nobody approves their own. A second person must look at it."
        raise ApprovalRequiredError(message, roles=roles)
    if not has_role(caller, proposal):
        message = f"Only a {' or '.join(roles)} may decide that."
        raise ApprovalRequiredError(message, roles=roles)
    return proposal


def has_role(caller: Caller, proposal: Proposal) -> bool:
    """Tell whether the caller has one of the roles that may decide this."""
    return not caller.roles.isdisjoint((proposal.approval or {}).get("roles", ()))


def asker_of(session: Session, proposal: Proposal) -> Caller:
    """Return who confirmed the proposal, with the roles they have today.

    Raises:
        NotAllowedError: they do not work here, or are not our customer, any more.
    """
    asker = load_caller(proposal.confirmed_by or {})
    if asker.staff_id is not None:
        staff = session.get(Staff, asker.staff_id)
        if staff is None or not staff.active:
            raise NotAllowedError("Who asked for it does not work here any more.")
        return load_caller({**(proposal.confirmed_by or {}), "roles": staff.roles})
    customer = session.get(Customer, asker.customer_id) if asker.customer_id else None
    if asker.customer_id and (customer is None or customer.anonymized_at is not None):
        raise NotAllowedError("Who asked for it is not our customer any more.")
    return asker


def name_of(session: Session, proposal: Proposal) -> str:
    """Return the name of who asked for a change."""
    kind, _, number = proposal.actor.partition(":")
    if kind == "staff":
        staff = session.get(Staff, int(number))
        return staff.name if staff else proposal.actor
    customer = session.get(Customer, int(number)) if kind == "customer" else None
    return customer.name if customer else "A visitor"
