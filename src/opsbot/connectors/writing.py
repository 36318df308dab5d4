"""Orders of a source into our records: the new ones at once, the known ones step by step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opsbot.commerce.numbers import NumberKind, skip_numbers
from opsbot.commerce.orders import Order
from opsbot.commerce.shipments import Shipment
from opsbot.connectors.bulk import add_customers, add_items, channel_for, known_of, shelf_for
from opsbot.connectors.finished import Ground, has_just_left, is_finished, write_finished
from opsbot.connectors.following import create_order, follow_order, load_order
from opsbot.connectors.foreign import ForeignOrder, check_order
from opsbot.connectors.links import LinkKind, SourceLink, links_of
from opsbot.errors import OpsbotError

_LONGEST_NUMBER = 9
"""Digits of an order's number that our own numbers are counted on from."""
CLASH = "It clashes with another record here: the same parcel, or the same number."


class Deed(StrEnum):
    """What became of a record of a source."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OLDER = "older"
    """We know a newer state of it."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one record, and why."""

    deed: Deed
    reason: str = ""


def store_orders(
    session: Session,
    source: str,
    orders: Sequence[ForeignOrder],
    *,
    now: datetime,
    on_sale: bool = False,
    live: bool = False,
) -> list[Outcome]:
    """Write orders of one source down. An order is written whole, or refused with a reason.

    Args:
        session: an open transaction.
        source: where they are from, such as `shopify`.
        orders: each with an id of its own.
        now: the time.
        on_sale: whether items that nobody has described here are on sale.
        live: whether they are told as they happen; else what left is history.

    Returns:
        What became of each, in order.
    """
    outcomes: dict[str, Outcome] = {}
    fitting = [order for order in orders if _fits(order, outcomes)]
    links = links_of(session, source, LinkKind.ORDER, [order.external_id for order in fitting])
    new = [order for order in fitting if order.external_id not in links]
    new = _with_free_numbers(session, new, outcomes)
    if new:
        _write_new(session, source, new, outcomes, now=now, on_sale=on_sale, live=live)
    for order in fitting:
        if (link := links.get(order.external_id)) is not None:
            outcomes[order.external_id] = _write_known(
                session, source, order, link, now=now, live=live
            )
    return [outcomes[order.external_id] for order in orders]


def _fits(order: ForeignOrder, outcomes: dict[str, Outcome]) -> bool:
    try:
        check_order(order)
    except OpsbotError as error:
        outcomes[order.external_id] = Outcome(Deed.REFUSED, str(error))
        return False
    return True


def _with_free_numbers(
    session: Session, orders: Sequence[ForeignOrder], outcomes: dict[str, Outcome]
) -> list[ForeignOrder]:
    """Refuse orders whose number, or whose parcel's, belongs to another order here."""
    taken = known_of(session, Order.number, [order.number for order in orders])
    numbers = [p.tracking_number for order in orders for p in order.parcels if p.tracking_number]
    parcels = known_of(session, Shipment.tracking_number, numbers)
    seen: Counter[str] = Counter(numbers)
    free = []
    for order in orders:
        own = {parcel.tracking_number for parcel in order.parcels if parcel.tracking_number}
        twice = own & parcels or {number for number in own if seen[number] > 1}
        if order.number in taken:
            reason = f"Another order here has the number {order.number}."
        elif twice:
            reason = f"Another order has a parcel with the tracking number {min(twice)}."
        else:
            taken.add(order.number)
            free.append(order)
            continue
        outcomes[order.external_id] = Outcome(Deed.REFUSED, reason)
    return free


def _write_new(
    session: Session,
    source: str,
    orders: Sequence[ForeignOrder],
    outcomes: dict[str, Outcome],
    *,
    now: datetime,
    on_sale: bool,
    live: bool,
) -> None:
    add_items(session, source, orders, on_sale=on_sale, now=now)
    ground = _ground(session, source, orders, now=now, live=live)
    finished = [order for order in orders if is_finished(order) and not _is_news(ground, order)]
    write_finished(session, ground, finished)
    outcomes.update({order.external_id: Outcome(Deed.ADDED) for order in finished})
    for order in orders:
        if order.external_id not in outcomes:
            outcomes[order.external_id] = _attempt(session, ground, order)
    highest = max(int(order.number.lstrip("#")) for order in orders)
    if len(str(highest)) <= _LONGEST_NUMBER:
        skip_numbers(session, NumberKind.ORDER, highest)


def _is_news(ground: Ground, order: ForeignOrder) -> bool:
    return ground.live and any(has_just_left(parcel, ground.now) for parcel in order.parcels)


def _ground(
    session: Session, source: str, orders: Sequence[ForeignOrder], *, now: datetime, live: bool
) -> Ground:
    people = {order.customer.address(source): order.customer for order in orders}
    since: dict[str, datetime] = {}
    for order in orders:
        email = order.customer.address(source)
        since[email] = min(order.placed_at, since.get(email, order.placed_at))
    ids = add_customers(session, source, people, since) if people else {}
    return Ground(source, channel_for(session, source), shelf_for(session), ids, now, live)


def _attempt(session: Session, ground: Ground, order: ForeignOrder) -> Outcome:
    try:
        with session.begin_nested():
            create_order(session, ground, order)
    except OpsbotError as error:
        return Outcome(Deed.REFUSED, str(error))
    except IntegrityError:
        return Outcome(Deed.REFUSED, CLASH)
    return Outcome(Deed.ADDED)


def _write_known(
    session: Session,
    source: str,
    order: ForeignOrder,
    link: SourceLink,
    *,
    now: datetime,
    live: bool,
) -> Outcome:
    if order.changed_at < link.changed_at:
        return Outcome(Deed.OLDER)
    digest = order.digest
    if digest == link.digest:
        return Outcome(Deed.UNCHANGED)
    ground = _ground(session, source, (), now=now, live=live)
    try:
        with session.begin_nested():
            follow_order(session, ground, load_order(session, int(link.record)), order)
            link.changed_at, link.digest = order.changed_at, digest
    except OpsbotError as error:
        return Outcome(Deed.REFUSED, str(error))
    except IntegrityError:
        return Outcome(Deed.REFUSED, CLASH)
    return Outcome(Deed.CHANGED)
