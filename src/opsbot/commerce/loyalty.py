"""Points: an append-only ledger. What can be used is the sum of the entries that have begun.

An earned entry begins when the time to return the goods is over. What is taken back of it begins
with it, so that points of goods that come back can never be used in between.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.customers import Customer
from opsbot.db import Base
from opsbot.errors import ConflictError


class LoyaltyKind(StrEnum):
    """Why points came or went."""

    EARN = "earn"
    REDEEM = "redeem"
    EXPIRE = "expire"
    REVERSE = "reverse"
    """Taken back because the goods came back."""
    ADJUST = "adjust"
    """Given by a person."""


class LoyaltyEntry(Base):
    """One line of the ledger. Never changed, never deleted."""

    __tablename__ = "loyalty_entries"
    __table_args__ = (
        CheckConstraint("points != 0", name="points_not_zero"),
        Index("ix_loyalty_entries_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[LoyaltyKind]
    points: Mapped[int]
    """Positive: in. Negative: out."""
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    """What it is about: `earn:#1001`, `reverse:RMA-00009`. Nothing counts twice."""
    available_at: Mapped[datetime]
    """From when on it counts."""
    expires_at: Mapped[datetime | None]
    """Of points that came in: when what is left of them ends."""
    actor: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True)
class Standing:
    """A customer's points at one moment."""

    balance: int
    """Below zero after goods came back whose points had been used."""
    pending: int
    next_available_at: datetime | None
    expiring: int
    """What ends next, of what is there now."""
    next_expiry_at: datetime | None
    earned: int
    """Earned and not taken back since the moment that was asked for: what a tier goes by."""


def entries_of(session: Session, customer_id: int) -> list[LoyaltyEntry]:
    """Return the whole ledger of a customer, oldest first."""
    own = select(LoyaltyEntry).where(LoyaltyEntry.customer_id == customer_id)
    return list(session.scalars(own.order_by(LoyaltyEntry.at, LoyaltyEntry.id)))


def entries_by_customer(
    session: Session, customers: Collection[int]
) -> dict[int, list[LoyaltyEntry]]:
    """Return the whole ledgers of some customers, each oldest first."""
    ledgers: dict[int, list[LoyaltyEntry]] = {}
    own = select(LoyaltyEntry).where(LoyaltyEntry.customer_id.in_(customers))
    for entry in session.scalars(own.order_by(LoyaltyEntry.at, LoyaltyEntry.id)):
        ledgers.setdefault(entry.customer_id, []).append(entry)
    return ledgers


def standing_of(entries: Sequence[LoyaltyEntry], *, now: datetime, since: datetime) -> Standing:
    """Add up a ledger. A pure function.

    Args:
        entries: of one customer.
        now: the moment.
        since: from when on earned points count for the tier.
    """
    begun = [entry for entry in entries if entry.available_at <= now]
    later = [entry for entry in entries if entry.available_at > now]
    coming = [entry for entry in later if entry.points > 0]
    left = [(entry, points) for entry, points in lots_of(begun) if points > 0]
    ends = min((e.expires_at for e, _ in left if e.expires_at is not None), default=None)
    earned = {LoyaltyKind.EARN, LoyaltyKind.REVERSE}
    return Standing(
        balance=sum(entry.points for entry in begun),
        pending=sum(entry.points for entry in later),
        next_available_at=min((entry.available_at for entry in coming), default=None),
        expiring=sum(points for entry, points in left if ends and entry.expires_at == ends),
        next_expiry_at=ends,
        earned=sum(e.points for e in entries if e.kind in earned and e.at >= since),
    )


def lots_of(entries: Sequence[LoyaltyEntry]) -> list[tuple[LoyaltyEntry, int]]:
    """Return what came in, each with what is left of it: what ends first is used first."""
    lots = [entry for entry in entries if entry.points > 0]
    lots.sort(key=lambda entry: (entry.expires_at is None, entry.expires_at, entry.id))
    gone = -sum(entry.points for entry in entries if entry.points < 0)
    left = []
    for lot in lots:
        used = min(gone, lot.points)
        gone -= used
        left.append((lot, lot.points - used))
    return left


