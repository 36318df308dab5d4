"""What a customer has told us, and where it stands."""

from opsbot.commerce.case_work import REOPEN_WITHIN
from opsbot.commerce.cases import CaseState
from opsbot.toolkit.caller import Level
from opsbot.toolkit.case_words import (
    OwnCaseNumber,
    case_facts,
    case_in_words,
    own_case,
    own_cases,
)
from opsbot.toolkit.results import Result
from opsbot.toolkit.tables import count
from opsbot.toolkit.tool import ToolContext, tool


@tool(
    examples=[
        "What is the status of my case?",
        "any progress on CS-00012?",
        "has anybody looked at my complaint yet",
        "when will you answer my case CS-00034",
        "Is my ticket still open?",
        "what happened to the problem I reported",
        "did someone deal with case CS-00007",
        "status of my support request",
        "I reported this last week, where does it stand?",
        "Who is taking care of my complaint?",
    ],
    label="Looking up the case",
    level=Level.ORDER,
)
def case_status(ctx: ToolContext, case_number: OwnCaseNumber) -> Result:
    """Tell where a case stands: a problem or complaint that was reported to a person."""
    case = own_case(ctx, case_number)
    lines = [case_in_words(ctx, case)]
    if case.state is CaseState.RESOLVED and case.resolved_at is not None:
        until = ctx.day(case.resolved_at + REOPEN_WITHIN)
        lines.append(f"If it is not settled for you, write to us by {until} and we go on with it.")
    facts = {"case": case_facts(ctx, case), "as_of": ctx.moment(ctx.now)}
    return Result(" ".join(lines), facts=facts)


@tool(
    examples=[
        "Which of my cases are open?",
        "list my support cases",
        "show me everything I have complained about",
        "what have I reported to you so far",
        "my tickets",
        "do I have any open cases?",
        "all my complaints and requests",
        "What problems of mine are you still working on?",
    ],
    label="Looking up your cases",
    level=Level.SIGNED_IN,
)
def my_cases(ctx: ToolContext) -> Result:
    """List the customer's cases: problems and requests that people of the shop deal with."""
    cases = own_cases(ctx)
    facts = {
        "candidates": {
            "case_number": [{"value": case.number, "words": case.subject} for case in cases]
        },
        "cases": [case_facts(ctx, case) for case in cases],
        "as_of": ctx.moment(ctx.now),
    }
    if not cases:
        return Result("There is no case of yours.", facts=facts)
    at_work = sum(case.is_at_work for case in cases)
    still = f"we still work on {at_work}" if at_work else "none of them is open"
    head = f"There are {count(len(cases), 'case')} of yours; {still}."
    if len(cases) == 1:
        head = "There is one case of yours."
    return Result("\n".join((head, "", *(f"- {case_in_words(ctx, c)}" for c in cases))), facts)
