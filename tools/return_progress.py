"""Where a return stands, and calling it off."""

from collections.abc import Sequence
from typing import Any

from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.return_work import BEFORE_GOODS
from opsbot.commerce.return_work import cancel_return as call_off
from opsbot.commerce.returns import (
    KEPT,
    Resolution,
    Return,
    ReturnKind,
    ReturnState,
    find_return,
    latest_returns,
    returns_of,
)
from opsbot.errors import AmbiguousError, ConflictError, NotFoundError
from opsbot.formats import format_items
from opsbot.toolkit.arguments import OrderNumber
from opsbot.toolkit.caller import Level
from opsbot.toolkit.named_returns import ReturnNumber, plain_number
from opsbot.toolkit.notices import tell_customer
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.results import Card, Change, Result
from opsbot.toolkit.return_words import hand_in_words, postage_in_words
from opsbot.toolkit.telling import units_in_words
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.ways_back import asked_again

_STEPS = ("Opened", "Approved", "On its way", "Arrived", "Checked", "Resolved")
_TO_COME = frozenset({ReturnState.REQUESTED, ReturnState.APPROVED})
_REACHED = {
    ReturnState.REQUESTED: 0,
    ReturnState.APPROVED: 1,
    ReturnState.IN_TRANSIT: 2,
    ReturnState.RECEIVED: 3,
    ReturnState.INSPECTED: 4,
    ReturnState.RESOLVED: 5,
}
_MOST = 10


@tool(
    examples=[
        "Where is my return?",
        "what is the state of RMA-00012",
        "Has my return arrived at your warehouse?",
        "when do I get the refund for my return",
        "Did you receive the mug I sent back?",
        "status of the return of order #1001",
        "I sent the lamp back two weeks ago and heard nothing",
        "Is my return RMA-00003 approved yet?",
        "until when must I hand in the return parcel",
        "who pays for the return label of RMA-00012",
    ],
    label="Looking up the return",
    level=Level.ORDER,
    pii="masked",
)
def return_status(
    ctx: ToolContext, return_number: ReturnNumber = "", order_number: OrderNumber = ""
) -> Result:
    """Tell where returns stand: their steps, dates, and what became of the refund."""
    found = _own_returns(ctx, return_number, order_number)
    if not found:
        where = f" for order {order_number}" if order_number else ""
        return Result(f"There is no return{where}.", facts={"returns": []})
    lines = [_standing(ctx, opened) for opened in found]
    facts = {"returns": [_facts(ctx, opened) for opened in found]}
    cards = [_card(ctx, opened) for opened in found[:3]]
    return Result("\n\n".join(lines), facts=facts, cards=cards)


@tool(
    examples=[
        "Cancel my return",
        "I want to keep the lamp after all, stop the return",
        "please call off RMA-00012",
        "Can I take back my return request?",
        "don't send me the return label, I keep it",
        "I changed my mind about returning the mugs",
        "scrap the return RMA-00007, I keep the goods",
        "drop the return of order #1001",
    ],
    label="Calling the return off",
    effect="write",
    level=Level.SIGNED_IN,
)
def cancel_return(
    ctx: ToolContext, return_number: ReturnNumber = "", order_number: OrderNumber = ""
) -> Change:
    """Call off a return whose goods have not been handed in, so that the customer keeps them."""
    opened = _the_one(ctx, return_number, order_number)
    if opened.state not in BEFORE_GOODS:
        words = _WORDS[opened.state]
        raise ConflictError(f"{opened.number} cannot be called off any more: {words}")
    what = _goods(opened)
    still = "You keep the goods, and nothing is refunded."
    law = " Your declaration stays recorded." if opened.kind is ReturnKind.WITHDRAWAL else ""

    money_to = opened.payment_method_id
    method = ctx.session.get(PaymentMethod, money_to) if money_to else None

    def apply() -> Result:
        call_off(ctx.session, opened, actor=ctx.caller.actor, now=ctx.now)
        tell_customer(
            ctx,
            opened.order.customer,
            subject=f"Your return {opened.number} is called off",
            lines=[f"We called off your return {opened.number} ({what}) as you asked.", still],
            key=f"return-cancelled:{opened.number}",
        )
        facts = {"return_number": opened.number, "cancelled": True}
        return Result(f"Return **{opened.number}** is called off. {still}", facts=facts)

    return Change(
        title=f"Call off the return {opened.number}?",
        details=[f"It is about: {what}.", f"{still}{law}"],
        button="Call it off",
        basis={"version": opened.version, "state": opened.state},
        apply=apply,
        undo=asked_again(opened, method),
    )


def _own_returns(ctx: ToolContext, number: str, order_number: str) -> list[Return]:
    if number:
        return [_find(ctx, number)]
    if order_number:
        return returns_of(ctx.session, own_order(ctx, order_number).id)[-_MOST:]
    if ctx.caller.level < Level.SIGNED_IN:
        return _of_proved(ctx)
    return latest_returns(ctx.session, ctx.caller.customer_id or 0, limit=_MOST)


def _of_proved(ctx: ToolContext) -> list[Return]:
    return returns_of(ctx.session, ctx.caller.proved_order_id or 0)[-_MOST:]


