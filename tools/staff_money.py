"""Money that staff give back, and gestures of goodwill: within limits by role."""

import re
from datetime import timedelta
from typing import Annotated

from sqlalchemy import func, select

from opsbot.commerce import payments
from opsbot.commerce.customers import Customer
from opsbot.commerce.goodwill import GoodwillGrant, given_since, shipping_given
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind, append
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import CreditReason, change_balance, store_credit_of
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.records import record_event
from opsbot.errors import InvalidInputError, StaleError
from opsbot.toolkit.arguments import OrderNumber, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loyalty_rules import ends_of
from opsbot.toolkit.money_words import Amount, approval_of, minor_of
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.policy.approvals import goodwill_approval, refund_approval
from opsbot.toolkit.policy.schema_money import GoodwillKind
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool

_DESK = ("agent", "lead", "manager")

Why = Annotated[
    str,
    argument(
        "text",
        "What is it for, in a sentence?",
        description="Why it is given, in a sentence the customer may read.",
        min_length=3,
        max_length=500,
    ),
]
Gesture = Annotated[
    GoodwillKind,
    argument(
        "choice",
        "Store credit, points, or the delivery charge back?",
        description="What is given.",
        labels={
            "store_credit": ("store credit", "a voucher", "credit"),
            "points": ("points", "loyalty points"),
            "shipping_refund": ("the delivery charge", "shipping back", "postage refund"),
        },
    ),
]


_NO_REASON = frozenset({
    "yes", "yep", "yeah", "y", "no", "nope", "n", "ok", "okay", "sure", "please", "confirm", "ja",
    "nein", "done", "nothing", "none", "because", "just", "do", "it", "go", "ahead",
})  # fmt: skip
"""Words that answer some other question."""


def _check_reason(reason: str) -> None:
    """Refuse what is no reason: the customer reads it.

    Raises:
        InvalidInputError: it says nothing.
    """
    words = re.findall(r"[^\W\d_]+", reason.casefold())
    if not set(words) - _NO_REASON:
        raise InvalidInputError("reason: say what it is for, in a sentence the customer may read.")


@tool(
    examples=[
        "Refund 20 EUR on order #1004",
        "give 12.50 EUR back on order #1010 because the box was dented",
        "please refund order #1001 with 24 euros",
        "pay back €15 on #1003, price was wrong",
        "make a refund of 40 EUR for order 2017",
        "send 8.90 EUR back to the customer of #2040",
        "partial refund for order #1005: 10 EUR",
        "return the money of #2100, 120 EUR",
    ],
    label="Preparing the refund",
    audience=Audience.STAFF,
    effect="irreversible",
    roles=_DESK,
    pii="full",
)
def refund(ctx: ToolContext, order_number: OrderNumber, amount: Amount, reason: Why) -> Change:
    """Give money of an order back, the way it was paid; above a limit somebody else must agree."""
    _check_reason(reason)
    order = own_order(ctx, order_number)
    minor = minor_of(amount, order.currency)
    left = payments.refundable(payments.payments_of(ctx.session, order.id))
    if minor > left:
        words = (
            f"{ctx.money(minor, order.currency)} cannot be refunded on order {order.number}: "
            f"{ctx.money(left, order.currency)} of what was paid is left."
        )
        instead = (f"Refund up to {ctx.money(left, order.currency)}.",) if left else ()
        raise refusal(ctx, words, clause="refunds.never_more", alternatives=instead)
    days = ctx.policies.refunds.limit_days
    before = _refunded_since(ctx, order, days)
    needed = refund_approval(ctx.policies, ctx.caller.roles, minor + before)
    money = ctx.money(minor, order.currency)

    def apply() -> Result:
        return _pay_back(ctx, order, minor, before, reason)

    earlier = [f"Refunded on it within {days} days before: {ctx.money(before, order.currency)}."]
    return Change(
        title=f"Refund {money} on order {order.number}?",
        details=[
            f"{money} goes back to {order.customer.name} by the way they paid.",
            f"Left of what was paid afterwards: {ctx.money(left - minor, order.currency)}.",
            *(earlier if before else []),
            f"Mail to the customer: {reason}",
            "This cannot be undone.",
        ],
        button=f"Refund {money}",
        basis={"order": order.version, "left": left, "before": before, "amount": minor},
        apply=apply,
        clause=ctx.policies.clause("refunds.limits" if needed else "refunds.never_more"),
        approval=approval_of(ctx, needed, order.currency),
    )


