"""What needs attention this morning, and what the articles do not say."""

from datetime import timedelta
from pathlib import Path

from opsbot.commerce.cases import CasePriority
from opsbot.errors import NotFoundError
from opsbot.metrics import lateness, run_outs, supply
from opsbot.metrics.case_list import CaseFilter, list_cases
from opsbot.planning.periods import DAY, Period
from opsbot.retrieval.gap_rows import GapState
from opsbot.retrieval.gaps import Gap, list_gaps
from opsbot.surveys.results import low_scores
from opsbot.toolkit.arguments import Words
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Change, Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

WRITERS = ("editor", "quality", "lead", "manager")
_SILENT = timedelta(days=5)
_HORIZON_DAYS = 7
_MOST_NAMED = 3
_MOST_GAPS = 50


@tool(
    examples=[
        "what needs attention first today",
        "daily brief",
        "give me the summary of today",
        "anything on fire today?",
        "what should we look at first today",
        "morning report please",
        "brief me please",
        "how does the day look",
        "good morning, what is the brief",
    ],
    label="Gathering the day",
    audience=Audience.STAFF,
)
def daily_brief(ctx: ToolContext) -> Result:
    """Tell what needs attention today: late orders, parcels, stock, suppliers, cases, scores."""
    parts = [
        ("Orders past their ship date", _late_orders(ctx)),
        ("Parcels in trouble", _late_parcels(ctx)),
        (f"Items that run out within {_HORIZON_DAYS} days", _run_outs(ctx)),
        ("Late purchase orders", _late_purchases(ctx)),
        ("Cases past their time", _breached(ctx)),
        ("Urgent cases", _urgent(ctx)),
        ("Low scores since yesterday", _low_scores(ctx)),
    ]
    wrong = [(what, found) for what, found in parts if found]
    columns = (
        Column("what", "What"),
        Column("count", "How many", numeric=True),
        Column("first", "First of all"),
    )
    rows = [(what, len(found), "; ".join(found[:_MOST_NAMED])) for what, found in parts]
    table = make_table(f"The day, as of {ctx.moment(ctx.now)}", columns, rows)
    total = sum(len(found) for _, found in wrong)
    if not wrong:
        head = f"**0 of {len(parts)} things need attention today.**"
    else:
        head = f"**{count(total, 'matter')} in {count(len(wrong), 'field')} need attention.**"
    first = sorted(wrong, key=lambda pair: pair[0] != "Urgent cases")[:3]
    lines = [head, "", *(f"- {what}: {len(found)}, {found[0]}" for what, found in first)]
    facts = {
        "parts": {what: len(found) for what, found in parts},
        **table_facts(table),
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts, table=table)


