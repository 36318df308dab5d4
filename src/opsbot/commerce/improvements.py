"""What shall get better, and whether it did."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import Versioned, change_state, record_event
from opsbot.db import Base
from opsbot.errors import ConflictError, NotFoundError


class ImprovementState(StrEnum):
    """proposed → accepted → in_progress → done; or rejected."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REJECTED = "rejected"


TRANSITIONS: Mapping[ImprovementState, frozenset[ImprovementState]] = {
    ImprovementState.PROPOSED: frozenset({ImprovementState.ACCEPTED, ImprovementState.REJECTED}),
    ImprovementState.ACCEPTED: frozenset({ImprovementState.IN_PROGRESS, ImprovementState.REJECTED}),
    ImprovementState.IN_PROGRESS: frozenset({ImprovementState.DONE, ImprovementState.REJECTED}),
    ImprovementState.DONE: frozenset(),
    ImprovementState.REJECTED: frozenset(),
}


class Area(StrEnum):
    """What is improved."""

    PRODUCT = "product"
    PRODUCTION = "production"
    PACKAGING = "packaging"
    LOGISTICS = "logistics"
    SUPPORT = "support"
    DOCS = "docs"
    CHANNEL = "channel"


class Improvement(Versioned, Base):
    """One idea to get better, with a measure before and after."""

    __tablename__ = "improvements"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    area: Mapped[Area]
    state: Mapped[ImprovementState] = mapped_column(default=ImprovementState.PROPOSED, index=True)
    evidence: Mapped[str] = mapped_column(default="")
    """What it rests on."""
    owner: Mapped[str] = mapped_column(default="")
    survey: Mapped[str | None]
    """The survey whose score measures it, such as `delivery_csat`; unset: nothing is measured."""
    target: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    """From then on the measure counts as after it."""

    @property
    def number(self) -> str:
        """What people call it by: `IM-7`."""
        return f"IM-{self.id}"


def find_improvement(session: Session, number: str) -> Improvement:
    """Return the improvement with this number.

    Raises:
        NotFoundError: there is none.
    """
    digits = "".join(c for c in number if c.isdigit())[:9]
    found = session.get(Improvement, int(digits)) if digits else None
    if found is None:
        raise NotFoundError("improvement", number.strip()[:20])
    return found


def list_improvements(session: Session) -> list[Improvement]:
    """Return all improvements, the newest first."""
    return list(session.scalars(select(Improvement).order_by(Improvement.id.desc())))


def move_improvement(
    session: Session, one: Improvement, to: ImprovementState, *, actor: str, now: datetime
) -> None:
    """Bring an improvement into another state.

    Raises:
        ConflictError: from where it is, it cannot go there.
        StaleError: somebody changed it a moment ago.
    """
    if to not in TRANSITIONS[one.state]:
        words = f"{one.number} is {one.state.replace('_', ' ')}; it cannot become "
        raise ConflictError(words + to.replace("_", " ") + ".")
    values: dict[str, Any] = {}
    if to is ImprovementState.IN_PROGRESS:
        values["started_at"] = now
    if to is ImprovementState.DONE:
        values["done_at"] = now
    before = one.state
    change_state(session, one, to, allowed=[before], **values)
    record_event(session, one, f"improvement_{to}", actor=actor, at=now)
