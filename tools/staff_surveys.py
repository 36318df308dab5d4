"""What customers say: scores of surveys, topics of feedback, and what gets better."""

from datetime import date
from typing import Annotated, Literal

from opsbot.commerce.improvements import (
    list_improvements,
)
from opsbot.commerce.orders import find_order
from opsbot.errors import ConflictError, NotFoundError
from opsbot.planning.period_words import read_period
from opsbot.planning.periods import DAY, local_day, previous_period
from opsbot.planning.periods import Period as Days
from opsbot.planning.scores import Score, Weight, compare_scores
from opsbot.surveys.flows import Flow, QuestionKind, load_flows
from opsbot.surveys.gates import find_obstacle
from opsbot.surveys.invitations import invite_customer
from opsbot.surveys.results import SurveyResults, results
from opsbot.surveys.topics import count_topics, orders_in, said_in
from opsbot.toolkit.arguments import OrderNumber, Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.catalogue import tokens
from opsbot.toolkit.named_items import NamedItems, find_items
from opsbot.toolkit.results import Change, Chart, Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "lead", "manager", "quality", "editor")
LEADS = ("lead", "manager", "quality")

SurveyName = Annotated[
    Literal["nps", "csat", "ces"],
    argument(
        "choice",
        "Which score: NPS, CSAT or CES?",
        description="Which score, and so which survey.",
        labels={
            "nps": ("nps", "net promoter score", "recommend", "recommendation"),
            "csat": ("csat", "customer satisfaction", "satisfaction", "delivery survey"),
            "ces": ("ces", "customer effort score", "effort", "ease"),
        },
    ),
]
SinceChange = Annotated[
    str,
    argument(
        "change_made",
        "Since which of our improvements?",
        description="Something we changed, such as the new packaging: only what was said since; "
        "empty: by the period.",
        pattern=r"\bsince (?:we (?:have |introduced |changed to )?)?(?:the |our )?"
        r"((?:new|changed|improved) [a-z]+(?: [a-z]+)?)",
        max_length=80,
    ),
]


