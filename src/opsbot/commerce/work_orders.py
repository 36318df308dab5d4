"""What happens to a work order: made, released, reported on, completed, cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce import inventory, reservations
from opsbot.commerce.boms import active_bom, part_needs, part_needs_of
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.lots import Lot, make_lot
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.production import (
    OPEN_WORK,
    WORK_ORDER_EDGES,
    RoutingOp,
    WorkOrder,
    WorkOrderOp,
    WorkOrderState,
)
from opsbot.commerce.products import Item
from opsbot.commerce.records import advance, change_state, record_event
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError

OVER_PERCENT = 5
"""So many percent more than planned may be made."""


@dataclass(frozen=True)
class Shortage:
    """A part that is not there in full."""

    sku: str
    needed: int
    free: int

    @property
    def missing(self) -> int:
        """Units that lack."""
        return self.needed - self.free


def find_work_order(session: Session, number: str) -> WorkOrder:
    """Return a work order with its item and operations; `17` and `WO-00017` are the same.

    Raises:
        NotFoundError: there is none.
    """
    digits = "".join(c for c in number if c.isdigit())
    written = f"WO-{int(digits or 0):05}"
    order = session.scalar(
        select(WorkOrder)
        .where(WorkOrder.number == written)
        .options(joinedload(WorkOrder.item), selectinload(WorkOrder.operations))
    )
    if order is None:
        raise NotFoundError("work order", number.strip()[:40])
    return order


def create_work_order(
    session: Session, item: Item, units: int, *, due_at: datetime, actor: str, now: datetime
) -> WorkOrder:
    """Plan to make a number of an item; nothing is reserved yet.

    Raises:
        ConflictError: the item is not made here, or has no active bill of materials.
    """
    bom = active_bom(session, item.sku)
    if bom is None:
        raise ConflictError(f"There is no active bill of materials of {item.title}.")
    order = WorkOrder(
        number=next_number(session, NumberKind.WORK_ORDER),
        sku=item.sku,
        bom_id=bom.id,
        state=WorkOrderState.DRAFT,
        planned=units,
        created_at=now,
        planned_start=now,
        due_at=due_at,
    )
    session.add(order)
    session.flush()
    steps = session.scalars(
        select(RoutingOp).where(RoutingOp.bom_id == bom.id).order_by(RoutingOp.seq)
    )
    session.add_all(
        WorkOrderOp(
            work_order_id=order.id,
            seq=step.seq,
            name=step.name,
            work_center_id=step.work_center_id,
            planned_minutes=step.setup_minutes + ceil(step.run_seconds * units / 60),
        )
        for step in steps
    )
    session.flush()
    record_event(session, order, "work_order_created", actor=actor, at=now, planned=units)
    return order


def shortages(session: Session, order: WorkOrder) -> list[Shortage]:
    """Return the parts of a draft that are not free in full."""
    return shortages_of(session, [order])[0]


def shortages_of(session: Session, orders: Sequence[WorkOrder]) -> list[list[Shortage]]:
    """Return the parts of each draft that are not free in full, as if it were the only one."""
    needs = part_needs_of(session, [(order.bom_id, order.planned) for order in orders])
    free = inventory.available_of(session, {sku for each in needs for sku in each})
    return [
        [
            Shortage(sku, needed, max(0, free[sku]))
            for sku, needed in each.items()
            if free[sku] < needed
        ]
        for each in needs
    ]


def draft_work_orders(session: Session) -> Sequence[WorkOrder]:
    """Return the work orders that have not begun and hold no parts, the first due first."""
    drafts = select(WorkOrder).where(WorkOrder.state == WorkOrderState.DRAFT)
    return session.scalars(drafts.order_by(WorkOrder.due_at, WorkOrder.number)).all()


def release_work_order(session: Session, order: WorkOrder, *, actor: str, now: datetime) -> None:
    """Hold the parts back and let the work begin.

    Raises:
        ConflictError: it is not a draft, or parts are missing; nothing is held back then.
    """
    advance(session, order, WorkOrderState.RELEASED, WORK_ORDER_EDGES)
    if lacking := shortages(session, order):
        words = ", ".join(f"{one.missing} of {one.sku}" for one in lacking)
        raise ConflictError(f"{order.number} cannot begin, parts are missing: {words}.")
    for sku, needed in _needs(session, order, order.planned).items():
        reservations.reserve(session, sku, needed, work_order_id=order.id, at=now)
    record_event(session, order, "work_order_released", actor=actor, at=now)


def report_work(
    session: Session,
    order: WorkOrder,
    *,
    good: int,
    scrap: int = 0,
    scrap_reason: str | None = None,
    center_id: int | None = None,
    actor: str,
    now: datetime,
) -> None:
    """Write down what a step brought; the last step's good units are the order's.

    Args:
        session: an open transaction.
        order: with its operations.
        good: good units of the step.
        scrap: units that were lost in it.
        scrap_reason: why, in words.
        center_id: the work centre of the step; None: the last step.
        actor: who reports.
        now: the time.

    Raises:
        ConflictError: it is not released, or more would be made than planned.
        InvalidInputError: nothing is reported, or no step is done at that centre.
    """
    if good < 0 or scrap < 0 or not good + scrap:
        raise InvalidInputError("Please say how many were good, how many scrap, or both.")
    step = _step(order, center_id)
    is_last = step is None or step is order.operations[-1]
    produced = order.produced + (good if is_last else 0)
    most = order.planned * (100 + OVER_PERCENT) // 100
    if max(produced + order.scrapped + scrap, (step.good + good) if step else 0) > most:
        raise ConflictError(
            f"{order.number} is planned for {order.planned}; at most {most} may be made of it."
        )
    allowed = (WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS)
    change_state(
        session,
        order,
        WorkOrderState.IN_PROGRESS,
        allowed=allowed,
        produced=produced,
        scrapped=order.scrapped + scrap,
        started_at=order.started_at or now,
    )
    if step is not None:
        step.good, step.scrap, step.done_at = step.good + good, step.scrap + scrap, now
        step.scrap_reason = scrap_reason or step.scrap_reason
    detail = {"good": good, "scrap": scrap, "reason": scrap_reason}
    record_event(session, order, "work_reported", actor=actor, at=now, **detail)


def complete_work_order(
    session: Session, order: WorkOrder, *, location_id: int, actor: str, now: datetime
) -> Lot | None:
    """Take the parts off the shelf, put what was made on it, and give back what is left over.

    Returns:
        The lot that was made, if the item is kept by lots.

    Raises:
        ConflictError: it is not being made, nothing was reported, or parts are missing.
    """
    if not order.produced + order.scrapped:
        raise ConflictError(f"Nothing has been reported on {order.number} yet.")
    advance(session, order, WorkOrderState.COMPLETED, WORK_ORDER_EDGES, completed_at=now)
    ledger: dict[str, Any] = {"reference": order.number, "actor": actor, "at": now}
    for sku, needed in _needs(session, order, order.produced + order.scrapped).items():
        rest = reservations.consume_parts(session, order.id, sku, needed, **ledger)
        if rest:
            inventory.move(session, sku, location_id, -rest, reason=MoveReason.CONSUME, **ledger)
    _give_back(session, order)
    lot = None
    if order.produced:
        if order.item.lot_tracked:
            lot = make_lot(
                session, order.sku, reference=order.number, at=now, work_order_id=order.id
            )
        inventory.move(
            session,
            order.sku,
            location_id,
            order.produced,
            reason=MoveReason.PRODUCE,
            lot_id=lot.id if lot else None,
            **ledger,
        )
    detail = {"produced": order.produced, "scrapped": order.scrapped}
    record_event(session, order, "work_order_completed", actor=actor, at=now, **detail)
    return lot


def cancel_work_order(session: Session, order: WorkOrder, *, actor: str, now: datetime) -> None:
    """Stop an order of which nothing was made, and give its parts back.

    Raises:
        ConflictError: it is done, or something was made already.
    """
    if order.produced or order.scrapped:
        raise ConflictError(
            f"{order.produced + order.scrapped} of {order.number} are made; complete it instead."
        )
    advance(session, order, WorkOrderState.CANCELLED, WORK_ORDER_EDGES)
    _give_back(session, order)
    record_event(session, order, "work_order_cancelled", actor=actor, at=now)


def pause_work_order(
    session: Session, order: WorkOrder, *, pause: bool, actor: str, now: datetime
) -> None:
    """Interrupt the work, or go on with it; its parts stay held back.

    Raises:
        ConflictError: it is not being made, or not paused.
    """
    to = WorkOrderState.PAUSED if pause else WorkOrderState.IN_PROGRESS
    since = WorkOrderState.IN_PROGRESS if pause else WorkOrderState.PAUSED
    change_state(session, order, to, allowed=(since,))
    event = "work_order_paused" if pause else "work_order_resumed"
    record_event(session, order, event, actor=actor, at=now)


def open_work_orders(session: Session) -> Sequence[WorkOrder]:
    """Return the work orders still to be done, with items and steps, the first due first."""
    return session.scalars(
        select(WorkOrder)
        .where(WorkOrder.state.in_(OPEN_WORK))
        .options(joinedload(WorkOrder.item), selectinload(WorkOrder.operations))
        .order_by(WorkOrder.due_at, WorkOrder.number)
    ).all()


def _needs(session: Session, order: WorkOrder, units: int) -> dict[str, int]:
    return part_needs(session, order.bom_id, units) if order.bom_id is not None else {}


def _step(order: WorkOrder, center_id: int | None) -> WorkOrderOp | None:
    if center_id is None:
        return order.operations[-1] if order.operations else None
    found = [step for step in order.operations if step.work_center_id == center_id]
    if not found:
        raise InvalidInputError(f"No step of {order.number} is done there.")
    return found[-1]


def _give_back(session: Session, order: WorkOrder) -> None:
    held = session.scalars(
        select(Reservation.sku)
        .where(Reservation.work_order_id == order.id)
        .where(Reservation.state == ReservationState.ACTIVE)
        .distinct()
    ).all()
    for sku in held:
        reservations.release_parts(session, order.id, sku, _EVERYTHING)


_EVERYTHING = 2**31 - 1
