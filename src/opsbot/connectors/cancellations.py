"""Cancelled goods that do not say of which order: they are found by customer and item."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import MoveReason, StockLevel, StockMove
from opsbot.commerce.numbers import NumberKind, next_numbers
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.records import History
from opsbot.commerce.returns import Resolution, Return, ReturnLine, ReturnState
from opsbot.connectors.bulk import channel_for, insert_rows, shelf_for, take_ids
from opsbot.connectors.finished import Ground, move_row
from opsbot.connectors.links import LinkKind, SourceLink, links_of
from opsbot.connectors.tables import Row
from opsbot.connectors.writing import Deed, Outcome
from opsbot.db import Base

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
    sku: str
    order: "_Order"
    price_minor: int
    left: int


@dataclass(frozen=True)
class _Order:
    """What a return needs to know of its order."""

    id: int
    customer_id: int
    external_id: str | None
    total_minor: int
    placed_at: datetime


@dataclass(frozen=True)
class _Back:
    """Units of one order that one document brings back."""

    document: Cancellation
    link: str
    """What the return is known by."""
    order: _Order
    units: dict[int, int]
    """By the id of the order's line."""
    skus: dict[str, int]
    value_minor: int


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
    backs: list[_Back] = []
    for one in documents:
        if one.external_id in known:
            outcomes.append(Outcome(Deed.UNCHANGED))
            continue
        parts = list(_match(one, sold, refuse))
        backs.extend(parts)
        outcomes.append(Outcome(Deed.ADDED if parts else Deed.REFUSED))
    _write(session, ground, backs)
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
                OrderLine.unit_price_minor,
                OrderLine.delivered - OrderLine.returned,
                Order.id,
                Order.customer_id,
                Order.external_id,
                Order.total_minor,
                Order.placed_at,
            )
            .join(Order, Order.customer_id == Customer.id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(Customer.email.in_(emails[start : start + PIECE]), OrderLine.sku.in_(skus))
            .where(OrderLine.delivered > OrderLine.returned)
            .order_by(Order.placed_at.desc(), OrderLine.id.desc())
        )
        for email, sku, line_id, price, left, *order in found:
            sold[email, sku].append(_Sold(line_id, sku, _Order(*order), price, left))
    return sold


def _match(one: Cancellation, sold: _Shelf, refuse: Callable[[Row, str], None]) -> Iterator[_Back]:
    """Yield what comes back, by order; refuse the lines that fit none."""
    back: dict[_Order, list[tuple[_Sold, int]]] = defaultdict(list)
    for line in one.lines:
        bought = sold[line.email, line.sku]
        candidates = [s for s in bought if s.order.placed_at <= one.at and s.left]
        if sum(s.left for s in candidates) < line.units:
            refuse(line.row, _no_sale(line, sum(s.left for s in candidates)))
            continue
        for part, units in _choose(candidates, line):
            part.left -= units
            back[part.order].append((part, units))
    for number, (order, parts) in enumerate(back.items()):
        units_of: dict[int, int] = defaultdict(int)
        skus: dict[str, int] = defaultdict(int)
        for part, units in parts:
            units_of[part.line_id] += units
            skus[part.sku] += units
        # The first order's return is what the document is known by; the others are beside it.
        link = one.external_id if number == 0 else f"{one.external_id}:{order.external_id}"
        value = sum(part.price_minor * units for part, units in parts)
        yield _Back(one, link, order, dict(units_of), dict(skus), value)


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


def _write(session: Session, ground: Ground, backs: Sequence[_Back]) -> None:
    """Insert the returns of a batch, with the goods, the money and the history."""
    if not backs:
        return
    keys = take_ids(session, Return, len(backs))
    numbers = next_numbers(session, NumberKind.RETURN, len(backs))
    rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
    for key, number, back in zip(keys, numbers, backs, strict=True):
        _add_return(rows, ground, key, number, back)
    for table in (Return, ReturnLine, StockMove, Payment, History, SourceLink):
        insert_rows(session, table, rows[table])
    units = [{"line": line, "units": count} for back in backs for line, count in back.units.items()]
    lines: Any = OrderLine.__table__
    raised = lines.c.returned + bindparam("units")
    session.connection().execute(
        update(lines).where(lines.c.id == bindparam("line")).values(returned=raised), units
    )
    whole: Counter[str] = Counter()
    for back in backs:
        whole.update(back.skus)
    levels: Any = StockLevel.__table__
    here = (levels.c.sku == bindparam("item"), levels.c.location_id == ground.shelf_id)
    session.connection().execute(
        update(levels).where(*here).values(on_hand=levels.c.on_hand + bindparam("units")),
        [{"item": sku, "units": count} for sku, count in whole.items()],
    )


def _add_return(
    rows: dict[type[Base], list[dict[str, Any]]], ground: Ground, key: int, number: str, back: _Back
) -> None:
    at, refund = back.document.at, min(back.value_minor, back.order.total_minor)
    rows[Return].append(
        {
            "id": key,
            "number": number,
            "order_id": back.order.id,
            "customer_id": back.order.customer_id,
            "state": ReturnState.RESOLVED,
            "resolution": Resolution.REFUND,
            "policy_version": ground.actor,
            "decision": {"source": ground.source, "document": back.document.external_id},
            "refund_minor": refund,
            "deadline": None,
            "requested_at": at,
            "received_at": at,
            "resolved_at": at,
            "version": 1,
        }
    )
    for line, count in back.units.items():
        part = {"return_id": key, "order_line_id": line, "quantity": count}
        rows[ReturnLine].append(part | {"reason": None, "grade": None})
    for sku, count in back.skus.items():
        rows[StockMove].append(move_row(ground, sku, count, MoveReason.RETURN, number, at))
    if refund:
        rows[Payment].append(
            {
                "order_id": back.order.id,
                "kind": PaymentKind.REFUND,
                "amount_minor": refund,
                "method": "invoice",
                "gateway_ref": f"{PaymentKind.REFUND}:{back.document.external_id}",
                "at": at,
            }
        )
    rows[History].append(_history_row(ground, key, back))
    rows[SourceLink].append(
        {
            "source": ground.source,
            "kind": LinkKind.RETURN,
            "external_id": back.link,
            "record": str(key),
            "changed_at": at,
            "digest": "",
        }
    )


def _history_row(ground: Ground, key: int, back: _Back) -> dict[str, Any]:
    return {
        "subject": Return.__tablename__,
        "subject_id": str(key),
        "event": "return_imported",
        "detail": {"document": back.document.external_id},
        "actor": ground.actor,
        "at": ground.now,
    }
