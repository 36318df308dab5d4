"""The worklist of cases, and what staff do with them."""

from collections import Counter
from typing import Annotated, Literal

from opsbot.commerce.case_work import (
    find_case,
    move_case,
    note_case,
    notes_of,
    raise_priority,
    take_case,
)
from opsbot.commerce.cases import Case, CaseKind, CasePriority, CaseState, office_hours
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.formats import format_span
from opsbot.metrics.case_list import CaseFilter, ListedCase, list_cases
from opsbot.toolkit.arguments import Words, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.case_words import CaseNumber
from opsbot.toolkit.results import Change, Column, Result, Undo
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "ops", "quality", "lead", "manager")
_COLUMNS = (
    Column("number", "Case"),
    Column("subject", "Subject"),
    Column("customer", "Customer"),
    Column("order", "Order"),
    Column("state", "State"),
    Column("due", "Due"),
    Column("breach", "Overdue"),
    Column("owner", "Who has it"),
)

Queue = Annotated[
    CaseKind | None,
    argument(
        "choice",
        "Which kind of case?",
        description="Only cases of this kind.",
        labels={
            "support": ("support cases", "questions"),
            "delivery": ("delivery cases", "delivery complaints", "lost parcels"),
            "return": ("return cases",),
            "quality": ("quality cases", "product faults"),
            "recovery": ("recovery cases", "unhappy customers", "bad survey answers"),
            "supplier": ("supplier cases",),
            "production": ("production cases",),
            "privacy": ("privacy cases", "privacy requests", "data requests"),
        },
    ),
]
Which = Annotated[
    Literal["open", "overdue", "urgent", "mine", "unassigned", "waiting", "resolved"],
    argument(
        "choice",
        "Which cases: all open ones, overdue, urgent, mine, unassigned, waiting or resolved?",
        description="Which of the cases.",
        labels={
            "open": ("open", "all cases", "to do"),
            "overdue": ("overdue", "late", "breach", "past their due time", "past their sla"),
            "urgent": ("urgent", "dangerous", "safety"),
            "mine": ("mine", "my cases", "assigned to me"),
            "unassigned": ("unassigned", "nobody has", "without an owner", "not taken"),
            "waiting": ("waiting for the customer", "waiting for an answer"),
            "resolved": ("resolved", "done", "solved"),
        },
    ),
]
Step = Annotated[
    Literal[
        "take",
        "open",
        "wait_customer",
        "wait_internal",
        "resolve",
        "close",
        "reopen",
        "urgent",
        "normal",
        "note",
    ],
    argument(
        "choice",
        "What shall I do with it: take, resolve, close, reopen it, wait, or write a note?",
        description="What is done with the case.",
        labels={
            "take": ("take", "assign to me", "I take it", "give it to me"),
            "open": ("work on it again", "set to open", "continue"),
            "wait_customer": ("wait for the customer", "waiting for the customer"),
            "wait_internal": ("wait for a colleague", "waiting internally", "wait for the studio"),
            "resolve": ("resolve", "resolved", "solved", "done"),
            "close": ("close", "closed"),
            "reopen": ("reopen", "open it again"),
            "urgent": ("urgent", "raise the priority", "escalate"),
            "normal": ("normal priority", "not urgent"),
            "note": ("note", "write down", "remark"),
        },
    ),
]
_TARGETS = {
    "open": CaseState.OPEN,
    "reopen": CaseState.OPEN,
    "wait_customer": CaseState.WAITING_CUSTOMER,
    "wait_internal": CaseState.WAITING_INTERNAL,
    "resolve": CaseState.RESOLVED,
    "close": CaseState.CLOSED,
}
_SAID = {
    "take": "You deal with it from now on.",
    "open": "It is open again, and its clock runs.",
    "reopen": "It is open again, with new times to answer and to end it.",
    "wait_customer": "It waits for the customer; its clock stands still until they answer.",
    "wait_internal": "It waits for something on our side; its clock runs on.",
    "resolve": "It is resolved. It can be reopened for 14 days.",
    "close": "It is closed.",
    "urgent": "It becomes urgent, and is due sooner.",
    "normal": "Its priority becomes normal.",
    "note": "The note is for staff only.",
}


