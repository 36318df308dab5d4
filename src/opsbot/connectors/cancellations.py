"""Cancelled goods that do not say of which order: they are found by customer and item."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.payments import PaymentKind, record_payment
from opsbot.connectors.bulk import channel_for, shelf_for
from opsbot.connectors.finished import Ground
from opsbot.connectors.links import LinkKind, SourceLink, links_of
from opsbot.connectors.returned import write_return
from opsbot.connectors.tables import Row
from opsbot.connectors.writing import Deed, Outcome

PIECE = 200
"""Customers whose orders are looked up at once."""


@dataclass(frozen=True)
class CancelledLine:
    """Units of one item that one customer gave back."""

    row: Row
    email: str
    sku: str
    units: int
    price_minor: int


@dataclass(frozen=True)
class Cancellation:
    """One document that cancels goods."""

    external_id: str
    at: datetime
    lines: tuple[CancelledLine, ...]


@dataclass
class _Sold:
    """A line of an order, with how many units of it may still come back."""

    line_id: int
    order_id: int
    price_minor: int
    placed_at: datetime
    left: int


_Shelf = dict[tuple[str, str], list[_Sold]]
"""What was sold, by the customer's e-mail address and the item; latest first."""


def store_cancellations(
    session: Session,
    source: str,
    documents: Sequence[Cancellation],
    refuse: Callable[[Row, str], None],
    *,
    now: datetime,
) -> list[Outcome]:
    """Write cancelled goods down as returns of the latest orders that still have them.

    Args:
        session: an open transaction; the orders are in it.
        source: where they are from.
        documents: in the order of time.
        refuse: told each line that fits no order, and why.
        now: the time.

    Returns:
        What became of each document; the reasons of a refused one are those of its lines.
    """
    if not documents:
        return []
    known = links_of(session, source, LinkKind.RETURN, [one.external_id for one in documents])
    fresh = [one for one in documents if one.external_id not in known]
    sold = _find_sold(session, [line for one in fresh for line in one.lines])
    ground = Ground(source, channel_for(session, source), shelf_for(session), {}, now)
    outcomes = []
    for one in documents:
        if one.external_id in known:
            outcomes.append(Outcome(Deed.UNCHANGED))
        else:
            written = _write(session, ground, one, sold, refuse)
            outcomes.append(Outcome(Deed.ADDED if written else Deed.REFUSED))
    return outcomes


def _find_sold(session: Session, lines: Sequence[CancelledLine]) -> _Shelf:
    emails = sorted({line.email for line in lines})
    skus = sorted({line.sku for line in lines})
    sold: _Shelf = defaultdict(list)
    for start in range(0, len(emails), PIECE):
        found = session.execute(
            select(
                Customer.email,
                OrderLine.sku,
                OrderLine.id,
                Order.id,
                OrderLine.unit_price_minor,
                Order.placed_at,
                OrderLine.delivered - OrderLine.returned,
            )
            .join(Order, Order.customer_id == Customer.id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(Customer.email.in_(emails[start : start + PIECE]), OrderLine.sku.in_(skus))
            .where(OrderLine.delivered > OrderLine.returned)
            .order_by(Order.placed_at.desc(), OrderLine.id.desc())
        )
        for email, sku, line_id, order_id, price, placed_at, left in found:
            sold[email, sku].append(_Sold(line_id, order_id, price, placed_at, left))
    return sold


def _write(
    session: Session,
    ground: Ground,
    one: Cancellation,
    sold: _Shelf,
    refuse: Callable[[Row, str], None],
) -> bool:
    back: dict[int, list[tuple[_Sold, int]]] = defaultdict(list)
    for line in one.lines:
        candidates = [s for s in sold[line.email, line.sku] if s.placed_at <= one.at and s.left]
        if sum(s.left for s in candidates) < line.units:
            refuse(line.row, _no_sale(line, sum(s.left for s in candidates)))
            continue
        for part, units in _choose(candidates, line):
            part.left -= units
            back[part.order_id].append((part, units))
    for number, parts in enumerate(back.values()):
        _write_one(session, ground, one, parts, number)
    return bool(back)


def _no_sale(line: CancelledLine, left: int) -> str:
    customer = line.email.partition("@")[0]
    if not left:
        return f"Customer {customer} bought no {line.sku} before it that could come back."
    return f"Customer {customer} has {left} of {line.sku} that could come back, not {line.units}."


def _choose(candidates: list[_Sold], line: CancelledLine) -> Iterator[tuple[_Sold, int]]:
    """Take the latest line of this price that has enough, else the latest with enough, else all."""
    enough = [s for s in candidates if s.left >= line.units]
    same = [s for s in enough if s.price_minor == line.price_minor]
    if same or enough:
        yield (same or enough)[0], line.units
        return
    left = line.units
    for one in candidates:
        units = min(left, one.left)
        if units:
            yield one, units
        left -= units


def _write_one(
    session: Session, ground: Ground, one: Cancellation, parts: list[tuple[_Sold, int]], number: int
) -> None:
    units: dict[int, int] = defaultdict(int)
    for sold, count in parts:
        units[sold.line_id] += count
    order = session.get_one(Order, parts[0][0].order_id)
    found = session.scalars(select(OrderLine).where(OrderLine.id.in_(list(units)))).all()
    value = sum(line.unit_price_minor * units[line.id] for line in found)
    refund = min(value, order.total_minor)
    opened = write_return(
        session,
        ground,
        order,
        [(line, units[line.id]) for line in found],
        at=one.at,
        refund_minor=refund,
    )
    if refund:
        record_payment(
            session,
            order,
            PaymentKind.REFUND,
            refund,
            method="invoice",
            reference=one.external_id,
            at=one.at,
        )
    session.flush()
    # The first order's return is what the document is known by; the others are beside it.
    key = one.external_id if number == 0 else f"{one.external_id}:{order.external_id}"
    session.add(
        SourceLink(
            source=ground.source,
            kind=LinkKind.RETURN,
            external_id=key,
            record=str(opened.id),
            changed_at=one.at,
            digest="",
        )
    )
