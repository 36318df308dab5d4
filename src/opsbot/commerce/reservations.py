"""What of the stock is held back: for order lines not yet shipped, for parts of work orders."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.inventory import (
    MoveHead,
    MoveReason,
    StockLevel,
    available,
    change_level,
    levels_of,
    write_moves,
)
from opsbot.db import Base
from opsbot.errors import ConflictError


class ReservationState(StrEnum):
    """Whether a reservation still holds stock back."""

    ACTIVE = "active"
    CONSUMED = "consumed"
    RELEASED = "released"


class Reservation(Base):
    """Stock held back for an order line that has not shipped, or for a work order's parts."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("(order_line_id IS NULL) <> (work_order_id IS NULL)", name="one_holder"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id"), index=True)
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id"), index=True)
    quantity: Mapped[int]
    state: Mapped[ReservationState] = mapped_column(default=ReservationState.ACTIVE)
    created_at: Mapped[datetime]


def reserve(
    session: Session,
    sku: str,
    quantity: int,
    *,
    order_line_id: int | None = None,
    work_order_id: int | None = None,
    at: datetime,
) -> list[Reservation]:
    """Hold units back for an order line or a work order, where most of them are.

    Raises:
        ConflictError: not so many are free; nothing is held back.
    """
    if quantity > available(session, sku):
        raise ConflictError(f"There are not {quantity} of {sku} free in stock.")
    held = []
    for level in sorted(_sellable_levels(session, sku), key=lambda level: -level.available):
        part = min(quantity, level.available)
        if part <= 0:
            break
        change_level(session, sku, level.location_id, on_hand=0, reserved=part)
        held.append(
            Reservation(
                sku=sku,
                location_id=level.location_id,
                order_line_id=order_line_id,
                work_order_id=work_order_id,
                quantity=part,
                state=ReservationState.ACTIVE,
                created_at=at,
            )
        )
        quantity -= part
    if quantity:  # someone took some between the two looks
        raise ConflictError(f"There is not enough free stock of {sku}.")
    session.add_all(held)
    session.flush()
    return held


def release(session: Session, order_line_id: int, quantity: int) -> int:
    """Give back up to `quantity` units that were held back; return how many it were."""
    return _release(session, _for_line(order_line_id), quantity)


def release_parts(session: Session, work_order_id: int, sku: str, quantity: int) -> int:
    """Give back up to `quantity` units of a part that a work order held; return how many."""
    return _release(session, _for_work(work_order_id, sku), quantity)


def release_one(session: Session, held: Reservation, quantity: int) -> int:
    """Give back units of one active reservation; return how many it were."""
    part = min(quantity, held.quantity)
    change_level(session, held.sku, held.location_id, on_hand=0, reserved=-part)
    _take_from(session, held, part, ReservationState.RELEASED)
    return part


def consume(
    session: Session, order_line_id: int, quantity: int, *, reference: str, actor: str, at: datetime
) -> None:
    """Take units that were held back off the shelf: they are sold and leave.

    Raises:
        ConflictError: fewer units are held back for this line.
    """
    head = MoveHead(MoveReason.SALE, reference, actor, at)
    missing = _consume(session, _for_line(order_line_id), quantity, head)
    if missing:
        raise ConflictError(f"{missing} units of order {reference} have no stock reserved.")


def consume_parts(
    session: Session,
    work_order_id: int,
    sku: str,
    quantity: int,
    *,
    reference: str,
    actor: str,
    at: datetime,
) -> int:
    """Use up parts that a work order holds; return how many of them it does not hold."""
    head = MoveHead(MoveReason.CONSUME, reference, actor, at)
    return _consume(session, _for_work(work_order_id, sku), quantity, head)


def _release(session: Session, held_for: Sequence[ColumnElement[bool]], quantity: int) -> int:
    released = 0
    for held in _active(session, held_for):
        part = min(quantity - released, held.quantity)
        if part <= 0:
            break
        released += release_one(session, held, part)
    return released


def _consume(
    session: Session, held_for: Sequence[ColumnElement[bool]], quantity: int, head: MoveHead
) -> int:
    """Take what is held off the shelf; return how many units were not held."""
    for held in _active(session, held_for):
        part = min(quantity, held.quantity)
        if part <= 0:
            break
        change_level(session, held.sku, held.location_id, on_hand=-part, reserved=-part)
        write_moves(session, held.sku, held.location_id, -part, head)
        _take_from(session, held, part, ReservationState.CONSUMED)
        quantity -= part
    return quantity


def _sellable_levels(session: Session, sku: str) -> list[StockLevel]:
    return [level for level in levels_of(session, sku) if level.location.sellable]


def _for_line(order_line_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Reservation.order_line_id == order_line_id,)


def _for_work(work_order_id: int, sku: str) -> tuple[ColumnElement[bool], ...]:
    return (Reservation.work_order_id == work_order_id, Reservation.sku == sku)


def _active(session: Session, held_for: Sequence[ColumnElement[bool]]) -> list[Reservation]:
    return list(
        session.scalars(
            select(Reservation)
            .where(*held_for, Reservation.state == ReservationState.ACTIVE)
            .order_by(Reservation.id)
            .with_for_update()
        )
    )


def _take_from(session: Session, held: Reservation, part: int, state: ReservationState) -> None:
    """End `part` units of a reservation; what remains stays active."""
    rest = held.quantity - part
    held.quantity, held.state = part, state
    if rest:
        session.add(
            Reservation(
                sku=held.sku,
                location_id=held.location_id,
                order_line_id=held.order_line_id,
                work_order_id=held.work_order_id,
                quantity=rest,
                state=ReservationState.ACTIVE,
                created_at=held.created_at,
            )
        )
    session.flush()
