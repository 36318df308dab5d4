"""Orders, with their payments, reservations, parcels and history."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.demo.parcels import Fate, Journey, send_parcel
from opsbot.demo.rates import rate_to, tax_in
from opsbot.demo.world import STORE, WAREHOUSE, Person, World, workday_after

WEB, OWN_STORE, MARKETPLACE, PARTNER = 1, 2, 3, 4
"""Ids of the sales channels."""


@dataclass(frozen=True)
class Wish:
    """One line of an order to be."""

    sku: str
    quantity: int
    personalization: str | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that is decided about an order before it is written down."""

    number: str
    person: Person
    wishes: list[Wish]
    placed_at: datetime
    packed_at: datetime | None
    """None: it is not packed by today."""
    arrives_at: datetime
    channel: int = WEB
    method: str = "card"
    fate: Fate = Fate.NORMAL
    cancelled_at: datetime | None = None
    hold_reason: str | None = None
    discount_pct: int = 0
    unpaid: bool = False
    """The bank transfer has not come."""
    set_aside: bool = False
    """The stock was taken off what is free beforehand."""
    carrier: str | None = None


@dataclass
class Sale:
    """An order that was written down, as later parts need it."""

    id: int
    number: str
    person: Person
    channel: int
    placed_at: datetime
    delivered_at: datetime | None
    captured_minor: int
    promised_by: datetime
    fate: Fate
    shipped: bool
    lines: list["SoldLine"] = field(default_factory=list)


@dataclass(frozen=True)
class SoldLine:
    """A line of a sale."""

    id: int
    sku: str
    quantity: int
    paid_minor: int
    """After the discount, for all units."""


def sell(world: World, plan: Plan) -> Sale:
    """Write down an order and all that follows from it until today."""
    packed_at = _by_today(world, plan.packed_at)
    cancelled_at = _by_today(world, plan.cancelled_at)
    ship_by, deliver_by = promises(plan.placed_at, plan.person.ship_to["country"])
    key = len(world.rows[Order]) + 1
    sale = Sale(
        id=key,
        number=plan.number,
        person=plan.person,
        channel=plan.channel,
        placed_at=plan.placed_at,
        delivered_at=None,
        captured_minor=0,
        promised_by=deliver_by,
        fate=plan.fate,
        shipped=False,
    )
    row = _order_row(world, plan, ship_by, deliver_by)
    world.rows[Order].append(row)
    lines = [_add_line(world, sale, plan, wish) for wish in plan.wishes]
    row.update(_totals(plan, lines))
    _hand_over(world, plan, sale, packed_at, lines)
    _pay(world, plan, sale, row["total_minor"], packed_at, cancelled_at)
    row["state"] = _state(plan, sale, packed_at, cancelled_at)
    row["delivered_at"] = sale.delivered_at
    if row["state"] is not OrderState.PENDING:
        _reserve(world, plan, lines, packed_at, cancelled_at)
    _write_history(world, plan, sale, packed_at, cancelled_at)
    if cancelled_at:
        for line in lines:
            line["cancelled"] = line["quantity"]
    return sale


def promises(placed_at: datetime, country: str) -> tuple[datetime, datetime]:
    """Return by when an order is to leave, and to arrive."""
    ship_by = workday_after(placed_at, 2).replace(hour=16, minute=0, second=0)
    return ship_by, workday_after(ship_by, rate_to(country).days[1]).replace(hour=17)


