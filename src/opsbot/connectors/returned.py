"""Goods that came back according to their source."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.records import change_state, record_event
from opsbot.commerce.return_steps import replace_units
from opsbot.commerce.returns import (
    ENDED_EARLY,
    Resolution,
    Return,
    ReturnLine,
    ReturnState,
    Units,
    returned_or_open,
)
from opsbot.connectors.finished import Ground
from opsbot.connectors.foreign import ForeignReturn, spread
from opsbot.connectors.links import LinkKind, keep_link, links_of
from opsbot.connectors.return_reports import link_return, linked_return, load_return
from opsbot.errors import ConflictError


def follow_returns(
    session: Session, ground: Ground, order: Order, returns: Sequence[ForeignReturn]
) -> None:
    """Write down the goods that came back to an order. Their money is in its payments.

    A return that its source told of before ends so; without one it is written down whole.

    Raises:
        ConflictError: more units came back than had arrived, or than are on returns here.
    """
    ids = [one.external_id for one in returns]
    known = links_of(session, ground.source, LinkKind.RETURN, ids) if ids else {}
    for one in returns:
        if one.external_id in known:
            continue
        session.refresh(order, ["lines"])
        opened = _asked_for(session, ground, order, one)
        if opened is None:
            lines = _lines_of(session, order, one)
            opened = write_return(
                session, ground, order, lines, at=one.at, refund_minor=one.refund_minor
            )
            if one.request_id:
                link_return(session, ground, one.request_id, opened, at=one.at)
        else:
            _finish(session, ground, opened, one)
        keep_link(
            session,
            ground.source,
            LinkKind.RETURN,
            one.external_id,
            record=opened.id,
            changed_at=one.at,
        )


def _asked_for(session: Session, ground: Ground, order: Order, one: ForeignReturn) -> Return | None:
    """Return the return that these goods belong to, unless it has ended with other ones."""
    if one.request_id:
        opened = linked_return(session, ground.source, one.request_id)
        return None if opened is None or opened.state is ReturnState.RESOLVED else opened
    under_way = select(Return.id).where(
        Return.order_id == order.id,
        Return.policy_version == ground.actor,
        Return.state.not_in({*ENDED_EARLY, ReturnState.RESOLVED}),
    )
    for key in session.scalars(under_way.order_by(Return.id)):
        opened = load_return(session, key)
        held: Counter[str] = Counter()
        for line in opened.lines:
            held[line.order_line.sku] += line.quantity
        if held == Counter(one.units):
            return opened
    return None


def _finish(session: Session, ground: Ground, opened: Return, one: ForeignReturn) -> None:
    """End a return by the goods that came back, unless they were taken in here."""
    came = opened.state not in {ReturnState.RECEIVED, ReturnState.INSPECTED}
    if came:
        lines = _lines_of(session, opened.order, one, opened)
        reasons = {line.order_line_id: line.reason for line in opened.lines}
        units = [Units(line.id, count, reasons.get(line.id)) for line, count in lines]
        replace_units(
            session,
            opened,
            units,
            refund_minor=one.refund_minor,
            actor=ground.actor,
            now=ground.now,
        )
        _take_in(session, ground, opened.number, lines, at=one.at)
    change_state(
        session,
        opened,
        ReturnState.RESOLVED,
        allowed=[state for state in ReturnState if state is not ReturnState.RESOLVED],
        refund_minor=one.refund_minor,
        received_at=one.at if came else opened.received_at,
        resolved_at=one.at,
    )
    record_event(session, opened, "return_resolved", actor=ground.actor, at=ground.now)


def _lines_of(
    session: Session, order: Order, one: ForeignReturn, own: Return | None = None
) -> list[tuple[OrderLine, int]]:
    """Share what came back out to the lines of the order that have room for it."""
    gone = returned_or_open(session, [line.id for line in order.lines])
    if own is not None and own.state not in ENDED_EARLY:
        for held in own.lines:
            gone[held.order_line_id] -= held.quantity
    room = [line.delivered - gone[line.id] for line in order.lines]
    units = spread([line.sku for line in order.lines], room, one.units)
    if sum(units) != sum(one.units.values()):
        message = f"More of order {order.number} came back than had arrived here"
        raise ConflictError(f"{message}, or it is on a return already.")
    return [(line, count) for line, count in zip(order.lines, units, strict=True) if count]


def write_return(
    session: Session,
    ground: Ground,
    order: Order,
    lines: Sequence[tuple[OrderLine, int]],
    *,
    at: datetime,
    refund_minor: int,
) -> Return:
    """Write down a return that is over: the goods are in, and the money is back.

    Args:
        session: an open transaction.
        ground: where it is from.
        order: whose goods they are.
        lines: lines of the order, with how many units of each came back.
        at: when.
        refund_minor: what the customer got; its payment is written elsewhere.
    """
    opened = Return(
        number=next_number(session, NumberKind.RETURN),
        order_id=order.id,
        customer_id=order.customer_id,
        state=ReturnState.RESOLVED,
        resolution=Resolution.REFUND,
        policy_version=ground.actor,
        decision={"source": ground.source},
        refund_minor=refund_minor,
        deadline=None,
        requested_at=at,
        received_at=at,
        resolved_at=at,
        lines=[ReturnLine(order_line_id=line.id, quantity=count) for line, count in lines],
    )
    session.add(opened)
    _take_in(session, ground, opened.number, lines, at=at)
    record_event(session, opened, "return_imported", actor=ground.actor, at=ground.now)
    return opened


def _take_in(
    session: Session,
    ground: Ground,
    reference: str,
    lines: Sequence[tuple[OrderLine, int]],
    *,
    at: datetime,
) -> None:
    for line, count in lines:
        line.returned += count
        inventory.move(
            session,
            line.sku,
            ground.shelf_id,
            count,
            reason=MoveReason.RETURN,
            reference=reference,
            actor=ground.actor,
            at=at,
        )
