"""Deciding about what did not happen outside: who may, and what is kept of it."""

from datetime import datetime

from opsbot.commerce.effects import Effect, retry_effect, settle_by_hand
from opsbot.db import Database
from opsbot.errors import ConfirmationRequiredError, InvalidInputError, NotAllowedError
from opsbot.staff import Role
from opsbot.texts import clean_text
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.second_person import ASK_A_PERSON

SETTLERS = frozenset({Role.OPS, Role.LEAD, Role.MANAGER})
"""Who may try again, and say that it was done by hand: it may be money."""
LONGEST_NOTE = 500


def may_settle(caller: Caller) -> bool:
    """Tell whether this person may decide about effects outside."""
    return caller.is_staff and not caller.roles.isdisjoint(SETTLERS)


def try_again(database: Database, caller: Caller, effect_id: int, *, now: datetime) -> Effect:
    """Let an effect that failed be tried again at once.

    Raises:
        ConfirmationRequiredError: a program asks.
        NotAllowedError: the caller has none of the roles.
        NotFoundError: there is no such effect.
        ConflictError: it has not failed.
    """
    _check(caller)
    with database.write(durable=True) as session:
        effect = retry_effect(session, effect_id, now=now)
        record_audit(session, actor=caller.actor, action="retried", subject=effect.key, at=now)
    return effect


def note_by_hand(
    database: Database, caller: Caller, effect_id: int, *, words: str, now: datetime
) -> Effect:
    """Note that the caller has done it: no port is asked for it any more.

    Args:
        database: where the effects are.
        caller: who did it.
        effect_id: what.
        words: where and under which number; kept with the effect and, erasable, in the audit.
        now: the time.

    Raises:
        ConfirmationRequiredError: a program asks.
        NotAllowedError: the caller has none of the roles.
        InvalidInputError: no words, or too many.
        NotFoundError: there is no such effect.
        ConflictError: it has not failed, or a port has it in hand.
    """
    _check(caller)
    if not words.strip():
        raise InvalidInputError("Say what you did, such as where and under which number.")
    note = clean_text(words, limit=LONGEST_NOTE)
    with database.write(durable=True) as session:
        effect = settle_by_hand(session, effect_id, note=note, actor=caller.actor, now=now)
        record_audit(
            session,
            actor=caller.actor,
            action="done_by_hand",
            subject=effect.key,
            at=now,
            personal={"note": note},
        )
    return effect


def _check(caller: Caller) -> None:
    if not may_settle(caller):
        *others, last = sorted(SETTLERS)
        raise NotAllowedError(f"Only {', '.join(others)} or {last} may decide that.")
    if caller.by_program:
        raise ConfirmationRequiredError(ASK_A_PERSON)
