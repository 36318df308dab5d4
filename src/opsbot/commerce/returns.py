"""Goods that come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Select, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from opsbot.commerce import inventory
from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.products import Item
from opsbot.commerce.records import Versioned, change_state, record_event
from opsbot.commerce.settlements import Replacement, Settlement, settle_return
from opsbot.db import Base
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError


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
    state: Mapped[ReturnState] = mapped_column(default=ReturnState.REQUESTED)
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
    reason: ReturnReason
    replacement_sku: str | None = None
    replacement_price_minor: int | None = None


def returned_or_open(session: Session, order_line_id: int) -> int:
    """Return how many units of a line came back, or are on an open return.

    What was repaired, and what stayed with the customer, is there to come back again.
    """
    return (
        session.scalar(
            select(func.coalesce(func.sum(ReturnLine.quantity), 0))
            .join(Return, Return.id == ReturnLine.return_id)
            .where(
                ReturnLine.order_line_id == order_line_id,
                Return.state.not_in(ENDED_EARLY),
                (Return.state != ReturnState.RESOLVED) | Return.resolution.not_in(AGAIN),
            )
        )
        or 0
    )


def tried_remedies(session: Session, order_line_id: int) -> tuple[int, int]:
    """Return how many returns of a line ended in a repair, and how many in another piece."""
    counted = dict.fromkeys((Resolution.REPAIR, Resolution.EXCHANGE), 0)
    found = (
        select(Return.resolution, func.count(Return.id.distinct()))
        .join(ReturnLine, ReturnLine.return_id == Return.id)
        .where(
            ReturnLine.order_line_id == order_line_id,
            Return.state == ReturnState.RESOLVED,
            Return.resolution.in_(counted),
        )
        .group_by(Return.resolution)
    )
    for resolution, count in session.execute(found):
        counted[resolution] = count
    return counted[Resolution.REPAIR], counted[Resolution.EXCHANGE]


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
    found = select(Return).where(Return.order_id == order_id).order_by(Return.id)
    return list(session.scalars(_with_goods(found)))


def open_returns(session: Session) -> list[Return]:
    """Return all returns that have not ended, with their lines and orders, oldest first."""
    ended = (*ENDED_EARLY, ReturnState.RESOLVED)
    found = select(Return).where(Return.state.not_in(ended)).order_by(Return.id)
    return list(session.scalars(_with_goods(found)))


def latest_returns(session: Session, customer_id: int, *, limit: int) -> list[Return]:
    """Return a customer's latest returns with their lines and orders, newest first."""
    own = select(Return).where(Return.customer_id == customer_id).order_by(Return.id.desc())
    return list(session.scalars(_with_goods(own.limit(limit))))


def _with_goods(found: Select[Return]) -> Select[Return]:
    return found.options(
        selectinload(Return.lines).joinedload(ReturnLine.order_line), selectinload(Return.order)
    )


def count_returns(session: Session, customer_id: int, *, since: datetime) -> int:
    """Return how many returns a customer has opened since then."""
    counted = select(func.count()).select_from(Return)
    opened = counted.where(Return.customer_id == customer_id, Return.requested_at >= since)
    return session.scalar(opened) or 0


