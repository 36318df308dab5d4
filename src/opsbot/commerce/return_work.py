"""The work on returns: deciding, taking in, looking at the goods, and ending them.

What happens to the goods (disposition) is apart from what the customer gets (resolution).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, payments
from opsbot.commerce.inventory import Location, LocationKind, MoveReason
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.return_steps import receive_return, settlement_of
from opsbot.commerce.returns import (
    KEPT,
    TRANSITIONS,
    Resolution,
    Return,
    ReturnKind,
    ReturnLine,
    ReturnState,
)
from opsbot.commerce.settlements import settle_return
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError


class Disposition(StrEnum):
    """What happens to goods that came back."""

    RESTOCK = "restock"
    """Back on sale."""
    OUTLET = "outlet"
    """Kept among the returns, to be sold as used."""
    REPAIR = "repair"
    """Kept among the returns, to be repaired."""
    QUARANTINE = "quarantine"
    """Kept apart until quality has looked."""
    SCRAP = "scrap"
    """Thrown away."""


GRADES: Mapping[str, Disposition] = {
    "A": Disposition.RESTOCK,
    "B": Disposition.OUTLET,
    "C": Disposition.REPAIR,
    "D": Disposition.SCRAP,
}
"""What usually happens to goods of each grade."""

BEFORE_GOODS = (ReturnState.REQUESTED, ReturnState.APPROVED)
"""States in which a customer may still call a return off."""


def sources_of(state: ReturnState) -> list[ReturnState]:
    """Return the states from which a return may go to `state`."""
    return [source for source, targets in TRANSITIONS.items() if state in targets]


def approve_return(
    session: Session, opened: Return, *, note: str, actor: str, now: datetime
) -> None:
    """Let a requested return go ahead.

    Raises:
        ConflictError: it is not waiting for a decision.
    """
    allowed = [ReturnState.REQUESTED]
    change_state(session, opened, ReturnState.APPROVED, allowed=allowed, note=note or None)
    record_event(session, opened, "return_approved", actor=actor, at=now, note=note)


def decline_return(
    session: Session, opened: Return, *, note: str, actor: str, now: datetime
) -> None:
    """Refuse a requested return, with the words the customer reads.

    Raises:
        ConflictError: it is a statutory withdrawal, or is not waiting for a decision.
        InvalidInputError: there is no reason.
    """
    if opened.kind is ReturnKind.WITHDRAWAL:
        raise ConflictError(f"{opened.number} is a withdrawal by law: nobody may decline it.")
    if not note.strip():
        raise InvalidInputError("Say why, in words the customer can read.")
    allowed = [ReturnState.REQUESTED]
    change_state(session, opened, ReturnState.DECLINED, allowed=allowed, note=note, resolved_at=now)
    record_event(session, opened, "return_declined", actor=actor, at=now, note=note)


def cancel_return(session: Session, opened: Return, *, actor: str, now: datetime) -> None:
    """Call a return off before the goods have been handed in.

    Raises:
        ConflictError: the goods are on their way, or it has ended.
    """
    change_state(session, opened, ReturnState.CANCELLED, allowed=BEFORE_GOODS, resolved_at=now)
    record_event(session, opened, "return_cancelled", actor=actor, at=now)


def expire_returns(session: Session, *, now: datetime) -> int:
    """End the approved returns whose goods were not sent in time; return how many.

    A withdrawal does not end so: the customer has declared it, and only sends the goods late.
    """
    late = select(Return).where(
        Return.state == ReturnState.APPROVED,
        Return.kind != ReturnKind.WITHDRAWAL,
        Return.deadline < now,
        Return.resolution.not_in(KEPT),
    )
    ended = 0
    for opened in session.scalars(late.order_by(Return.id).with_for_update(skip_locked=True)):
        change_state(
            session,
            opened,
            ReturnState.EXPIRED,
            allowed=[ReturnState.APPROVED],
            resolved_at=now,
        )
        record_event(session, opened, "return_expired", actor="system", at=now)
        ended += 1
    return ended


def place_for(session: Session, kind: LocationKind, *, sellable: bool | None = None) -> Location:
    """Return the first location of a kind.

    Raises:
        NotFoundError: the shop has none.
    """
    places = select(Location).where(Location.kind == kind).order_by(Location.id)
    if sellable is not None:
        places = places.where(Location.sellable == sellable)
    found = session.scalar(places.limit(1))
    if found is None:
        raise NotFoundError("a location for", kind.value)
    return found


def take_in(session: Session, opened: Return, *, actor: str, now: datetime) -> Location:
    """Receive all goods of a return at the shop's location for returns.

    Raises:
        ConflictError: it is not approved or on its way.
        NotFoundError: the shop has no location for returns.
    """
    place = place_for(session, LocationKind.RETURNS)
    receive_return(session, opened, location_id=place.id, actor=actor, now=now)
    return place


def grade_lines(
    session: Session,
    opened: Return,
    lines: Sequence[ReturnLine],
    grade: str,
    disposition: Disposition,
    *,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """Write down how goods of a received return look, and move them where they belong.

    When the last line has its grade, the return is inspected.

    Raises:
        ConflictError: the return has not been received, or a line was graded already.
        InvalidInputError: the grade is none of A to D.
    """
    if grade not in GRADES:
        raise InvalidInputError(f"There is no grade {grade[:10]}; there are A, B, C and D.")
    change_state(session, opened, ReturnState.RECEIVED, allowed=[ReturnState.RECEIVED])
    for line in lines:
        if line.grade is not None:
            raise ConflictError(f"{line.order_line.title} was graded {line.grade} already.")
        line.grade, line.disposition = grade, disposition
        _put_away(session, opened, line, disposition, actor=actor, now=now)
    graded = {str(line.id): grade for line in lines}
    record_event(session, opened, "goods_graded", actor=actor, at=now, grades=graded, note=note)
    if all(line.grade is not None for line in opened.lines):
        allowed = [ReturnState.RECEIVED]
        change_state(session, opened, ReturnState.INSPECTED, allowed=allowed)
        record_event(session, opened, "return_inspected", actor=actor, at=now)


def _put_away(
    session: Session,
    opened: Return,
    line: ReturnLine,
    disposition: Disposition,
    *,
    actor: str,
    now: datetime,
) -> None:
    here = place_for(session, LocationKind.RETURNS)
    sku, quantity = line.order_line.sku, line.quantity
    if disposition is Disposition.SCRAP:
        inventory.move(
            session,
            sku,
            here.id,
            -quantity,
            reason=MoveReason.SCRAP,
            reference=opened.number,
            actor=actor,
            at=now,
        )
    elif disposition in {Disposition.RESTOCK, Disposition.QUARANTINE}:
        good = disposition is Disposition.RESTOCK
        kind = LocationKind.WAREHOUSE if good else LocationKind.QUARANTINE
        there = place_for(session, kind, sellable=True if good else None)
        inventory.transfer(
            session,
            sku,
            quantity,
            from_id=here.id,
            to_id=there.id,
            reference=opened.number,
            actor=actor,
            at=now,
        )


def end_return(
    session: Session,
    opened: Return,
    *,
    resolution: Resolution,
    amount_minor: int,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """Give the customer what a return comes to, and end it. Needs lines, order lines and order.

    Args:
        session: an open transaction.
        opened: an inspected return; or an approved one in which the goods stay with the customer.
        resolution: what the customer gets.
        amount_minor: how much in money or credit; 0 for goods.
        note: why it is another amount than was announced; may be empty.
        actor: who decides.
        now: the time.

    Raises:
        ConflictError: it is not so far; or the money is more than was paid.
    """
    keeps = resolution in KEPT or goods_stay(opened)
    allowed = [ReturnState.APPROVED, ReturnState.INSPECTED] if keeps else [ReturnState.INSPECTED]
    change_state(
        session,
        opened,
        ReturnState.RESOLVED,
        allowed=allowed,
        resolved_at=now,
        resolution=resolution,
        refund_minor=amount_minor,
        note=note or opened.note,
    )
    if resolution is Resolution.EXCHANGE:
        for line in opened.lines:
            if line.replacement_sku is None:
                line.replacement_sku = line.order_line.sku
                line.replacement_price_minor = line.order_line.unit_price_minor
        session.flush()
    if resolution is Resolution.REPAIR:
        _hand_back(session, opened, actor=actor, now=now)
    if resolution is Resolution.PRICE_REDUCTION:
        payments.refund(
            session, opened.order, amount_minor, reference=opened.number, now=now, actor=actor
        )
    settle_return(session, settlement_of(opened), actor=actor, now=now)
    record_event(
        session,
        opened,
        "return_resolved",
        actor=actor,
        at=now,
        resolution=resolution,
        amount_minor=amount_minor,
        note=note,
    )


def goods_stay(opened: Return) -> bool:
    """Tell whether it was decided that the customer need not send the goods."""
    pieces = opened.decision.get("pieces") or []
    return bool(pieces) and all(piece.get("keep_item") for piece in pieces)


def _hand_back(session: Session, opened: Return, *, actor: str, now: datetime) -> None:
    """Send repaired goods back to the customer: they are not among the returned ones any more."""
    here = place_for(session, LocationKind.RETURNS)
    for line in opened.lines:
        if line.disposition not in {Disposition.REPAIR, Disposition.OUTLET}:
            raise ConflictError(f"{line.order_line.title} is not among the returns to be repaired.")
        inventory.move(
            session,
            line.order_line.sku,
            here.id,
            -line.quantity,
            reason=MoveReason.RETURN,
            reference=opened.number,
            actor=actor,
            at=now,
        )
        line.order_line.returned -= line.quantity
    session.flush()
