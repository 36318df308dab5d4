"""Changing an order before it is packed: cancelling it, sending it elsewhere."""

from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.orders import cancel_order as cancel
from opsbot.commerce.orders import change_address as readdress
from opsbot.errors import ConflictError
from opsbot.formats import format_items
from opsbot.toolkit.addresses import address_lines, parse_address
from opsbot.toolkit.arguments import AddressText, OrderNumber, Quantity
from opsbot.toolkit.caller import Level
from opsbot.toolkit.cancel_words import REASONS, ItemsToCancel, WhyCancelled
from opsbot.toolkit.cancelling import (
    Cancellation,
    check_cancellation,
    money_back,
    plan_cancellation,
)
from opsbot.toolkit.changing import refuse_after_change
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.policy.orders import decide_address_change
from opsbot.toolkit.policy.schema_changes import CancelReason
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.telling import order_facts, outbound_parcels
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.ways_back import address_back


@tool(
    examples=[
        "Cancel my order please",
        "I want to cancel order #1004",
        "please stop order 1010, I ordered it by mistake",
        "I don't need the mugs any more, can you cancel?",
        "I'd like to call off my purchase",
        "ordered twice by accident, drop the second one",
        "Can I still cancel?",
        "cancel it and give me my money back",
        "storno of order 1020",
        "take the mug off my order",
        "cancel just one of the two notebooks",
        "remove an item from my order",
    ],
    label="Preparing the cancellation",
    effect="irreversible",
    level=Level.SIGNED_IN,
    limits=("20/hour",),
)
def cancel_order(
    ctx: ToolContext,
    order_number: OrderNumber,
    items: ItemsToCancel | None = None,
    quantity: Quantity | None = None,
    reason: WhyCancelled = CancelReason.OTHER,
) -> Change:
    """Cancel an order that has not been packed, or some of its items, and give the money back."""
    order = own_order(ctx, order_number)
    _refuse_cancelled(ctx, order)
    planned = plan_cancellation(order, items or (), quantity)
    clause = check_cancellation(ctx, planned)
    _check_reason(ctx, order, reason)
    back, refund = money_back(ctx, planned)

    def apply() -> Result:
        return _cancel(ctx, planned, reason, refund)

    button = "Cancel the order" if planned.whole else "Cancel these items"
    return Change(
        title=f"Cancel {planned.name}?",
        details=[
            *_what_goes(planned),
            *([f"The reason: {REASONS[reason]}."] if reason is not CancelReason.OTHER else []),
            refund,
            "This cannot be undone.",
        ],
        button=button,
        basis={"version": order.version, "units": planned.units, "refund_minor": back},
        apply=apply,
        clause=clause,
    )


def _what_goes(planned: Cancellation) -> list[str]:
    """Name what is cancelled and what stays: words may have meant the one or the other."""
    goes = format_items(planned.goes)
    if not planned.whole:
        return [f"Cancelled: {goes}.", f"Stays in the order: {format_items(planned.stays)}."]
    several = len(planned.goes) > 1
    hint = ["Nothing of it stays. If only some of it shall go, tell me which items."]
    return [f"The whole order is cancelled: {goes}.", *(hint if several else [])]


def _cancel(ctx: ToolContext, planned: Cancellation, reason: CancelReason, refund: str) -> Result:
    order, whole, goes = planned.order, planned.whole, format_items(planned.goes)
    stays = [] if whole else [f"What stays: {format_items(planned.stays)}."]
    name, units = planned.name, None if whole else planned.units
    paid_back = cancel(
        ctx.session, order, lines=units, reason=reason, actor=ctx.caller.actor, now=ctx.now
    )
    what = f"your order {order.number}" if whole else f"{goes} of your order {order.number}"
    plural = "" if whole else f":{order.version}"
    tell_customer(
        ctx,
        order.customer,
        subject=f"Your order {order.number} is cancelled" if whole else f"Cancelled: {name}",
        lines=[f"We cancelled {what} as you asked.", refund, *stays],
        key=f"order-cancelled:{order.id}{plural}",
    )
    words = ctx.money(paid_back, order.currency)
    facts = {
        "order_number": order.number,
        "cancelled": whole,
        "cancelled_items": planned.goes,
        "refund": words,
    }
    head = f"Order **{order.number}** is cancelled."
    if not whole:
        head = f"Cancelled of order **{order.number}**: {goes}."
    return Result(" ".join((head, refund, *stays)), facts=facts)


