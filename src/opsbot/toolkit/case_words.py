"""Cases: the number people give, and how a case reads to them."""

from typing import Annotated

from opsbot.commerce.case_work import cases_of, find_case
from opsbot.commerce.cases import Case, CaseState
from opsbot.errors import NotFoundError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.tool import ToolContext

_PATTERN = r"\b(CS[- ]?\d{1,7})\b"

OwnCaseNumber = Annotated[
    str,
    argument(
        "case_number",
        "Which case is it about? Its number is in our mail, like CS-00012.",
        description="The case's number, such as CS-00012.",
        pattern=_PATTERN,
        candidates="my_cases",
        max_length=20,
    ),
]
"""A case of the caller."""

CaseNumber = Annotated[
    str,
    argument(
        "case_number",
        "Which case? Its number looks like CS-00012.",
        description="The case's number, such as CS-00012.",
        pattern=_PATTERN,
        max_length=20,
    ),
]
"""Any case, for staff."""

_STANDING = {
    CaseState.NEW: "has reached us, and nobody has looked at it yet",
    CaseState.OPEN: "is being worked on",
    CaseState.WAITING_CUSTOMER: "waits for your answer",
    CaseState.WAITING_INTERNAL: "waits for something on our side",
    CaseState.RESOLVED: "is resolved",
    CaseState.CLOSED: "is closed",
}


def own_case(ctx: ToolContext, number: str) -> Case:
    """Return a case that the caller may speak about.

    Who has proved one order may speak about the cases of that order alone.

    Raises:
        NotFoundError: there is no such case, or it is not the caller's; the two read the same.
    """
    caller = ctx.caller
    if caller.customer_id is None:
        raise NotFoundError("case", number.strip()[:40])
    case = find_case(ctx.session, number, customer_id=caller.customer_id)
    if caller.level < Level.SIGNED_IN and case.order_id != caller.proved_order_id:
        raise NotFoundError("case", case.number)
    return case


def own_cases(ctx: ToolContext) -> list[Case]:
    """Return the caller's cases, those at work first."""
    if ctx.caller.customer_id is None or ctx.caller.level < Level.SIGNED_IN:
        return []
    return cases_of(ctx.session, ctx.caller.customer_id)


def case_in_words(ctx: ToolContext, case: Case) -> str:
    """Return one sentence about where a case stands. No date in it is made up."""
    words = f"**{case.number}**, {case.subject}: it {_STANDING[case.state]}"
    if case.resolved_at is not None:
        return f"{words}, since {ctx.day(case.resolved_at)}."
    due = case.next_due()
    if due is None:
        return f"{words}."
    what = "A person answers" if case.first_response_at is None else "We mean to end it"
    if ctx.now > due:
        return f"{words}. We meant to be further by {ctx.moment(due)}; I am sorry that it is late."
    return f"{words}. {what} by {ctx.moment(due)}."


def case_facts(ctx: ToolContext, case: Case) -> dict[str, str | None]:
    """Return what a model may know of a case."""
    due = case.next_due()
    return {
        "number": case.number,
        "subject": case.subject,
        "kind": case.kind.value,
        "state": case.state.value,
        "opened": ctx.day(case.created_at),
        "due": ctx.moment(due) if due else None,
    }
