"""Problems and people: reporting what went wrong, and reaching somebody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from opsbot.commerce.cases import (
    Case,
    CaseKind,
    CasePriority,
    find_open_case,
    office_hours,
    open_case,
)
from opsbot.commerce.claims import Claim
from opsbot.commerce.effects import request_effect
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.shipments import ON_ITS_WAY, Shipment
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.formats import format_items
from opsbot.hazards import tells_of_harm
from opsbot.toolkit.arguments import Items, OrderNumber, Words, argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.notices import refusal, tell_customer
from opsbot.toolkit.ownership import own_order, pick_lines
from opsbot.toolkit.policy.claims import ClaimDecision, ClaimFacts, Problem, decide_claim
from opsbot.toolkit.policy.schema_orders import ClaimResolution, ClaimStep
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.telling import outbound_parcels
from opsbot.toolkit.tool import ToolContext, tool

_TITLES = {
    Problem.LATE: "is late",
    Problem.NOT_RECEIVED: "was not received",
    Problem.MISSING: "came incomplete",
    Problem.DAMAGED: "came damaged",
    Problem.WRONG: "came with the wrong goods",
}
_NEXT = {
    Problem.LATE: "We look for the parcel with the carrier.",
    Problem.NOT_RECEIVED: "We ask the carrier for proof of the delivery.",
    Problem.MISSING: "We send what is missing, or refund it.",
    Problem.DAMAGED: "We send a new piece or refund it, at no cost to you.",
    Problem.WRONG: "We send the right goods or refund you, at no cost to you.",
}

ProblemKind = Annotated[
    Problem,
    argument(
        "choice",
        "What is wrong: is it late, not received, incomplete, damaged, or the wrong item?",
        description="What is wrong with the delivery.",
        labels={
            "late": ("late", "delayed", "should have been here", "still has not come", "overdue"),
            "not_received": (
                "says delivered but not here",
                "never received",
                "never arrived",
                "did not get it",
                "stolen",
                "lost",
            ),
            "missing": ("missing", "incomplete", "only got one", "part of it is not there"),
            "damaged": ("damaged", "broken", "cracked", "smashed", "scratched", "dented"),
            "wrong": ("wrong item", "wrong colour", "not what I ordered", "somebody else's"),
        },
    ),
]


Wanted = Annotated[
    ClaimResolution,
    argument(
        "choice",
        "Would you like it sent again, or your money back?",
        description="How the customer would like it settled.",
        labels={
            "resend": ("send it again", "a new parcel", "a new piece", "replacement"),
            "refund": ("money back", "refund"),
            "send_part": ("send what is missing", "the missing piece", "the missing part"),
        },
    ),
]
_CHOICES = {
    ClaimResolution.RESEND: "have it sent again",
    ClaimResolution.REFUND: "get your money back",
    ClaimResolution.SEND_PART: "get what is missing",
}


@tool(
    examples=[
        "My parcel is late, please look into it",
        "the mug arrived broken",
        "I got the wrong colour",
        "tracking says delivered but there is nothing here",
        "one of the two bowls is missing from the box",
        "I got only four of the six cups",
        "I want to report a problem with my delivery",
        "the lamp came with a dented shade",
        "somebody stole my package from the porch",
        "Order #1009 never arrived",
        "the box was crushed and the vase is in pieces",
        "my delivery never turned up, please find out what happened",
        "I have been waiting for weeks, can you look for my parcel?",
        "you sent me someone else's order",
    ],
    label="Preparing the report",
    effect="write",
    level=Level.ORDER,
    limits=("10/hour", "20/day"),
)
def report_problem(
    ctx: ToolContext,
    order_number: OrderNumber,
    kind: ProblemKind,
    items: Items | None = None,
    description: Words = "",
    wanted: Wanted | None = None,
) -> Change:
    """Report a late, missing, damaged or wrong delivery, so that a person takes care of it."""
    order = own_order(ctx, order_number)
    if order.state is OrderState.CANCELLED:
        raise ConflictError(f"Order {order.number} was cancelled, so nothing of it is on its way.")
    subject = f"Order {order.number} {_TITLES[kind]}"
    known = find_open_case(ctx.session, order.id, subject)
    if known is not None:
        due = ctx.moment(known.first_response_due)
        words = f"This is reported already under {known.number}; a person writes by {due}."
        raise ConflictError(words)
    titles = [line.title for line in pick_lines(order, items)] if items else []
    facts = _facts(ctx, order, kind)
    decision = decide_claim(facts, ctx.policies, ctx.today)
    if not decision.allowed:
        words = f"I cannot report that for order {order.number} yet. {decision.refusal}"
        if order.delivered_at is not None:
            words = f"Order {order.number} is not late. {decision.refusal}"
        raise refusal(ctx, words, clause=decision.clause, alternatives=decision.alternatives)
    next_step = _next(kind, decision, wanted)
    steps = [*_steps(ctx, decision), *_offer(decision, wanted)]

    def apply() -> Result:
        claim = _Report(order, kind, titles, description, next_step, steps, facts, decision, wanted)
        return _open(ctx, claim)

    about = [f"It is about: {format_items(titles)}."] if titles else []
    said = [f"You wrote: {description}"] if description else []
    return Change(
        title=f"Report that order {order.number} {_TITLES[kind]}?",
        details=[*about, *said, next_step, *steps, "A person takes care of it and writes to you."],
        button="Report the problem",
        basis={
            "order": order.number,
            "kind": kind,
            "lost": decision.lost,
            "in_time": decision.in_time,
            "items": titles,
            "wanted": wanted,
        },
        apply=apply,
        clause=ctx.policies.clause(decision.clause),
    )


@tool(
    examples=[
        "I want to talk to a human",
        "Can I speak to somebody from your team?",
        "connect me with support please",
        "this is not helping, get me a real person",
        "please have someone call me",
        "I have a complaint for your manager",
        "who can I contact about this?",
        "let a colleague answer this",
        "pass this on to customer service",
    ],
    label="Handing over to a person",
    role="handoff",
)
def contact_person(ctx: ToolContext, summary: Words = "") -> Result:
    """Hand the conversation over to a person of the shop. Works for everybody, at once."""
    # Nothing to confirm: the conversation itself opens the case when it sees `hands_off`.
    lines = ["I am handing this over to a person of our team, with all that we wrote here."]
    if not ctx.caller.is_staff and ctx.caller.customer_id is None:
        lines.append("Please leave your e-mail address, so that they can answer you.")
    return Result(" ".join(lines), facts={"summary": summary}, hands_off=True)


@dataclass(frozen=True)
class _Report:
    """A problem as it was reported, and what the rules say about it."""

    order: Order
    kind: Problem
    titles: list[str]
    said: str
    next_step: str
    steps: list[str]
    facts: ClaimFacts
    decision: ClaimDecision
    wanted: ClaimResolution | None


def _open(ctx: ToolContext, claim: _Report) -> Result:
    order, kind = claim.order, claim.kind
    delivery = kind in {Problem.LATE, Problem.NOT_RECEIVED, Problem.MISSING}
    subject = f"Order {order.number} {_TITLES[kind]}"
    about = f" Items: {format_items(claim.titles)}." if claim.titles else ""
    wish = f" Wanted: {claim.wanted.value.replace('_', ' ')}." if claim.wanted else ""
    case = open_case(
        ctx.session,
        CaseKind.DELIVERY if delivery else CaseKind.QUALITY,
        subject=subject,
        summary=f"{subject}.{about} {claim.next_step}{wish} "
        f"Customer: {claim.said or 'no more words'}",
        customer_id=order.customer_id,
        order_id=order.id,
        conversation_id=ctx.conversation_id,
        priority=CasePriority.URGENT if tells_of_harm(claim.said) else CasePriority.NORMAL,
        hours=office_hours(ctx.settings),
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    _keep(ctx, claim, case)
    if ClaimStep.TRACE in claim.decision.steps:
        _trace(ctx, claim, case)
    lines = [
        claim.next_step,
        *claim.steps,
        f"A person writes to you by {ctx.moment(case.first_response_due)}.",
    ]
    tell_customer(
        ctx,
        order.customer,
        subject=f"{case.number}: your report about order {order.number}",
        lines=[f"We have your report {case.number}: {subject}.", *lines],
        key=f"case-opened:{case.number}",
    )
    head = f"Thank you, I reported it under **{case.number}**. I am sorry for the trouble."
    facts = {"case_number": case.number, "order_number": order.number}
    return Result("\n".join((head, "", *(f"- {line}" for line in lines))), facts)


def _keep(ctx: ToolContext, claim: _Report, case: Case) -> None:
    """Write the claim down with the facts and the version of the rules it rests on."""
    decision = claim.decision
    kept = Claim(
        case_id=case.id,
        order_id=claim.order.id,
        kind=claim.kind.value,
        items=claim.titles,
        wanted=claim.wanted.value if claim.wanted else None,
        in_time=decision.in_time,
        policy_version=ctx.policies.version,
        decision={
            "facts": {key: str(value) for key, value in vars(claim.facts).items()},
            "clause": decision.clause,
            "lost": decision.lost,
            "steps": [step.value for step in decision.steps],
            "resolutions": [one.value for one in decision.resolutions],
        },
        reported_at=ctx.now,
    )
    ctx.session.add(kept)
    ctx.session.flush()


def _trace(ctx: ToolContext, claim: _Report, case: Case) -> None:
    """Ask the carrier of each parcel that left where it is."""
    for parcel in outbound_parcels(ctx, claim.order):
        if parcel.state in ON_ITS_WAY or parcel.delivered_at is not None:
            request_effect(
                ctx.session,
                port="carriers",
                operation="trace",
                payload={
                    "order": claim.order.number,
                    "carrier": parcel.carrier,
                    "tracking_number": parcel.tracking_number,
                    "problem": claim.kind.value,
                    "case": case.number,
                },
                key=f"trace:{case.number}:{parcel.tracking_number}",
                now=ctx.now,
            )


def _next(kind: Problem, decision: ClaimDecision, wanted: ClaimResolution | None) -> str:
    """Return what we do, and refuse a wish that is not offered."""
    if wanted is not None and wanted not in decision.resolutions:
        choices = [_CHOICES[one] for one in decision.resolutions]
        raise InvalidInputError(f"For this you may {' or '.join(choices)}.")
    if not decision.in_time:
        return "It was reported later than our rule asks, so a person decides what we can do."
    return "It counts as lost: we send it again or refund it." if decision.lost else _NEXT[kind]


def _steps(ctx: ToolContext, decision: ClaimDecision) -> list[str]:
    """Return what is done before it is settled, a sentence each."""
    days = ctx.policies.delivery.wait_days
    words = {
        ClaimStep.CHECK_SAFE_PLACE: "Please look in safe places and ask your neighbours.",
        ClaimStep.WAIT: f"Please wait {days} days: some parcels are called delivered too early.",
        ClaimStep.DECLARATION: "If it is still not there, please sign the declaration we send you.",
        ClaimStep.TRACE: "We ask the carrier to trace the parcel.",
        ClaimStep.PHOTO: "A photo helps: please answer our mail with one.",
        ClaimStep.KEEP_PACKAGING: "Please keep the packaging until it is settled.",
    }
    return [words[step] for step in decision.steps]


def _offer(decision: ClaimDecision, wanted: ClaimResolution | None) -> list[str]:
    if wanted is not None:
        return [f"You would like to {_CHOICES[wanted]}."]
    return [f"Then you may {' or '.join(_CHOICES[one] for one in decision.resolutions)}."]


def _facts(ctx: ToolContext, order: Order, kind: Problem) -> ClaimFacts:
    moving = [parcel for parcel in outbound_parcels(ctx, order) if parcel.state in ON_ITS_WAY]
    scans = [_last_word(parcel) for parcel in moving]
    known = [scan for scan in scans if scan is not None]
    return ClaimFacts(
        problem=kind,
        country=str(order.ship_to["country"]),
        promised_on=ctx.local_day(order.promised_delivery_by),
        delivered_on=ctx.local_day(order.delivered_at) if order.delivered_at else None,
        last_scan_on=ctx.local_day(min(known)) if known else None,
    )


def _last_word(parcel: Shipment) -> datetime | None:
    return parcel.events[-1].occurred_at if parcel.events else parcel.shipped_at
