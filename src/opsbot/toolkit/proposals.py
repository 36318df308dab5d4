"""The rows of the ledger of changes: shown to a person first, done only when they are confirmed."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base
from opsbot.errors import NotFoundError
from opsbot.toolkit.audit import UNKNOWN
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.kept_results import hash_of, plain
from opsbot.toolkit.results import Approval, Change, Clause, Result, Undo
from opsbot.toolkit.running import Place

LIFETIME = timedelta(minutes=15)
"""How long a preview waits for the person it was shown to."""
APPROVAL_LIFETIME = timedelta(days=3)
"""How long a confirmed change waits for a second person."""
UNDECIDED = "Nobody decided about it in time, so nothing was changed."


class ProposalState(StrEnum):
    """proposed → executed, or proposed → waiting → executed; else it ends, and nothing was done."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    """Confirmed by who asked for it; a second person must agree."""
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    STALE = "stale"


_ID = re.compile(r"[\w-]{20,24}", re.ASCII)
"""What `secrets.token_urlsafe(16)` makes."""
OPEN = (ProposalState.PROPOSED, ProposalState.WAITING)


class Proposal(Base):
    """One change that was shown to one person in one conversation."""

    __tablename__ = "proposals"
    __table_args__ = (
        Index("ix_proposals_conversation_id_state", "conversation_id", "state"),
        Index("ix_proposals_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """128 random bits, safe in an address."""
    owner: Mapped[str]
    """Whose conversation it is; see `Caller.owner`."""
    actor: Mapped[str]
    """Who would do it; see `Caller.actor`."""
    conversation_id: Mapped[str | None]
    tool: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    arguments_hash: Mapped[str]
    basis_hash: Mapped[str]
    """Of the facts that the preview rests on, and of who must agree."""
    title: Mapped[str]
    details: Mapped[list[str]]
    button: Mapped[str]
    clause: Mapped[dict[str, str] | None]
    approval: Mapped[dict[str, Any] | None]
    """An `Approval`: who must agree, and why."""
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.PROPOSED)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """Until when the one may confirm; once it waits, until when the other may approve."""
    confirmed_at: Mapped[datetime | None]
    """When who asked for it confirmed it; set while it waits, and kept."""
    confirmed_by: Mapped[dict[str, Any] | None]
    """The caller as they were then; on their behalf it is done when the second person agrees."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    """The second person who approved or rejected it; see `Caller.actor`."""
    result: Mapped[dict[str, Any] | None]
    """What the tool returned when it was executed; `say` alone in other states."""
    undo: Mapped[dict[str, Any] | None]
    """Once executed: an `Undo`, where the world allows it."""
    undoes: Mapped[str | None]
    """The executed proposal that this one takes back."""
    undone_by: Mapped[str | None]
    """The executed proposal that took this one back."""


@dataclass(frozen=True)
class Preview:
    """What a person is shown before a change."""

    id: str
    tool: str
    title: str
    details: tuple[str, ...]
    button: str
    clause: Clause | None
    state: ProposalState
    expires_at: datetime
    say: str
    """Once it is confirmed, or ended: what there is to say; else empty."""
    approval: Approval | None = None
    """Who must agree once it is confirmed."""
    can_undo: bool = False
    """It was executed, can be taken back, and has not been."""
    undoes: str | None = None
    """The executed proposal that this one takes back."""


@dataclass(frozen=True)
class Confirmation:
    """What came of pressing the button."""

    preview: Preview
    """With its new state."""
    result: Result | None
    """When executed; on every later confirmation the same words again, and nothing is done."""
    renewed: Preview | None
    """When the facts had changed: a new preview to look at. Nothing was done."""
    conversation_id: str | None = None
    """Where who asked for it is told."""


def add_proposal(
    session: Session,
    place: Place,
    tool: str,
    arguments: Mapping[str, Any],
    change: Change,
    *,
    undoes: str | None = None,
    lifetime: timedelta = LIFETIME,
) -> Proposal:
    """Keep a change to be confirmed."""
    known = plain(arguments)
    proposal = Proposal(
        id=secrets.token_urlsafe(16),
        owner=place.caller.owner,
        actor=place.caller.actor,
        conversation_id=place.conversation_id,
        tool=tool,
        arguments=known,
        arguments_hash=hash_of(known),
        basis_hash=basis_of(change),
        title=change.title,
        details=list(change.details),
        button=change.button,
        clause=asdict(change.clause) if change.clause else None,
        approval=plain(asdict(change.approval)) if change.approval else None,
        state=ProposalState.PROPOSED,
        created_at=place.now,
        expires_at=place.now + lifetime,
        undoes=undoes,
    )
    session.add(proposal)
    session.flush()
    return proposal


def drop_open(session: Session, conversation_id: str, *, now: datetime) -> None:
    """Drop the previews of a conversation that nobody has confirmed; a newer one comes."""
    session.execute(
        update(Proposal)
        .where(
            Proposal.conversation_id == conversation_id,
            Proposal.state == ProposalState.PROPOSED,
        )
        .values(state=ProposalState.CANCELLED, decided_at=now)
    )


def find_own(session: Session, caller: Caller, proposal_id: str) -> Proposal:
    """Return one of the caller's proposals, locked until the transaction ends.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    mine = (Proposal.owner == caller.owner, Proposal.actor == caller.actor)
    proposal = session.scalar(
        select(Proposal).where(Proposal.id == proposal_id, *mine).with_for_update()
    )
    if proposal is None:
        raise NotFoundError("proposal", proposal_id[:40])
    return proposal