@tool(
    examples=[
        "Give the customer of #1004 5 EUR of goodwill as store credit",
        "goodwill for order #1010: 100 points because of the long wait",
        "refund the delivery charge of #1003 as goodwill, it came late",
        "a gesture of goodwill for #2017, 10 EUR credit",
        "make up for the late parcel of order #1005 with 5 EUR credit",
        "Apologise for #2040 with 3 EUR in points",
        "send a goodwill voucher of 15 EUR for order #2100",
        "grant goodwill on #1001: shipping back",
    ],
    label="Preparing the gesture",
    audience=Audience.STAFF,
    effect="irreversible",
    roles=_DESK,
    pii="full",
)
def goodwill(
    ctx: ToolContext,
    order_number: OrderNumber,
    kind: Gesture,
    reason: Why,
    amount: Amount | None = None,
) -> Change:
    """Give store credit, points or the delivery charge that is not owed, within limits."""
    _check_reason(reason)
    order = own_order(ctx, order_number)
    rules = ctx.policies.refunds.goodwill
    if kind not in rules.kinds:
        words = f"Goodwill is not given as {kind.value.replace('_', ' ')}."
        raise refusal(ctx, words, clause="goodwill.limits", alternatives=())
    minor = _value(ctx, order, kind, amount)
    since = ctx.now - timedelta(days=rules.within_days)
    before = given_since(ctx.session, order.customer_id, order.currency, since=since)
    needed = goodwill_approval(ctx.policies, ctx.caller.roles, minor, before)
    worth = max(1, ctx.policies.loyalty.redeem.minor_per_point)
    points = -(-minor // worth) if kind is GoodwillKind.POINTS else None
    money = ctx.money(minor, order.currency)
    gives = {
        GoodwillKind.STORE_CREDIT: f"{money} of store credit",
        GoodwillKind.POINTS: f"{points} points, worth {money}",
        GoodwillKind.SHIPPING_REFUND: f"{money} of the delivery charge",
    }[kind]

    def apply() -> Result:
        _lock_customer(ctx, order)
        if given_since(ctx.session, order.customer_id, order.currency, since=since) != before:
            raise StaleError("The customer was given something a moment ago; nothing was done.")
        return _grant(ctx, order, kind, minor, points, reason, gives)

    cap = ctx.money(rules.per_customer_minor, order.currency)
    used = ctx.money(before, order.currency)
    return Change(
        title=f"Give goodwill for order {order.number}?",
        details=[
            f"{order.customer.name} gets {gives}.",
            f"Given to this customer within {rules.within_days} days before: {used} of {cap}.",
            f"Mail to the customer: {reason}",
        ],
        button="Give it",
        basis={"order": order.version, "before": before, "amount": minor, "kind": kind},
        apply=apply,
        clause=ctx.policies.clause("goodwill.limits"),
        approval=approval_of(ctx, needed, order.currency),
    )


def _pay_back(ctx: ToolContext, order: Order, minor: int, before: int, reason: str) -> Result:
    money = ctx.money(minor, order.currency)
    payments.refund(
        ctx.session,
        order,
        minor,
        reference=f"refund {order.number}",
        now=ctx.now,
        actor=ctx.caller.actor,
    )
    record_event(
        ctx.session,
        order,
        "refunded",
        actor=ctx.caller.actor,
        at=ctx.now,
        amount_minor=minor,
        reason=reason,
        policy_version=ctx.policies.version,
    )
    tell_customer(
        ctx,
        order.customer,
        subject=f"Refund for your order {order.number}",
        lines=[f"We have given {money} back to you by the way you paid.", reason],
        key=f"refund:{order.id}:{order.version}:{before}:{minor}:{ctx.now.isoformat()}",
    )
    facts = {"order_number": order.number, "refunded": money}
    return Result(f"{money} of order **{order.number}** goes back.", facts=facts)


def _grant(
    ctx: ToolContext,
    order: Order,
    kind: GoodwillKind,
    minor: int,
    points: int | None,
    reason: str,
    gives: str,
) -> Result:
    grant = GoodwillGrant(
        customer_id=order.customer_id,
        order_id=order.id,
        kind=kind.value,
        value_minor=minor,
        points=points,
        currency=order.currency,
        reason=reason,
        policy_version=ctx.policies.version,
        actor=ctx.caller.actor,
        at=ctx.now,
    )
    ctx.session.add(grant)
    ctx.session.flush()
    _give(ctx, order, grant)
    tell_customer(
        ctx,
        order.customer,
        subject=f"Something from us for order {order.number}",
        lines=[reason, f"You get {gives}."],
        key=f"goodwill:{grant.id}",
    )
    facts = {"order_number": order.number, "given": gives}
    return Result(f"The customer of order **{order.number}** gets {gives}.", facts=facts)


def _value(ctx: ToolContext, order: Order, kind: GoodwillKind, amount: object) -> int:
    if kind is GoodwillKind.SHIPPING_REFUND:
        left = payments.refundable(payments.payments_of(ctx.session, order.id))
        most = min(order.shipping_minor - shipping_given(ctx.session, order.id), left)
        minor = most if amount is None else minor_of(amount, order.currency)
        if not 0 < minor <= most:
            words = f"Of the delivery charge, {ctx.money(most, order.currency)} can go back."
            raise refusal(ctx, words, clause="refunds.never_more", alternatives=())
        return minor
    if amount is None:
        raise InvalidInputError("How much is it worth?")
    return minor_of(amount, order.currency)


def _give(ctx: ToolContext, order: Order, grant: GoodwillGrant) -> None:
    reference = f"goodwill {grant.id}"
    if grant.kind == GoodwillKind.STORE_CREDIT:
        credit = store_credit_of(ctx.session, order.customer_id, order.currency, now=ctx.now)
        change_balance(
            ctx.session,
            credit,
            grant.value_minor,
            reason=CreditReason.ISSUED,
            reference=reference,
            actor=ctx.caller.actor,
            at=ctx.now,
        )
    elif grant.kind == GoodwillKind.POINTS:
        entry = LoyaltyEntry(
            customer_id=order.customer_id,
            kind=LoyaltyKind.ADJUST,
            points=grant.points or 0,
            order_id=order.id,
            reference=reference,
            available_at=ctx.now,
            expires_at=ends_of(ctx.now, ctx.policies, zone=ctx.settings.time_zone),
            actor=ctx.caller.actor,
            at=ctx.now,
        )
        append(ctx.session, entry)
    else:
        payments.refund(
            ctx.session,
            order,
            grant.value_minor,
            reference=reference,
            now=ctx.now,
            actor=ctx.caller.actor,
        )


def _lock_customer(ctx: ToolContext, order: Order) -> None:
    """Let two gestures to one customer wait for each other, so that both see the same cap."""
    own = select(Customer.id).where(Customer.id == order.customer_id)
    ctx.session.execute(own.with_for_update()).one()


def _refunded_since(ctx: ToolContext, order: Order, days: int) -> int:
    total = select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
        Payment.order_id == order.id,
        Payment.kind == PaymentKind.REFUND,
        Payment.at > ctx.now - timedelta(days=days),
    )
    return ctx.session.scalar(total) or 0
