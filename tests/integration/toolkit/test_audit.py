"""The audit: any change of it is found."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.toolkit.audit import AuditEvent, record_audit, verify
from tests.factories import NOON

Deed = Callable[[Session], object]


@pytest.fixture
def audited(database: Database) -> Database:
    """A database with five audit rows."""
    for n in range(5):
        with database.write() as session:
            record_audit(
                session, actor="staff:1", action="read", subject="order", at=NOON, number=n, who="é"
            )
    return database


def test_an_untouched_audit_holds(audited: Database) -> None:
    with audited.read() as session:
        check = verify(session)

    assert (check.count, check.problem) == (5, "")


def test_an_empty_audit_holds(database: Database) -> None:
    with database.read() as session:
        assert verify(session).problem == ""


@pytest.mark.parametrize(
    ("deed", "problem"),
    [
        (sa.update(AuditEvent).where(AuditEvent.number == 3).values(actor="staff:2"), "Row 3"),
        (sa.update(AuditEvent).where(AuditEvent.number == 2).values(detail={}), "Row 2"),
        (sa.delete(AuditEvent).where(AuditEvent.number == 2), "Row 2 of the audit is missing"),
        (sa.delete(AuditEvent).where(AuditEvent.number == 5), "ends at row 4"),
        (sa.delete(AuditEvent), "ends at row 0"),
        (sa.update(AuditEvent).where(AuditEvent.number == 5).values(number=9), "missing"),
    ],
    ids=["actor", "detail", "deleted", "last deleted", "all deleted", "renumbered"],
)
def test_a_change_is_found(audited: Database, deed: sa.Executable, problem: str) -> None:
    with audited.write() as session:
        session.execute(deed)

    with audited.read() as session:
        assert problem in verify(session).problem