def _find(ctx: ToolContext, number: str) -> Return:
    plain = plain_number(number)
    opened = find_return(ctx.session, plain, customer_id=ctx.caller.customer_id or 0)
    proved = ctx.caller.proved_order_id
    if ctx.caller.level < Level.SIGNED_IN and opened.order_id != proved:
        raise NotFoundError("return", plain)
    return opened


def _the_one(ctx: ToolContext, number: str, order_number: str) -> Return:
    if number:
        return _find(ctx, number)
    found = _own_returns(ctx, number, order_number)
    still = [one for one in found if one.state in BEFORE_GOODS]
    if len(still) == 1:
        return _find(ctx, still[0].number)
    if not found:
        raise NotFoundError("a return", f"of order {order_number}" if order_number else "of yours")
    candidates = [one.number for one in still or found]
    raise AmbiguousError("Which return do you mean?", candidates=candidates)


_WORDS = {
    ReturnState.REQUESTED: "a person looks at it and answers you by mail.",
    ReturnState.APPROVED: "it is approved.",
    ReturnState.IN_TRANSIT: "the goods are on their way to us.",
    ReturnState.RECEIVED: "the goods have arrived, and we look at them.",
    ReturnState.INSPECTED: "the goods have been checked; the last step is ours.",
    ReturnState.RESOLVED: "it is done.",
    ReturnState.DECLINED: "it was declined.",
    ReturnState.CANCELLED: "it was called off.",
    ReturnState.EXPIRED: "it has ended, because the goods were not handed in in time.",
}


def _standing(ctx: ToolContext, opened: Return) -> str:
    lines = [
        f"Return **{opened.number}** ({_goods(opened)}): {_WORDS[opened.state]}",
        "",
        f"- Opened on {ctx.day(opened.requested_at)}",
    ]
    if opened.state is ReturnState.APPROVED and opened.deadline and not _keeps(opened):
        lines.append(f"- {hand_in_words(ctx, opened.deadline)}")
    if opened.state in _TO_COME and not _keeps(opened):
        lines += [f"- {words}" for words in _label_cost(ctx, opened)]
    if opened.received_at:
        lines.append(f"- Arrived on {ctx.day(opened.received_at)}")
    if opened.note and opened.state in {ReturnState.DECLINED, ReturnState.RESOLVED}:
        lines.append(f"- We wrote: {opened.note}")
    lines += [f"- {sentence}" for sentence in _money(ctx, opened)]
    return "\n".join(lines)


def _label_cost(ctx: ToolContext, opened: Return) -> Sequence[str]:
    """Say what the way back costs, if that was decided with the return."""
    if "postage_minor" not in opened.decision:
        return ()
    cost = postage_in_words(ctx, opened.decision["postage_minor"], opened.order.currency)
    return (cost,)


def _money(ctx: ToolContext, opened: Return) -> Sequence[str]:
    done = opened.state is ReturnState.RESOLVED and opened.resolved_at
    if opened.state in {ReturnState.DECLINED, ReturnState.CANCELLED, ReturnState.EXPIRED}:
        return ()
    amount = ctx.money(opened.refund_minor, opened.order.currency)
    on = f" on {ctx.day(opened.resolved_at)}" if opened.resolved_at else ""
    words = {
        Resolution.REFUND: (f"Refund: {amount}, paid back{on}", f"Refund: {amount}, not paid yet"),
        Resolution.STORE_CREDIT: (f"Store credit: {amount}, given{on}", f"Store credit: {amount}"),
        Resolution.EXCHANGE: (f"Another piece, ordered for you{on}", "You get another piece"),
        Resolution.REPAIR: (f"Repaired, and sent back{on}", "We repair it"),
        Resolution.PART: (f"The missing part was sent{on}", "We send the missing part"),
        Resolution.PRICE_REDUCTION: (f"{amount} paid back{on}", "A part of the price goes back"),
    }
    return (words[opened.resolution][0 if done else 1],)


def _keeps(opened: Return) -> bool:
    return opened.resolution in KEPT


def _goods(opened: Return) -> str:
    return format_items([units_in_words(line.order_line, line.quantity) for line in opened.lines])


def _facts(ctx: ToolContext, opened: Return) -> dict[str, Any]:
    return {
        "return_number": opened.number,
        "state": opened.state.value,
        "kind": opened.kind.value,
        "resolution": opened.resolution.value,
        "requested": ctx.day(opened.requested_at),
        "send_by": ctx.day(opened.deadline) if opened.deadline else None,
        "received": ctx.day(opened.received_at) if opened.received_at else None,
        "resolved": ctx.day(opened.resolved_at) if opened.resolved_at else None,
    }


def _card(ctx: ToolContext, opened: Return) -> Card:
    order: Order = opened.order
    reached = _REACHED.get(opened.state, -1)
    states = ["done" if n < reached else "current" if n == reached else "todo" for n in range(6)]
    if opened.state is ReturnState.RESOLVED:
        states[-1] = "done"
    steps = [{"label": label, "state": state} for label, state in zip(_STEPS, states, strict=True)]
    open_yet = opened.state in BEFORE_GOODS
    return Card(
        "return",
        {
            "number": opened.number,
            "state": opened.state.value.replace("_", " "),
            "steps": steps if reached >= 0 else [],
            "refund": ctx.money(opened.refund_minor, order.currency)
            if opened.refund_minor
            else None,
            "deadline": ctx.day(opened.deadline) if open_yet and opened.deadline else None,
        },
    )
