"""Goods that come back."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Select, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.products import Item
from opsbot.commerce.records import Versioned
from opsbot.db import Base
from opsbot.errors import NotFoundError


class ReturnState(StrEnum):
    """requested → approved → in_transit → received → inspected → resolved; or an early end.

    Where the goods stay with the customer, approved → resolved.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    INSPECTED = "inspected"
    RESOLVED = "resolved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TRANSITIONS: Mapping[ReturnState, frozenset[ReturnState]] = {
    ReturnState.REQUESTED: frozenset(
        {ReturnState.APPROVED, ReturnState.DECLINED, ReturnState.CANCELLED}
    ),
    ReturnState.APPROVED: frozenset(
        {
            ReturnState.IN_TRANSIT,
            ReturnState.RECEIVED,
            ReturnState.CANCELLED,
            ReturnState.EXPIRED,
            ReturnState.RESOLVED,
        }
    ),
    ReturnState.IN_TRANSIT: frozenset({ReturnState.RECEIVED}),
    ReturnState.RECEIVED: frozenset({ReturnState.INSPECTED}),
    ReturnState.INSPECTED: frozenset({ReturnState.RESOLVED}),
    ReturnState.RESOLVED: frozenset(),
    ReturnState.DECLINED: frozenset(),
    ReturnState.CANCELLED: frozenset(),
    ReturnState.EXPIRED: frozenset(),
}
"""Where a return may go from each state."""

OPEN_STATES = (
    ReturnState.REQUESTED,
    ReturnState.APPROVED,
    ReturnState.IN_TRANSIT,
    ReturnState.RECEIVED,
    ReturnState.INSPECTED,
)
"""States in which something is still to happen."""

ENDED_EARLY = (ReturnState.DECLINED, ReturnState.CANCELLED, ReturnState.EXPIRED)
"""States in which nothing comes back."""


class ReturnKind(StrEnum):
    """On whose right something comes back."""

    RETURN = "return"
    """The shop's promise, or a fault."""
    WITHDRAWAL = "withdrawal"
    """The customer's right by law: nobody may decline it."""


class ReturnReason(StrEnum):
    """Why something comes back. What each costs, and whose fault it is, is policy."""

    CHANGED_MIND = "changed_mind"
    SIZE_OR_STYLE = "size_or_style"
    ARRIVED_LATE = "arrived_late"
    WRONG_ITEM = "wrong_item"
    DAMAGED_TRANSIT = "damaged_transit"
    MISSING_PARTS = "missing_parts"
    DEFECTIVE = "defective"
    NOT_AS_DESCRIBED = "not_as_described"


class Resolution(StrEnum):
    """What the customer gets."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    STORE_CREDIT = "store_credit"
    REPAIR = "repair"
    PART = "part"
    """The missing part is sent; the goods stay with the customer."""
    PRICE_REDUCTION = "price_reduction"
    """A part of the price; the goods stay with the customer."""


KEPT = frozenset({Resolution.PART, Resolution.PRICE_REDUCTION})
"""Resolutions in which nothing needs to be sent back."""
AGAIN = KEPT | {Resolution.REPAIR}
"""Resolutions after which the customer has the goods, so that they may come back again."""


class Return(Versioned, Base):
    """One return of lines of one order, with the decision it rests on."""

    __tablename__ = "returns"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`RMA-00009`."""
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[ReturnKind] = mapped_column(default=ReturnKind.RETURN)
    state: Mapped[ReturnState] = mapped_column(default=ReturnState.REQUESTED, index=True)
    resolution: Mapped[Resolution]
    policy_version: Mapped[str]
    decision: Mapped[dict[str, Any]]
    """The facts and clauses of the policy decision, as they were."""
    refund_minor: Mapped[int]
    """What the customer gets back when the goods are as described."""
    payment_method_id: Mapped[int | None] = mapped_column(
        ForeignKey("payment_methods.id"), default=None
    )
    """Where the refund goes, or what the difference of an exchange is charged to; None: the way
    the order was paid."""
    difference_minor: Mapped[int | None] = mapped_column(default=None)
    """Of an exchange for other items: what the customer pays more; negative: gets back."""
    deadline: Mapped[datetime | None]
    """Until when the goods must be sent."""
    note: Mapped[str | None] = mapped_column(default=None)
    """What the shop told the customer about its decision."""
    requested_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    lines: Mapped[list["ReturnLine"]] = relationship(lazy="raise")


class ReturnLine(Base):
    """Units of one order line that come back."""

    __tablename__ = "return_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    return_id: Mapped[int] = mapped_column(ForeignKey("returns.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[ReturnReason | None]
    """None: the system it came from does not say."""
    grade: Mapped[str | None]
    """A to D, from the inspection of the goods."""
    disposition: Mapped[str | None] = mapped_column(default=None)
    """What happens to the goods; see `opsbot.commerce.return_work.Disposition`."""
    replacement_sku: Mapped[str | None] = mapped_column(ForeignKey("items.sku"), default=None)
    """Of an exchange for another item: which one."""
    replacement_price_minor: Mapped[int | None] = mapped_column(default=None)
    """Its price for one unit when the exchange was agreed."""

    order_line: Mapped[OrderLine] = relationship(lazy="raise")
    replacement: Mapped[Item | None] = relationship(lazy="raise")


