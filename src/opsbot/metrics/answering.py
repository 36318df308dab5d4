"""How people are answered: without a person or not, from articles or not, as drafted or not."""

from datetime import timedelta
from typing import Any

from rapidfuzz.distance import Levenshtein
from sqlalchemy import Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case
from opsbot.commerce.orders import Order
from opsbot.metrics.clock import seconds_between
from opsbot.metrics.counting import shares, sums
from opsbot.metrics.elsewhere import conversations, drafts, messages, tool_calls
from opsbot.metrics.facts import order_facts
from opsbot.metrics.grouping import TIME, Dimension, Slice, group_facts
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share
from opsbot.planning.scores import share_score

SEARCHES = ("search_articles", "search_staff_articles")
"""Tools that answer from articles."""
QUIET = timedelta(hours=72)
"""So long after its last message nobody may have been needed."""
DECIDED = ("approved", "sent")


def contact_rate(session: Session, part: Slice) -> Groups:
    """Return the conversations that customers began, in 100 orders; n: conversations."""
    begun = sums(session, part, _conversations(), ("*",))
    placed = sums(session, part, order_facts(Order.placed_at), ("orders",))
    found = {}
    for key, (label, n) in begun.items():
        rate = share(n, placed[key][1] if key in placed else 0)
        found[key] = Counted(label, (None if rate is None else 100 * rate, n), n)
    return found


def deflection(session: Session, part: Slice) -> Groups:
    """Tell which share of the conversations that ended were answered without a person; n: ended."""
    ended = seconds_between(conversations.c.updated_at, part.now) >= QUIET.total_seconds()
    needed = or_(_has_case(), _staff_wrote(), _case_soon_after())
    facts = _conversations().where(ended).add_columns(case((needed, 0), else_=1).label("alone"))
    return shares(session, part, facts, "alone", "*")


def handover_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the conversations begun in the period went to a person; n: begun."""
    handed = case((or_(_has_case(), _staff_wrote()), 1), else_=0)
    return shares(
        session, part, _conversations().add_columns(handed.label("handed")), "handed", "*"
    )


def answer_grounded_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the replies that searched the articles cite one; n: such replies."""
    searched = exists().where(
        tool_calls.c.message_id == messages.c.in_reply_to,
        tool_calls.c.name.in_(SEARCHES),
        tool_calls.c.error.is_(None),
    )
    cites = func.coalesce(func.json_array_length(messages.c.body["citations"]), 0) > 0
    facts = (
        select(
            messages.c.sent_at.label("at"),
            conversations.c.channel.label("kind"),
            case((cites, 1), else_=0).label("cites"),
        )
        .select_from(messages)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.author == "assistant", searched)
    )
    return shares(session, part, facts, "cites", "*")


def drafts_unchanged(session: Session, part: Slice) -> Groups:
    """Tell which share of the approved drafts were not changed, and how far they were; n: all."""
    facts = select(drafts.c.decided_at.label("at"), drafts.c.reply, drafts.c.edited).where(
        drafts.c.state.in_(DECIDED)
    )
    statement, columns = group_facts(facts, part)
    same: dict[Any, list[float]] = {}
    labels: dict[Any, str] = {}
    for key, label, reply, edited in session.execute(
        statement.add_columns(columns.reply, columns.edited)
    ):
        changed = 0.0 if edited is None else Levenshtein.normalized_distance(reply, edited)
        same.setdefault(key, []).append(changed)
        labels[key] = str(label)
    return {
        key: Counted(
            labels[key],
            (hits / len(changes), sum(changes) / len(changes)),
            len(changes),
            share_score(hits, n=len(changes)),
        )
        for key, changes in same.items()
        for hits in [sum(not change for change in changes)]
    }


def _conversations() -> Select[Any]:
    """Return one row for each conversation of a customer or visitor, when it began."""
    return select(
        conversations.c.created_at.label("at"),
        literal(1).label("order_id"),
        conversations.c.channel.label("kind"),
    ).where(conversations.c.audience == "customer")


def _has_case() -> Any:
    return exists().where(Case.conversation_id == conversations.c.id)


def _staff_wrote() -> Any:
    return exists().where(
        messages.c.conversation_id == conversations.c.id, messages.c.author == "staff"
    )


def _case_soon_after() -> Any:
    since = seconds_between(conversations.c.updated_at, Case.created_at)
    return exists().where(
        and_(
            Case.customer_id == conversations.c.customer_id,
            since >= 0,
            since <= QUIET.total_seconds(),
        )
    )


METRICS = (
    Metric(
        key="contact_rate",
        title="Contacts per 100 orders",
        definition="Conversations that customers and visitors began in the period, by chat or "
        "mail, in 100 orders placed in it.",
        counts="conversations",
        dimensions=TIME,
        measures=(
            Measure("contact_rate", "Per 100 orders", Unit.NUMBER),
            Measure("contacts", "Conversations", Unit.COUNT),
        ),
        function=contact_rate,
    ),
    Metric(
        key="deflection",
        title="Answered without a person",
        definition="Share of the conversations begun in the period and quiet for 72 hours in which "
        "no person wrote, that opened no case, and after which the customer opened none within "
        "72 hours.",
        counts="conversations",
        dimensions=(*TIME, Dimension.KIND),
        measures=(Measure("deflection", "Without a person", Unit.SHARE),),
        function=deflection,
        score_scale=100,
    ),
    Metric(
        key="handover_rate",
        title="Handed to a person",
        definition="Share of the conversations begun in the period that opened a case or in which "
        "a person wrote.",
        counts="conversations",
        dimensions=(*TIME, Dimension.KIND),
        measures=(Measure("handover_rate", "Handed over", Unit.SHARE),),
        function=handover_rate,
        score_scale=100,
    ),
    Metric(
        key="answer_grounded_rate",
        title="Answers with a source",
        definition="Share of the replies of the period for which the articles were searched that "
        "cite one; the others say that the articles do not tell.",
        counts="replies",
        dimensions=(*TIME, Dimension.KIND),
        measures=(Measure("answer_grounded_rate", "With a source", Unit.SHARE),),
        function=answer_grounded_rate,
        score_scale=100,
    ),
    Metric(
        key="drafts_unchanged",
        title="Drafts sent unchanged",
        definition="Share of the mail drafts approved in the period that nobody changed; beside it "
        "how much of the text was changed on average (edit distance in the longer text).",
        counts="drafts",
        dimensions=TIME,
        measures=(
            Measure("drafts_unchanged", "Unchanged", Unit.SHARE),
            Measure("draft_edit_distance", "Text changed", Unit.SHARE),
        ),
        function=drafts_unchanged,
        score_scale=100,
    ),
)
