"""Where things are: an append-only ledger of moves, and the levels that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    func,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    mapped_column,
    relationship,
)

from opsbot.commerce.products import Item
from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base
from opsbot.errors import ConflictError


class LocationKind(StrEnum):
    """What a location is for. Only sellable ones count for customers."""

    WAREHOUSE = "warehouse"
    STORE = "store"
    POPUP = "popup"
    LOGISTICS = "3pl"
    CONSIGNMENT = "consignment"
    WORK_IN_PROGRESS = "wip"
    QUARANTINE = "quarantine"
    RETURNS = "returns"
    TRANSIT = "transit"


class MoveReason(StrEnum):
    """Why stock went up or down."""

    OPENING = "opening"
    RECEIPT = "receipt"
    SALE = "sale"
    RETURN = "return"
    ADJUST = "adjust"
    COUNT = "count"
    TRANSFER = "transfer"
    PRODUCE = "produce"
    CONSUME = "consume"
    DAMAGE = "damage"
    SCRAP = "scrap"
    WRITE_OFF = "write_off"


class ReservationState(StrEnum):
    """Whether a reservation still holds stock back."""

    ACTIVE = "active"
    CONSUMED = "consumed"
    RELEASED = "released"


class Location(Base):
    """A place that holds stock."""

    __tablename__ = "locations"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[LocationKind]
    country: Mapped[str]
    sellable: Mapped[bool]


class StockMove(Base):
    """One line of the stock ledger. Never changed, never deleted.

    A transfer is two lines with one reference, whose quantities sum to zero; of goods of several
    lots, two for each lot.
    """

    __tablename__ = "stock_moves"
    __table_args__ = (
        Index("ix_stock_moves_sku_at", "sku", "at"),
        Index(
            "ix_stock_moves_lot_id",
            "lot_id",
            "location_id",
            sqlite_where=text("lot_id IS NOT NULL"),
            postgresql_where=text("lot_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[int]
    """Positive: in. Negative: out."""
    reason: Mapped[MoveReason]
    reference: Mapped[str]
    """The document behind it, such as `#1001`, `PO-00042`, `WO-00017`, `RMA-00009`."""
    actor: Mapped[str]
    at: Mapped[datetime]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lots.id"))


class StockLevel(Base):
    """What the ledger and the reservations add up to, by item and location."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        CheckConstraint("reserved <= on_hand", name="reserved_within_on_hand"),
    )

    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    """Sum of the moves."""
    reserved: Mapped[int] = mapped_column(default=0)
    """Sum of the active reservations."""

    item: Mapped[Item] = relationship(lazy="raise")
    location: Mapped[Location] = relationship(lazy="raise")

    @property
    def available(self) -> int:
        """What can still be promised."""
        return self.on_hand - self.reserved


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


def available(session: Session, sku: str) -> int:
    """Return how many units of an item can be promised to customers now."""
    return (
        session.scalar(
            select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
            .join(Location, Location.id == StockLevel.location_id)
            .where(StockLevel.sku == sku, Location.sellable)
        )
        or 0
    )


def levels_of(session: Session, sku: str) -> list[StockLevel]:
    """Return the levels of an item, with their locations, by location code."""
    return list(
        session.scalars(
            select(StockLevel)
            .join(StockLevel.location)
            .options(contains_eager(StockLevel.location))
            .where(StockLevel.sku == sku)
            .order_by(Location.code)
        )
    )


def move(
    session: Session,
    sku: str,
    location_id: int,
    quantity: int,
    *,
    reason: MoveReason,
    reference: str,
    actor: str,
    at: datetime,
    lot_id: int | None = None,
) -> None:
    """Write a line of the ledger and change the level with it.

    Args:
        session: an open transaction.
        sku: the item.
        location_id: where.
        quantity: positive for in, negative for out.
        reason: why.
        reference: the document behind it.
        actor: who did it.
        at: when it happened.
        lot_id: of which lot; None: in, of none that is known; out, of the oldest ones there.

    Raises:
        ConflictError: so much is not there, or it is reserved.
    """
    _change_level(session, sku, location_id, on_hand=quantity, reserved=0)
    parts = _by_lot(session, sku, location_id, quantity, lot_id)
    head = _Head(reason, reference, actor, at)
    _write_moves(session, sku, location_id, parts, head)


