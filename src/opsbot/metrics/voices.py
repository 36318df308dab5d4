"""What customers say when they are asked: scores with their intervals, and how many answer."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, SalesChannel
from opsbot.commerce.products import Item
from opsbot.metrics.counting import shares
from opsbot.metrics.elsewhere import (
    survey_answers,
    survey_invitations,
    survey_responses,
    survey_versions,
)
from opsbot.metrics.facts import Product, goods_columns, order_columns
from opsbot.metrics.grouping import PLACE, TIME, Dimension, Slice, group_facts
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit
from opsbot.planning.scores import (
    EASY,
    TOO_FEW,
    Score,
    effort_score,
    net_promoter_score,
    satisfaction_score,
)

ASKED = (*TIME, *PLACE, Dimension.PRODUCT, Dimension.ITEM, Dimension.CATEGORY)


def net_promoters(session: Session, part: Slice) -> Groups:
    """Return promoters less detractors in 100 answers; n: answers."""
    return _scores(session, part, "nps", net_promoter_score, 1)


def satisfaction(session: Session, part: Slice) -> Groups:
    """Return the share of 4 and 5 in the answers from 1 to 5; n: answers."""
    return _scores(session, part, "csat", satisfaction_score, 100)


def effort(session: Session, part: Slice) -> Groups:
    """Return the mean of the answers from 1 to 7; n: answers."""
    return _scores(session, part, "ces", effort_score, 1)


def response_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the invitations sent in the period were answered whole; n: sent."""
    completed = case((survey_invitations.c.state == "completed", 1), else_=0)
    facts = _of_orders(
        select(
            survey_invitations.c.sent_at.label("at"),
            survey_invitations.c.survey.label("kind"),
            completed.label("completed"),
        ).select_from(survey_invitations)
    )
    return shares(session, part, facts, "completed", "*")


def _scores(
    session: Session,
    part: Slice,
    scale: str,
    score: Callable[[Sequence[int]], Score | None],
    divisor: int,
) -> Groups:
    """Score the answers of each group; fewer than ten have no score."""
    statement, columns = group_facts(_answers(session, part, scale), part)
    counted = statement.add_columns(columns.number, func.count())
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    labels: dict[Any, str] = {}
    for key, label, number, count in session.execute(
        counted.group_by("key", "label", columns.number)
    ):
        groups[key] += [int(number)] * int(count)
        labels[key] = str(label)
    found = {}
    for key, numbers in groups.items():
        one, n = score(numbers), len(numbers)
        known = one is not None and n >= TOO_FEW
        beside = _beside(scale, numbers) if known else None
        value = one.value / divisor if one is not None and known else None
        found[key] = Counted(labels[key], (value, beside), n, one if known else None)
    return found


def _beside(scale: str, numbers: Sequence[int]) -> float:
    """Return what stands beside a score: the mean of the answers, or the share that found it easy.

    Means are never the score itself where a share is.
    """
    if scale == "ces":
        return sum(number >= EASY for number in numbers) / len(numbers)
    return sum(numbers) / len(numbers)


def _answers(session: Session, part: Slice, scale: str) -> Select[Any]:
    """Return one row for each answer to the leading question of surveys on a scale.

    Of each survey the newest wording that was answered in the period: answers to two wordings are
    never added up.
    """
    leads = _leads(session, part, scale)
    asked = [
        and_(survey_invitations.c.version_id == version, survey_answers.c.question == question)
        for version, question in leads.items()
    ]
    return _of_orders(
        select(
            survey_responses.c.answered_at.label("at"),
            survey_invitations.c.survey.label("kind"),
            survey_answers.c.number.label("number"),
        )
        .select_from(survey_answers)
        .join(survey_responses, survey_responses.c.id == survey_answers.c.response_id)
        .join(survey_invitations, survey_invitations.c.id == survey_responses.c.invitation_id)
        .where(or_(false(), *asked), survey_answers.c.number.is_not(None))
    )


def _leads(session: Session, part: Slice, scale: str) -> dict[str, str]:
    """Return the leading question by version: of each survey, the newest that was answered."""
    versions = session.execute(
        select(survey_versions.c.id, survey_versions.c.survey, survey_versions.c.content)
        .where(
            survey_versions.c.id.in_(
                select(survey_invitations.c.version_id)
                .join(survey_responses, survey_responses.c.invitation_id == survey_invitations.c.id)
                .where(
                    survey_responses.c.answered_at >= part.period.start,
                    survey_responses.c.answered_at < part.period.end,
                )
            )
        )
        .order_by(survey_versions.c.first_used_at)
    )
    newest: dict[str, tuple[str, str]] = {}
    for version, survey, content in versions:
        lead = content["questions"][0]
        if lead["kind"] == scale:
            newest[survey] = (version, lead["id"])
    return dict(newest.values())


def _of_orders(facts: Select[Any]) -> Select[Any]:
    """Add the order and the product that an invitation was about."""
    return (
        facts.add_columns(*order_columns(), *goods_columns())
        .join(Order, Order.id == survey_invitations.c.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .outerjoin(Item, Item.sku == survey_invitations.c.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
    )


_WORDINGS = "Of each survey the newest wording answered in the period; under ten answers no score."


_score = partial(
    Metric,
    counts="answers",
    dimensions=ASKED,
    period="last 90 days",
)
METRICS = (
    _score(
        key="nps",
        title="NPS",
        definition="Promoters (9 and 10) less detractors (0 to 6) in 100 answers of the period. "
        f"{_WORDINGS}",
        measures=(
            Measure("nps", "NPS", Unit.NUMBER),
            Measure("nps_mean", "Mean answer", Unit.NUMBER),
        ),
        function=net_promoters,
    ),
    _score(
        key="csat",
        title="CSAT",
        definition=f"Share of 4 and 5 in the answers from 1 to 5 of the period. {_WORDINGS}",
        measures=(
            Measure("csat", "CSAT", Unit.SHARE),
            Measure("csat_mean", "Mean answer", Unit.NUMBER),
        ),
        function=satisfaction,
        score_scale=100,
    ),
    _score(
        key="ces",
        title="CES",
        definition="Mean of the answers from 1 (hard) to 7 (easy) of the period; beside it the "
        f"share of 5 to 7. {_WORDINGS}",
        measures=(
            Measure("ces", "CES", Unit.NUMBER),
            Measure("ces_easy", "Easy", Unit.SHARE),
        ),
        function=effort,
    ),
    Metric(
        key="response_rate",
        title="Response rate",
        definition="Share of the survey invitations sent in the period that were answered whole.",
        counts="invitations",
        dimensions=(Dimension.KIND, *ASKED),
        measures=(Measure("response_rate", "Response rate", Unit.SHARE),),
        function=response_rate,
        period="last 90 days",
        score_scale=100,
    ),
)
