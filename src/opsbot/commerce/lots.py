"""Lots: what came or was made together, and whether it may be used."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.inventory import StockMove
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.records import Edges, Versioned
from opsbot.db import Base
from opsbot.errors import NotFoundError


class LotState(StrEnum):
    """Whether a lot may be used. Only released lots lie where goods are sold or used from."""

    RELEASED = "released"
    QUARANTINE = "quarantine"
    BLOCKED = "blocked"
    RECALLED = "recalled"


LOT_EDGES: Edges[LotState] = {
    LotState.RELEASED: frozenset({LotState.BLOCKED, LotState.QUARANTINE, LotState.RECALLED}),
    LotState.QUARANTINE: frozenset({LotState.RELEASED, LotState.BLOCKED, LotState.RECALLED}),
    LotState.BLOCKED: frozenset({LotState.RELEASED, LotState.RECALLED}),
    LotState.RECALLED: frozenset(),
}
"""A recall is final."""


class Lot(Versioned, Base):
    """Units of one item that came, or were made, together."""

    __tablename__ = "lots"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`LOT-00231`."""
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    state: Mapped[LotState] = mapped_column(default=LotState.RELEASED)
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("suppliers.id"))
    supplier_lot: Mapped[str | None]
    """The supplier's own number."""
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id"), index=True)
    reference: Mapped[str]
    """The document it came with: `PO-00042`, `WO-00017`, `opening`."""
    made_at: Mapped[datetime]
    """When it came in."""
    expires_on: Mapped[date | None]
    reason: Mapped[str | None]
    """Why it is not released."""


def find_lot(session: Session, number: str) -> Lot:
    """Return a lot by its number; `231`, `L-0231` and `LOT-00231` are the same.

    Raises:
        NotFoundError: there is none.
    """
    digits = "".join(c for c in number if c.isdigit())
    written = f"LOT-{int(digits or 0):05}"
    lot = session.scalar(select(Lot).where(Lot.number == written))
    if lot is None:
        raise NotFoundError("a lot numbered", number.strip()[:40])
    return lot


def make_lot(session: Session, sku: str, *, reference: str, at: datetime, **values: object) -> Lot:
    """Add a lot of its own number; `values` are further columns."""
    number = next_number(session, NumberKind.LOT)
    lot = Lot(number=number, sku=sku, reference=reference, made_at=at, **values)
    session.add(lot)
    session.flush()
    return lot


def lot_places(session: Session, lot_id: int) -> dict[int, int]:
    """Return the units of a lot that are there, by location; places without any are left out."""
    units = func.sum(StockMove.quantity)
    rows = session.execute(
        select(StockMove.location_id, units)
        .where(StockMove.lot_id == lot_id)
        .group_by(StockMove.location_id)
        .having(units > 0)
    )
    return {place: int(count) for place, count in rows}
