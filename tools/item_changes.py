"""Other variants of what was ordered: before it is packed, and after it has arrived."""

from collections.abc import Sequence
from datetime import datetime

from opsbot.commerce.order_changes import Swap, difference_of
from opsbot.commerce.order_changes import change_items as swap_items
from opsbot.commerce.orders import Order, OrderState, value_of
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.payments import payments_of, refundable
from opsbot.commerce.return_steps import open_return as record_return
from opsbot.commerce.returns import Resolution, ReturnReason, ReturnState, Units
from opsbot.errors import ConflictError
from opsbot.toolkit.arguments import Items, NewItems, OrderNumber, PaymentChoice, Quantity
from opsbot.toolkit.caller import Level
from opsbot.toolkit.changing import change_facts
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order, pick_lines
from opsbot.toolkit.policy.changes import decide_item_change
from opsbot.toolkit.policy.returns import Condition
from opsbot.toolkit.policy.schema_changes import Destination
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.return_plans import Plan, plan_units
from opsbot.toolkit.return_words import hand_in_words
from opsbot.toolkit.returning import end_of_day, refuse_second_return
from opsbot.toolkit.swaps import is_available, plan_swaps, variants_of
from opsbot.toolkit.telling import units_in_words
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.wallet import (
    check_covers,
    check_destination,
    method_in_words,
    pick_method,
    require_method,
    ways_back,
)
from opsbot.toolkit.ways_back import swaps_back

_MOST = 20
"""Variants of one item that are listed."""


@tool(
    examples=[
        "What could I swap the mug of my order for?",
        "which other colours can I exchange the lamp for",
        "Is there another size I could get instead of the tote in order #1004?",
        "what are the alternatives to the item I ordered?",
        "Which variants can the notebook be changed to?",
        "can I see what I could exchange my travel mug for, with prices",
        "show the replacement options for my order",
        "are there different options for the thing I bought",
    ],
    label="Looking up the variants",
    level=Level.SIGNED_IN,
)
def swap_options(ctx: ToolContext, order_number: OrderNumber, items: Items | None = None) -> Result:
    """List the variants that items of an order could be changed or exchanged to, with prices."""
    order = own_order(ctx, order_number)
    lines = pick_lines(order, items or [line.title for line in order.lines if line.wanted])
    said, shown, candidates = [], [], []
    for line in lines:
        others = [one for one in variants_of(ctx, line.item) if is_available(ctx, one)]
        said.append(f"**{line.title}** can become:" if others else f"**{line.title}**: no other.")
        for other in others[:_MOST]:
            price = ctx.money(other.price_minor, other.currency)
            more = _more(ctx, other.price_minor - line.unit_price_minor, order.currency)
            said.append(f"- {other.title}: {price} ({more})")
            shown.append({"item": line.title, "variant": other.title, "price": price})
            candidates.append(
                {
                    "value": other.title,
                    "words": f"{other.title} ({price})",
                    "also": other.sku,
                    "traits": other.options,
                    "of": line.item.options,
                    "group": line.title,
                    "worth": other.price_minor,
                }
            )
    facts = {"order_number": order.number, "variants": shown, "candidates": {"variant": candidates}}
    return Result("\n".join(said), facts=facts)


@tool(
    examples=[
        "Change the mug in order #1004 to the ink one",
        "I ordered the wrong colour, can I have sage instead of terracotta?",
        "please switch the tote in my order to navy before it ships",
        "can you modify the items of my pending order",
        "make it a size L instead of M in the order I just placed",
        "I want a different variant of the lamp I have on order",
        "swap both notebooks for dotted ones, the order is not sent yet",
        "replace the item in my open order with another option",
        "update my order: the grinder in white please",
    ],
    label="Preparing the change",
    effect="write",
    level=Level.SIGNED_IN,
    limits=("20/hour", "50/day"),
)
def change_items(
    ctx: ToolContext,
    order_number: OrderNumber,
    items: Items,
    new_items: NewItems,
    payment_method: PaymentChoice | None = None,
    quantity: Quantity | None = None,
) -> Change:
    """Change items of an order that has not been packed to other variants, several at once.

    The difference in price is charged to, or goes back to, a payment method of the customer.
    """
    order = own_order(ctx, order_number)
    if order.state is OrderState.CANCELLED:
        raise ConflictError(f"Order {order.number} was cancelled, so nothing of it can change.")
    rule = ctx.policies.changes.items
    clause = _allowed(ctx, order, swaps=())
    swaps = plan_swaps(
        ctx, order, items, new_items, quantity=quantity, same_product_only=rule.same_product_only
    )
    _allowed(ctx, order, swaps)
    difference = difference_of(swaps)
    paid = refundable(payments_of(ctx.session, order.id))
    method = _method(ctx, order, difference, payment_method, rule.refund_to)

    back = swaps_back(order, swaps, method)

    def apply() -> Result:
        return _change(ctx, order, swaps, method, paid=bool(paid))

    last = "The items of an order change once only, so please be sure that these are all."
    return Change(
        title=f"Change the items of order {order.number}?",
        details=[
            *(_swap_details(ctx, swap, order.currency) for swap in swaps),
            _settled(ctx, order, difference, method, paid=bool(paid)),
            *([last] if rule.once else []),
            *(["After that it cannot be changed or cancelled."] if rule.ends_changes else []),
        ],
        button="Change the items",
        basis=_basis(order, swaps, method),
        apply=apply,
        undo=back,
        clause=ctx.policies.clause(clause),
    )