def append(session: Session, entry: LoyaltyEntry) -> bool:
    """Write a line unless one is there about the same; tell whether it was written.

    Raises:
        ConflictError: points are used that are not there.
    """
    _lock(session, entry.customer_id)
    about = select(LoyaltyEntry.id).where(LoyaltyEntry.reference == entry.reference)
    if session.scalar(about) is not None:
        return False
    if entry.kind is LoyaltyKind.REDEEM:
        balance = available(session, entry.customer_id, now=entry.at)
        if balance + entry.points < 0:
            raise ConflictError(f"There are {max(balance, 0)} points to use. Nothing was done.")
    session.add(entry)
    session.flush()
    return True


def append_earned(session: Session, entries: Sequence[LoyaltyEntry]) -> int:
    """Write many lines of points that came in, unless one is there about the same; count them."""
    customers = {entry.customer_id for entry in entries}
    in_one_order = select(Customer.id).where(Customer.id.in_(customers)).order_by(Customer.id)
    session.execute(in_one_order.with_for_update()).all()
    about = [entry.reference for entry in entries]
    known = select(LoyaltyEntry.reference).where(LoyaltyEntry.reference.in_(about))
    there = set(session.scalars(known))
    new = [entry for entry in entries if entry.reference not in there]
    session.add_all(new)
    session.flush()
    return len(new)


def available(session: Session, customer_id: int, *, now: datetime) -> int:
    """Return how many points a customer can use."""
    total = select(func.coalesce(func.sum(LoyaltyEntry.points), 0)).where(
        LoyaltyEntry.customer_id == customer_id, LoyaltyEntry.available_at <= now
    )
    return session.scalar(total) or 0


def redemptions(session: Session, customer_id: int) -> int:
    """Return how often a customer has used points."""
    counted = select(func.count()).where(
        LoyaltyEntry.customer_id == customer_id, LoyaltyEntry.kind == LoyaltyKind.REDEEM
    )
    return session.scalar(counted) or 0


def expire_points(session: Session, *, now: datetime) -> int:
    """End what is left of points whose time is over; return how many points ended."""
    came_in = (LoyaltyEntry.points > 0) & (LoyaltyEntry.expires_at <= now)
    gone = (LoyaltyEntry.points < 0) & (LoyaltyEntry.available_at <= now)
    some = select(LoyaltyEntry.customer_id).where(came_in)
    # What ends first is used first: something is left when more has ended than is gone.
    over = (
        select(LoyaltyEntry.customer_id)
        .where(LoyaltyEntry.customer_id.in_(some), came_in | gone)
        .group_by(LoyaltyEntry.customer_id)
        .having(func.sum(LoyaltyEntry.points) > 0)
    )
    ended = 0
    for customer_id in session.scalars(over.order_by(LoyaltyEntry.customer_id)).all():
        _lock(session, customer_id)
        begun = [e for e in entries_of(session, customer_id) if e.available_at <= now]
        for lot, points in lots_of(begun):
            if points > 0 and lot.expires_at is not None and lot.expires_at <= now:
                session.add(_expiry_of(lot, points, now))
                ended += points
        session.flush()
    return ended


def _expiry_of(lot: LoyaltyEntry, points: int, now: datetime) -> LoyaltyEntry:
    return LoyaltyEntry(
        customer_id=lot.customer_id,
        kind=LoyaltyKind.EXPIRE,
        points=-points,
        order_id=lot.order_id,
        reference=f"expire:{lot.id}",
        available_at=now,
        expires_at=None,
        actor="system",
        at=now,
    )


def _lock(session: Session, customer_id: int) -> None:
    """Let changes of one customer's points wait for each other (SQLite has one writer anyway)."""
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update()).one()
