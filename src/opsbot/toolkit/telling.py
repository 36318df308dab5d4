"""How orders and parcels read to a person: sentences, facts and cards."""

from collections.abc import Sequence
from typing import Any

from opsbot.commerce.orders import Order, OrderLine, OrderState, amount_due, value_of
from opsbot.commerce.payments import PaymentStatus, payment_status, payments_of
from opsbot.commerce.shipments import (
    ON_ITS_WAY,
    Direction,
    NeededAction,
    Shipment,
    ShipmentState,
    shipments_of,
)
from opsbot.formats import format_items
from opsbot.toolkit.policy.orders import OrderFacts, late_by_law
from opsbot.toolkit.results import Card
from opsbot.toolkit.tool import ToolContext

_MADE_TO_ORDER = "made_to_order"
_PARCEL = {
    ShipmentState.PACKED: "is packed and waits for the carrier",
    ShipmentState.PRE_TRANSIT: "is announced to the carrier",
    ShipmentState.IN_TRANSIT: "is on its way",
    ShipmentState.OUT_FOR_DELIVERY: "is out for delivery",
    ShipmentState.READY_FOR_PICKUP: "is ready for you to pick up",
    ShipmentState.DELIVERED: "was delivered",
    ShipmentState.ATTEMPT_FAILED: "could not be handed over; the carrier will try again",
    ShipmentState.DELAYED: "is delayed",
    ShipmentState.RETURNING: "is on its way back to us",
    ShipmentState.EXCEPTION: "has a problem on its way",
    ShipmentState.CANCELLED: "was cancelled",
}
_NEEDS = {
    NeededAction.ADDRESS: "The carrier needs a right address to deliver it; tell us, and we pass "
    "it on.",
    NeededAction.FEES: "The carrier waits for duty or fees to be paid before it delivers.",
    NeededAction.DOCUMENTS: "The carrier waits for papers or facts about what is in it.",
    NeededAction.PICKUP: "The carrier waits for you to collect it.",
    NeededAction.CONTACT: "The carrier asks you to get in touch with it.",
}
_PAID = {
    PaymentStatus.NOT_PAID: "not paid yet",
    PaymentStatus.AUTHORIZED: "reserved on your account, not charged yet",
    PaymentStatus.PARTIALLY_PAID: "partly paid",
    PaymentStatus.PAID: "paid",
    PaymentStatus.PARTIALLY_REFUNDED: "paid, and partly refunded",
    PaymentStatus.REFUNDED: "refunded",
    PaymentStatus.VOIDED: "not charged",
}
_STEPS = ("Ordered", "Confirmed", "Packed", "On its way", "Delivered")


def outbound_parcels(ctx: ToolContext, order: Order) -> list[Shipment]:
    """Return the parcels of an order to the customer with their events, without cancelled ones."""
    return [
        parcel
        for parcel in shipments_of(ctx.session, order.id, contents=False)
        if parcel.direction is Direction.OUTBOUND and parcel.state is not ShipmentState.CANCELLED
    ]


def order_facts(order: Order, parcels: Sequence[Shipment]) -> OrderFacts:
    """Return what decisions about an order rest on. Needs lines and items loaded."""
    return OrderFacts(
        state=order.state,
        packed=bool(parcels),
        left=has_left(order, parcels),
        placed_at=order.placed_at,
        made_to_order=is_made_to_order([line for line in order.lines if line.wanted]),
        country=str(order.ship_to["country"]),
        promised_ship_by=order.promised_ship_by,
    )


def is_made_to_order(lines: Sequence[OrderLine]) -> bool:
    """Tell whether one of these items is made for this customer alone. Needs items loaded."""
    return any(line.item.return_class == _MADE_TO_ORDER for line in lines)


def has_left(order: Order, parcels: Sequence[Shipment]) -> bool:
    """Tell whether anything of the order is with the carrier, or has been."""
    by_parcel = any(parcel.state in ON_ITS_WAY for parcel in parcels)
    return by_parcel or any(line.shipped for line in order.lines)


def items_in_words(order: Order) -> str:
    """Return "2 x Kiln mug, moss and A5 notebook, dotted", without what was cancelled."""
    lines = [line for line in order.lines if line.wanted] or order.lines
    return format_items([units_in_words(line, line.wanted or line.quantity) for line in lines])


def items_with_prices(ctx: ToolContext, order: Order) -> str:
    """Return the items with what each costs, where there are several."""
    lines = [line for line in order.lines if line.wanted] or order.lines
    if len(lines) == 1:
        return items_in_words(order)
    return format_items(
        [
            f"{units_in_words(line, line.wanted or line.quantity)} "
            f"({ctx.money(line.unit_price_minor, order.currency)})"
            for line in lines
        ]
    )


def units_in_words(line: OrderLine, quantity: int) -> str:
    """Return "2 x Kiln mug, moss", or the title alone for one."""
    return f"{quantity} x {line.title}" if quantity > 1 else line.title


def order_in_words(ctx: ToolContext, order: Order, parcels: Sequence[Shipment]) -> str:
    """Return one sentence about where an order stands. No date in it is made up."""
    return f"Order **{order.number}** {_standing(ctx, order, parcels)}"


