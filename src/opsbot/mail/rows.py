"""Rows that two workers may write at the same time."""

from collections.abc import Mapping

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from opsbot.db import Base


def insert_new(session: Session, table: type[Base], values: Mapping[str, object]) -> None:
    """Insert a row, unless one with the same key is there."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
