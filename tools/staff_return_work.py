"""The work on one return: deciding, taking in and grading, and ending it."""

from typing import Annotated, Literal

from opsbot.commerce.return_work import (
    GRADES,
    Disposition,
    approve_return,
    decline_return,
    end_return,
    grade_lines,
    take_in,
)
from opsbot.commerce.returns import (
    Resolution,
    Return,
    ReturnKind,
    ReturnState,
    find_return,
)
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.arguments import Outcome, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loyalty_rules import take_back_points
from opsbot.toolkit.money_words import Amount, approval_of
from opsbot.toolkit.named_returns import ReturnNumber, pick_return_lines, plain_number
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.policy.approvals import refund_approval
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.return_ends import check_can_end, money_of
from opsbot.toolkit.return_words import CHOICES, gets_in_words, goods_in_words, hand_in_words
from opsbot.toolkit.tool import ToolContext, tool

_DESK = ("agent", "lead", "manager")
_BENCH = ("ops", "quality", "agent", "lead", "manager")

Decision = Annotated[
    Literal["approve", "decline"],
    argument(
        "choice",
        "Approve it, or decline it?",
        description="Whether the return may go ahead.",
        labels={
            "approve": ("approve", "accept", "allow", "let it go ahead", "ok"),
            "decline": ("decline", "refuse", "reject", "turn down", "deny"),
        },
    ),
]
Note = Annotated[
    str,
    argument(
        "text",
        "In which words shall the customer read it?",
        description="Text for the record; of a decision, what the customer reads.",
        max_length=1000,
    ),
]
Grade = Annotated[
    Literal["A", "B", "C", "D"],
    argument(
        "choice",
        "Which grade: A as new, B used once, C to repair, D scrap?",
        description="How the goods look: A as new, B used once, C to be repaired, D scrap.",
        labels={
            "A": ("grade A", "as new", "unopened", "unused"),
            "B": ("grade B", "used once", "box damaged"),
            "C": ("grade C", "visible wear", "needs repair"),
            "D": ("grade D", "broken", "unsafe", "scrap it"),
        },
    ),
]
PutAway = Annotated[
    Disposition,
    argument(
        "choice",
        "Where do the goods go: on sale, outlet, repair, quarantine, or scrap?",
        description="What happens to the goods; without it, what is usual for their grade.",
        labels={
            "restock": ("restock", "back on sale", "back to stock", "to the shelf"),
            "outlet": ("outlet", "sell as used"),
            "repair": ("repair rack", "workshop"),
            "quarantine": ("quarantine", "put aside for quality"),
            "scrap": ("scrap", "throw away", "recycle"),
        },
    ),
]
ReturnItems = Annotated[
    list[Annotated[str, argument("item", "Which item?", description="Title.", max_length=120)]],
    argument(
        "item",
        "Which of the items?",
        description="Titles of items of the return; empty: all that have no grade yet.",
        max_length=20,
    ),
]


