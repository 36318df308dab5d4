"""What each topic of each sender changes here. A topic that is not listed changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order
from opsbot.commerce.payments import PaymentKind, record_payment
from opsbot.commerce.shipments import Shipment, record_tracking_event
from opsbot.connectors import shopify_hooks, shopify_returns, woocommerce
from opsbot.connectors.bulk import channel_for, shelf_for
from opsbot.connectors.carriers import (
    Scan,
    Tracking,
    read_aftership,
    read_easypost,
    read_own,
    read_shippo,
    read_shopify_event,
)
from opsbot.connectors.finished import Ground
from opsbot.connectors.following import (
    cancel_units,
    load_order,
    remember_refund,
    send_parcels,
)
from opsbot.connectors.foreign import ForeignOrder, spread
from opsbot.connectors.inbox import InboxEvent
from opsbot.connectors.links import LinkKind, links_of
from opsbot.connectors.payloads import Json, need, need_moment, parse, text_of
from opsbot.connectors.products import store_shopify_product, store_woocommerce_product
from opsbot.connectors.return_reports import (
    begin_return,
    follow_report,
    linked_return,
    remember_lines,
)
from opsbot.connectors.returned import follow_returns
from opsbot.connectors.stock_reports import compare_stock
from opsbot.connectors.writing import Deed, store_orders
from opsbot.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class Work:
    """One event, with what its handler needs."""

    session: Session
    source: str
    data: Json
    currency: str
    """Of prices that come without one."""
    now: datetime
    topic: str
    at: datetime
    """When it happened, as far as its sender says."""


Topic = Callable[[Work], None]


def handle_event(
    session: Session, event: InboxEvent, *, currency: str, now: datetime
) -> str | None:
    """Do what an event asks for.

    Args:
        session: an open transaction.
        event: as it was kept.
        currency: of prices that come without one.
        now: the time.

    Returns:
        Why it means nothing here, or None.

    Raises:
        OpsbotError: it cannot be done now; the text says why.
    """
    topic = _TOPICS.get((event.source, event.topic))
    if topic is None:
        return f"Nothing here follows {event.topic or 'events without a topic'}."
    data, at = parse(event.body.encode()), event.happened_at or event.received_at
    topic(Work(session, event.source, data, currency, now, event.topic, at))
    return None


def _orders(read: Callable[[Json], ForeignOrder]) -> Topic:
    def store(work: Work) -> None:
        order = read(work.data)
        outcome = store_orders(work.session, work.source, [order], now=work.now, live=True)[0]
        if outcome.deed is Deed.REFUSED:
            raise ConflictError(f"Order {order.number}: {outcome.reason}")
        remember_lines(work.session, work.source, order)

    return store


def _ground(work: Work) -> Ground:
    session = work.session
    channel, shelf = channel_for(session, work.source), shelf_for(session)
    return Ground(work.source, channel, shelf, {}, work.now, live=True)


def _order_of(work: Work, external_id: str) -> Order:
    link = links_of(work.session, work.source, LinkKind.ORDER, [external_id]).get(external_id)
    if link is None:
        raise NotFoundError("the order of this event", external_id)
    return load_order(work.session, int(link.record))


def _fulfillment(work: Work) -> None:
    order = _order_of(work, need(work.data, "order_id"))
    status = text_of(work.data, "status")
    if status in {"cancelled", "error", "failure"}:
        key = need(work.data, "id")
        if key in links_of(work.session, work.source, LinkKind.PARCEL, [key]):
            message = f"A parcel of order {order.number} that is packed here was cancelled"
            raise ConflictError(f"{message} ({status}); a person must unpack it.")
        return
    parcel = shopify_hooks.read_parcel(work.data)
    send_parcels(work.session, _ground(work), order, [parcel], ready=False)


def _fulfillment_event(work: Work) -> None:
    key = need(work.data, "fulfillment_id")
    link = links_of(work.session, work.source, LinkKind.PARCEL, [key]).get(key)
    if link is None:
        raise NotFoundError("the parcel of this event", key)
    scan = read_shopify_event(work.data)
    found = select(Shipment).where(Shipment.id == int(link.record))
    if scan is not None:
        _report(work, work.session.scalars(found).one(), scan)


def _refund(work: Work) -> None:
    """Give back what the source gave back, unless the order's own update has told it."""
    key = need(work.data, "id")
    if key in links_of(work.session, work.source, LinkKind.REFUND, [key]):
        return
    ground, order = _ground(work), _order_of(work, need(work.data, "order_id"))
    at = need_moment(work.data, "created_at")
    amount = shopify_hooks.refunded_in(work.data, order.currency)
    if amount:
        record_payment(
            work.session,
            order,
            PaymentKind.REFUND,
            amount,
            method="unknown",
            reference=order.external_id or key,
            at=at,
        )
    remember_refund(work.session, ground, order, key)
    skus = [line.sku for line in order.lines]
    room = [line.wanted - line.shipped for line in order.lines]
    taken = shopify_hooks.cancelled_in(work.data)
    shares = zip(order.lines, spread(skus, room, taken), strict=True)
    units = {line.id: count for line, count in shares if count}
    if units:
        reason = "The shop took them out of the order."
        cancel_units(work.session, ground, order, units, reason, at)
    back = shopify_hooks.read_return(work.data, order.currency)
    follow_returns(work.session, ground, order, [back] if back else [])


