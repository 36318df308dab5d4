"""Loading the sample shop into a database, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order
from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.demo.models import DemoLoad
from opsbot.demo.simulate import SEED, simulate
from opsbot.demo.stories import ADA, STORIES, Story
from opsbot.demo.surveys import make_demo_answers
from opsbot.errors import ConflictError
from opsbot.staff import Role, Staff, make_staff
from opsbot.surveys.flows import load_flows

Progress = Callable[[str, float], None]
"""Told what is being done, and how much of the whole is done, from 0 to 1."""

_ADAS = frozenset(story.number for story in STORIES if story.email == ADA)
"""Nobody has asked her yet, so that the next delivery can."""
_STAFF = (
    ("mara@lumenandloom.example", "Mara Lindqvist", (Role.AGENT, Role.OPS)),
    (
        "jonas@lumenandloom.example",
        "Jonas Weiss",
        (Role.MANAGER, Role.LEAD, Role.PLANNER, Role.QUALITY),
    ),
)


@dataclass(frozen=True)
class DemoSummary:
    """What a newcomer needs to know of the sample shop."""

    loaded: bool
    """Whether this call loaded it; False: it was there."""
    customer_name: str
    customer_email: str
    customer_number: str
    stories: tuple[Story, ...]
    """Orders that are promised to be there, with what they show."""
    staff_emails: tuple[str, ...]


def load_demo(
    database: Database,
    *,
    now: datetime,
    staff_password: str | None = None,
    progress: Progress | None = None,
    surveys: Path | None = None,
    seed: int = SEED,
) -> DemoSummary:
    """Load the sample shop unless it is there. All of it is one transaction.

    Args:
        database: a database with all tables.
        now: the year of the shop ends at the midnight before (UTC).
        staff_password: password of the shop's staff; None: nobody knows it.
        progress: told how far it is.
        surveys: folder of the surveys that customers answered; None: the shop's own.
        seed: another seed makes another shop; the stories stay.

    Raises:
        ConflictError: the database holds another shop's orders.
    """
    tell = progress or _tell_nobody
    tell("Looking for the sample shop", 0.0)
    with database.read() as session:
        loaded = _is_loaded(session)
    if not loaded:
        tell("Making a year of the sample shop", 0.05)
        rows = simulate(now, seed)
        flows = load_flows(surveys or content_root() / "web" / "surveys")
        with database.write(durable=True) as session:
            loaded = _is_loaded(session)  # another process may have been faster
            if not loaded:
                _insert_all(session, rows, tell)
                tell("Asking customers how it went", 0.92)
                make_demo_answers(session, flows, now=now, seed=seed, leave_out=_ADAS)
                _add_staff(session, staff_password or token_urlsafe(24))
                session.add(DemoLoad(seed=seed, loaded_at=now))
        database.count_anew()
    tell("The sample shop is there", 1.0)
    return DemoSummary(
        loaded=not loaded,
        customer_name="Ada Brandt",
        customer_email=ADA,
        customer_number="C-1001",
        stories=STORIES,
        staff_emails=tuple(email for email, _, _ in _STAFF),
    )


def _tell_nobody(_what: str, _done: float) -> None:
    """Be told about progress and keep quiet."""


def _is_loaded(session: Session) -> bool:
    if session.scalar(sa.select(sa.exists().where(DemoLoad.id > 0))):
        return True
    if session.scalar(sa.select(sa.exists().where(Order.id > 0))):
        message = "The database holds orders that are not the sample shop's. Use an empty one"
        raise ConflictError(f"{message}: set OPSBOT_DATA_DIR to a new folder.")
    return False


def _insert_all(
    session: Session, rows: Mapping[type[Base], list[dict[str, Any]]], tell: Progress
) -> None:
    """Insert the rows in the order in which tables refer to each other."""
    by_table = {table.__table__: found for table, found in rows.items()}
    whole = sum(len(found) for found in by_table.values())
    done = 0
    for table in Base.metadata.sorted_tables:
        found = by_table.get(table)
        if not found:
            continue
        defaults = {column.key: _default(column) for column in table.columns}
        session.execute(sa.insert(table), [{**defaults, **row} for row in found])
        _move_sequence(session, table)
        done += len(found)
        tell(f"Storing {table.name.replace('_', ' ')}", 0.2 + 0.7 * done / whole)


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _move_sequence(session: Session, table: sa.Table) -> None:
    """Let PostgreSQL count on after the ids that were given here."""
    key = table.columns.get("id")
    if key is None or session.get_bind().dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, key.name)
    highest = sa.select(sa.func.max(key)).scalar_subquery()
    session.execute(sa.select(sa.func.setval(sequence, highest)))


def _add_staff(session: Session, password: str) -> None:
    known = set(session.scalars(sa.select(Staff.email)))
    for email, name, roles in _STAFF:
        if email not in known:
            session.add(make_staff(email=email, name=name, password=password, roles=roles))
