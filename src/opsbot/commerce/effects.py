"""What shall happen outside: money that moves, a label that is bought, an order to a supplier.

An effect is a row first, in the transaction of the change that causes it; so neither happens
without the other. Afterwards it is handed to a port, again and again until the port has taken it:
at least once. What makes it happen once is its key, by which a port knows what it has done already.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.ports import Port
from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base, Database
from opsbot.errors import (
    CollisionError,
    ConflictError,
    NotFoundError,
    OpsbotError,
    UnavailableError,
)

MAX_ATTEMPTS = 12
"""Tries before a person must look; the last is about a day after the first."""
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=6)
LEASE = timedelta(minutes=5)
"""How long a port may take. Whoever holds an effect for longer has died, and it is tried again."""
BATCH = 100
LONGEST_ERROR = 1_000

_log = logging.getLogger(__name__)


class EffectState(StrEnum):
    """requested → delivering → delivered; back to requested for another try, or failed.

    What failed, or is tried again, a person may do themselves: by hand.
    """

    REQUESTED = "requested"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"
    BY_HAND = "by_hand"


class Effect(Base):
    """One thing that shall happen outside, once."""

    __tablename__ = "effects"
    __table_args__ = (Index("ix_effects_state_next_at", "state", "next_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    port: Mapped[str]
    """Who does it: `payments`, `carriers`, `suppliers`, …"""
    operation: Mapped[str]
    """What: `refund`, `void`, `buy_label`, `send_order`, …"""
    payload: Mapped[dict[str, Any]]
    """With what; amounts in minor units, and the numbers that people know."""
    key: Mapped[str] = mapped_column(unique=True)
    """What it is about, such as `refund:17`: a second one is not requested, nor done."""
    state: Mapped[EffectState] = mapped_column(default=EffectState.REQUESTED)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    """When to try; while delivering, until when the port may take."""
    reference: Mapped[str | None]
    """What the port calls it, once it is delivered."""
    error: Mapped[str | None]
    """Why the last try failed."""
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    """Or when a person said that they had done it."""
    settled_by: Mapped[str | None]
    """Who did it by hand; see `Caller.actor`."""
    note: Mapped[str | None]
    """What they say about it: where, and under which number."""


def request_effect(
    session: Session,
    *,
    port: str,
    operation: str,
    payload: Mapping[str, Any],
    key: str,
    now: datetime,
) -> Effect:
    """Ask for something outside, in the transaction of the change that causes it.

    Args:
        session: an open transaction.
        port: who does it.
        operation: what.
        payload: with what; anything JSON can hold.
        key: what it is about. With a known key nothing is added, and the effect that is there
            already is returned.
        now: the time.

    Raises:
        CollisionError: the key belongs to something else.
    """
    known = json.loads(json.dumps(payload, default=str))
    insert_or_ignore(
        session,
        Effect,
        port=port,
        operation=operation,
        payload=known,
        key=key,
        state=EffectState.REQUESTED,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    effect = session.scalars(select(Effect).where(Effect.key == key)).one()
    if (effect.port, effect.operation, effect.payload) != (port, operation, known):
        raise CollisionError(f"The key {key} was used for something else already.")
    return effect


def deliver_effects(database: Database, ports: Mapping[str, Port], *, now: datetime) -> int:
    """Hand what is due to its ports; return how much was delivered.

    Args:
        database: where the effects are.
        ports: by name; `""` takes what no other one is named for.
        now: the time.
    """
    delivered = 0
    for effect_id in _due(database, now):
        effect = _claim(database, effect_id, now)
        if effect is not None:
            delivered += _deliver(database, ports, effect, now)
    return delivered


def troubled_effects(session: Session, *, limit: int) -> list[Effect]:
    """Return what failed, then what is tried again; each the oldest first."""
    tried = (Effect.state == EffectState.REQUESTED) & Effect.error.is_not(None)
    again = (Effect.state == EffectState.DELIVERING) & Effect.error.is_not(None)
    given_up = Effect.state == EffectState.FAILED
    query = select(Effect).where(given_up | tried | again)
    order = (sa.case((given_up, 0), else_=1), Effect.created_at, Effect.id)
    return list(session.scalars(query.order_by(*order).limit(limit)))


def settled_by_hand(session: Session, *, limit: int) -> list[Effect]:
    """Return what people did themselves, the newest first."""
    query = select(Effect).where(Effect.state == EffectState.BY_HAND)
    newest = query.order_by(Effect.delivered_at.desc(), Effect.id.desc())
    return list(session.scalars(newest.limit(limit)))


def count_failed(session: Session) -> int:
    """Return how many effects wait for a person."""
    failed = Effect.state == EffectState.FAILED
    return session.scalar(select(sa.func.count()).select_from(Effect).where(failed)) or 0


def retry_effect(session: Session, effect_id: int, *, now: datetime) -> Effect:
    """Try an effect again at once; for staff who looked at the reason.

    Raises:
        NotFoundError: there is no such effect.
        ConflictError: it has not failed.
    """
    return _move(
        session,
        effect_id,
        {"state": EffectState.REQUESTED, "attempts": 0, "next_at": now},
        unless="has not failed, so it is not tried again",
    )


def settle_by_hand(
    session: Session, effect_id: int, *, note: str, actor: str, now: datetime
) -> Effect:
    """Note that a person has done it: no port is asked for it any more.

    Raises:
        NotFoundError: there is no such effect.
        ConflictError: it has not failed, or a port has it in hand.
    """
    return _move(
        session,
        effect_id,
        {
            "state": EffectState.BY_HAND,
            "delivered_at": now,
            "settled_by": actor,
            "note": note,
        },
        unless="has not failed, so nobody need do it by hand",
    )


def _move(session: Session, effect_id: int, values: dict[str, object], *, unless: str) -> Effect:
    """Change an effect that failed, or waits for another try. A worker may take it meanwhile."""
    tried_again = (Effect.state == EffectState.REQUESTED) & Effect.error.is_not(None)
    changed = session.scalars(
        sa.update(Effect)
        .where(Effect.id == effect_id, (Effect.state == EffectState.FAILED) | tried_again)
        .values(**values)
        .returning(Effect)
    ).one_or_none()
    if changed is not None:
        return changed
    if session.get(Effect, effect_id) is None:
        raise NotFoundError("effect", str(effect_id))
    raise ConflictError(f"Effect {effect_id} {unless}.")


def _due(database: Database, now: datetime) -> list[int]:
    waiting = Effect.state.in_((EffectState.REQUESTED, EffectState.DELIVERING))
    query = select(Effect.id).where(waiting, Effect.next_at <= now).order_by(Effect.id)
    with database.read() as session:
        return list(session.scalars(query.limit(BATCH)))


def _claim(database: Database, effect_id: int, now: datetime) -> Effect | None:
    """Take an effect that is due, or whose last holder died; None when another worker has it."""
    open_states = (EffectState.REQUESTED, EffectState.DELIVERING)
    claim = (
        sa.update(Effect)
        .where(Effect.id == effect_id, Effect.state.in_(open_states), Effect.next_at <= now)
        .values(state=EffectState.DELIVERING, attempts=Effect.attempts + 1, next_at=now + LEASE)
        .returning(Effect)
    )
    with database.write() as session:
        return session.scalars(claim).one_or_none()


def _deliver(database: Database, ports: Mapping[str, Port], effect: Effect, now: datetime) -> bool:
    """Try once, outside any transaction, and note what came of it."""
    port = ports.get(effect.port) or ports.get("")
    try:
        if port is None:
            raise UnavailableError(f"No port is set for {effect.port}.")  # noqa: TRY301  (as a port)
        reference = port.deliver(effect.operation, effect.payload, effect.key)
    except OpsbotError as error:
        _note_failure(database, effect, str(error), now, final=not _may_pass(error))
        return False
    except Exception as error:  # noqa: BLE001  (a broken port must not stop the others)
        _log.exception("Port %s broke over effect %s", effect.port, effect.id)
        words = f"What hands it over broke: {error} ({type(error).__name__})."
        _note_failure(database, effect, words, now, final=False)
        return False
    done = {"state": EffectState.DELIVERED, "reference": reference, "delivered_at": now}
    return _note(database, effect, {**done, "error": None})


def _may_pass(error: OpsbotError) -> bool:
    """Tell whether another try makes sense: only of what was away, not of what was refused."""
    return isinstance(error, UnavailableError)


def _note_failure(
    database: Database, effect: Effect, error: str, now: datetime, *, final: bool
) -> None:
    _log.warning("Effect %s (%s) was not delivered: %s", effect.id, effect.key, error)
    final = final or effect.attempts >= MAX_ATTEMPTS
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (effect.attempts - 1))
    state = EffectState.FAILED if final else EffectState.REQUESTED
    _note(
        database,
        effect,
        {"state": state, "next_at": now + pause, "error": error[:LONGEST_ERROR]},
    )


def _note(database: Database, effect: Effect, values: Mapping[str, object]) -> bool:
    """Write what came of a try, unless another worker holds the effect by now."""
    ours = (Effect.state == EffectState.DELIVERING, Effect.attempts == effect.attempts)
    with database.write(durable=True) as session:
        noted = session.execute(
            sa.update(Effect).where(Effect.id == effect.id, *ours).values(**values)
        )
    return bool(noted.rowcount == 1)  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
