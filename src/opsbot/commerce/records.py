"""What all records share: where a row came from, and how a state changes.

A state changes by one conditional UPDATE, so that of two people who act at once exactly one wins,
with a row of history in the same transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Index, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base
from opsbot.errors import ConflictError, StaleError

APPROVED_BY = "approved_by"
"""Key of `Session.info`: the second person who approved what this transaction does. Whoever writes
history in it need not know; every line names them."""

StateT = TypeVar("StateT", bound=StrEnum)


class Sourced:
    """Columns of every record: when it was made, and its id in the system it came from."""

    created_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(default="opsbot")
    external_id: Mapped[str | None] = mapped_column(default=None)


class Versioned:
    """A counter that every change of the row raises; what a preview was based on."""

    version: Mapped[int] = mapped_column(default=1)


class History(Base):
    """One change of one record: append-only."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    """Table of the record, such as `orders`."""
    subject_id: Mapped[str]
    """Primary key of the record, as text."""
    event: Mapped[str]
    """What happened, in words with underscores: `order_cancelled`."""
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str]
    """Who did it: `customer:12`, `staff:3`, `carrier`, `system`."""
    approved_by: Mapped[str | None] = mapped_column(default=None)
    """The second person who agreed, where one was needed."""
    at: Mapped[datetime]


def record_event(
    session: Session,
    row: Base,
    event: str,
    *,
    actor: str,
    at: datetime,
    **detail: object,
) -> None:
    """Append one line to the record's history."""
    session.add(
        History(
            subject=row.__tablename__,
            subject_id=str(_key(row)[0]),
            event=event,
            detail=detail,
            actor=actor,
            approved_by=session.info.get(APPROVED_BY),
            at=at,
        )
    )


def change_state(
    session: Session,
    row: Base,
    to: StrEnum,
    *,
    allowed: Iterable[StrEnum],
    column: str = "state",
    **values: object,
) -> None:
    """Move a versioned record to state `to` if it still is as we read it.

    Args:
        session: an open transaction.
        row: the record, with `version` and the state column.
        to: the new state; the old one again when only other columns change.
        allowed: states from which the change is allowed.
        column: name of the state column.
        values: other columns to set in the same statement.

    Raises:
        ConflictError: the record is in another state.
        StaleError: someone changed it meanwhile.
    """
    table: Any = type(row)
    version = inspect(row).dict["version"]
    states = tuple(allowed)
    session.flush()
    result = session.execute(
        update(table)
        .where(*_is(row), getattr(table, column).in_(states), table.version == version)
        .values({column: to, "version": version + 1, **values})
        .execution_options(synchronize_session=False)
    )
    # Only the columns: a relation that was loaded stays loaded.
    session.refresh(row, [attribute.key for attribute in inspect(table).column_attrs])
    if result.rowcount == 1:  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
        return
    state = getattr(row, column)
    if state in states:
        raise StaleError("Someone changed this a moment ago; nothing was done.")
    called = getattr(row, "number", None) or "This"
    words = f"{called} is {str(state).replace('_', ' ')}, so that cannot be done any more."
    raise ConflictError(words, state=str(state), allowed=[str(one) for one in states])


Edges = Mapping[StateT, frozenset[StateT]]
"""From each state, the states that may follow."""


def advance(
    session: Session,
    row: Base,
    to: StateT,
    edges: Edges[StateT],
    **values: Any,
) -> None:
    """Move a record along one edge of its table of states; see `change_state`."""
    allowed = [state for state, following in edges.items() if to in following]
    change_state(session, row, to, allowed=allowed, **values)


def insert_or_ignore(session: Session, table: type[Base], **values: object) -> bool:
    """Insert a row unless one with its key is there; tell whether it was inserted."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    keys = inspect(table).primary_key
    return session.execute(statement.returning(*keys)).first() is not None


def _is(row: Base) -> list[ColumnElement[bool]]:
    keys = inspect(type(row)).primary_key
    return [key == value for key, value in zip(keys, _key(row), strict=True)]


def _key(row: Base) -> tuple[Any, ...]:
    identity = inspect(row).identity
    if identity is None:
        raise ValueError(f"{row!r} has not been stored yet")
    return identity
