"""The steps of a return: it is opened, the goods are taken in, and it is settled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.returns import (
    ENDED_EARLY,
    TRANSITIONS,
    Resolution,
    Return,
    ReturnLine,
    ReturnState,
    Units,
    returned_or_open,
)
from opsbot.commerce.settlements import Replacement, Settlement, settle_return
from opsbot.errors import ConflictError, InvalidInputError


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


def replace_units(
    session: Session,
    opened: Return,
    lines: Sequence[Units],
    *,
    refund_minor: int,
    actor: str,
    now: datetime,
) -> None:
    """Let other units come back than was agreed, before the goods are here.

    Needs the lines, and the order with its lines, loaded.

    Raises:
        InvalidInputError: there are no lines, or one is of another order.
        ConflictError: fewer units were delivered, or they are coming back otherwise; or the goods
            are here.
    """
    _lock_order(session, opened.order)
    _check_units(session, opened.order, lines, own=_held_by(opened))
    wanted = {units.order_line_id: units for units in lines}
    for line in opened.lines:
        units = wanted.pop(line.order_line_id, None)
        if units is None:
            session.delete(line)
        else:
            line.quantity, line.reason = units.quantity, units.reason
    session.add_all(ReturnLine(return_id=opened.id, **vars(units)) for units in wanted.values())
    allowed = [state for state in ReturnState if not _goods_are_in(state)]
    change_state(session, opened, opened.state, allowed=allowed, refund_minor=refund_minor)
    session.refresh(opened, ["lines"])
    record_event(session, opened, "return_changed", actor=actor, at=now)


def reopen_return(session: Session, opened: Return, *, actor: str, now: datetime) -> None:
    """Let a return go on that had ended without goods. Needs what `replace_units` needs.

    Only the system that handles a return may do so, for it has told the customer.

    Raises:
        ConflictError: it has not ended so, or its units are coming back otherwise.
    """
    _lock_order(session, opened.order)
    lines = [Units(line.order_line_id, line.quantity, line.reason) for line in opened.lines]
    _check_units(session, opened.order, lines)
    approved = ReturnState.APPROVED
    change_state(session, opened, approved, allowed=ENDED_EARLY, resolved_at=None)
    record_event(session, opened, "return_reopened", actor=actor, at=now)


def _held_by(opened: Return) -> Counter[int]:
    """Return the units that a return keeps others from asking for."""
    held: Counter[int] = Counter()
    if opened.state not in ENDED_EARLY:
        for line in opened.lines:
            held[line.order_line_id] += line.quantity
    return held


def _goods_are_in(state: ReturnState) -> bool:
    return state in {ReturnState.RECEIVED, ReturnState.INSPECTED, ReturnState.RESOLVED}


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


def _check_units(
    session: Session, order: Order, lines: Sequence[Units], *, own: Counter[int] | None = None
) -> None:
    """Refuse units that did not arrive, or that come back on another return than their `own`."""
    sold = {line.id: line for line in order.lines}
    gone = returned_or_open(session, sold) - (own or Counter())
    if not lines or any(units.quantity < 1 or units.order_line_id not in sold for units in lines):
        raise InvalidInputError(f"Say which units of order {order.number} come back.")
    for key in {units.order_line_id for units in lines}:
        asked = sum(units.quantity for units in lines if units.order_line_id == key)
        left = sold[key].delivered - gone[key]
        if asked > left:
            raise ConflictError(
                f"{asked} of {sold[key].title} cannot come back: {left} were delivered and are "
                f"not on a return yet."
            )
