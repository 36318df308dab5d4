"""Sending goods back: what is possible, and opening a return."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.payments import payments_of
from opsbot.commerce.return_steps import open_return as record_return
from opsbot.commerce.returns import KEPT, Resolution, ReturnReason, ReturnState, Units
from opsbot.errors import InvalidInputError
from opsbot.formats import format_items
from opsbot.toolkit.arguments import (
    Items,
    Opened,
    OrderNumber,
    Outcome,
    PaymentChoice,
    Quantity,
    Reason,
)
from opsbot.toolkit.caller import Level
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.policy.returns import Condition
from opsbot.toolkit.results import Card, Change, Result, Undo
from opsbot.toolkit.return_plans import (
    Piece,
    Plan,
    condition_matters,
    credit_minor,
    plan_return,
)
from opsbot.toolkit.return_words import CHOICES, if_opened, next_steps, pieces_in_words, terms
from opsbot.toolkit.returning import refuse_second_return
from opsbot.toolkit.telling import units_in_words
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.wallet import check_destination, method_in_words, pick_method, ways_back

_STEPS = ("Opened", "Approved", "On its way", "Arrived", "Checked", "Resolved")


@tool(
    examples=[
        "Can I return the lamp?",
        "Until when can I send order #1004 back?",
        "is it still possible to return my mugs",
        "How much would I get back for the grinder?",
        "what does a return of order 1010 cost me",
        "Do I have to pay the postage if I send it back?",
        "Am I still within the return window?",
        "can I return something I already opened?",
        "my order is three weeks old, can it still go back?",
        "would I get a full refund for the notebook?",
    ],
    label="Checking the return rules",
    level=Level.ORDER,
    pii="masked",
)
def return_options(
    ctx: ToolContext,
    order_number: OrderNumber,
    items: Items | None = None,
    reason: Reason = ReturnReason.CHANGED_MIND,
    condition: Opened | None = None,
) -> Result:
    """Tell whether items of an order can be returned, until when, and for how much."""
    order = own_order(ctx, order_number)
    assumed = condition or Condition.UNOPENED
    plan = plan_return(ctx, order, items or (), quantity=None, reason=reason, condition=assumed)
    if len(plan.pieces) == 1 and plan.refused is not None:
        raise _refusal(ctx, plan.refused)
    lines = [_option(ctx, order, piece) for piece in plan.pieces]
    allowed = Plan(order, tuple(p for p in plan.pieces if p.decision.allowed))
    if not allowed.pieces:
        raise _refusal(ctx, plan.pieces[0])
    lines += terms(ctx, allowed)
    opened = if_opened(ctx, allowed, reason) if condition is None else ""
    if opened and condition_matters(ctx, allowed, reason):
        lines.append(f"- {opened}")
    clause = ctx.policies.clause(allowed.pieces[0].decision.window_clause)
    lines.append(f"\nOur rule, {clause.title}: {clause.text}")
    return Result("\n".join(lines), facts=_facts(ctx, order, plan))


@tool(
    examples=[
        "I want to return the lamp",
        "please open a return for order #1004",
        "Send back the mugs, I changed my mind",
        "I'd like to send one of the notebooks back and get a refund",
        "the grinder does not work, I want to return it",
        "Start a return: wrong item in the parcel",
        "can you give me a return label for my order",
        "I want my money back for the tote bag",
        "exchange the bowl, it arrived broken",
        "send the bag back, it is not my style",
        "I want a replacement under the guarantee",
    ],
    label="Preparing the return",
    effect="write",
    level=Level.SIGNED_IN,
    limits=("20/hour", "50/day"),
)
def request_return(
    ctx: ToolContext,
    order_number: OrderNumber,
    items: Items,
    reason: Reason | None = None,
    resolution: Outcome | None = None,
    quantity: Quantity | None = None,
    condition: Opened | None = None,
    refund_to: PaymentChoice | None = None,
) -> Change:
    """Open a return for delivered items of an order, with a refund, exchange, credit or repair."""
    order = own_order(ctx, order_number)
    refuse_second_return(ctx, order)
    reason = reason or _unsaid_reason(ctx)
    assumed = condition or Condition.UNOPENED
    plan = plan_return(ctx, order, items, quantity=quantity, reason=reason, condition=assumed)
    if plan.refused is not None:
        raise _refusal(ctx, plan.refused)
    chosen = _choose(plan, resolution)
    back = _amount(ctx, plan, chosen)
    until = _end_of_day(ctx, plan.pieces[0].decision.send_within_days)
    method = _destination(ctx, order, refund_to) if chosen is Resolution.REFUND else None
    details = [
        f"What comes back: {pieces_in_words(plan.pieces)}.",
        *next_steps(ctx, plan, chosen, back, until),
        *(_way_of_money(ctx, order, method) if chosen is Resolution.REFUND and back else []),
    ]
    opened = if_opened(ctx, plan, reason) if condition is None else ""
    if opened and condition_matters(ctx, plan, reason):
        details.append(opened)

    def apply() -> Result:
        return _open(ctx, order, plan, chosen, reason, back, until, method)

    return Change(
        title=f"Open a return for order {order.number}?",
        details=details,
        button="Open the return",
        basis={
            "version": order.version,
            "units": [[p.line.id, p.quantity, p.line.delivered] for p in plan.pieces],
            "back_minor": back,
            "postage_minor": plan.postage_minor,
            "resolution": chosen,
            "automatic": plan.automatic,
            "refund_to": method.reference if method else None,
        },
        apply=apply,
        clause=ctx.policies.clause(plan.pieces[0].decision.window_clause),
    )


def _open(
    ctx: ToolContext,
    order: Order,
    plan: Plan,
    chosen: Resolution,
    reason: ReturnReason,
    back: int,
    until: datetime | None,
    method: PaymentMethod | None,
) -> Result:
    opened = record_return(
        ctx.session,
        order,
        [Units(piece.line.id, piece.quantity, reason) for piece in plan.pieces],
        state=ReturnState.APPROVED if plan.automatic else ReturnState.REQUESTED,
        resolution=chosen,
        refund_minor=back,
        policy_version=ctx.policies.version,
        decision=plan.as_json(),
        deadline=None if plan.keep_items or chosen in KEPT else until,
        actor=ctx.caller.actor,
        now=ctx.now,
        method=method,
    )
    lines = next_steps(ctx, plan, chosen, back, until)
    if method is not None:
        lines.append(f"The money goes to your {method_in_words(method)}.")
    tell_customer(
        ctx,
        order.customer,
        subject=f"Your return {opened.number} for order {order.number}",
        lines=[f"Your return {opened.number} is open: {pieces_in_words(plan.pieces)}.", *lines],
        key=f"return-opened:{opened.number}",
    )
    head = f"Your return **{opened.number}** is open."
    card = Card(
        "return",
        {
            "number": opened.number,
            "state": opened.state.value.replace("_", " "),
            "steps": _steps(current=2 if plan.automatic else 0),
            "refund": ctx.money(back, order.currency) if back else None,
            "deadline": None if plan.keep_items or until is None else ctx.day(until),
        },
    )
    facts = {"return_number": opened.number, "order_number": order.number, "resolution": chosen}
    undo = Undo("cancel_return", {"return_number": opened.number})
    said = "\n".join((head, "", *(f"- {line}" for line in lines)))
    return Result(said, facts, cards=[card], undo=undo)


def _destination(ctx: ToolContext, order: Order, words: str | None) -> PaymentMethod | None:
    """Return the payment method that a refund shall go to; None: the way it was paid."""
    method = pick_method(ctx, order, words) if words else None
    if method is not None:
        check_destination(ctx, order, method, ctx.policies.changes.coming_back.refund_to)
    return method


def _unsaid_reason(ctx: ToolContext) -> ReturnReason:
    """Return what counts where no reason was given, unless the shop wants one."""
    if ctx.policies.returns.ask_reason:
        raise InvalidInputError("Why do you want to send it back?", field="reason")
    return ReturnReason.CHANGED_MIND


def _way_of_money(ctx: ToolContext, order: Order, method: PaymentMethod | None) -> list[str]:
    """Say where a refund goes: to what was chosen, else the way it was paid."""
    if method is not None:
        return [f"The money goes to your {method_in_words(method)}."]
    return [f"The money goes back to {ways_back(payments_of(ctx.session, order.id))}."]


def _option(ctx: ToolContext, order: Order, piece: Piece) -> str:
    decision = piece.decision
    if not decision.allowed or decision.deadline is None:
        return f"- {piece.line.title}: not possible. {decision.refusal}"
    until = ctx.day(decision.deadline)
    worth = ctx.money(piece.facts.paid_minor, order.currency)
    return f"- {units_in_words(piece.line, piece.quantity)} ({worth}): yes, until {until}."


def _choose(plan: Plan, resolution: Resolution | None) -> Resolution:
    offered = plan.resolutions
    if resolution is None:
        part_first = offered[0] in KEPT or Resolution.REFUND not in offered
        return offered[0] if part_first else Resolution.REFUND
    if resolution not in offered:
        choices = format_items([CHOICES[one] for one in offered]).replace(" and ", " or ")
        raise InvalidInputError(f"For this you may choose {choices}.")
    return resolution


def _amount(ctx: ToolContext, plan: Plan, chosen: Resolution) -> int:
    if chosen is Resolution.REFUND:
        return plan.refund_minor
    return credit_minor(ctx, plan.refund_minor) if chosen is Resolution.STORE_CREDIT else 0


def _refusal(ctx: ToolContext, piece: Piece) -> Exception:
    decision = piece.decision
    too_early = piece.facts.delivered_on is None
    when = "yet" if too_early else "any more" if decision.deadlines else "for this reason"
    words = f"{piece.line.title} cannot be returned {when}. {decision.refusal}"
    return refusal(ctx, words, clause=decision.clause, alternatives=decision.alternatives)


def _end_of_day(ctx: ToolContext, days: int) -> datetime:
    last = ctx.today + timedelta(days=days)
    return datetime.combine(last, time(23, 59), tzinfo=ZoneInfo(ctx.settings.time_zone))


def _steps(*, current: int) -> list[dict[str, str]]:
    states = ["done" if n < current else "current" if n == current else "todo" for n in range(6)]
    return [{"label": label, "state": state} for label, state in zip(_STEPS, states, strict=True)]


def _facts(ctx: ToolContext, order: Order, plan: Plan) -> dict[str, Any]:
    return {
        "order_number": order.number,
        "items": [
            {
                "title": piece.line.title,
                "returnable": piece.decision.allowed,
                "until": ctx.day(piece.decision.deadline) if piece.decision.deadline else None,
                "clause": piece.decision.clause,
            }
            for piece in plan.pieces
        ],
        "candidates": {
            "item": [{"value": p.line.title, "words": p.line.title} for p in plan.pieces]
        },
    }