def transfer(
    session: Session,
    sku: str,
    quantity: int,
    *,
    from_id: int,
    to_id: int,
    reference: str,
    actor: str,
    at: datetime,
    lot_id: int | None = None,
) -> None:
    """Bring units from one location to another: lines that sum to zero, lot by lot.

    Raises:
        ConflictError: so much is not there, or it is reserved.
    """
    _change_level(session, sku, from_id, on_hand=-quantity, reserved=0)
    _change_level(session, sku, to_id, on_hand=quantity, reserved=0)
    parts = _by_lot(session, sku, from_id, -quantity, lot_id)
    head = _Head(MoveReason.TRANSFER, reference, actor, at)
    _write_moves(session, sku, from_id, parts, head)
    _write_moves(session, sku, to_id, [(lot, -units) for lot, units in parts], head)


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
        _change_level(session, sku, level.location_id, on_hand=0, reserved=part)
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
    _change_level(session, held.sku, held.location_id, on_hand=0, reserved=-part)
    _take_from(session, held, part, ReservationState.RELEASED)
    return part


def consume(
    session: Session, order_line_id: int, quantity: int, *, reference: str, actor: str, at: datetime
) -> None:
    """Take units that were held back off the shelf: they are sold and leave.

    Raises:
        ConflictError: fewer units are held back for this line.
    """
    head = _Head(MoveReason.SALE, reference, actor, at)
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
    head = _Head(MoveReason.CONSUME, reference, actor, at)
    return _consume(session, _for_work(work_order_id, sku), quantity, head)


def lot_balances(session: Session, sku: str, location_id: int) -> list[tuple[int, int]]:
    """Return the lots of an item at a location with the units of each, the oldest lot first."""
    units = func.sum(StockMove.quantity)
    rows = session.execute(
        select(StockMove.lot_id, units)
        .where(StockMove.sku == sku, StockMove.location_id == location_id)
        .where(StockMove.lot_id.is_not(None))
        .group_by(StockMove.lot_id)
        .having(units > 0)
        .order_by(StockMove.lot_id)
    )
    return [(int(lot or 0), int(count)) for lot, count in rows]


@dataclass(frozen=True)
class _Head:
    """What the lines of one move share."""

    reason: MoveReason
    reference: str
    actor: str
    at: datetime


def _by_lot(
    session: Session, sku: str, location_id: int, quantity: int, lot_id: int | None
) -> list[tuple[int | None, int]]:
    """Part a move by lots. The level is changed before, so nobody else does it meanwhile."""
    if quantity >= 0:
        return [(lot_id, quantity)]
    left, parts = -quantity, list[tuple[int | None, int]]()
    for lot, units in lot_balances(session, sku, location_id):
        if lot_id in {None, lot} and left:
            parts.append((lot, -min(units, left)))
            left -= min(units, left)
    if left and lot_id is not None:
        raise ConflictError(f"There are not {-quantity} of {sku} of that lot.")
    return [*parts, (None, -left)] if left else parts


def _write_moves(
    session: Session,
    sku: str,
    location_id: int,
    parts: Sequence[tuple[int | None, int]],
    head: _Head,
) -> None:
    session.add_all(
        StockMove(
            sku=sku,
            location_id=location_id,
            quantity=units,
            reason=head.reason,
            reference=head.reference,
            actor=head.actor,
            at=head.at,
            lot_id=lot,
        )
        for lot, units in parts
    )
    session.flush()


def _release(session: Session, held_for: Sequence[ColumnElement[bool]], quantity: int) -> int:
    released = 0
    for held in _active(session, held_for):
        part = min(quantity - released, held.quantity)
        if part <= 0:
            break
        released += release_one(session, held, part)
    return released


def _consume(
    session: Session, held_for: Sequence[ColumnElement[bool]], quantity: int, head: _Head
) -> int:
    """Take what is held off the shelf; return how many units were not held."""
    for held in _active(session, held_for):
        part = min(quantity, held.quantity)
        if part <= 0:
            break
        _change_level(session, held.sku, held.location_id, on_hand=-part, reserved=-part)
        parts = _by_lot(session, held.sku, held.location_id, -part, None)
        _write_moves(session, held.sku, held.location_id, parts, head)
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


def _change_level(
    session: Session, sku: str, location_id: int, *, on_hand: int, reserved: int
) -> None:
    """Add to a level in one conditional statement, so that no two writers overdraw it."""
    new_on_hand, new_reserved = StockLevel.on_hand + on_hand, StockLevel.reserved + reserved
    insert_or_ignore(session, StockLevel, sku=sku, location_id=location_id, on_hand=0, reserved=0)
    result = session.execute(
        update(StockLevel)
        .where(StockLevel.sku == sku, StockLevel.location_id == location_id)
        .where(new_on_hand >= new_reserved, new_reserved >= 0)
        .values(on_hand=new_on_hand, reserved=new_reserved)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
        raise ConflictError(f"There is not enough free stock of {sku}.")
    level = session.identity_map.get(
        inspect(StockLevel).identity_key_from_primary_key((sku, location_id))
    )
    if level is not None:
        session.expire(level, ["on_hand", "reserved"])