@tool(
    examples=[
        "Approve RMA-00012",
        "decline return RMA-00012, the customer used it for months",
        "accept the return RMA-00031",
        "turn down RMA-00007 because the photo shows wear",
        "let RMA-00015 go ahead",
        "refuse the return RMA-00020 and tell them why",
        "decide RMA-00009: approve",
        "ok the requested return RMA-00018",
    ],
    label="Preparing the decision",
    audience=Audience.STAFF,
    effect="write",
    roles=_DESK,
)
def decide_return(
    ctx: ToolContext, return_number: ReturnNumber, decision: Decision, text: Note = ""
) -> Change:
    """Approve or decline a return that waits for a person; a legal withdrawal is never declined."""
    opened = find_return(ctx.session, plain_number(return_number), customer_id=None)
    approve = decision == "approve"
    if opened.state is not ReturnState.REQUESTED:
        state = opened.state.value.replace("_", " ")
        raise ConflictError(f"{opened.number} does not wait for a decision: it is {state}.")
    if not approve and opened.kind is ReturnKind.WITHDRAWAL:
        words = f"{opened.number} is a withdrawal by law, so it cannot be declined."
        instead = ("Goods that lost value may lower the refund, once they are graded.",)
        raise refusal(ctx, words, clause="withdrawal.right", alternatives=instead)
    if not approve and not text:
        raise InvalidInputError("Say why, in words the customer can read.")
    verb = "Approve" if approve else "Decline"
    by = ctx.day(opened.deadline) if approve and opened.deadline else ""
    until = f" Goods by {by}." if by else ""
    mail = [
        f"Your return {opened.number} is approved."
        if approve
        else f"We cannot accept your return {opened.number}.",
        *([text] if text else []),
        *([f"{hand_in_words(ctx, opened.deadline)}."] if by and opened.deadline else []),
    ]

    def apply() -> Result:
        return _decide(ctx, opened, text, mail, approve=approve)

    return Change(
        title=f"{verb} return {opened.number}?",
        details=[
            (
                f"Order {opened.order.number}: {goods_in_words(opened.lines)}. The customer gets "
                f"{gets_in_words(ctx, opened)}.{until}"
            ),
            f"Mail to the customer: {' '.join(mail)}",
        ],
        button=verb,
        basis={"version": opened.version, "state": opened.state},
        apply=apply,
    )


@tool(
    examples=[
        "RMA-00012 has arrived",
        "receive return RMA-00012, grade A",
        "grade RMA-00031 B and put it to the outlet",
        "the goods of RMA-00007 are here, grade D, scrap",
        "take in RMA-00015",
        "inspected RMA-00020: grade C, workshop",
        "Return RMA-00009 came in, as new, back on sale",
        "mark RMA-00018 as received",
    ],
    label="Preparing the receipt",
    audience=Audience.STAFF,
    effect="write",
    roles=_BENCH,
)
def receive_return(
    ctx: ToolContext,
    return_number: ReturnNumber,
    grade: Grade | None = None,
    disposition: PutAway | None = None,
    items: ReturnItems | None = None,
    note: Note = "",
) -> Change:
    """Take returned goods in, and grade them A to D: on sale, outlet, repair, quarantine, scrap."""
    opened = find_return(ctx.session, plain_number(return_number), customer_id=None)
    arrived = opened.state in {ReturnState.APPROVED, ReturnState.IN_TRANSIT}
    if not arrived and opened.state is not ReturnState.RECEIVED:
        state = opened.state.value.replace("_", " ")
        raise ConflictError(f"The goods of {opened.number} cannot be taken in: it is {state}.")
    if not arrived and grade is None:
        raise InvalidInputError(f"{opened.number} is here already. Say which grade the goods have.")
    if grade is None and (disposition is not None or items):
        raise InvalidInputError("Say which grade the goods have: A, B, C or D.")
    lines = pick_return_lines(opened, items or ())
    put = disposition or (GRADES[grade] if grade else None)
    if grade == "D" and put is Disposition.RESTOCK:
        raise InvalidInputError("Goods of grade D are broken or unsafe; they do not go on sale.")
    details = []
    if arrived:
        goods = goods_in_words(opened.lines)
        details.append(f"{goods}: into the stock of the returns, not for sale.")
    if grade and put:
        details.append(f"{goods_in_words(lines)}: grade {grade}, {_PUT_AWAY[put]}.")

    def apply() -> Result:
        if arrived:
            take_in(ctx.session, opened, actor=ctx.caller.actor, now=ctx.now)
        if grade and put:
            by, at = ctx.caller.actor, ctx.now
            grade_lines(ctx.session, opened, lines, grade, put, note=note, actor=by, now=at)
        return _state_of(opened, details)

    return Change(
        title=f"{'Take in' if arrived else 'Grade'} the goods of {opened.number}?",
        details=details,
        button="Take them in" if arrived else "Keep the grade",
        basis={
            "version": opened.version,
            "lines": [[line.id, line.quantity, line.grade] for line in lines],
            "put": put,
        },
        apply=apply,
    )