def _standing(ctx: ToolContext, order: Order, parcels: Sequence[Shipment]) -> str:
    if order.state is OrderState.CANCELLED:
        at = f" on {ctx.day(order.cancelled_at)}" if order.cancelled_at else ""
        return f"was cancelled{at}."
    if order.delivered_at is not None:
        return f"was delivered on {ctx.day(order.delivered_at)}."
    if has_left(order, parcels):
        return f"is on its way. It is promised by {ctx.day(order.promised_delivery_by)}."
    return _before_it_left(ctx, order, parcels)


def _before_it_left(ctx: ToolContext, order: Order, parcels: Sequence[Shipment]) -> str:
    if order.on_hold:
        return "is on hold while we check something. It has not been packed."
    if order.state is OrderState.PENDING:
        return "has reached us and waits to be confirmed."
    state = "is confirmed and waits to be packed."
    if parcels or order.state is OrderState.IN_FULFILLMENT:
        state = "is packed and waits for the carrier."
    leaves, arrives = ctx.day(order.promised_ship_by), ctx.day(order.promised_delivery_by)
    if ctx.now > order.promised_ship_by:
        late = f"{state} It should have left us by {leaves}; I am sorry that it is late."
        if late_by_law(order_facts(order, parcels), ctx.policies, ctx.now):
            late += " You may wait for a new day, or cancel it and get all your money back."
        return late
    return f"{state} It is promised to leave us by {leaves} and to reach you by {arrives}."


def parcel_in_words(ctx: ToolContext, parcel: Shipment) -> str:
    """Return one sentence about where a parcel is, with the carrier's last word."""
    state = _PARCEL[parcel.state]
    if parcel.state is ShipmentState.DELIVERED and parcel.delivered_at is not None:
        state += f" on {ctx.moment(parcel.delivered_at)}"
    words = f"The parcel {parcel.tracking_number} ({parcel.carrier}) {state}."
    if parcel.events and parcel.state is not ShipmentState.DELIVERED:
        last = parcel.events[-1]
        place = f", {last.place}" if last.place else ""
        words += f" Last news: {last.message.rstrip('.')}{place}, {ctx.moment(last.occurred_at)}."
    if parcel.needs is not None:
        words += f" **{_NEEDS[parcel.needs]}**"
    if parcel.state in ON_ITS_WAY - {ShipmentState.DELIVERED} and parcel.eta is not None:
        if parcel.eta > ctx.now:
            words += f" The carrier expects to deliver it on {ctx.day(parcel.eta)}."
        else:
            words += " It is later than the carrier expected."
    return words


def money_in_words(ctx: ToolContext, order: Order) -> str:
    """Return the total, and where the money is."""
    left = amount_due(order)
    ledger = payments_of(ctx.session, order.id)
    status = payment_status(order.total_minor, ledger, due_minor=left)
    words = f"Total: {ctx.money(order.total_minor, order.currency)}, {_PAID[status]}."
    if order.state is OrderState.CANCELLED or left == order.total_minor:
        return words
    return f"{words} Without what was cancelled it comes to {ctx.money(left, order.currency)}."


def order_card(ctx: ToolContext, order: Order, parcels: Sequence[Shipment]) -> Card:
    """Return the card of an order."""
    body = {
        "number": order.number,
        "state": order.state.value.replace("_", " "),
        "steps": _steps(order, parcels),
        "rows": [row for line in order.lines for row in _rows(ctx, order, line)],
        "total": ctx.money(order.total_minor, order.currency),
        "as_of": ctx.moment(ctx.now),
    }
    return Card("order", body)


def _rows(ctx: ToolContext, order: Order, line: OrderLine) -> list[dict[str, Any]]:
    """Return a row for what is wanted of a line, and one for what was cancelled of it."""
    gone = value_of(line, line.cancelled)
    parts = [
        (line.title, line.wanted, value_of(line, line.quantity) - gone),
        (f"{line.title} (cancelled)", line.cancelled, gone),
    ]
    return [
        {"title": title, "quantity": count, "amount": ctx.money(amount, order.currency)}
        for title, count, amount in parts
        if count
    ]


def parcel_card(ctx: ToolContext, parcel: Shipment) -> Card:
    """Return the card of a parcel."""
    events = [
        {"at": ctx.moment(event.occurred_at), "text": event.message, "place": event.place or ""}
        for event in reversed(parcel.events)
    ]
    coming = parcel.eta is not None and parcel.state is not ShipmentState.DELIVERED
    body: dict[str, Any] = {
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "tracking_url": parcel.tracking_url,
        "state": parcel.state.value.replace("_", " "),
        "needs": _NEEDS[parcel.needs] if parcel.needs else None,
        "eta": ctx.day(parcel.eta) if coming and parcel.eta else None,
        "events": events[:10],
    }
    return Card("shipment", body)


def _steps(order: Order, parcels: Sequence[Shipment]) -> list[dict[str, str]]:
    if order.state is OrderState.CANCELLED:
        return [{"label": "Ordered", "state": "done"}, {"label": "Cancelled", "state": "current"}]
    reached = 0
    if order.state is not OrderState.PENDING:
        reached = 1
    if parcels or order.state is OrderState.IN_FULFILLMENT:
        reached = 2
    if has_left(order, parcels):
        reached = 3
    if order.delivered_at is not None:
        reached = 4
    states = ["done" if n < reached else "current" if n == reached else "todo" for n in range(5)]
    if order.delivered_at is not None:
        states[-1] = "done"
    return [{"label": label, "state": state} for label, state in zip(_STEPS, states, strict=True)]