@tool(
    examples=[
        "I'd like to exchange the lamp for the sage one",
        "Exchange the mug that arrived for a different colour",
        "can I swap the delivered tote for the navy one",
        "the size is wrong, I want it in L instead",
        "I received the black grinder and would like the white one in exchange",
        "trade in both notebooks of order #1004 for dotted ones",
        "please exchange two items of my delivered order for other options",
        "swap what I got for another variant, I pay the difference with my gift card",
        "could I get this in another colour instead of the one you delivered",
    ],
    label="Preparing the exchange",
    effect="write",
    level=Level.SIGNED_IN,
    limits=("20/hour", "50/day"),
)
def exchange_items(
    ctx: ToolContext,
    order_number: OrderNumber,
    items: Items,
    new_items: NewItems,
    payment_method: PaymentChoice | None = None,
    quantity: Quantity | None = None,
) -> Change:
    """Exchange delivered items of an order for other variants, several at once.

    The difference in price is charged to, or goes back to, a payment method of the customer when
    the goods are back.
    """
    order = own_order(ctx, order_number)
    refuse_second_return(ctx, order)
    rule = ctx.policies.changes.exchange
    swaps = plan_swaps(
        ctx, order, items, new_items, quantity=quantity, same_product_only=rule.same_product_only
    )
    plan = _plan(ctx, order, swaps)
    difference = sum(s.item.price_minor * s.quantity - value_of(s.line, s.quantity) for s in swaps)
    method = _method(ctx, order, difference, payment_method, rule.refund_to)
    until = end_of_day(ctx, plan.pieces[0].decision.send_within_days)

    def apply() -> Result:
        return _exchange(ctx, order, swaps, plan, method, difference, until)

    looks = [] if plan.automatic else ["A person looks at it first and answers you by mail."]
    return Change(
        title=f"Exchange items of order {order.number}?",
        details=[
            *(_swap_details(ctx, swap, order.currency) for swap in swaps),
            _after_arrival(ctx, order, difference, method),
            *looks,
            f"{hand_in_words(ctx, until)}.",
        ],
        button="Exchange the items",
        basis=_basis(order, swaps, method) | {"automatic": plan.automatic, "back": difference},
        apply=apply,
        clause=ctx.policies.clause("changes.exchange"),
    )


def _change(
    ctx: ToolContext,
    order: Order,
    swaps: Sequence[Swap],
    method: PaymentMethod | None,
    *,
    paid: bool,
) -> Result:
    changed = [_swap_in_words(swap) for swap in swaps]
    more = swap_items(ctx.session, order, swaps, method=method, actor=ctx.caller.actor, now=ctx.now)
    money = _settled(ctx, order, more, method, paid=paid)
    tell_customer(
        ctx,
        order.customer,
        subject=f"The items of your order {order.number} have changed",
        lines=[f"As you asked: {line}." for line in changed] + [money],
        key=f"order-items:{order.id}:{order.version}",
    )
    facts = {"order_number": order.number, "changed": changed}
    head = f"Order **{order.number}** is changed."
    return Result("\n".join((head, "", *(f"- {c}" for c in changed), f"- {money}")), facts)


def _exchange(
    ctx: ToolContext,
    order: Order,
    swaps: Sequence[Swap],
    plan: Plan,
    method: PaymentMethod | None,
    difference: int,
    until: datetime,
) -> Result:
    why = ReturnReason.SIZE_OR_STYLE
    opened = record_return(
        ctx.session,
        order,
        [Units(s.line.id, s.quantity, why, s.item.sku, s.item.price_minor) for s in swaps],
        state=ReturnState.APPROVED if plan.automatic else ReturnState.REQUESTED,
        resolution=Resolution.EXCHANGE,
        refund_minor=0,
        policy_version=ctx.policies.version,
        decision=plan.as_json(),
        deadline=until,
        actor=ctx.caller.actor,
        now=ctx.now,
        method=method,
        difference_minor=difference,
    )
    lines = [_swap_in_words(swap) for swap in swaps]
    after = _after_arrival(ctx, order, difference, method)
    send = f"{hand_in_words(ctx, until)}."
    tell_customer(
        ctx,
        order.customer,
        subject=f"Your exchange {opened.number} for order {order.number}",
        lines=[f"Your exchange {opened.number} is open: {'; '.join(lines)}.", send, after],
        key=f"return-opened:{opened.number}",
    )
    head = f"Your exchange **{opened.number}** is open."
    facts = {"return_number": opened.number, "order_number": order.number, "exchanged": lines}
    said = "\n".join((head, "", *(f"- {x}" for x in (*lines, send, after))))
    return Result(said, facts, undo=Undo("cancel_return", {"return_number": opened.number}))