@tool(
    examples=[
        "I need to change the delivery address of my order",
        "please send order #1004 to Sonnenallee 5, 12047 Berlin instead",
        "I moved, can you update the shipping address?",
        "wrong house number on my order, it should be 14",
        "ship it to my office instead of home",
        "can the parcel go to a different address",
        "I made a typo in my address",
        "Deliver it to my neighbour's address please",
        "update the postcode of order 1011",
        "can order #1004 go to my parents in Italy instead?",
        "change the address to Lindenweg 2, 10115 Berlin",
    ],
    label="Preparing the new address",
    effect="write",
    level=Level.FRESH_CODE,
    limits=("10/hour", "20/day"),
)
def change_address(ctx: ToolContext, order_number: OrderNumber, address: AddressText) -> Change:
    """Send an order that has not been packed to another address in the same country."""
    order = own_order(ctx, order_number)
    if order.state is OrderState.CANCELLED:
        raise ConflictError(f"Order {order.number} was cancelled, so there is nothing to send.")
    old = order.ship_to
    new = parse_address(address, country=str(old["country"]), name=str(old["name"]))
    facts = order_facts(order, outbound_parcels(ctx, order))
    decision = decide_address_change(facts, new, ctx.policies)
    if not decision.allowed:
        words = f"The address of order {order.number} cannot be changed. {decision.refusal}"
        raise refusal(ctx, words, clause=decision.clause, alternatives=decision.alternatives)
    refuse_after_change(ctx, order, f"The address of order {order.number} cannot be changed.")
    label = ", ".join(address_lines(new))
    if label == ", ".join(address_lines(old)):
        raise ConflictError(f"Order {order.number} goes to {label} already.")

    def apply() -> Result:
        readdress(ctx.session, order, new, actor=ctx.caller.actor, now=ctx.now)
        tell_customer(
            ctx,
            order.customer,
            subject=f"New delivery address for your order {order.number}",
            lines=[
                f"Your order {order.number} now goes to: {label}.",
                "If this was not you, please answer this mail at once.",
            ],
            key=f"order-address:{order.id}:{order.version}",
        )
        facts = {"order_number": order.number, "address": label}
        return Result(f"Order **{order.number}** now goes to: {label}.", facts=facts)

    return Change(
        title=f"Send order {order.number} to another address?",
        details=[
            f"New address: {label}",
            f"Instead of: {', '.join(address_lines(old))}",
            "The price stays the same.",
        ],
        button="Change the address",
        basis={"version": order.version, "old": dict(old), "new": new},
        apply=apply,
        undo=address_back("change_address", old, new, order_number=order.number),
        clause=ctx.policies.clause(decision.clause),
    )


def _refuse_cancelled(ctx: ToolContext, order: Order) -> None:
    if order.state is OrderState.CANCELLED:
        at = f" on {ctx.day(order.cancelled_at)}" if order.cancelled_at else ""
        raise ConflictError(f"Order {order.number} was cancelled already{at}. Nothing more is due.")


def _check_reason(ctx: ToolContext, order: Order, reason: CancelReason) -> None:
    """Refuse a reason that the shop does not take, with those it takes."""
    refuse_after_change(ctx, order, f"Order {order.number} cannot be cancelled.")
    if reason in ctx.policies.changes.cancel_reasons:
        return
    known = [REASONS[reason] for reason in ctx.policies.changes.cancel_reasons]
    words = f"I need to know why order {order.number} shall be cancelled."
    hint = f"It can be cancelled because {format_items(known).replace(' and ', ' or ')}."
    raise refusal(
        ctx,
        words,
        clause="changes.cancel_reason",
        alternatives=(hint,),
        field="reason",
        allowed=[reason.value for reason in ctx.policies.changes.cancel_reasons],
    )
