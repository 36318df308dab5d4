"""How a customer pays: what is stored, and paying an order in another way."""

from collections.abc import Mapping

from opsbot.commerce.order_changes import change_payment as repay
from opsbot.commerce.orders import Order, OrderState, amount_due
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.payments import payments_of, refundable
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.arguments import OrderNumber, PaymentChoice
from opsbot.toolkit.caller import Level
from opsbot.toolkit.changing import change_facts
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.policy.changes import decide_payment_change
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.wallet import (
    check_covers,
    is_only_way,
    method_in_words,
    original_method,
    own_methods,
    pick_method,
    ways_back,
)


@tool(
    examples=[
        "What's the balance of my gift card?",
        "how much is left on my gift card",
        "Which payment methods do you have on file for me?",
        "show my stored cards",
        "do I have any store credit?",
        "is my PayPal connected to my account",
        "what ways to pay are in my account?",
        "how much credit do I have with you",
    ],
    label="Looking up your payment methods",
    level=Level.SIGNED_IN,
    pii=True,
)
def my_payment_methods(ctx: ToolContext) -> Result:
    """List the customer's stored payment methods, with what is left on gift cards and credit."""
    methods = own_methods(ctx)
    if not methods:
        say = "There is no payment method stored in your account."
        return Result(say, facts={"payment_methods": [], "candidates": {"payment_method": []}})
    lines, shown = [], []
    for method in methods:
        name = method_in_words(method)
        left = ctx.money(method.balance_minor, method.currency) if method.has_balance else None
        lines.append(f"- {name[0].upper()}{name[1:]}" + (f": {left} left" if left else ""))
        shown.append({"name": name, "kind": method.kind.value, "balance": left})
    candidates = [{"value": one["name"], "words": _choice(one)} for one in shown]
    facts = {"payment_methods": shown, "candidates": {"payment_method": candidates}}
    return Result("\n".join(("These are your payment methods:", "", *lines)), facts=facts)


def _choice(shown: Mapping[str, str | None]) -> str:
    """Return a method's name with its kind, where the name does not tell it: "Visa … (card)"."""
    name, kind = str(shown["name"]), str(shown["kind"]).replace("_", " ")
    return name if kind.casefold() in name.casefold() else f"{name} ({kind})"


@tool(
    examples=[
        "Can I pay order #1004 with PayPal instead?",
        "change the payment method of my order to the gift card",
        "please charge my other card for order 1010",
        "I want to switch the payment of my pending order to PayPal",
        "use my gift card for the order I placed yesterday",
        "put the order on my Visa instead",
        "I'd rather pay with store credit, can you change that on my order",
        "pay it another way: take the card ending in 4242",
    ],
    label="Preparing the change of payment",
    effect="write",
    level=Level.SIGNED_IN,
    limits=("10/hour", "20/day"),
)
def change_payment(
    ctx: ToolContext, order_number: OrderNumber, payment_method: PaymentChoice
) -> Change:
    """Have an order that has not been packed paid by another payment method of the customer."""
    order = own_order(ctx, order_number)
    if order.state is OrderState.CANCELLED:
        raise ConflictError(f"Order {order.number} was cancelled, so nothing is to be paid.")
    method = pick_method(ctx, order, payment_method)
    before = original_method(ctx, order)
    if method is None or (before is not None and method.id == before.id):
        raise InvalidInputError(f"Order {order.number} is paid that way already.")
    decision = decide_payment_change(change_facts(ctx, order), method.kind, ctx.policies)
    if not decision.allowed:
        words = f"The payment of order {order.number} cannot be changed. {decision.refusal}"
        raise refusal(ctx, words, clause=decision.clause, alternatives=decision.alternatives)
    ledger = payments_of(ctx.session, order.id)
    paid = refundable(ledger)
    amount = paid or amount_due(order)
    check_covers(ctx, method, amount)
    money, name = ctx.money(amount, order.currency), method_in_words(method)
    at_once = paid or method.has_balance
    new = f"{money} is {'charged to' if at_once else 'reserved on'} your {name}."
    old = (
        f"{money} goes back to {ways_back(ledger)}."
        if paid
        else "What was reserved before is given up."
    )

    def apply() -> Result:
        repay(ctx.session, order, method, actor=ctx.caller.actor, now=ctx.now)
        tell_customer(
            ctx,
            order.customer,
            subject=f"New payment method for your order {order.number}",
            lines=[f"Your order {order.number} is now paid by {name}.", new, old],
            key=f"order-payment:{order.id}:{order.version}",
        )
        said = f"Order **{order.number}** is now paid by {name}. {new} {old}"
        return Result(said, facts={"order_number": order.number, "payment_method": name})

    return Change(
        title=f"Pay order {order.number} by {name}?",
        details=[new, old],
        button="Change the payment",
        basis={"version": order.version, "method": method.reference, "amount_minor": amount},
        apply=apply,
        undo=_way_back(ctx, order, before),
        clause=ctx.policies.clause(decision.clause),
    )


def _way_back(ctx: ToolContext, order: Order, before: PaymentMethod | None) -> Undo | None:
    """Return what takes a change of payment back, where the order was paid in one way."""
    if before is None or not is_only_way(ctx, order):
        return None
    call = {"order_number": order.number, "payment_method": before.reference}
    return Undo("change_payment", call)