@tool(
    examples=[
        "which questions of customers do our manuals leave open",
        "knowledge gaps",
        "which questions could the assistant not answer?",
        "what is missing in our articles",
        "unanswered questions of the last weeks",
        "list the gaps in the documentation",
        "where do our FAQs fall short",
        "questions without an answer, most asked first",
    ],
    label="Gathering the gaps",
    audience=Audience.STAFF,
)
def knowledge_gaps(ctx: ToolContext) -> Result:
    """List what people asked and no article answers, the most asked first."""
    found = list_gaps(ctx.session, state=GapState.OPEN, limit=_MOST_GAPS)
    if not found:
        facts = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        return Result("**0 questions are without an answer.**", facts=facts)
    columns = (
        Column("number", "Gap", numeric=True),
        Column("question", "Question"),
        Column("asked", "Asked", numeric=True),
        Column("last", "Last"),
        Column("who", "By"),
    )
    rows = [
        (one.id, one.question, one.count, ctx.day(one.last_seen), one.audience.value)
        for one in found
    ]
    table = make_table(f"Gaps in the articles, as of {ctx.moment(ctx.now)}", columns, rows)
    asked = sum(one.count for one in found)
    head = f"**{count(len(found), 'question')} without an answer, asked {asked} times.**"
    lines = [head, "", *(f"- \u201c{one.question}\u201d ({one.count})" for one in found[:3])]
    facts = {"count": len(found), **table_facts(table), "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts, table=table)


@tool(
    examples=[
        "Draft an article about the dishwasher question",
        "write a draft article for the gap about voltage",
        "prepare an article that answers the most asked gap",
        "make a draft for the missing FAQ on gift wrapping",
        "start an article from the knowledge gap about engraving fonts",
        "draft documentation for what customers ask in vain",
        "create a draft FAQ entry for the unanswered question",
        "turn this gap into an article draft",
    ],
    label="Preparing the draft",
    audience=Audience.STAFF,
    roles=WRITERS,
    effect="write",
)
def draft_article(ctx: ToolContext, topic: Words) -> Change:
    """Begin an article for a gap: a file for staff to complete; it is never published by itself."""
    gap = _gap_named(ctx, topic)
    path = ctx.settings.data_dir / "article_drafts" / f"gap-{gap.id}.md"
    near = ctx.knowledge.search(gap.question, audience="staff", top_k=3)
    told = [f"- {hit.title}: {hit.heading} ({hit.path})" for hit in near]
    text = "\n".join([*_head(gap), "Nearest in the articles today:", "", *told, ""])

    def apply() -> Result:
        _write(path, text)
        words = f"The draft is in `{path.name}` in the folder of article drafts. It is not public."
        return Result(words, facts={"file": path.name})

    return Change(
        title="Begin an article for this gap?",
        details=[
            f"Asked {gap.count} times: {gap.question}",
            "The file has the questions and what is nearest to them; you write the answer.",
        ],
        button="Write the draft",
        basis={"gap": gap.id, "count": gap.count},
        apply=apply,
        can_be_rehearsed=False,
    )


def _late_orders(ctx: ToolContext) -> list[str]:
    late = lateness.late_orders(ctx.session, now=ctx.now)
    return [f"{one.order.number} ({one.reason})" for one in late]


def _late_parcels(ctx: ToolContext) -> list[str]:
    late = lateness.late_shipments(ctx.session, now=ctx.now, silence=_SILENT)
    return [f"{one.shipment.order.number} ({', '.join(one.reasons)})" for one in late]


def _run_outs(ctx: ToolContext) -> list[str]:
    zone = ctx.settings.time_zone
    found = run_outs.run_outs(ctx.session, now=ctx.now, zone=zone, days=_HORIZON_DAYS)
    return [one.item.title for one in found]


def _late_purchases(ctx: ToolContext) -> list[str]:
    zone = ctx.settings.time_zone
    found = supply.open_purchase_orders(ctx.session, now=ctx.now, zone=zone, supplier=None)
    late = sorted((one for one in found if one.days_late > 0), key=lambda one: -one.days_late)
    return [f"{one.number} by {count(one.days_late, 'day')}" for one in late]


def _breached(ctx: ToolContext) -> list[str]:
    found = list_cases(ctx.session, CaseFilter(breached=True), now=ctx.now)
    return [f"{one.case.number} {one.case.subject}" for one in found]


def _urgent(ctx: ToolContext) -> list[str]:
    found = list_cases(ctx.session, CaseFilter(urgent=True), now=ctx.now)
    urgent = [one.case for one in found if one.case.priority is CasePriority.URGENT]
    return [f"{case.number} {case.subject}" for case in urgent]


def _low_scores(ctx: ToolContext) -> list[str]:
    period = Period(ctx.today - DAY, ctx.today + DAY, ctx.settings.time_zone)
    return low_scores(ctx.session, period)


def _gap_named(ctx: ToolContext, words: str) -> Gap:
    gaps = list_gaps(ctx.session, state=GapState.OPEN, limit=_MOST_GAPS)
    if not gaps:
        raise NotFoundError("a gap about", words.strip()[:60])
    vectors = ctx.knowledge.encoder.encode([words, *(gap.question for gap in gaps)])
    nearest = int((vectors[1:] @ vectors[0]).argmax())
    return gaps[nearest]


def _head(gap: Gap) -> list[str]:
    """Return front matter and the questions; the answer is left to a person."""
    asked = [gap.question, *gap.examples]
    return [
        "---",
        f"title: {gap.question.rstrip('?').replace(':', ',')}",
        "audience: staff",
        f"language: {gap.language or 'en'}",
        "---",
        "",
        "Draft. Write the answer below, then set the audience and move the file to the articles.",
        "",
        "## Asked as",
        "",
        *(f"- {question}" for question in asked),
        "",
    ]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