def _by_today(world: World, moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment < world.today else None


def _order_row(world: World, plan: Plan, ship_by: datetime, deliver_by: datetime) -> dict[str, Any]:
    cancelled = plan.cancelled_at if _by_today(world, plan.cancelled_at) else None
    return {
        "id": len(world.rows[Order]) + 1,
        "number": plan.number,
        "channel_id": plan.channel,
        "customer_id": plan.person.id,
        "on_hold": plan.hold_reason is not None,
        "hold_reason": plan.hold_reason,
        "cancel_reason": "The customer changed their mind." if cancelled else None,
        "currency": "EUR",
        "ship_to": plan.person.ship_to,
        "placed_at": plan.placed_at,
        "promised_ship_by": ship_by,
        "promised_delivery_by": deliver_by,
        "cancelled_at": cancelled,
        "created_at": plan.placed_at,
    }


def _add_line(world: World, sale: Sale, plan: Plan, wish: Wish) -> dict[str, Any]:
    product = world.products[wish.sku]
    gross = product.price_minor * wish.quantity
    discount = gross * plan.discount_pct // 100
    key = world.add(
        OrderLine,
        order_id=sale.id,
        sku=wish.sku,
        title=product.title,
        unit_price_minor=product.price_minor,
        discount_minor=discount,
        quantity=wish.quantity,
        cancelled=0,
        shipped=0,
        delivered=0,
        returned=0,
        personalization=wish.personalization,
    )
    sale.lines.append(SoldLine(key, wish.sku, wish.quantity, gross - discount))
    return world.rows[OrderLine][-1]


def _totals(plan: Plan, lines: list[dict[str, Any]]) -> dict[str, int]:
    country = plan.person.ship_to["country"]
    items = sum(line["unit_price_minor"] * line["quantity"] for line in lines)
    discount = sum(line["discount_minor"] for line in lines)
    rate = rate_to(country)
    free = items - discount >= rate.free_from_minor or plan.channel == OWN_STORE
    shipping = 0 if free else rate.price_minor
    total = items - discount + shipping
    return {
        "items_minor": items,
        "discount_minor": discount,
        "shipping_minor": shipping,
        "tax_minor": tax_in(total, country),
        "total_minor": total,
    }


def _hand_over(
    world: World, plan: Plan, sale: Sale, packed_at: datetime | None, lines: list[dict[str, Any]]
) -> None:
    """Send the parcel, or hand the goods over the counter."""
    if packed_at is None:
        return
    if plan.channel == OWN_STORE:
        sale.shipped, sale.delivered_at = True, packed_at
    else:
        journey = Journey(
            order_id=sale.id,
            country=plan.person.ship_to["country"],
            city=plan.person.ship_to["city"],
            packed_at=packed_at,
            arrives_at=plan.arrives_at,
            promised_by=sale.promised_by,
            fate=plan.fate,
            weight_g=sum(world.products[line["sku"]].weight_g * line["quantity"] for line in lines)
            + 180,
            carrier=plan.carrier,
        )
        contents = [(line["id"], line["quantity"]) for line in lines]
        parcel = send_parcel(world, journey, contents)
        sale.shipped, sale.delivered_at = parcel.shipped_at is not None, parcel.delivered_at
    for line in lines:
        line["shipped"] = line["quantity"] if sale.shipped else 0
        line["delivered"] = line["quantity"] if sale.delivered_at else 0


def _pay(
    world: World,
    plan: Plan,
    sale: Sale,
    total: int,
    packed_at: datetime | None,
    cancelled_at: datetime | None,
) -> None:
    """Write the payments: cards are charged when packed, invoices weeks after delivery."""
    charged = {
        "card": packed_at,
        "paypal": plan.placed_at,
        "bank_transfer": None if plan.unpaid else plan.placed_at + timedelta(hours=10),
        "invoice": sale.delivered_at and sale.delivered_at + timedelta(days=21),
    }[plan.method]
    charged = _by_today(world, charged)
    if plan.method == "card":
        _add_payment(world, sale, plan, PaymentKind.AUTHORIZATION, total, plan.placed_at)
        if cancelled_at:
            _add_payment(world, sale, plan, PaymentKind.VOID, total, cancelled_at)
    if charged:
        _add_payment(world, sale, plan, PaymentKind.CAPTURE, total, charged)
        sale.captured_minor = total
        if cancelled_at:
            _add_payment(world, sale, plan, PaymentKind.REFUND, total, cancelled_at)
            sale.captured_minor = 0


def _add_payment(
    world: World, sale: Sale, plan: Plan, kind: PaymentKind, amount: int, at: datetime
) -> None:
    world.add(
        Payment,
        order_id=sale.id,
        kind=kind,
        amount_minor=amount,
        method=plan.method,
        gateway_ref=f"{kind}:{sale.number}",
        at=at,
    )


def _state(
    plan: Plan,
    sale: Sale,
    packed_at: datetime | None,
    cancelled_at: datetime | None,
) -> OrderState:
    if cancelled_at:
        return OrderState.CANCELLED
    if sale.delivered_at:
        return OrderState.COMPLETED
    if packed_at:
        return OrderState.IN_FULFILLMENT
    unpaid = plan.method == "bank_transfer" and not sale.captured_minor
    return OrderState.PENDING if unpaid else OrderState.CONFIRMED


def _reserve(
    world: World,
    plan: Plan,
    lines: list[dict[str, Any]],
    packed_at: datetime | None,
    cancelled_at: datetime | None,
) -> None:
    """Hold the stock back, and take it off the shelf when it is packed."""
    place = STORE if plan.channel == OWN_STORE else WAREHOUSE
    state = ReservationState.CONSUMED if packed_at else ReservationState.ACTIVE
    for line in lines:
        sku, units = line["sku"], line["quantity"]
        world.add(
            Reservation,
            sku=sku,
            location_id=place,
            order_line_id=line["id"],
            quantity=units,
            state=ReservationState.RELEASED if cancelled_at else state,
            created_at=plan.placed_at,
        )
        if not (plan.set_aside or cancelled_at):
            world.free[sku, place] -= units
        if packed_at:
            world.move(sku, place, -units, MoveReason.SALE, plan.number, packed_at)


def _write_history(
    world: World, plan: Plan, sale: Sale, packed_at: datetime | None, cancelled_at: datetime | None
) -> None:
    moments = [
        ("order_placed", plan.placed_at, f"customer:{plan.person.id}"),
        ("order_cancelled", cancelled_at, f"customer:{plan.person.id}"),
        ("order_packed", packed_at, "system"),
        ("order_delivered", sale.delivered_at, "carrier"),
    ]
    for event, at, actor in moments:
        if at is not None:
            world.note(Order, sale.id, event, at, actor=actor)
