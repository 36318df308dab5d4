"""What people decide here about orders of another system, told to that system.

Each line of history that a confirmed change writes about such an order, or about a return of one,
becomes an effect of the port `shop`. What the system itself told us is never told back to it: that
comes by the connectors, not by a confirmed change.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from opsbot.commerce.effects import request_effect
from opsbot.commerce.orders import Order
from opsbot.commerce.records import History
from opsbot.commerce.returns import Return, ReturnLine
from opsbot.toolkit.running import Place

SHOP = "shop"
"""The port; nothing is told unless the operator names it."""
_OURS = "opsbot"
"""The source of orders that were placed here."""


def newest_line(session: Session) -> int:
    """Return the number of the last line of history so far."""
    return session.scalar(select(func.max(History.id))) or 0


def tell_source(session: Session, place: Place, *, since: int) -> None:
    """Ask for what was just done here to be done at the source of its order, too.

    Args:
        session: the open transaction of the change.
        place: who made it, and when.
        since: `newest_line` before it.
    """
    session.flush()
    # Others may have committed lines of their own meanwhile.
    own = (History.actor == place.caller.actor, History.at == place.now)
    subjects = History.subject.in_((Order.__tablename__, Return.__tablename__))
    lines = select(History).where(History.id > since, subjects, *own).order_by(History.id)
    for line in session.scalars(lines).all():
        about = _about(session, line)
        if about is not None:
            request_effect(
                session,
                port=SHOP,
                operation=line.event,
                payload=about | {"detail": line.detail},
                key=f"{SHOP}:{line.id}",
                now=place.now,
            )


def _about(session: Session, line: History) -> dict[str, Any] | None:
    """Return what the source must know to find the record; None: it is ours alone."""
    opened = None
    if line.subject == Return.__tablename__:
        goods = selectinload(Return.lines).joinedload(ReturnLine.order_line)
        opened = session.get_one(Return, int(line.subject_id), options=[goods])
    key = opened.order_id if opened is not None else int(line.subject_id)
    order = session.get_one(Order, key)
    if order.source == _OURS:
        return None
    about = {"source": order.source, "order_id": order.external_id, "order": order.number}
    if opened is None:
        return about
    lines = [{"sku": one.order_line.sku, "quantity": one.quantity} for one in opened.lines]
    state = {"state": opened.state, "resolution": opened.resolution}
    return about | {"return": opened.number, "lines": lines, **state}
