"""Where a source and we disagree: written down for people, never settled by overwriting."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base


class SourceDifference(Base):
    """One field of one record that a source tells otherwise."""

    __tablename__ = "source_differences"

    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """What the record is: `order`, `stock`, `product`."""
    key: Mapped[str] = mapped_column(primary_key=True)
    """What people call it: `#1001`, an item number."""
    field: Mapped[str] = mapped_column(primary_key=True)
    ours: Mapped[str]
    theirs: Mapped[str]
    found_at: Mapped[datetime]
    """When it was first seen."""
    seen_at: Mapped[datetime]


@dataclass(frozen=True)
class Difference:
    """One field of one record, as it is on both sides, in words."""

    key: str
    field: str
    ours: str
    theirs: str


def keep_differences(
    session: Session,
    source: str,
    kind: str,
    keys: Iterable[str],
    found: Iterable[Difference],
    *,
    now: datetime,
) -> None:
    """Write down what differs, and forget what does not any more.

    Args:
        session: an open transaction.
        source: whose records were compared.
        kind: what they are.
        keys: every record that was compared.
        found: what differs among them.
        now: the time.
    """
    here = select(SourceDifference).where(
        SourceDifference.source == source,
        SourceDifference.kind == kind,
        SourceDifference.key.in_(list(keys)),
    )
    known = {(row.key, row.field): row for row in session.scalars(here)}
    for one in found:
        row = known.pop((one.key, one.field), None)
        if row is None:
            row = SourceDifference(
                source=source, kind=kind, key=one.key, field=one.field, found_at=now
            )
            session.add(row)
        row.ours, row.theirs, row.seen_at = one.ours, one.theirs, now
    for row in known.values():
        session.delete(row)
    session.flush()


def list_differences(session: Session, limit: int = 200) -> list[SourceDifference]:
    """Return what differs, the oldest first."""
    ordered = select(SourceDifference).order_by(
        SourceDifference.found_at, SourceDifference.source, SourceDifference.key
    )
    return list(session.scalars(ordered.limit(limit)))
