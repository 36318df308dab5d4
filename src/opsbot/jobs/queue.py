"""One table of jobs, the same on SQLite and PostgreSQL.

A job is put in by the transaction that makes it necessary. A worker takes it with a lease; when the
worker dies, the lease runs out and another one takes the job. So a job runs at least once, and must
be harmless to repeat.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base, Database

LEASE = timedelta(minutes=2)
"""How long a job belongs to a worker that gives no sign of life."""
MAX_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=1)
"""How long the traces of recurring jobs are kept."""
RECURRING = "every:"
"""Start of a recurring job's dedupe key."""
LONGEST_ERROR = 1_000
FOLLOW_ARTICLES = "follow_articles"
SLOW_KINDS = frozenset({FOLLOW_ARTICLES})
"""What may take minutes. Workers of its own do it, so that no mail waits for it."""


class JobState(StrEnum):
    """ready → running → done, or failed."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """One thing to do."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_run_at", "state", "run_at"),
        Index("ix_jobs_kind_state", "kind", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    run_at: Mapped[datetime]
    """Not before."""
    state: Mapped[JobState] = mapped_column(default=JobState.READY)
    lease: Mapped[str | None]
    """Random name of the claim; only who knows it may write."""
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    last_error: Mapped[str | None]


@dataclass(frozen=True)
class Claim:
    """A job that is ours until the lease runs out."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    attempt: int
    lease: str


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    run_at: datetime,
    dedupe_key: str | None = None,
) -> bool:
    """Put in a job, in the caller's transaction.

    Args:
        session: an open transaction.
        kind: who handles it.
        payload: what JSON can hold.
        run_at: not before.
        dedupe_key: with a known key, nothing is put in.

    Returns:
        Whether it was put in.
    """
    return insert_or_ignore(
        session,
        Job,
        kind=kind,
        payload=dict(payload),
        run_at=run_at,
        state=JobState.READY,
        attempt=0,
        dedupe_key=dedupe_key,
    )


def enqueue_recurring(session: Session, kind: str, every: timedelta, *, now: datetime) -> bool:
    """Put in the job of this period, unless it is there, or an earlier one is not done yet."""
    pending = select(Job.id).where(
        Job.kind == kind, Job.state.in_((JobState.READY, JobState.RUNNING))
    )
    if session.scalar(pending.limit(1)) is not None:
        return False
    _forget_recurring(session, now)
    key = f"{RECURRING}{kind}:{int(now.timestamp() // every.total_seconds())}"
    return enqueue(session, kind, {}, run_at=now, dedupe_key=key)


def claim_job(database: Database, *, now: datetime, slow: bool = False) -> Claim | None:
    """Take the next job that is due, or one whose worker gave no sign of life for a whole lease.

    Args:
        database: where the jobs are.
        now: the time.
        slow: take those of `SLOW_KINDS`; without it, the others.
    """
    ours = Job.kind.in_(SLOW_KINDS) if slow else Job.kind.not_in(SLOW_KINDS)
    due = ours & or_(
        (Job.state == JobState.READY) & (Job.run_at <= now),
        (Job.state == JobState.RUNNING) & (Job.lease_until < now),
    )
    with database.read() as session:  # most looks find nothing, and need not stop writers
        if session.scalar(select(Job.id).where(due).limit(1)) is None:
            return None
    with database.write() as session:
        _give_up_lost(session, now)
        # SQLite has one writer at a time and leaves the locking clause out.
        pick = select(Job.id).where(due).order_by(Job.run_at, Job.id).limit(1)
        job_id = session.scalar(pick.with_for_update(skip_locked=True))
        row = session.execute(
            update(Job)
            .where(Job.id == job_id, due)
            .values(
                state=JobState.RUNNING,
                lease=uuid.uuid4().hex,
                lease_until=now + LEASE,
                attempt=Job.attempt + 1,
            )
            .returning(Job.id, Job.kind, Job.payload, Job.attempt, Job.lease)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    return None if row is None else Claim(row.id, row.kind, row.payload, row.attempt, row.lease)


def prolong_lease(database: Database, claim: Claim, *, now: datetime) -> bool:
    """Say that the job is still at work; false when it has been given to another worker."""
    return _write_claimed(database, claim, lease_until=now + LEASE)


def finish_job(database: Database, claim: Claim, *, error: str | None, now: datetime) -> bool:
    """Write down how a job ended; after an error it is tried again, later and later.

    Returns:
        False, with nothing written, when the lease was lost meanwhile.
    """
    if error is None:
        return _write_claimed(database, claim, state=JobState.DONE, lease=None, last_error=None)
    is_last = claim.attempt >= MAX_ATTEMPTS
    return _write_claimed(
        database,
        claim,
        state=JobState.FAILED if is_last else JobState.READY,
        lease=None,
        run_at=now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**claim.attempt),
        last_error=error[:LONGEST_ERROR],
    )


def _write_claimed(database: Database, claim: Claim, **values: object) -> bool:
    with database.write() as session:
        ours = session.execute(
            update(Job)
            .where(Job.id == claim.id, Job.lease == claim.lease, Job.state == JobState.RUNNING)
            .values(**values)
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
    return ours is not None


def _give_up_lost(session: Session, now: datetime) -> None:
    """Stop repeating a job that kills its workers."""
    lost = (Job.state == JobState.RUNNING, Job.lease_until < now, Job.attempt >= MAX_ATTEMPTS)
    words = f"The worker stopped {MAX_ATTEMPTS} times while doing this."
    session.execute(
        update(Job).where(*lost).values(state=JobState.FAILED, lease=None, last_error=words)
    )


def _forget_recurring(session: Session, now: datetime) -> None:
    old = (Job.state == JobState.DONE, Job.run_at < now - KEPT)
    session.execute(delete(Job).where(*old, Job.dedupe_key.startswith(RECURRING)))