def _return(work: Work) -> None:
    """Follow a return that is handled at its source."""
    key = shopify_returns.id_of_return(work.data)
    report = shopify_returns.read_report(work.topic, work.data, at=work.at)
    ground, opened = _ground(work), linked_return(work.session, work.source, key)
    if opened is not None:
        follow_report(work.session, ground, opened, report)
        return
    order = _order_of(work, shopify_returns.order_of_return(work.data) or "unknown")
    begin_return(work.session, ground, order, key, report)


def _tracking(read: Callable[[Json], Tracking]) -> Topic:
    def report(work: Work) -> None:
        tracking = read(work.data)
        found = select(Shipment).where(Shipment.tracking_number == tracking.tracking_number)
        shipment = work.session.scalar(found)
        if shipment is None:
            raise NotFoundError("a parcel with the tracking number", tracking.tracking_number)
        for scan in tracking.scans:
            _report(work, shipment, scan)

    return report


def _report(work: Work, shipment: Shipment, scan: Scan) -> None:
    record_tracking_event(
        work.session,
        shipment,
        status=scan.status,
        message=scan.message,
        place=scan.place,
        occurred_at=scan.at,
        received_at=work.now,
        needs=scan.needs,
    )


def _shopify_product(work: Work) -> None:
    store_shopify_product(work.session, work.data, currency=work.currency, now=work.now)


def _woocommerce_product(work: Work) -> None:
    store_woocommerce_product(work.session, work.data, currency=work.currency, now=work.now)


def _inventory(work: Work) -> None:
    compare_stock(work.session, work.source, work.data, now=work.now)


_SHOPIFY_ORDER = _orders(shopify_hooks.read_order)
_WOO_ORDER = _orders(woocommerce.read_order)
_TOPICS: Mapping[tuple[str, str], Topic] = {
    **{
        ("shopify", f"orders/{deed}"): _SHOPIFY_ORDER
        for deed in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")
    },
    ("shopify", "fulfillments/create"): _fulfillment,
    ("shopify", "fulfillments/update"): _fulfillment,
    ("shopify", "fulfillment_events/create"): _fulfillment_event,
    ("shopify", "refunds/create"): _refund,
    **{("shopify", topic): _return for topic in shopify_returns.TOPICS},
    ("shopify", "products/create"): _shopify_product,
    ("shopify", "products/update"): _shopify_product,
    ("shopify", "inventory_levels/update"): _inventory,
    ("woocommerce", "order.created"): _WOO_ORDER,
    ("woocommerce", "order.updated"): _WOO_ORDER,
    ("woocommerce", "product.created"): _woocommerce_product,
    ("woocommerce", "product.updated"): _woocommerce_product,
    ("easypost", "tracker.created"): _tracking(read_easypost),
    ("easypost", "tracker.updated"): _tracking(read_easypost),
    ("aftership", "tracking_update"): _tracking(read_aftership),
    ("shippo", "track_updated"): _tracking(read_shippo),
    ("own", "tracking.updated"): _tracking(read_own),
}
