"""The returns that are not over: what each waits for, and until when."""

from datetime import date, timedelta
from typing import Annotated, Literal

from opsbot.commerce.returns import Return, ReturnKind, ReturnState, open_returns
from opsbot.formats import format_items
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.policy.calendar import next_working_day
from opsbot.toolkit.results import Column, Result
from opsbot.toolkit.return_words import gets_in_words, goods_in_words
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_DAYS_TO_ANSWER = 1

Waiting = Annotated[
    Literal["all", "decision", "goods", "inspection", "resolution"],
    argument(
        "choice",
        "Which ones?",
        description="What the returns wait for.",
        labels={
            "all": ("all returns", "everything"),
            "decision": ("to decide", "to be approved", "waiting for approval"),
            "goods": ("not arrived", "on their way", "not sent yet"),
            "inspection": ("to be inspected", "to grade", "received"),
            "resolution": ("to be refunded", "to resolve", "inspected"),
        },
    ),
]
_WAITS = {
    ReturnState.REQUESTED: "decision",
    ReturnState.APPROVED: "goods",
    ReturnState.IN_TRANSIT: "goods",
    ReturnState.RECEIVED: "inspection",
    ReturnState.INSPECTED: "resolution",
}
_COLUMNS = (
    Column("return", "Return"),
    Column("order", "Order"),
    Column("kind", "Kind"),
    Column("waits", "Waits for"),
    Column("goods", "Goods"),
    Column("reason", "Reason"),
    Column("customer", "Customer gets"),
    Column("due", "Due"),
    Column("late", "Days late", numeric=True),
)


@tool(
    examples=[
        "Which returns are waiting?",
        "show me the returns worklist",
        "returns to be inspected",
        "What returns need a decision?",
        "open returns",
        "list the returns that wait for a refund",
        "Are there withdrawals we have not refunded in time?",
        "which returned parcels arrived and were not graded",
        "overdue returns",
    ],
    label="Listing the returns",
    audience=Audience.STAFF,
)
def returns_worklist(ctx: ToolContext, waiting: Waiting = "all") -> Result:
    """List open returns by what they wait for, the most overdue first."""
    rows = []
    for opened in open_returns(ctx.session):
        waits = _WAITS[opened.state]
        if waiting not in {"all", waits}:
            continue
        due = _due(ctx, opened)
        late = max(0, (ctx.today - due).days) if due else 0
        rows.append((late, opened, waits, due))
    rows.sort(key=lambda row: (-row[0], row[1].id))
    cells = [
        (
            opened.number,
            opened.order.number,
            opened.kind.value,
            waits,
            goods_in_words(opened.lines),
            ", ".join(sorted({line.reason.value for line in opened.lines if line.reason})),
            gets_in_words(ctx, opened),
            ctx.day(due) if due else None,
            late,
        )
        for late, opened, waits, due in rows
    ]
    table = make_table(f"Open returns, as of {ctx.moment(ctx.now)}", _COLUMNS, cells)
    overdue = sum(late > 0 for late, *_ in rows)
    if table is None:
        return Result("**No return is waiting.**", facts=table_facts(table))
    by = {name: sum(w == name for _, _, w, _ in rows) for name in dict.fromkeys(_WAITS.values())}
    parts = [f"{count(number, 'return')} for {name}" for name, number in by.items() if number]
    head = f"**{count(len(rows), 'open return')}, {overdue} overdue.**"
    say = f"{head}\n\n- Waiting: {format_items(parts)}"
    return Result(say, facts=table_facts(table) | {"overdue": overdue}, table=table)


def _due(ctx: ToolContext, opened: Return) -> date | None:
    """Return the day by which the next step is due."""
    rules, calendar = ctx.policies.returns, ctx.policies.rights.calendar
    if opened.state is ReturnState.REQUESTED:
        day = ctx.local_day(opened.requested_at) + timedelta(days=_DAYS_TO_ANSWER)
        return next_working_day(day, calendar)
    if opened.state in {ReturnState.APPROVED, ReturnState.IN_TRANSIT}:
        return ctx.local_day(opened.deadline) if opened.deadline else None
    if opened.received_at is None:
        return None
    day = ctx.local_day(opened.received_at)
    for _ in range(rules.inspect_within_days):
        day = next_working_day(day + timedelta(days=1), calendar)
    if opened.kind is ReturnKind.WITHDRAWAL:
        law = ctx.policies.rights.region_of(str(opened.order.ship_to["country"]))[1].withdrawal
        if law is not None:
            by_law = ctx.local_day(opened.requested_at) + timedelta(days=law.refund_within_days)
            return max(by_law, ctx.local_day(opened.received_at))
    return day
