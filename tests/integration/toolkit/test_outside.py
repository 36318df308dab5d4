"""Who may decide about what did not happen outside, whatever channel they come by."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from opsbot.commerce.effects import Effect, EffectState
from opsbot.db import Database
from opsbot.errors import (
    ConfirmationRequiredError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
)
from opsbot.toolkit.audit import AuditEvent
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.outside import LONGEST_NOTE, note_by_hand, try_again
from tests.factories import NOON

LEAD = Caller(Audience.STAFF, "console", staff_id=7, roles=frozenset({"lead"}))
Decide = Callable[[Database, Caller, int], Effect]


def retry(database: Database, caller: Caller, effect_id: int) -> Effect:
    return try_again(database, caller, effect_id, now=NOON)


def settle(database: Database, caller: Caller, effect_id: int) -> Effect:
    return note_by_hand(database, caller, effect_id, words="By bank, 17", now=NOON)


@pytest.fixture
def failed(database: Database) -> int:
    """A refund that the provider refused."""
    with database.write() as session:
        effect = Effect(
            port="payments",
            operation="refund",
            payload={"order": "#1001"},
            key="refund:9",
            state=EffectState.FAILED,
            attempts=3,
            next_at=NOON,
            error="The card is closed.",
            created_at=NOON,
        )
        session.add(effect)
        session.flush()
        return effect.id


def kept(database: Database, number: int) -> tuple[EffectState, str | None]:
    with database.read() as session:
        effect = session.get_one(Effect, number)
        return effect.state, effect.note


@pytest.mark.parametrize("decide", [retry, settle])
@pytest.mark.parametrize(
    ("caller", "error"),
    [
        (Caller(Audience.CUSTOMER, "widget", customer_id=1), NotAllowedError),
        (Caller(Audience.CUSTOMER, "widget", roles=frozenset({"lead"})), NotAllowedError),
        (replace(LEAD, roles=frozenset({"agent", "planner"})), NotAllowedError),
        (replace(LEAD, by_program=True), ConfirmationRequiredError),
    ],
    ids=["customer", "customer with a role", "other roles", "program"],
)
def test_nobody_else_decides(
    database: Database,
    failed: int,
    decide: Decide,
    caller: Caller,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        decide(database, caller, failed)

    assert kept(database, failed) == (EffectState.FAILED, None)


@pytest.mark.parametrize("words", ["", "  ", "x" * (LONGEST_NOTE + 1)])
def test_a_note_says_something_and_not_too_much(
    database: Database, failed: int, words: str
) -> None:
    with pytest.raises(InvalidInputError):
        note_by_hand(database, LEAD, failed, words=words, now=NOON)

    assert kept(database, failed) == (EffectState.FAILED, None)


def test_a_decision_and_its_audit_row_go_together(database: Database, failed: int) -> None:
    settle(database, LEAD, failed)

    with pytest.raises(ConflictError):
        retry(database, LEAD, failed)
    assert kept(database, failed) == (EffectState.BY_HAND, "By bank, 17")
    with database.read() as session:
        rows = [(row.actor, row.action) for row in session.scalars(select(AuditEvent))]
    assert rows == [("staff:7", "done_by_hand")]