def _allowed(ctx: ToolContext, order: Order, swaps: Sequence[Swap]) -> str:
    """Return the clause that allows a change of items, or refuse it."""
    facts = change_facts(
        ctx,
        order,
        same_product=all(
            swap.item.variant_of is not None and swap.item.variant_of == swap.line.item.variant_of
            for swap in swaps
        ),
        personalized=any(swap.line.personalization for swap in swaps),
    )
    decision = decide_item_change(facts, ctx.policies)
    if not decision.allowed:
        words = f"The items of order {order.number} cannot be changed. {decision.refusal}"
        raise refusal(
            ctx,
            words,
            clause=decision.clause,
            alternatives=decision.alternatives,
            instead="exchange_items" if order.delivered_at else "",
        )
    return decision.clause


def _plan(ctx: ToolContext, order: Order, swaps: Sequence[Swap]) -> Plan:
    """Return what the rules for returns say of the items, or refuse the exchange."""
    plan = plan_units(
        ctx,
        order,
        {swap.line.id: swap.quantity for swap in swaps},
        reason=ReturnReason.SIZE_OR_STYLE,
        condition=Condition.UNOPENED,
    )
    refused = plan.refused
    if refused is not None:
        decision = refused.decision
        words = f"{refused.line.title} cannot be exchanged. {decision.refusal}"
        raise refusal(
            ctx,
            words,
            clause=decision.clause,
            alternatives=decision.alternatives,
            instead="" if order.delivered_at else "change_items",
        )
    if Resolution.EXCHANGE not in plan.resolutions:
        raise refusal(
            ctx,
            "These items cannot be exchanged.",
            clause=plan.pieces[0].decision.clause,
            alternatives=("They may be returned.",),
        )
    return plan


def _method(
    ctx: ToolContext,
    order: Order,
    difference: int,
    words: str | None,
    allowed: Sequence[Destination],
) -> PaymentMethod | None:
    """Return what a difference is charged to or goes back to; None: the way it was paid."""
    method = pick_method(ctx, order, words) if words else None
    if difference > 0:
        method = method or require_method(ctx, order)
        check_covers(ctx, method, difference)
    elif difference < 0 and method is not None:
        check_destination(ctx, order, method, allowed)
    return method


def _settled(
    ctx: ToolContext, order: Order, difference: int, method: PaymentMethod | None, *, paid: bool
) -> str:
    """Return what a difference in price means for the customer, in a sentence."""
    if not difference:
        return "The price stays the same."
    words = ctx.money(abs(difference), order.currency)
    ways = ways_back(payments_of(ctx.session, order.id))
    to = f"your {method_in_words(method)}" if method else ways
    if difference > 0:
        return f"It costs {words} more, charged to {to}."
    if not paid:
        return f"It costs {words} less, so less is charged."
    return f"It costs {words} less, which goes back to {to}."


def _after_arrival(
    ctx: ToolContext, order: Order, difference: int, method: PaymentMethod | None
) -> str:
    settled = _settled(ctx, order, difference, method, paid=True)
    return f"{settled} We send the new items once the old ones have arrived and been checked."


def _swap_in_words(swap: Swap) -> str:
    return f"{units_in_words(swap.line, swap.quantity)} becomes {swap.item.title}"


def _swap_details(ctx: ToolContext, swap: Swap, currency: str) -> str:
    before = ctx.money(swap.line.unit_price_minor, currency)
    after = ctx.money(swap.item.price_minor, currency)
    more = _more(ctx, swap.difference_minor, currency)
    return f"{_swap_in_words(swap)}: {after} instead of {before} each ({more})."


def _more(ctx: ToolContext, difference: int, currency: str) -> str:
    if not difference:
        return "same price"
    words = ctx.money(abs(difference), currency)
    return f"{words} more" if difference > 0 else f"{words} less"


def _basis(order: Order, swaps: Sequence[Swap], method: PaymentMethod | None) -> dict[str, object]:
    return {
        "version": order.version,
        "swaps": [
            [s.line.id, s.line.sku, s.line.wanted, s.item.sku, s.item.price_minor, s.quantity]
            for s in swaps
        ],
        "method": method.reference if method else None,
    }
