"""Points: how many there are, and turning them into store credit."""

from typing import Annotated, Any

from opsbot.commerce.customers import Customer
from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind, append, available, redemptions
from opsbot.commerce.payment_methods import CreditReason, change_balance, store_credit_of
from opsbot.errors import ConflictError, NotFoundError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tiers import standing
from opsbot.toolkit.tool import ToolContext, tool

Points = Annotated[
    int,
    argument(
        "points",
        "How many points would you like to use?",
        description="How many points to turn into store credit.",
        pattern=r"\b(\d{1,6})\s+(?:loyalty\s+)?points?\b",
        ge=1,
        le=1_000_000,
    ),
]


@tool(
    examples=[
        "How many points do I have?",
        "my loyalty balance please",
        "what tier am I in",
        "When do my points expire?",
        "show my points",
        "Which of my points are still pending?",
        "how far am I from the studio tier",
        "are any of my points ending soon?",
        "points on my account",
    ],
    label="Counting your points",
    level=Level.SIGNED_IN,
)
def loyalty(ctx: ToolContext) -> Result:
    """Tell the customer's points: usable, pending, ending next, and the tier they make."""
    customer = _customer(ctx)
    zone = ctx.settings.time_zone
    now = standing(ctx.session, customer.id, ctx.policies, zone=zone, now=ctx.now)
    rules = ctx.policies.loyalty
    tier = rules.tier_of(now.earned)
    worth = ctx.money(max(0, now.balance) * rules.redeem.minor_per_point, ctx.settings.currency)
    lines = [f"You have **{now.balance} points** to use, worth {worth}.", ""]
    if now.balance < 0:
        lines.append("- It is less than nothing because goods came back whose points were used.")
    if now.pending:
        when = (
            f"; the first from {ctx.day(now.next_available_at)} on" if now.next_available_at else ""
        )
        lines.append(f"- Pending: {now.pending}{when}")
    if now.expiring and now.next_expiry_at:
        lines.append(f"- Ending next: {now.expiring} on {ctx.day(now.next_expiry_at)}")
    lines.append(f"- Your tier: {tier.name}")
    further = next((one for one in rules.tiers if one.from_points > now.earned), None)
    if further is not None:
        missing = further.from_points - now.earned
        lines.append(f"- {missing} more points make you {further.name}")
    if 0 <= now.balance < rules.redeem.min_points:
        lines.append(f"- Points can be used from {rules.redeem.min_points} on")
    facts: dict[str, Any] = {
        "balance": now.balance,
        "pending": now.pending,
        "expiring": now.expiring,
        "tier": tier.name,
        "worth": worth,
    }
    return Result("\n".join(lines), facts=facts)


@tool(
    examples=[
        "Turn 200 points into store credit",
        "I want to use my points",
        "redeem 150 points please",
        "convert my loyalty points to a voucher",
        "cash in 100 points",
        "Can I spend 300 points now?",
        "use all of my points",
        "exchange 250 points for credit",
    ],
    label="Preparing the credit",
    effect="write",
    level=Level.SIGNED_IN,
)
def redeem_points(ctx: ToolContext, points: Points | None = None) -> Change:
    """Turn points of the customer into store credit; without a number, all that can be used."""
    customer = _customer(ctx)
    rules = ctx.policies.loyalty.redeem
    there = available(ctx.session, customer.id, now=ctx.now)
    wanted = there if points is None else points
    if wanted < rules.min_points:
        words = f"Points can be used from {rules.min_points} on; you have {there} to use."
        instead = ("Pending points can be used once the time for a return is over.",)
        raise refusal(ctx, words, clause="loyalty.using", alternatives=instead)
    if wanted > there:
        raise ConflictError(f"You have {there} points to use, so {wanted} is too many.")
    currency = ctx.settings.currency
    minor = wanted * rules.minor_per_point
    money = ctx.money(minor, currency)
    place = redemptions(ctx.session, customer.id) + 1

    def apply() -> Result:
        return _redeem(ctx, customer, wanted, minor, f"redeem:{customer.number}:{place}", there)

    return Change(
        title=f"Turn {wanted} points into store credit?",
        details=[f"You get {money} of store credit.", f"{there - wanted} points are left."],
        button="Use the points",
        basis={"available": there, "points": wanted, "place": place},
        apply=apply,
        clause=ctx.policies.clause("loyalty.using"),
    )


def _redeem(
    ctx: ToolContext, customer: Customer, wanted: int, minor: int, reference: str, there: int
) -> Result:
    entry = LoyaltyEntry(
        customer_id=customer.id,
        kind=LoyaltyKind.REDEEM,
        points=-wanted,
        order_id=None,
        reference=reference,
        available_at=ctx.now,
        expires_at=None,
        actor=ctx.caller.actor,
        at=ctx.now,
    )
    if not append(ctx.session, entry):
        raise ConflictError("Your points changed a moment ago. Nothing was done.")
    currency = ctx.settings.currency
    money = ctx.money(minor, currency)
    change_balance(
        ctx.session,
        store_credit_of(ctx.session, customer.id, currency, now=ctx.now),
        minor,
        reason=CreditReason.ISSUED,
        reference=reference,
        actor=ctx.caller.actor,
        at=ctx.now,
    )
    tell_customer(
        ctx,
        customer,
        subject=f"{wanted} points are now store credit",
        lines=[f"We turned {wanted} of your points into {money} of store credit."],
        key=reference,
    )
    facts = {"points": wanted, "credit": money, "left": there - wanted}
    say = f"**{wanted} points** are now {money} of store credit."
    return Result(f"{say} {there - wanted} points are left.", facts=facts)


def _customer(ctx: ToolContext) -> Customer:
    found = ctx.session.get(Customer, ctx.caller.customer_id or 0)
    if found is None:
        raise NotFoundError("customer", "you")
    return found