@dataclass(frozen=True)
class Units:
    """Units of one order line that are to come back."""

    order_line_id: int
    quantity: int
    reason: ReturnReason | None
    replacement_sku: str | None = None
    replacement_price_minor: int | None = None


@dataclass(frozen=True)
class Remedies:
    """How often a line was put right before."""

    repairs: int
    replacements: int


def returned_or_open(session: Session, lines: Collection[int]) -> Counter[int]:
    """Return how many units of each line came back, or are on an open return.

    What was repaired, and what stayed with the customer, is there to come back again.
    """
    found = session.execute(_gone(), {"lines": list(lines)})
    return Counter({line: int(units) for line, units in found})


@cache
def _gone() -> Select[int, int]:
    return (
        select(ReturnLine.order_line_id, func.sum(ReturnLine.quantity))
        .join(Return, Return.id == ReturnLine.return_id)
        .where(
            ReturnLine.order_line_id.in_(bindparam("lines", expanding=True)),
            Return.state.not_in(ENDED_EARLY),
            (Return.state != ReturnState.RESOLVED) | Return.resolution.not_in(AGAIN),
        )
        .group_by(ReturnLine.order_line_id)
    )


def tried_remedies(session: Session, lines: Collection[int]) -> dict[int, Remedies]:
    """Return how many returns of each line ended in a repair, and how many in another piece."""
    counted: Counter[tuple[int, Resolution]] = Counter()
    for line, resolution, count in session.execute(_ended_well(), {"lines": list(lines)}):
        counted[line, resolution] = count
    return {
        line: Remedies(counted[line, Resolution.REPAIR], counted[line, Resolution.EXCHANGE])
        for line, _ in counted
    }


@cache
def _ended_well() -> Select[int, Resolution, int]:
    return (
        select(ReturnLine.order_line_id, Return.resolution, func.count(Return.id.distinct()))
        .join(Return, Return.id == ReturnLine.return_id)
        .where(
            ReturnLine.order_line_id.in_(bindparam("lines", expanding=True)),
            Return.state == ReturnState.RESOLVED,
            Return.resolution.in_((Resolution.REPAIR, Resolution.EXCHANGE)),
        )
        .group_by(ReturnLine.order_line_id, Return.resolution)
    )


def find_return(session: Session, number: str, *, customer_id: int | None) -> Return:
    """Return one return with its lines and order.

    Args:
        session: an open session.
        number: such as `RMA-00009`, in any case.
        customer_id: whose it must be; None for staff.

    Raises:
        NotFoundError: there is no such return, or it belongs to someone else.
    """
    wanted = select(Return).where(Return.number == number.strip().upper())
    if customer_id is not None:
        wanted = wanted.where(Return.customer_id == customer_id)
    loaded = wanted.options(
        selectinload(Return.lines).joinedload(ReturnLine.order_line).joinedload(OrderLine.item),
        selectinload(Return.order).joinedload(Order.customer),
    )
    found = session.scalar(loaded)
    if found is None:
        raise NotFoundError("return", number.strip()[:40])
    return found


def returns_of(session: Session, order_id: int) -> list[Return]:
    """Return the returns of an order with their lines, oldest first."""
    return list(session.scalars(_of_order(), {"order": order_id}))


@cache  # putting it together takes as long as a small query
def _of_order() -> Select[Return]:
    found = select(Return).where(Return.order_id == bindparam("order"))
    return _with_goods(found.order_by(Return.id))


def open_returns(session: Session) -> list[Return]:
    """Return all returns that have not ended, with their lines and orders, oldest first."""
    found = select(Return).where(Return.state.in_(OPEN_STATES)).order_by(Return.id)
    return list(session.scalars(_with_goods(found)))


def latest_returns(session: Session, customer_id: int, *, limit: int) -> list[Return]:
    """Return a customer's latest returns with their lines and orders, newest first."""
    own = select(Return).where(Return.customer_id == customer_id).order_by(Return.id.desc())
    return list(session.scalars(_with_goods(own.limit(limit))))


def _with_goods(found: Select[Return]) -> Select[Return]:
    return found.options(
        selectinload(Return.lines).joinedload(ReturnLine.order_line), selectinload(Return.order)
    )


def returns_opened(session: Session, customers: Collection[int]) -> dict[int, list[datetime]]:
    """Return when the returns of each customer were asked for."""
    opened: dict[int, list[datetime]] = {}
    found = select(Return.customer_id, Return.requested_at)
    for customer, at in session.execute(found.where(Return.customer_id.in_(customers))):
        opened.setdefault(customer, []).append(at)
    return opened