def find_any(session: Session, proposal_id: str) -> Proposal:
    """Return a proposal for a member of staff, locked until the transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    proposal = session.scalar(select(Proposal).where(Proposal.id == proposal_id).with_for_update())
    if proposal is None:
        raise NotFoundError("proposal", proposal_id[:40])
    return proposal


def take_proposal(
    session: Session,
    proposal: Proposal,
    state: ProposalState,
    *,
    now: datetime,
    of: tuple[ProposalState, ...] = OPEN,
) -> bool:
    """Move a proposal in one of the states `of` to `state`; tell whether it still was in one."""
    taken = session.execute(
        update(Proposal)
        .where(Proposal.id == proposal.id, Proposal.state.in_(of))
        .values(state=state, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    session.refresh(proposal)
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE


def close_proposal(
    session: Session, proposal: Proposal, state: ProposalState, result: dict[str, Any] | None
) -> None:
    """Write down how a proposal ended that this transaction has taken."""
    proposal.state, proposal.result = state, result
    session.flush()


def mark_undone(session: Session, proposal_id: str, *, by: str) -> bool:
    """Note that a change was taken back; tell whether it was executed and not undone before."""
    marked = session.execute(
        update(Proposal)
        .where(
            Proposal.id == proposal_id,
            Proposal.state == ProposalState.EXECUTED,
            Proposal.undone_by.is_(None),
        )
        .values(undone_by=by)
    )
    return bool(marked.rowcount == 1)  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE


def read_preview(proposal: Proposal, *, now: datetime) -> Preview:
    """Return a proposal as it is shown; an open one past its time reads as expired."""
    late = proposal.state in OPEN and now >= proposal.expires_at
    say = (proposal.result or {}).get("say", "")
    if late:
        say = UNDECIDED if proposal.state is ProposalState.WAITING else ""
    executed = proposal.state is ProposalState.EXECUTED
    return Preview(
        id=proposal.id,
        tool=proposal.tool,
        title=proposal.title,
        details=tuple(proposal.details),
        button=proposal.button,
        clause=Clause(**proposal.clause) if proposal.clause else None,
        state=ProposalState.EXPIRED if late else proposal.state,
        expires_at=proposal.expires_at,
        say=say,
        approval=Approval(**proposal.approval) if proposal.approval else None,
        can_undo=executed and proposal.undo is not None and proposal.undone_by is None,
        undoes=proposal.undoes,
    )


def subject_of(proposal_id: str) -> str:
    """Return what the audit calls a proposal; what nobody can have been shown, unknown."""
    return proposal_id if _ID.fullmatch(proposal_id) else UNKNOWN


def undo_of(proposal: Proposal) -> Undo | None:
    """Return the call that takes an executed proposal back, if there is one."""
    return Undo(**proposal.undo) if proposal.undo else None


def basis_of(change: Change) -> str:
    """Return the hash of what a preview rests on: the facts, and who must agree."""
    if change.approval is None:
        return hash_of(change.basis)
    return hash_of({"basis": change.basis, "approval": asdict(change.approval)})
