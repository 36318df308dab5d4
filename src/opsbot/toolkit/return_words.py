"""How a return reads to a customer: what they get, what it costs, what to do next."""

from collections.abc import Sequence
from datetime import datetime

from opsbot.commerce.returns import KEPT, Resolution, Return, ReturnLine, ReturnReason
from opsbot.formats import format_items
from opsbot.toolkit.policy.returns import Condition
from opsbot.toolkit.return_plans import Piece, Plan, credit_minor, plan_return
from opsbot.toolkit.telling import units_in_words
from opsbot.toolkit.tool import ToolContext

CHOICES = {
    Resolution.REFUND: "a refund",
    Resolution.EXCHANGE: "another piece",
    Resolution.STORE_CREDIT: "store credit",
    Resolution.REPAIR: "a repair",
    Resolution.PART: "the missing part",
    Resolution.PRICE_REDUCTION: "a part of the price back",
}


def terms(ctx: ToolContext, plan: Plan) -> list[str]:
    """Return what a customer would get, as items of a list."""
    refund, currency = plan.refund_minor, plan.order.currency
    lines = []
    day = plan.withdrawal_until
    if day is not None:
        lines.append(f"- Until {ctx.day(day)} you also have your legal right of withdrawal.")
    if Resolution.REFUND in plan.resolutions:
        lines.append(f"- You would get back **{ctx.money(refund, currency)}**{_less(ctx, plan)}.")
    if plan.keep_items:
        lines.append("- You need not send anything back.")
    elif plan.postage_minor == 0:
        lines.append(f"- {postage_in_words(ctx, 0, currency)}.")
    choices = [CHOICES[resolution] for resolution in plan.resolutions]
    lines.append(f"- You may choose {format_items(choices).replace(' and ', ' or ')}.")
    if Resolution.STORE_CREDIT in plan.resolutions:
        credit = ctx.money(credit_minor(ctx, refund), currency)
        lines.append(f"- As store credit it would be {credit}.")
    return lines


def hand_in_words(ctx: ToolContext, until: datetime) -> str:
    """Say until when goods must be handed in, and where they go if the shop has set it."""
    to = ctx.settings.returns_address
    return f"Please hand in the parcel by {ctx.day(until)}" + (f", addressed to {to}" if to else "")


def postage_in_words(ctx: ToolContext, minor: int | None, currency: str) -> str:
    """Say what the way back costs the customer; None: they pay the carrier."""
    if minor is None:
        return "You pay the carrier for the way back"
    if minor == 0:
        return "The return label is free"
    return f"The return label costs {ctx.money(minor, currency)}, which we take off the refund"


def next_steps(
    ctx: ToolContext,
    plan: Plan,
    chosen: Resolution,
    back: int,
    until: datetime | None,
) -> list[str]:
    """Return what happens once the return is open, a sentence each.

    Args:
        ctx: of the tool.
        plan: the return.
        chosen: what the customer gets.
        back: how much that is, in minor units.
        until: until when the goods must be sent.
    """
    lines = []
    if not plan.automatic:
        lines.append("A person looks at it first and answers you by mail.")
    if any(piece.decision.photo for piece in plan.pieces):
        lines.append("Please answer that mail with a photo.")
    if plan.keep_items or chosen in KEPT:
        lines.append("You need not send anything back.")
    elif until is not None:
        lines.append(f"{hand_in_words(ctx, until)}.")
        if plan.postage_minor == 0:
            lines.append(f"{postage_in_words(ctx, 0, plan.order.currency)}.")
    money = ctx.money(back, plan.order.currency)
    gets = {
        Resolution.REFUND: f"You get back {money}{_less(ctx, plan)}.",
        Resolution.STORE_CREDIT: f"You get {money} as store credit{_less(ctx, plan)}.",
        Resolution.EXCHANGE: "We send you the same again.",
        Resolution.REPAIR: "We repair it, and send it back to you.",
        Resolution.PART: "We send you the missing part, at no cost.",
        Resolution.PRICE_REDUCTION: "We tell you by mail how much of the price you get back.",
    }
    lines.append(gets[chosen])
    if chosen is Resolution.EXCHANGE and plan.postage_minor:
        lines.append(
            f"The return label costs {ctx.money(plan.postage_minor, plan.order.currency)}."
        )
    return lines


def if_opened(ctx: ToolContext, plan: Plan, reason: ReturnReason) -> str:
    """Return a sentence that tells what changes if the box was opened; empty: nothing."""
    names = [piece.line.title for piece in plan.pieces]
    quantity = plan.pieces[0].quantity if len(plan.pieces) == 1 else None
    other = plan_return(
        ctx, plan.order, names, quantity=quantity, reason=reason, condition=Condition.OPENED
    )
    if other.refused is not None:
        return f"This holds while it is sealed. Opened: {other.refused.decision.refusal}"
    money = ctx.money(other.refund_minor, plan.order.currency)
    if other.refund_minor == plan.refund_minor:
        return ""
    return f"This holds while the box is sealed. If it has been opened, it is {money}."


def pieces_in_words(pieces: Sequence[Piece]) -> str:
    """Return "2 x Kiln mug, moss and A5 notebook, dotted"."""
    return format_items([units_in_words(piece.line, piece.quantity) for piece in pieces])


def _less(ctx: ToolContext, plan: Plan) -> str:
    taken = []
    if plan.fee_minor:
        taken.append(f"{ctx.money(plan.fee_minor, plan.order.currency)} because the box was opened")
    if plan.postage_minor:
        taken.append(f"{ctx.money(plan.postage_minor, plan.order.currency)} for the return label")
    words = f", after {format_items(taken)}" if taken else ""
    shipping = sum(piece.decision.shipping_minor for piece in plan.pieces)
    if shipping:
        words += f", with {ctx.money(shipping, plan.order.currency)} of delivery charge"
    if plan.postage_minor is None:
        words += "; you pay the carrier for the way back"
    return words


def gets_in_words(ctx: ToolContext, opened: Return) -> str:
    """Say what a customer gets for a return."""
    money = ctx.money(opened.refund_minor, opened.order.currency) if opened.refund_minor else ""
    return f"{CHOICES[opened.resolution]} {money}".strip()


def goods_in_words(lines: Sequence[ReturnLine]) -> str:
    """Say what comes back."""
    return format_items([units_in_words(line.order_line, line.quantity) for line in lines])
