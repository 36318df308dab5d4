"""When a quantity can be had: from stock and what is coming, else by making it; and the cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from opsbot.commerce import inventory, reservations
from opsbot.commerce.boms import work_costs
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import SupplierItem
from opsbot.metrics.lead_times import (
    SupplierPace,
    lead_days,
    pace_caveats,
    supplier_paces,
    usual_lateness,
)
from opsbot.metrics.stock import Incoming, incoming_stock
from opsbot.metrics.workshop import Workshop, making_shop, read_workshop, titles_of
from opsbot.planning.boms import rolled_cost
from opsbot.planning.making import Answer, Offer, Shop, Source, capable_to_promise, compare_sources
from opsbot.planning.promises import (
    PurchaseArrival,
    available_to_promise,
    countable_arrivals,
    in_buckets,
)

BUCKET_DAYS = 1
BUCKETS = 120


@dataclass(frozen=True)
class Possible:
    """When a quantity can be had, and by which way."""

    item: Item
    quantity: int
    from_stock_on: date | None
    """When stock and what is on its way cover it (ATP); None: not foreseeable."""
    making: Answer | None
    """What it takes to make what is not there (CTP); None: it is not made here."""
    to_make: int
    """Units that would have to be made."""
    offers: tuple[Offer, ...]
    """Making it, buying it, having it made, side by side."""
    caveats: tuple[str, ...] = ()
    """Of which suppliers too little is known."""

    @property
    def on(self) -> date | None:
        """The earliest day by any way of our own."""
        days = [day for day in (self.from_stock_on, self.making and self.making.on) if day]
        return min(days, default=None)


def possible(
    session: Session,
    item: Item,
    quantity: int,
    *,
    needed_on: date | None,
    now: datetime,
    zone: str,
) -> Possible:
    """Tell when a quantity of an item can be had.

    Raises:
        InvalidInputError: a routing or lead time is missing, or there is no room for two years.
    """
    workshop = read_workshop(session, now=now, zone=zone)
    today = workshop.today
    paces = supplier_paces(session, zone=zone)
    shop = making_shop(session, workshop, paces)
    free = max(0, inventory.available(session, item.sku) - _waiting(session, item.sku))
    to_make = max(1, quantity - free)
    made = item.sku in shop.boms and item.sku in shop.routings
    making = capable_to_promise(shop, item.sku, to_make, today=today) if made else None
    sellers = _sellers(session, item.sku)
    sources = _sources(session, item, shop, making, workshop, sellers, paces)
    offers = compare_sources(sources, to_make, today=today, needed_on=needed_on) if sources else []
    coming = incoming_stock(session, [item.sku], zone=zone)
    makers = {one.source for one in coming if one.number.startswith(NumberKind.PURCHASE_ORDER)}
    named = makers | {one.supplier.name for one in sellers}
    return Possible(
        item,
        quantity,
        _from_stock(coming, quantity, free, paces, today=today),
        making,
        to_make,
        tuple(offers),
        tuple(pace_caveats(paces, named)),
    )


def _from_stock(
    incoming: Sequence[Incoming],
    quantity: int,
    free: int,
    paces: dict[str, SupplierPace],
    *,
    today: date,
) -> date | None:
    """Return the first day on which stock and confirmed arrivals cover a quantity."""
    counted = [
        arrival
        for one in incoming
        for arrival in countable_arrivals(
            [PurchaseArrival(one.due_on, one.quantity, one.confirmed)],
            today=today,
            usual_lateness=usual_lateness(paces, one.source),
        )
    ]
    receipts = in_buckets(counted, first=today, buckets=BUCKETS, days=BUCKET_DAYS)
    promise = available_to_promise(free, receipts, [0] * BUCKETS)
    bucket = promise.earliest(quantity)
    return None if bucket is None else today + timedelta(days=bucket)


def _waiting(session: Session, sku: str) -> int:
    """Return units of confirmed orders that nothing is reserved for."""
    held = (
        select(func.coalesce(func.sum(reservations.Reservation.quantity), 0))
        .where(reservations.Reservation.order_line_id == OrderLine.id)
        .where(reservations.Reservation.state == reservations.ReservationState.ACTIVE)
        .correlate(OrderLine)
        .scalar_subquery()
    )
    wanted = OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped
    found = session.scalar(
        select(func.coalesce(func.sum(wanted - held), 0))
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.sku == sku, Order.state == OrderState.CONFIRMED, wanted > held)
    )
    return int(found or 0)


def _sellers(session: Session, sku: str) -> list[SupplierItem]:
    """Return who sells an item, with the suppliers."""
    query = select(SupplierItem).where(SupplierItem.sku == sku).order_by(SupplierItem.id)
    return list(session.scalars(query.options(joinedload(SupplierItem.supplier))))


def _sources(
    session: Session,
    item: Item,
    shop: Shop,
    making: Answer | None,
    workshop: Workshop,
    sellers: Sequence[SupplierItem],
    paces: dict[str, SupplierPace],
) -> list[Source]:
    """Return the ways to come by an item: the workshop, and each supplier of it."""
    sources = []
    if making is not None:
        cost = float(_cost_of_one(session, item.sku, shop, workshop))
        setup = sum(
            step.setup_minutes * workshop.centers[step.center].cost_minor_per_hour / 60
            for step in shop.routings[item.sku]
        )
        days = (making.on - workshop.today).days
        sources.append(Source("make here", cost, setup, days))
    for one in sellers:
        price = one.price_minor / one.price_per
        word = "have it made by" if item.manufactured else "buy from"
        name = f"{word} {one.supplier.name}"
        days = lead_days(paces, one.supplier.name, one.lead_days)
        sources.append(Source(name, price, 0, days, max(1, one.minimum)))
    return sources


def _cost_of_one(session: Session, sku: str, shop: Shop, workshop: Workshop) -> Decimal:
    """Return what one costs to make, in minor units: parts at cost, and work without set-up."""
    parts = {part.sku for lines in shop.boms.values() for part in lines}
    bought = {
        key: Decimal(one.cost_minor) / one.cost_per
        for key, one in titles_of(session, parts).items()
        if key not in shop.boms
    }
    work = work_costs(shop.routings, workshop.centers)
    return rolled_cost(shop.boms, sku, bought=bought, work=work)
