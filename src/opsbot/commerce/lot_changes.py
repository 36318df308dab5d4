"""Inspecting lots, and what follows: release, quarantine, block, recall."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, reservations
from opsbot.commerce.inventory import Location, LocationKind, StockLevel
from opsbot.commerce.lots import LOT_EDGES, Lot, LotState, lot_places
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.production import WorkOrder
from opsbot.commerce.quality import (
    Disposition,
    Inspection,
    InspectionResult,
    InspectionStage,
    judge,
)
from opsbot.commerce.records import advance, record_event
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.planning.sampling import SamplingPlan


@dataclass(frozen=True)
class Defects:
    """What a sample showed."""

    critical: int = 0
    major: int = 0
    minor: int = 0
    named: str | None = None
    """The most frequent defect, in words."""

    @property
    def most(self) -> int:
        """The largest of the counts."""
        return max(self.critical, self.major, self.minor)


@dataclass
class Taken:
    """What blocking a lot took out of use."""

    units: int = 0
    """Brought to quarantine."""
    waiting: list[str] = field(default_factory=list)
    """Orders and work orders that had goods of that kind held back and have not any more."""


def inspect_lot(
    session: Session,
    lot: Lot,
    stage: InspectionStage,
    plan: SamplingPlan,
    minor_plan: SamplingPlan,
    found: Defects,
    *,
    lot_size: int,
    actor: str,
    now: datetime,
) -> Inspection:
    """Write down a sample; what it means for the lot follows from its counts and the plan.

    A rejected lot that was released goes to quarantine; one in quarantine that is accepted, and
    was never rejected, is released.

    Raises:
        InvalidInputError: more defects than pieces were looked at.
        ConflictError: the lot is recalled.
    """
    if found.most > plan.sample_size or min(found.critical, found.major, found.minor) < 0:
        raise InvalidInputError(
            f"Of a sample of {plan.sample_size} not more than {plan.sample_size} can be defective."
        )
    result = judge(
        critical=found.critical,
        major=found.major,
        accept_up_to=plan.accept_up_to,
        minor=found.minor,
        minor_accept_up_to=minor_plan.accept_up_to,
    )
    inspection = Inspection(
        stage=stage,
        reference=lot.reference,
        sku=lot.sku,
        lot_id=lot.id,
        lot_size=lot_size,
        sample_size=plan.sample_size,
        accept_up_to=plan.accept_up_to,
        minor_accept_up_to=minor_plan.accept_up_to,
        critical=found.critical,
        major=found.major,
        minor=found.minor,
        defect=found.named if found.most else None,
        result=result,
        disposition=Disposition.RELEASE if result is InspectionResult.ACCEPTED else None,
        inspected_at=now,
        actor=actor,
    )
    session.add(inspection)
    session.flush()
    if result is InspectionResult.REJECTED and lot.state is LotState.RELEASED:
        block_lot(session, lot, LotState.QUARANTINE, reason="rejected", actor=actor, now=now)
    elif result is InspectionResult.REJECTED and lot.state is LotState.RECALLED:
        raise ConflictError(f"{lot.number} is recalled already.")
    return inspection


def last_inspection(session: Session, lot: Lot) -> Inspection | None:
    """Return the latest inspection of a lot."""
    return session.scalar(
        select(Inspection)
        .where(Inspection.lot_id == lot.id)
        .order_by(Inspection.inspected_at.desc(), Inspection.id.desc())
        .limit(1)
    )


def block_lot(
    session: Session, lot: Lot, to: LotState, *, reason: str, actor: str, now: datetime
) -> Taken:
    """Take a lot out of use: what is left of it goes to quarantine.

    Where its units are held back for orders, the newest orders lose what they held and wait again.

    Raises:
        ConflictError: its state does not allow it.
        NotFoundError: the shop has no quarantine.
    """
    advance(session, lot, to, LOT_EDGES, reason=reason)
    taken = Taken()
    quarantine = _quarantine(session)
    for place_id, units in lot_places(session, lot.id).items():
        place = session.get_one(Location, place_id)
        if not place.sellable:
            continue
        taken.waiting += _free(session, lot.sku, place_id, units)
        _bring(session, lot, units, place_id, quarantine.id, actor=actor, now=now)
        taken.units += units
    detail = {"units": taken.units, "reason": reason, "waiting": taken.waiting}
    record_event(session, lot, f"lot_{to.value}", actor=actor, at=now, **detail)
    return taken


def release_lot(
    session: Session, lot: Lot, *, location_id: int, reason: str, actor: str, now: datetime
) -> int:
    """Let a lot be used again: what is in quarantine goes back; return how many units.

    Raises:
        ConflictError: it is released, or recalled for good.
    """
    advance(session, lot, LotState.RELEASED, LOT_EDGES, reason=None)
    inspection = last_inspection(session, lot)
    if inspection is not None and inspection.result is InspectionResult.REJECTED:
        inspection.result = InspectionResult.CONCESSION
        inspection.disposition = Disposition.USE_AS_IS
    brought = 0
    for place_id, units in lot_places(session, lot.id).items():
        if session.get_one(Location, place_id).kind is LocationKind.QUARANTINE:
            _bring(session, lot, units, place_id, location_id, actor=actor, now=now)
            brought += units
    detail = {"units": brought, "reason": reason}
    record_event(session, lot, "lot_released", actor=actor, at=now, **detail)
    return brought


def _quarantine(session: Session) -> Location:
    found = session.scalar(
        select(Location).where(Location.kind == LocationKind.QUARANTINE).order_by(Location.id)
    )
    if found is None:
        raise ConflictError("There is no place for quarantine yet.")
    return found


def _bring(
    session: Session, lot: Lot, units: int, from_id: int, to_id: int, *, actor: str, now: datetime
) -> None:
    inventory.transfer(
        session,
        lot.sku,
        units,
        from_id=from_id,
        to_id=to_id,
        reference=lot.number,
        actor=actor,
        at=now,
        lot_id=lot.id,
    )


def _free(session: Session, sku: str, place_id: int, units: int) -> list[str]:
    """Release reservations, the newest first, until so many units are free; name who held them."""
    losers: list[str] = []
    level = session.get_one(StockLevel, (sku, place_id))
    lacking = units - level.available
    held = session.scalars(
        select(Reservation)
        .where(Reservation.sku == sku, Reservation.location_id == place_id)
        .where(Reservation.state == ReservationState.ACTIVE)
        .order_by(Reservation.created_at.desc(), Reservation.id.desc())
        .with_for_update()
    ).all()
    for one in held:
        if lacking <= 0:
            break
        losers.append(_holder(session, one))
        lacking -= reservations.release_one(session, one, min(one.quantity, lacking))
    return losers


def _holder(session: Session, held: Reservation) -> str:
    if held.work_order_id is not None:
        return session.get_one(WorkOrder, held.work_order_id).number
    number = session.scalar(
        select(Order.number)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.id == held.order_line_id)
    )
    return str(number)
