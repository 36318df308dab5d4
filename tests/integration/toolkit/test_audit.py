"""The audit: any change of it is found, and what is personal in it can be erased."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.toolkit.audit import ERASED, AuditEvent, erase_personal, record_audit, verify
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


@pytest.fixture
def personal(database: Database) -> Database:
    """A database with three audit rows, of which the first two hold what somebody wrote."""
    for word in ("Grace", "Grace", None):
        with database.write() as session:
            record_audit(
                session,
                actor="staff:1",
                action="read",
                subject="order",
                at=NOON,
                personal={"named": word} if word else None,
            )
    return database


def problem_of(database: Database) -> str:
    with database.read() as session:
        return verify(session).problem


def test_the_digest_of_the_same_words_differs_from_row_to_row(personal: Database) -> None:
    with personal.read() as session:
        first, second, third = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number))

    assert first.personal == second.personal == {"named": "Grace"}
    assert first.personal_hash != second.personal_hash
    assert (third.personal, third.salt, third.personal_hash) == (None, None, None)
    assert problem_of(personal) == ""


def test_what_was_erased_and_recorded_leaves_the_chain_whole(personal: Database) -> None:
    with personal.write() as session:
        erase_personal(session, [1])
        detail: dict[str, Any] = {ERASED: [1]}
        record_audit(session, actor="x", action="anonymised", subject="C-1", at=NOON, **detail)

    assert problem_of(personal) == ""
    with personal.read() as session:
        kept = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.number)).all()
    assert [row.personal for row in kept] == [None, {"named": "Grace"}, None, None]
    assert kept[0].salt is None


def test_what_nobody_recorded_as_erased_is_missed(personal: Database) -> None:
    with personal.write() as session:
        erase_personal(session, [1, 2])
        detail: dict[str, Any] = {ERASED: [2]}
        record_audit(session, actor="x", action="anonymised", subject="C-1", at=NOON, **detail)

    assert problem_of(personal) == "Row 1 of the audit was emptied."


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (2, {"personal": {"named": "Eve"}}),
        (2, {"salt": "0" * 32}),
        (2, {"salt": None}),
        (2, {"personal": None}),
        (2, {"personal_hash": None, "salt": None, "personal": None}),
        (3, {"personal": {"named": "Eve"}, "salt": "0" * 32}),
    ],
    ids=["words", "salt", "salt gone", "words gone", "all gone", "added"],
)
def test_a_change_of_what_is_personal_is_found(
    personal: Database, row: int, values: dict[str, object]
) -> None:
    with personal.write() as session:
        session.execute(sa.update(AuditEvent).where(AuditEvent.number == row).values(**values))

    assert f"Row {row} of the audit was changed" in problem_of(personal)