@tool(
    examples=[
        "how is our CSAT, and is the difference real or chance?",
        "what is the customer satisfaction this quarter",
        "survey results of last month",
        "Did the CSAT drop compared to last month?",
        "net promoter score this year with its interval",
        "how many customers answer our surveys",
        "show me the CES",
        "results of the delivery survey",
        "would customers recommend us?",
    ],
    label="Scoring the survey",
    audience=Audience.STAFF,
)
def survey_results(
    ctx: ToolContext, score: SurveyName = "nps", period: Period = "this quarter"
) -> Result:
    """Show the score of a survey with its interval, response rate, and whether it changed.

    Args:
        ctx: who asks.
        score: which one.
        period: when the answers came.
    """
    flow = _flow_of(ctx, score)
    days = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    before = previous_period(days, now=ctx.now)
    found, earlier = results(ctx.session, flow.id, days), results(ctx.session, flow.id, before)
    rows = [_score_row(days.words(), found), _score_row(before.words(), earlier)]
    columns = (
        Column("period", "Period"),
        Column("score", score.upper(), numeric=True),
        Column("low", "From", numeric=True),
        Column("high", "To", numeric=True),
        Column("n", "Answers", numeric=True),
        Column("rate", "Response %", numeric=True),
    )
    table = make_table(f"{flow.title}, as of {ctx.moment(ctx.now)}", columns, rows)
    lines = [f"**{_score_words(score, found)} {days.phrase()}.**", ""]
    lines.append(f"- {_change_words(score, found.score, earlier.score, before)}")
    if found.response_rate is not None:
        rate = f"{100 * found.response_rate:.0f} %"
        lines.append(f"- {found.completed} of {found.sent} invitations were answered ({rate})")
    facts = {"survey": flow.id, **table_facts(table), "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts, table=table)


@tool(
    examples=[
        "Send the survey to the customer of order #1007",
        "invite the buyer of #2010 to the delivery survey",
        "ask the customer of #2033 how satisfied they are",
        "send a satisfaction survey for order 1990",
        "survey invitation for #2044 please",
        "mail the NPS survey about #2005",
        "can you send out a survey for #2071",
        "request feedback for order #1877 by mail",
    ],
    label="Preparing the invitation",
    audience=Audience.STAFF,
    roles=LEADS,
    effect="irreversible",
)
def send_survey(ctx: ToolContext, order_number: OrderNumber, score: SurveyName = "csat") -> Change:
    """Invite the customer of one order to a survey, unless they must be left in peace."""
    flow = _flow_of(ctx, score)
    order = find_order(ctx.session, order_number, customer_id=None)
    obstacle = find_obstacle(ctx.session, ctx.settings, order, order.customer, now=ctx.now)
    if order.delivered_at is None:
        raise ConflictError(f"Order {order.number} has not arrived, so there is nothing to ask.")
    if obstacle is not None:
        why = obstacle.replace("_", " ")
        raise ConflictError(f"The customer of {order.number} is not asked now: {why}.")

    def apply() -> Result:
        invited = invite_customer(ctx.session, ctx.settings, flow, order, now=ctx.now)
        if invited is None:
            raise ConflictError(f"Order {order.number} was asked about before.")
        return Result(f"The invitation about **{order.number}** leaves by mail.")

    return Change(
        title=f"Ask the customer of order {order.number}?",
        details=[f"They get a mail with the survey: {flow.title}.", "One mail, no reminder."],
        button="Send the invitation",
        basis={"order": order.number, "survey": flow.id},
        apply=apply,
    )


@tool(
    examples=[
        "What have customers complained about since last month?",
        "topics of the feedback this quarter",
        "what are people saying about the tote bag",
        "which complaints come up most",
        "what do customers complain about most",
        "what did customers complain about last week",
        "do buyers complain about the lamps",
        "feedback topics with quotes",
        "what do customers praise?",
        "customer opinions about the kiln mug",
        "summarise the survey comments by topic",
        "complaints about packaging this year",
    ],
    label="Sorting the feedback",
    audience=Audience.STAFF,
)
def feedback_topics(
    ctx: ToolContext,
    period: Period = "last 90 days",
    item: NamedItems | None = None,
    since: SinceChange = "",
) -> Result:
    """Count what customers' words are about, per 100 orders, with the change and quotes.

    Args:
        ctx: who asks.
        period: when it was said.
        item: only about this one.
        since: since an improvement of ours; before it, as long a time is looked at.
    """
    days = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    if since:
        days = Days(_changed_on(ctx, since), ctx.today + DAY, ctx.settings.time_zone)
    before = previous_period(days, now=ctx.now)
    named = find_items(ctx.session, item) if item else None
    skus = named.skus if named else []
    encoder = ctx.knowledge.encoder
    now, then = (count_topics(said_in(ctx.session, part, skus), encoder) for part in (days, before))
    orders = orders_in(ctx.session, days, skus)
    orders_before = orders_in(ctx.session, before, skus)
    about = f" about {named.label}" if named else ""
    total = sum(len(found.texts) for found in now.values())
    if not total:
        words = f"**0 comments{about} {days.phrase()}.**"
        return Result(words, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    ranked = sorted(now.values(), key=lambda found: -len(found.texts))
    rows = [
        (
            found.label,
            len(found.texts),
            _per_hundred(len(found.texts), orders),
            _per_hundred(len(then[found.key].texts) if found.key in then else 0, orders_before),
            found.texts[0],
        )
        for found in ranked
    ]
    columns = (
        Column("topic", "Topic"),
        Column("comments", "Comments", numeric=True),
        Column("rate", "Per 100 orders", numeric=True),
        Column("before", "Before", numeric=True),
        Column("quote", "For example"),
    )
    caption = f"Topics{about}, {days.words()}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, columns, rows)
    top, times = ranked[0], count(len(ranked[0].texts), "comment")
    lines = [
        f"**{top.label} comes up most{about}: {times} {days.phrase()}.**",
        "",
        *(f"- {found.label}: \u201c{found.texts[0]}\u201d" for found in ranked[:3]),
    ]
    chart = Chart("bar", "Topics", f"{top.label} comes up most.", "topic", ("rate",))
    facts = {"count": total, "orders": orders, **table_facts(table), "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts, table=table, chart=chart)


def _changed_on(ctx: ToolContext, words: str) -> date:
    """Return the day on which the improvement was done that words name, by title or area."""
    done = [one for one in list_improvements(ctx.session) if one.done_at is not None]
    said = set(tokens(words)) - {"new"}
    hits = [(len(said & {*tokens(one.title), *tokens(one.area.value)}), one) for one in done]
    fitting = [one for hit, one in hits if hit and hit == max(hit for hit, _ in hits)]
    if not fitting:
        raise NotFoundError("a finished improvement called", words.strip()[:60])
    moment = max(one.done_at for one in fitting if one.done_at is not None)
    return local_day(moment, ctx.settings.time_zone)


def _flow_of(ctx: ToolContext, score: str) -> Flow:
    flows = load_flows(ctx.settings.web_dir / "surveys")
    flow = next((f for f in flows.values() if f.lead.kind is QuestionKind(score)), None)
    if flow is None:
        raise NotFoundError("a survey that asks for", score.upper())
    return flow


def _score_words(name: str, found: SurveyResults) -> str:
    score = found.score
    if score is None:
        return f"{name.upper()}: 0 answers"
    if score.weight is Weight.TOO_FEW:
        return f"{name.upper()}: only {count(score.n, 'answer')}, too few for a score"
    sure = ", indicative" if score.weight is Weight.INDICATIVE else ""
    return (
        f"{name.upper()} {score.value:.0f} (95 % between {score.low:.0f} and {score.high:.0f}, "
        f"{score.n} answers{sure})"
    )


def _change_words(name: str, now: Score | None, then: Score | None, before: Days) -> str:
    if now is None or then is None:
        return f"Nothing to compare with: no answers {before.phrase()}"
    change = compare_scores(then, now)
    moved = f"{change.difference:+.0f} against {before.words()} ({then.value:.0f})"
    if not change.enough:
        return f"{moved}: too few answers to tell whether {name.upper()} changed"
    return f"{moved}: {'a real change' if change.is_real else 'no significant change'}"


def _score_row(words: str, found: SurveyResults) -> tuple[str | float | None, ...]:
    score = found.score
    rate = None if found.response_rate is None else round(100 * found.response_rate)
    if score is None or score.weight is Weight.TOO_FEW:
        return (words, None, None, None, score.n if score else 0, rate)
    return (words, round(score.value, 1), round(score.low, 1), round(score.high, 1), score.n, rate)


def _per_hundred(comments: int, orders: int) -> float | None:
    return round(100 * comments / orders, 1) if orders else None