@tool(
    examples=[
        "Resolve RMA-00012",
        "pay the refund of RMA-00012 out",
        "resolve return RMA-00031 with store credit",
        "exchange the goods of RMA-00007 and close it",
        "RMA-00015 is repaired, send it back and close",
        "close RMA-00020 with a refund of 20 EUR because of wear",
        "finish the return RMA-00009",
        "give the customer of RMA-00018 a part of the price back: 15 EUR",
    ],
    label="Preparing the end of the return",
    audience=Audience.STAFF,
    effect="irreversible",
    roles=_DESK,
)
def resolve_return(
    ctx: ToolContext,
    return_number: ReturnNumber,
    resolution: Outcome | None = None,
    amount: Amount | None = None,
    note: Note = "",
) -> Change:
    """End a return whose goods are graded: refund, store credit, exchange, repair, or part."""
    opened = find_return(ctx.session, plain_number(return_number), customer_id=None)
    chosen = resolution or opened.resolution
    check_can_end(ctx, opened, chosen)
    money = money_of(ctx, opened, chosen, amount, note)
    currency = opened.order.currency
    words = f" of {ctx.money(money, currency)}" if money else ""
    what = f"The customer gets {CHOICES[chosen]}{words}."
    cash = money if chosen in {Resolution.REFUND, Resolution.PRICE_REDUCTION} else 0
    needed = refund_approval(ctx.policies, ctx.caller.roles, cash) if cash else None
    reason = [f"Why another amount: {note}"] if note else []

    def apply() -> Result:
        return _end(ctx, opened, chosen, money, note, words)

    return Change(
        title=f"Resolve return {opened.number}?",
        details=[f"Order {opened.order.number}: {goods_in_words(opened.lines)}.", what, *reason],
        button="Resolve it",
        basis={
            "version": opened.version,
            "resolution": chosen,
            "amount_minor": money,
            "order": opened.order.version,
        },
        apply=apply,
        clause=ctx.policies.clause("refunds.never_more") if cash else None,
        approval=approval_of(ctx, needed, currency),
    )


_PUT_AWAY = {
    Disposition.RESTOCK: "back on sale in the warehouse",
    Disposition.OUTLET: "stays with the returns, to be sold as used",
    Disposition.REPAIR: "stays with the returns, to be repaired",
    Disposition.QUARANTINE: "into quarantine",
    Disposition.SCRAP: "thrown away",
}


def _decide(
    ctx: ToolContext, opened: Return, text: str, mail: list[str], *, approve: bool
) -> Result:
    act = approve_return if approve else decline_return
    act(ctx.session, opened, note=text, actor=ctx.caller.actor, now=ctx.now)
    tell_customer(
        ctx,
        opened.order.customer,
        subject=f"Your return {opened.number} for order {opened.order.number}",
        lines=mail,
        key=f"return-decided:{opened.number}",
    )
    facts = {"return_number": opened.number, "state": opened.state.value}
    done = "approved" if approve else "declined"
    return Result(f"**{opened.number}** is {done}; the customer is told by mail.", facts=facts)


def _state_of(opened: Return, details: list[str]) -> Result:
    facts = {"return_number": opened.number, "state": opened.state.value}
    state = opened.state.value.replace("_", " ")
    return Result(f"**{opened.number}** is {state}. {' '.join(details)}", facts=facts)


def _end(
    ctx: ToolContext, opened: Return, chosen: Resolution, money: int, note: str, words: str
) -> Result:
    end_return(
        ctx.session,
        opened,
        resolution=chosen,
        amount_minor=money,
        note=note,
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    points = take_back_points(ctx.session, opened, ctx.policies, now=ctx.now)
    gets = f"{CHOICES[chosen]}{words}"
    tell_customer(
        ctx,
        opened.order.customer,
        subject=f"Your return {opened.number} is done",
        lines=[
            f"We have finished your return {opened.number} for order {opened.order.number}.",
            f"You get {gets}.",
            *([note] if note else []),
            *([f"{points} points that you got for it are taken back."] if points else []),
        ],
        key=f"return-resolved:{opened.number}",
    )
    facts = {"return_number": opened.number, "resolution": chosen, "amount_minor": money}
    return Result(f"**{opened.number}** is resolved. The customer gets {gets}.", facts=facts)