@tool(
    examples=[
        "Which cases are open?",
        "show me the case worklist",
        "which cases breach their SLA",
        "overdue cases",
        "what cases has nobody taken yet?",
        "List my cases for today",
        "urgent cases first please",
        "what is urgent among the cases",
        "list the urgent ones in the worklist of cases",
        "open delivery complaints",
        "how many support cases are waiting",
        "privacy requests and their deadlines",
        "cases waiting for the customer",
    ],
    label="Gathering the cases",
    audience=Audience.STAFF,
    roles=ROLES,
    pii=True,
)
def cases(ctx: ToolContext, which: Which = "open", kind: Queue = None) -> Result:
    """List the cases people must deal with, with their due times and what is overdue."""
    found = list_cases(ctx.session, _filter(ctx, which, kind), now=ctx.now)
    of_kind = f" of kind {kind}" if kind else ""
    name = {"mine": "of yours", "waiting": "that wait for customers"}.get(which, which)
    if not found:
        words = f"**0 cases {name}{of_kind}.**"
        return Result(words, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    breached = [one for one in found if one.case.breach(ctx.now)]
    urgent = sum(one.case.priority is CasePriority.URGENT for one in found)
    kinds = Counter(one.case.kind.value for one in found)
    is_are = "is" if len(breached) == 1 else "are"
    head = f"**{count(len(found), 'case')} {name}{of_kind}; {len(breached)} {is_are} overdue.**"
    lines = [head, "", f"- {', '.join(f'{many} {word}' for word, many in kinds.most_common(4))}"]
    if urgent:
        lines.append(f"- {urgent} urgent")
    if breached:
        lines.append(f"- The longest overdue: {_overdue(ctx, breached)}")
    caption = f"Cases, the most pressing first, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _COLUMNS, [_row(ctx, one) for one in found])
    facts = {"count": len(found), "overdue": len(breached), "urgent": urgent, **table_facts(table)}
    return Result("\n".join(lines), facts | {"as_of": ctx.moment(ctx.now)}, table=table)


@tool(
    examples=[
        "Resolve case CS-00012",
        "take CS-00034, I will look after it",
        "close the case CS-00007",
        "reopen CS-00020 please",
        "mark CS-00015 as waiting for the customer",
        "make CS-00003 urgent",
        "add a note to case CS-00011: the carrier searches",
        "set CS-00040 to waiting for the studio",
        "CS-00009 is solved",
        "assign case CS-00051 to me",
    ],
    label="Preparing the change of the case",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="write",
)
def update_case(ctx: ToolContext, case_number: CaseNumber, step: Step, note: Words = "") -> Change:
    """Take, resolve, close or reopen a case, let it wait, change its priority, or add a note."""
    case = find_case(ctx.session, case_number, customer_id=None)
    if step == "note" and not note:
        raise InvalidInputError("note: write what shall be noted.")
    if step == "reopen" and case.is_at_work:
        raise ConflictError(f"{case.number} is open already.")

    def apply() -> Result:
        _do(ctx, case, step, note)
        facts = {"case_number": case.number, "state": case.state.value}
        return Result(f"**{case.number}**: {_SAID[step]}", facts=facts)

    latest = notes_of(ctx.session, case)[:1]
    before = f"{case.state.replace('_', ' ')}, {case.priority} priority"
    last = f"; last: {latest[0].event.replace('_', ' ')}" if latest else ""
    return Change(
        title=f"{_verb(step)} {case.number}: {case.subject}?",
        details=[f"Now: {before}{last}.", _SAID[step], *([f"Note: {note}"] if note else [])],
        button=_verb(step),
        basis={"case": case.number, "version": case.version, "step": step},
        apply=apply,
        undo=_back(case, step),
    )


def _back(case: Case, step: str) -> Undo | None:
    """Return the step that brings a case back to where it was, if there is one."""
    at_work = {"wait_customer": "open", "wait_internal": "open", "resolve": "reopen"}
    priorities = {
        ("urgent", CasePriority.NORMAL): "normal",
        ("normal", CasePriority.URGENT): "urgent",
    }
    back = at_work.get(step) if case.state is CaseState.OPEN else None
    back = back or priorities.get((step, case.priority))
    return Undo("update_case", {"case_number": case.number, "step": back}) if back else None


def _do(ctx: ToolContext, case: Case, step: str, note: str) -> None:
    session, actor, now = ctx.session, ctx.caller.actor, ctx.now
    hours = office_hours(ctx.settings)
    if step == "take":
        take_case(session, case, ctx.caller.staff_id, actor=actor, now=now)
    elif step in {"urgent", "normal"}:
        to = CasePriority(step)
        raise_priority(session, case, to, hours=hours, actor=actor, now=now)
    elif step in _TARGETS:
        to_state = _TARGETS[step]
        move_case(session, case, to_state, hours=hours, actor=actor, now=now, note=note)
        return
    if note:
        note_case(session, case, note, actor=actor, now=now)


def _verb(step: str) -> str:
    return {
        "take": "Take",
        "open": "Go on with",
        "reopen": "Reopen",
        "wait_customer": "Wait for the customer in",
        "wait_internal": "Wait for our own side in",
        "resolve": "Resolve",
        "close": "Close",
        "urgent": "Make urgent:",
        "normal": "Make normal:",
        "note": "Add a note to",
    }[step]


def _filter(ctx: ToolContext, which: str, kind: CaseKind | None) -> CaseFilter:
    return {
        "overdue": CaseFilter(kind, breached=True),
        "urgent": CaseFilter(kind, urgent=True),
        "mine": CaseFilter(kind, owner_id=ctx.caller.staff_id or 0),
        "unassigned": CaseFilter(kind, unowned=True),
        "waiting": CaseFilter(kind, states=(CaseState.WAITING_CUSTOMER,)),
        "resolved": CaseFilter(kind, states=(CaseState.RESOLVED,)),
    }.get(which, CaseFilter(kind))


def _overdue(ctx: ToolContext, breached: list[ListedCase]) -> str:
    worst = min(breached, key=lambda one: one.case.next_due() or ctx.now)
    due = worst.case.next_due() or ctx.now
    return f"{worst.case.number}, {worst.case.subject}, by {format_span(ctx.now - due)}"


def _row(ctx: ToolContext, one: ListedCase) -> tuple[str, ...]:
    case = one.case
    due = case.next_due()
    urgent = "urgent, " if case.priority is CasePriority.URGENT else ""
    return (
        case.number,
        case.subject,
        one.customer,
        one.order,
        urgent + case.state.replace("_", " "),
        ctx.moment(due) if due else "",
        case.breach(ctx.now),
        one.owner,
    )