def open_return(
    session: Session,
    order: Order,
    lines: Sequence[Units],
    *,
    state: ReturnState,
    resolution: Resolution,
    refund_minor: int,
    policy_version: str,
    decision: Mapping[str, Any],
    deadline: datetime | None,
    actor: str,
    now: datetime,
    method: PaymentMethod | None = None,
    difference_minor: int | None = None,
) -> Return:
    """Record that delivered units come back, with the policy decision it rests on.

    Args:
        session: an open transaction.
        order: the order, with its lines loaded.
        lines: which units, and why; at least one.
        state: `requested` when a person must look at it, else `approved`.
        resolution: what the customer gets.
        refund_minor: what the customer gets back when the goods are as described.
        policy_version: version of the policies that were applied.
        decision: the facts and clauses, kept as they were.
        deadline: until when the goods must be sent.
        actor: who asks.
        now: the time.
        method: of the same customer: where the refund goes, or what the difference of an exchange
            is charged to. None: the way the order was paid.
        difference_minor: of an exchange for other items, what the customer pays more.

    Raises:
        InvalidInputError: there are no lines, or one is of another order.
        ConflictError: fewer units were delivered, or they are coming back already.
    """
    _lock_order(session, order)
    _check_units(session, order, lines)
    if method is not None and method.customer_id != order.customer_id:
        raise ConflictError("That payment method cannot be used for this order.")
    opened = Return(
        number=next_number(session, NumberKind.RETURN),
        order_id=order.id,
        customer_id=order.customer_id,
        state=state,
        resolution=resolution,
        policy_version=policy_version,
        decision=dict(decision),
        refund_minor=refund_minor,
        payment_method_id=method.id if method else None,
        difference_minor=difference_minor,
        deadline=deadline,
        requested_at=now,
        lines=[ReturnLine(**vars(units)) for units in lines],
    )
    session.add(opened)
    session.flush()
    record_event(session, opened, "return_opened", actor=actor, at=now, state=state)
    return opened


def receive_return(
    session: Session, opened: Return, *, location_id: int, actor: str, now: datetime
) -> None:
    """Take the goods of a return in: at a location, and on the lines of the order.

    Needs the lines with their order lines, and the order, loaded.

    Raises:
        ConflictError: the return is not on its way.
    """
    allowed = [state for state, targets in TRANSITIONS.items() if ReturnState.RECEIVED in targets]
    change_state(session, opened, ReturnState.RECEIVED, allowed=allowed, received_at=now)
    for line in opened.lines:
        line.order_line.returned += line.quantity
        inventory.move(
            session,
            line.order_line.sku,
            location_id,
            line.quantity,
            reason=MoveReason.RETURN,
            reference=opened.number,
            actor=actor,
            at=now,
        )
    record_event(session, opened, "return_received", actor=actor, at=now)


def resolve_return(
    session: Session, opened: Return, *, grades: Mapping[int, str], actor: str, now: datetime
) -> None:
    """Write down how the goods look, give the customer what was promised, and end the return.

    Args:
        session: an open transaction.
        opened: a received return, with lines and order loaded.
        grades: A to D by the id of the return's line.
        actor: who looked.
        now: the time.

    Raises:
        ConflictError: the return has not been received, or the refund is more than was paid.
    """
    change_state(session, opened, ReturnState.INSPECTED, allowed=[ReturnState.RECEIVED])
    for line in opened.lines:
        line.grade = grades[line.id]
    change_state(
        session, opened, ReturnState.RESOLVED, allowed=[ReturnState.INSPECTED], resolved_at=now
    )
    settle_return(session, settlement_of(opened), actor=actor, now=now)
    record_event(session, opened, "return_resolved", actor=actor, at=now)


def settlement_of(opened: Return) -> Settlement:
    """Return what was agreed about a return. Needs its lines, order lines and order loaded."""
    return Settlement(
        number=opened.number,
        order=opened.order,
        resolution=opened.resolution.value,
        refund_minor=opened.refund_minor,
        payment_method_id=opened.payment_method_id,
        replacements=[
            Replacement(
                line.order_line,
                line.quantity,
                line.replacement_sku,
                line.replacement_price_minor or 0,
            )
            for line in opened.lines
            if line.replacement_sku is not None
        ],
    )


def _lock_order(session: Session, order: Order) -> None:
    """Let two returns of one order wait for each other (SQLite has one writer anyway)."""
    session.execute(select(Order.id).where(Order.id == order.id).with_for_update()).one()


def _check_units(session: Session, order: Order, lines: Sequence[Units]) -> None:
    own = {line.id: line for line in order.lines}
    if not lines or any(units.quantity < 1 or units.order_line_id not in own for units in lines):
        raise InvalidInputError(f"Say which units of order {order.number} come back.")
    for key in {units.order_line_id for units in lines}:
        asked = sum(units.quantity for units in lines if units.order_line_id == key)
        left = own[key].delivered - returned_or_open(session, key)
        if asked > left:
            raise ConflictError(
                f"{asked} of {own[key].title} cannot come back: {left} were delivered and are "
                f"not on a return yet."
            )
