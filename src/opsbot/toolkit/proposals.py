"""The ledger of changes: shown to a person first, done only when that person confirms."""

import hashlib
import json
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
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.results import Card, Change, Clause, Column, Result, Table
from opsbot.toolkit.running import Place

LIFETIME = timedelta(minutes=15)


class ProposalState(StrEnum):
    """proposed → executed; or it ends otherwise, and nothing was done."""

    PROPOSED = "proposed"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    STALE = "stale"


class Proposal(Base):
    """One change that was shown to one person in one conversation."""

    __tablename__ = "proposals"
    __table_args__ = (Index("ix_proposals_conversation_id_state", "conversation_id", "state"),)

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
    """Of the facts that the preview rests on."""
    title: Mapped[str]
    details: Mapped[list[str]]
    button: Mapped[str]
    clause: Mapped[dict[str, str] | None]
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.PROPOSED)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    """What the tool returned when it was executed; `say` alone when it failed."""


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
    """Once executed or failed: what there is to say; else empty."""


@dataclass(frozen=True)
class Confirmation:
    """What came of pressing the button."""

    preview: Preview
    """With its new state."""
    result: Result | None
    """When executed; on every later confirmation the same words again, and nothing is done."""
    renewed: Preview | None
    """When the facts had changed: a new preview to look at. Nothing was done."""


def add_proposal(
    session: Session, place: Place, tool: str, arguments: Mapping[str, Any], change: Change
) -> Preview:
    """Keep a change to be confirmed; open ones of the same conversation are dropped."""
    caller, conversation_id, now = place.caller, place.conversation_id, place.now
    if conversation_id is not None:
        session.execute(
            update(Proposal)
            .where(
                Proposal.conversation_id == conversation_id,
                Proposal.state == ProposalState.PROPOSED,
            )
            .values(state=ProposalState.CANCELLED, decided_at=now)
        )
    plain = json.loads(_canonical(arguments))
    proposal = Proposal(
        id=secrets.token_urlsafe(16),
        owner=caller.owner,
        actor=caller.actor,
        conversation_id=conversation_id,
        tool=tool,
        arguments=plain,
        arguments_hash=hash_of(plain),
        basis_hash=hash_of(change.basis),
        title=change.title,
        details=list(change.details),
        button=change.button,
        clause=asdict(change.clause) if change.clause else None,
        state=ProposalState.PROPOSED,
        created_at=now,
        expires_at=now + LIFETIME,
        decided_at=None,
        result=None,
    )
    session.add(proposal)
    session.flush()
    return read_preview(proposal, now=now)


def find_proposal(session: Session, caller: Caller, proposal_id: str) -> Proposal:
    """Return one of the caller's proposals, locked until the transaction ends.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    proposal = session.scalar(
        select(Proposal)
        .where(
            Proposal.id == proposal_id,
            Proposal.owner == caller.owner,
            Proposal.actor == caller.actor,
        )
        .with_for_update()
    )
    if proposal is None:
        raise NotFoundError("proposal", proposal_id[:40])
    return proposal


def take_proposal(
    session: Session, proposal: Proposal, state: ProposalState, *, now: datetime
) -> bool:
    """Move an open proposal to `state`; tell whether it still was open."""
    taken = session.execute(
        update(Proposal)
        .where(Proposal.id == proposal.id, Proposal.state == ProposalState.PROPOSED)
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


def read_preview(proposal: Proposal, *, now: datetime) -> Preview:
    """Return a proposal as it is shown; an open one past its time reads as expired."""
    late = proposal.state is ProposalState.PROPOSED and now >= proposal.expires_at
    return Preview(
        id=proposal.id,
        tool=proposal.tool,
        title=proposal.title,
        details=tuple(proposal.details),
        button=proposal.button,
        clause=Clause(**proposal.clause) if proposal.clause else None,
        state=ProposalState.EXPIRED if late else proposal.state,
        expires_at=proposal.expires_at,
        say=(proposal.result or {}).get("say", ""),
    )


def dump_result(result: Result) -> dict[str, Any]:
    """Return what of a change's result is kept, to say it again."""
    return {
        "say": result.say,
        "facts": json.loads(_canonical(result.facts)),
        "cards": [asdict(card) for card in result.cards],
        "table": asdict(result.table) if result.table else None,
        "quick_replies": list(result.quick_replies),
        "hands_off": result.hands_off,
    }


def load_result(stored: Mapping[str, Any]) -> Result:
    """Return the result that `dump_result` kept."""
    table = stored.get("table")
    return Result(
        say=stored["say"],
        facts=stored.get("facts", {}),
        cards=tuple(Card(**card) for card in stored.get("cards", ())),
        table=_load_table(table) if table else None,
        quick_replies=tuple(stored.get("quick_replies", ())),
        hands_off=stored.get("hands_off", False),
    )


def hash_of(value: object) -> str:
    """Return a hash that is equal for equal facts, whatever the order of their keys."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _load_table(stored: Mapping[str, Any]) -> Table:
    columns = tuple(Column(**column) for column in stored["columns"])
    return Table(caption=stored["caption"], columns=columns, rows=stored["rows"])


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
