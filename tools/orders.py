"""A customer's own orders: which there are, and where they stand."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from opsbot.commerce.orders import Order, OrderLine, OrderState, amount_due
from opsbot.commerce.returns import returns_of
from opsbot.commerce.shipments import Shipment
from opsbot.toolkit.addresses import address_lines
from opsbot.toolkit.arguments import OrderNumber, argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.ownership import may_see_address, own_order, own_orders
from opsbot.toolkit.policy.orders import decide_cancellation
from opsbot.toolkit.results import Result
from opsbot.toolkit.telling import (
    has_left,
    items_in_words,
    items_with_prices,
    money_in_words,
    order_card,
    order_facts,
    order_in_words,
    outbound_parcels,
    parcel_in_words,
)
from opsbot.toolkit.tool import ToolContext, tool

Which = Annotated[
    Literal["open", "delivered", "cancelled"] | None,
    argument(
        "choice",
        "Open, delivered or cancelled orders?",
        description="Only orders that are open, delivered or cancelled.",
        labels={
            "open": ("open orders", "not delivered yet", "still open", "under way"),
            "delivered": ("delivered orders", "received", "past orders"),
            "cancelled": ("cancelled orders",),
        },
    ),
]


_BEFORE_PACKING = ("cancel_order", "change_items", "change_address", "change_payment")
_AFTER_ARRIVAL = ("request_return", "exchange_items", "report_problem", "return_options")
_NOT_FOR = {
    "open": _AFTER_ARRIVAL[:2],
    "delivered": _BEFORE_PACKING,
    "packed": (*_BEFORE_PACKING, *_AFTER_ARRIVAL[:2]),
    "cancelled": (*_BEFORE_PACKING, *_AFTER_ARRIVAL),
}
"""What an order of a kind is hardly meant for, when nothing tells which order is meant."""
_OPEN = {
    OrderState.PENDING: "waits to be confirmed",
    OrderState.CONFIRMED: "confirmed, not packed yet",
    OrderState.IN_FULFILLMENT: "packed or on its way",
}


@tool(
    examples=[
        "Show me my orders",
        "What have I ordered so far?",
        "list my recent purchases please",
        "which orders do I have open?",
        "my order history",
        "Can you see all the stuff I bought from you?",
        "How many orders have I placed?",
        "what was in my last order",
        "do I have anything that hasn't been delivered yet?",
        "I forgot my order number",
    ],
    label="Looking up your orders",
    level=Level.SIGNED_IN,
    pii="masked",
    role="list",
)
def my_orders(ctx: ToolContext, which: Which = None) -> Result:
    """List the customer's latest orders with their items, dates, totals and states."""
    orders = [order for order in own_orders(ctx) if which in {None, _kind(order)}]
    if not orders:
        what = "no orders" if which is None else f"no {which} orders"
        return Result(f"I see {what} of yours.", facts={"orders": [], "candidates": {}})
    shown = [_summary(ctx, order) for order in orders]
    lines = [
        f"- **{o['number']}** ({o['placed']}): {o['items']}. {o['total']}, {o['state']}."
        for o in shown
    ]
    candidates = [
        {
            "value": order.number,
            "words": ", ".join(line.title for line in _wanted(order)),
            "also": f"{order.state.value} {_kind(order)}".replace("_", " "),
            "not_for": _NOT_FOR["packed" if _is_packed(order) else _kind(order)],
            "parts": [(line.title, line.unit_price_minor) for line in _wanted(order)],
            "placed": ctx.local_day(order.placed_at).isoformat(),
        }
        for order in orders
    ]
    facts = {"orders": shown, "count": len(shown), "candidates": {"order_number": candidates}}
    head = "Here are your latest orders, the newest first:" if len(shown) > 1 else "Here it is:"
    return Result("\n".join((head, "", *lines)), facts=facts)


@tool(
    examples=[
        "Where is my order?",
        "What's the status of order #1004?",
        "has my order shipped yet",
        "When will my lamp arrive?",
        "is order 1012 confirmed?",
        "Did you already pack my order?",
        "I ordered a week ago and heard nothing since",
        "What is in order 1007 and what did I pay?",
        "did my payment for the order go through?",
        "can my order still be changed?",
        "why is my order on hold",
    ],
    label="Looking up the order",
    level=Level.ORDER,
    pii="full",
)
def order_status(ctx: ToolContext, order_number: OrderNumber) -> Result:
    """Tell where one of the customer's orders stands: items, parcels, promise, payment.

    Also tells whether it can still be cancelled, sent elsewhere, or returned.
    """
    order = own_order(ctx, order_number)
    parcels = outbound_parcels(ctx, order)
    lines = [order_in_words(ctx, order, parcels), "", f"- In it: {items_with_prices(ctx, order)}"]
    if order.delivered_at is None:
        lines += [f"- {parcel_in_words(ctx, parcel)}" for parcel in parcels]
    if may_see_address(ctx):
        lines.append(f"- It goes to: {', '.join(address_lines(order.ship_to))}")
    lines.append(f"- {money_in_words(ctx, order)}")
    returns = returns_of(ctx.session, order.id)
    lines += [f"- Return {r.number}: {r.state.value.replace('_', ' ')}" for r in returns]
    facts = _order_facts(ctx, order, parcels)
    if facts["can_be_cancelled"]:
        lines.append("- You can still cancel it, or have it sent to another address.")
    return Result("\n".join(lines), facts=facts, cards=[order_card(ctx, order, parcels)])


def _wanted(order: Order) -> list[OrderLine]:
    """Return the lines without those that were cancelled; all, when the order was."""
    return [line for line in order.lines if line.wanted] or order.lines


def _kind(order: Order) -> str:
    if order.state is OrderState.CANCELLED:
        return "cancelled"
    return "delivered" if order.delivered_at or order.state is OrderState.COMPLETED else "open"


def _is_packed(order: Order) -> bool:
    return _kind(order) == "open" and order.state is OrderState.IN_FULFILLMENT


def _summary(ctx: ToolContext, order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed": ctx.day(order.placed_at),
        "items": items_in_words(order),
        "total": ctx.money(
            order.total_minor if order.state is OrderState.CANCELLED else amount_due(order),
            order.currency,
        ),
        "state": _OPEN.get(order.state, _kind(order)) if _kind(order) == "open" else _kind(order),
    }


def _order_facts(ctx: ToolContext, order: Order, parcels: Sequence[Shipment]) -> dict[str, Any]:
    facts = order_facts(order, parcels)
    decision = decide_cancellation(facts, ctx.policies, ctx.now, zone=ctx.settings.time_zone)
    items = [
        {
            "value": line.title,
            "words": line.title,
            "also": line.sku,
            "traits": line.item.options,
            "worth": line.unit_price_minor,
        }
        for line in order.lines
        if line.wanted
    ]
    cancelled = order.state is OrderState.CANCELLED
    return {
        "order_number": order.number,
        "state": order.state.value,
        "placed": ctx.day(order.placed_at),
        "items": [{"title": line.title, "quantity": line.wanted} for line in order.lines],
        "packed": bool(parcels) or facts.state in {OrderState.IN_FULFILLMENT, OrderState.COMPLETED},
        "shipped": has_left(order, parcels),
        "delivered": order.delivered_at is not None,
        "cancelled": cancelled,
        "on_hold": order.on_hold,
        "can_be_cancelled": decision.allowed and not cancelled,
        "promised_delivery_by": ctx.day(order.promised_delivery_by),
        "candidates": {"item": items},
    }
