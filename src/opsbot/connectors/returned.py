"""Goods that came back according to their source."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.records import record_event
from opsbot.commerce.returns import Resolution, Return, ReturnLine, ReturnState, returned_or_open
from opsbot.connectors.finished import Ground
from opsbot.connectors.foreign import ForeignReturn, spread
from opsbot.connectors.links import LinkKind, keep_link, links_of
from opsbot.errors import ConflictError


def follow_returns(
    session: Session, ground: Ground, order: Order, returns: Sequence[ForeignReturn]
) -> None:
    """Write down the returns of an order that we do not have. Their money is in its payments.

    Raises:
        ConflictError: more units came back than had arrived, or than are on returns here.
    """
    ids = [one.external_id for one in returns]
    known = links_of(session, ground.source, LinkKind.RETURN, ids) if ids else {}
    for one in returns:
        if one.external_id in known:
            continue
        session.refresh(order, ["lines"])
        room = [line.delivered - returned_or_open(session, line.id) for line in order.lines]
        units = spread([line.sku for line in order.lines], room, one.units)
        if sum(units) != sum(one.units.values()):
            message = f"More of order {order.number} came back than had arrived here"
            raise ConflictError(f"{message}, or it is on a return already.")
        lines = [(line, count) for line, count in zip(order.lines, units, strict=True) if count]
        opened = write_return(
            session, ground, order, lines, at=one.at, refund_minor=one.refund_minor
        )
        keep_link(
            session,
            ground.source,
            LinkKind.RETURN,
            one.external_id,
            record=opened.id,
            changed_at=one.at,
        )


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
    for line, count in lines:
        line.returned += count
        inventory.move(
            session,
            line.sku,
            ground.shelf_id,
            count,
            reason=MoveReason.RETURN,
            reference=opened.number,
            actor=ground.actor,
            at=at,
        )
    record_event(session, opened, "return_imported", actor=ground.actor, at=ground.now)
    return opened
