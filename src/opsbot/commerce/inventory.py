"""Where things are: an append-only ledger of moves, and the levels that follow from it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
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


@dataclass(frozen=True)
class MoveHead:
    """What the lines of one move share; see `move`."""

    reason: MoveReason
    reference: str
    actor: str
    at: datetime


def available(session: Session, sku: str) -> int:
    """Return how many units of an item can be promised to customers now."""
    return available_of(session, [sku])[sku]


def available_of(session: Session, skus: Collection[str]) -> Counter[str]:
    """Return how many units of each item can be promised now; 0 for one that is nowhere."""
    found = (
        select(StockLevel.sku, func.sum(StockLevel.on_hand - StockLevel.reserved))
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.sku.in_(skus), Location.sellable)
        .group_by(StockLevel.sku)
    )
    return Counter({sku: int(units) for sku, units in session.execute(found)})


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
    change_level(session, sku, location_id, on_hand=quantity, reserved=0)
    head = MoveHead(reason, reference, actor, at)
    write_moves(session, sku, location_id, quantity, head, lot_id=lot_id)


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
    change_level(session, sku, from_id, on_hand=-quantity, reserved=0)
    change_level(session, sku, to_id, on_hand=quantity, reserved=0)
    parts = _by_lot(session, sku, from_id, -quantity, lot_id)
    head = MoveHead(MoveReason.TRANSFER, reference, actor, at)
    _write_parts(session, sku, from_id, parts, head)
    _write_parts(session, sku, to_id, [(lot, -units) for lot, units in parts], head)


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


def write_moves(
    session: Session,
    sku: str,
    location_id: int,
    quantity: int,
    head: MoveHead,
    *,
    lot_id: int | None = None,
) -> None:
    """Write the lines of the ledger for a level that was changed before, lot by lot."""
    _write_parts(
        session, sku, location_id, _by_lot(session, sku, location_id, quantity, lot_id), head
    )


def change_level(
    session: Session, sku: str, location_id: int, *, on_hand: int, reserved: int
) -> None:
    """Add to a level in one conditional statement, so that no two writers overdraw it.

    Whoever changes what is on hand writes the moves with it, in the same transaction.

    Raises:
        ConflictError: so much is not there, or it is reserved.
    """
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


def _write_parts(
    session: Session,
    sku: str,
    location_id: int,
    parts: Sequence[tuple[int | None, int]],
    head: MoveHead,
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
