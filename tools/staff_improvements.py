"""The board of improvements: what shall get better, and whether it did. For staff."""

from typing import Annotated, Literal

from opsbot.commerce.improvements import (
    Area,
    Improvement,
    ImprovementState,
    find_improvement,
    list_improvements,
    move_improvement,
)
from opsbot.commerce.records import record_event
from opsbot.errors import InvalidInputError, NotFoundError
from opsbot.planning.periods import Period as Days
from opsbot.planning.periods import local_day
from opsbot.planning.scores import Score, compare_scores
from opsbot.surveys.results import results
from opsbot.toolkit.arguments import Words, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Change, Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

LEADS = ("lead", "manager", "quality")
Step = Annotated[
    Literal["accepted", "in_progress", "done", "rejected"],
    argument(
        "choice",
        "What becomes of it: accepted, in progress, done or rejected?",
        description="The new state of the improvement.",
        labels={
            "accepted": ("accept", "accepted", "approve"),
            "in_progress": ("start", "in progress", "begin", "started"),
            "done": ("done", "finished", "complete"),
            "rejected": ("reject", "rejected", "drop"),
        },
    ),
]
AreaName = Annotated[
    Area,
    argument(
        "choice",
        "Which area: product, production, packaging, logistics, support, docs or channel?",
        description="What it would improve.",
        labels={
            "product": ("product", "design"),
            "production": ("production", "kiln", "workshop"),
            "packaging": ("packaging", "boxes", "packing"),
            "logistics": ("logistics", "shipping", "carrier"),
            "support": ("support", "customer service"),
            "docs": ("manuals", "documentation", "articles"),
            "channel": ("channel", "website", "partners"),
        },
    ),
]
ImprovementNumber = Annotated[
    str,
    argument(
        "improvement",
        "Which improvement? Its number looks like IM-7.",
        description="Number of the improvement, such as IM-7.",
        pattern=r"\b(IM[- ]?\d{1,6})\b",
        max_length=20,
    ),
]


@tool(
    examples=[
        "Which improvements are in progress?",
        "show the improvement board",
        "did the new packaging help?",
        "list our improvement ideas",
        "what did we improve this year and did it work",
        "before and after of the improvements",
        "status of improvement IM-2",
        "continuous improvement overview",
    ],
    label="Gathering the improvements",
    audience=Audience.STAFF,
)
def improvements(ctx: ToolContext) -> Result:
    """Show what shall get better: state, owner, and the measure before and after."""
    found = list_improvements(ctx.session)
    if not found:
        return Result("**0 improvements are on the board.**", facts={"count": 0, "rows": []})
    measured = {one.id: _before_after(ctx, one) for one in found}
    rows = [
        (
            one.number,
            one.title,
            one.area.value,
            one.state.replace("_", " "),
            one.owner,
            one.target,
            measured[one.id][0],
            measured[one.id][1],
        )
        for one in found
    ]
    columns = (
        Column("number", "No."),
        Column("title", "Improvement"),
        Column("area", "Area"),
        Column("state", "State"),
        Column("owner", "Owner"),
        Column("target", "Target"),
        Column("before", "Before"),
        Column("after", "After"),
    )
    table = make_table(f"Improvements, as of {ctx.moment(ctx.now)}", columns, rows)
    going = [one for one in found if one.state is ImprovementState.IN_PROGRESS]
    done = [one for one in found if one.state is ImprovementState.DONE]
    lines = [
        f"**{count(len(found), 'improvement')}: {len(going)} in progress, {len(done)} done.**",
        "",
    ]
    lines += [f"- {one.number} {one.title}: {measured[one.id][2]}" for one in (done + going)[:3]]
    facts = {"count": len(found), **table_facts(table), "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts, table=table)


@tool(
    examples=[
        "Propose an improvement: thicker boxes for mugs",
        "I have an idea for improvement: ship lamps without the outer carton",
        "add to the improvement board: translate the grinder manual",
        "suggest improving the packaging of plates",
        "new improvement: answer mails on Saturdays",
        "put it on the improvement list: smaller boxes",
        "record an improvement idea about the website",
        "we should improve the zip of the daypack, note it as an improvement",
    ],
    label="Preparing the improvement",
    audience=Audience.STAFF,
    effect="write",
)
def propose_improvement(ctx: ToolContext, idea: Words, area: AreaName) -> Change:
    """Put an idea on the board of improvements."""

    def apply() -> Result:
        one = Improvement(
            title=idea[:200],
            area=area,
            state=ImprovementState.PROPOSED,
            survey=None,
            created_at=ctx.now,
        )
        ctx.session.add(one)
        ctx.session.flush()
        record_event(ctx.session, one, "improvement_proposed", actor=ctx.caller.actor, at=ctx.now)
        return Result(f"**{one.number}** is on the board.", facts={"number": one.number})

    return Change(
        title="Put this improvement on the board?",
        details=[idea, f"Area: {area.value}."],
        button="Propose it",
        basis={"idea": idea, "area": area.value},
        apply=apply,
        can_be_rehearsed=False,
    )


@tool(
    examples=[
        "Mark improvement IM-2 as done",
        "accept IM-3",
        "reject the improvement IM-4",
        "IM-1 is in progress now",
        "start working on improvement IM-5",
        "we finished IM-6",
        "set IM-7 to done",
        "drop IM-8, it did not help",
    ],
    label="Preparing the change",
    audience=Audience.STAFF,
    roles=LEADS,
    effect="write",
)
def update_improvement(ctx: ToolContext, improvement: ImprovementNumber, step: Step) -> Change:
    """Accept, start, finish or reject an improvement."""
    one = find_improvement(ctx.session, improvement)
    to = ImprovementState(step)

    def apply() -> Result:
        move_improvement(ctx.session, one, to, actor=ctx.caller.actor, now=ctx.now)
        return Result(f"**{one.number}** is {to.replace('_', ' ')}.")

    return Change(
        title=f"Set {one.number} to {to.replace('_', ' ')}?",
        details=[one.title, f"It is {one.state.replace('_', ' ')} now."],
        button="Change it",
        basis={"number": one.number, "version": one.version, "to": step},
        apply=apply,
    )


def _before_after(ctx: ToolContext, one: Improvement) -> tuple[str, str, str]:
    """Return the measure before, after, and in a sentence whether it moved."""
    if one.survey is None or one.done_at is None:
        return "", "", one.state.replace("_", " ")
    zone = ctx.settings.time_zone
    day = local_day(one.done_at, zone)
    start, end = local_day(one.created_at, zone), ctx.today
    if not start < day < end:
        return "", "", "too early to measure"
    try:
        before = results(ctx.session, one.survey, Days(start, day, zone)).score
        after = results(ctx.session, one.survey, Days(day, end, zone)).score
    except (NotFoundError, InvalidInputError):
        return "", "", "not measured"
    if before is None or after is None:
        return "", "", "too few answers"
    change = compare_scores(before, after)
    words = f"{before.value:.0f} to {after.value:.0f}, "
    words += "a real change" if change.is_real else "no significant change"
    return _interval(before), _interval(after), words


def _interval(score: Score) -> str:
    return f"{score.value:.0f} [{score.low:.0f}, {score.high:.0f}], n {score.n}"
