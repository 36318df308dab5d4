"""What the sample shop's customers answered to a year of surveys."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import CaseKind, CaseState, open_case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.products import Item
from opsbot.demo.comments import write_comment
from opsbot.surveys.flows import About, Flow
from opsbot.surveys.gates import COOLDOWN
from opsbot.surveys.invitations import keep_version
from opsbot.surveys.models import (
    Feedback,
    FeedbackState,
    InvitationState,
    Suppression,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)

UNTOUCHED = timedelta(days=3)
"""Orders delivered in the last days are left for the running shop to ask about."""
ANSWER_SHARE = 0.27
OPEN_SHARE = 0.6
START_SHARE = 0.03
COMMENT_SHARE = 0.5
_SOLVED_AFTER = timedelta(days=2)

_WEIGHTS: Mapping[tuple[str, bool], Sequence[int]] = {
    ("csat", True): (3, 3, 9, 35, 50),
    ("csat", False): (14, 22, 28, 24, 12),
    ("nps", True): (1, 0, 1, 1, 1, 4, 4, 10, 20, 26, 32),
    ("nps", False): (6, 4, 6, 8, 8, 16, 14, 16, 12, 6, 4),
}
"""How often each score is given, by scale and by whether all went well."""


@dataclass(frozen=True)
class _Asked:
    """One invitation and what it brought."""

    flow: Flow
    row: dict[str, Any]
    answered_at: datetime | None
    score: int
    comment: str


def make_demo_answers(
    session: Session,
    flows: Mapping[str, Flow],
    *,
    now: datetime,
    seed: int,
    leave_out: Collection[str] = (),
) -> int:
    """Insert a year of invitations, answers and feedback for the orders that are there.

    Args:
        session: an open transaction on a loaded shop without answers.
        flows: the surveys.
        now: when the year ends.
        seed: the same seed and orders give the same answers.
        leave_out: numbers of orders that nobody was asked about.

    Returns:
        How many answered.
    """
    random = Random(seed)  # noqa: S311  (a made-up shop)
    orders = _delivered_orders(session, now, leave_out)
    asked = _ask(random, flows.values(), orders, now)
    if not asked:
        return 0
    for flow in flows.values():
        keep_version(session, flow, now=min(one.row["created_at"] for one in asked))
    ids = _insert(session, SurveyInvitation, [one.row for one in asked])
    answered = [
        (one, invitation_id)
        for one, invitation_id in zip(asked, ids, strict=True)
        if one.answered_at is not None
    ]
    _store_answers(session, answered, now)
    return len(answered)


def _delivered_orders(session: Session, now: datetime, leave_out: Collection[str]) -> Sequence[Any]:
    """Return delivered orders with their customer and their dearest line, oldest first."""
    rows = session.execute(
        select(
            Order.id,
            Order.number,
            Order.customer_id,
            Order.delivered_at,
            (Order.delivered_at <= Order.promised_delivery_by).label("punctual"),
            Customer.survey_opt_out_at,
            OrderLine.sku,
            OrderLine.returned,
            Item.category,
        )
        .join(Customer, Customer.id == Order.customer_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Item, Item.sku == OrderLine.sku)
        .where(Order.delivered_at <= now - UNTOUCHED, Order.state != OrderState.CANCELLED)
        .where(OrderLine.delivered > 0, Order.number.not_in(leave_out))
        .order_by(Order.delivered_at, Order.id, OrderLine.unit_price_minor.desc(), OrderLine.id)
    ).all()
    first_lines = {row.id: row for row in reversed(rows)}
    return [first_lines[order_id] for order_id in dict.fromkeys(row.id for row in rows)]


def _ask(
    random: Random, flows: Collection[Flow], orders: Sequence[Any], now: datetime
) -> list[_Asked]:
    due = sorted(
        (
            (row.delivered_at + timedelta(days=flow.timing.after_days), -flow.priority, flow, row)
            for flow in flows
            for row in orders
        ),
        key=lambda one: (one[0], one[1], one[3].id),
    )
    last_asked: dict[int, datetime] = {}
    asked = []
    for moment, _, flow, row in due:
        at = moment.replace(hour=9, minute=random.randrange(60), second=0, microsecond=0)
        if at > now - timedelta(days=1):
            continue
        reason = _why_not(row, last_asked.get(row.customer_id), at)
        if reason is None:
            last_asked[row.customer_id] = at
        asked.append(_invite(random, flow, row, at, reason, now))
    return asked


def _why_not(row: Any, last: datetime | None, at: datetime) -> Suppression | None:
    if row.survey_opt_out_at is not None and row.survey_opt_out_at <= at:
        return Suppression.OPTED_OUT
    return Suppression.COOLDOWN if last is not None and last > at - COOLDOWN else None


def _invite(
    random: Random,
    flow: Flow,
    row: Any,
    at: datetime,
    reason: Suppression | None,
    now: datetime,
) -> _Asked:
    expires_at = at + timedelta(days=flow.timing.expires_days)
    chance = random.random()
    delay = timedelta(minutes=random.randrange(10, 4 * 24 * 60))
    went_well = row.punctual if flow.about is About.ORDER else not row.returned
    score = _choose_score(random, flow, went_well=went_well)
    invitation = {
        "survey": flow.id,
        "version_id": flow.version,
        "order_id": row.id,
        "customer_id": row.customer_id,
        "sku": row.sku if flow.about is About.PRODUCT else None,
        "mail_id": None,
        "token_hash": None,
        "state": InvitationState.SUPPRESSED,
        "reason": reason,
        "created_at": at,
        "sent_at": None,
        "opened_at": None,
        "expires_at": expires_at,
    }
    if reason is not None:
        return _Asked(flow, invitation, None, score, "")
    opened = chance < OPEN_SHARE and at + delay < now
    answered = chance < ANSWER_SHARE and at + delay < now
    unanswered = InvitationState.OPENED if opened else InvitationState.SENT
    late = InvitationState.EXPIRED if expires_at <= now else unanswered
    invitation["state"] = InvitationState.COMPLETED if answered else late
    invitation["sent_at"] = at
    invitation["opened_at"] = at + delay if opened else None
    talks = random.random() < COMMENT_SHARE
    comment = write_comment(random, flow, score, row.category, punctual=row.punctual)
    when = at + delay + timedelta(minutes=2) if answered else None
    return _Asked(flow, invitation, when, score, comment if talks else "")


def _choose_score(random: Random, flow: Flow, *, went_well: bool) -> int:
    scale = flow.lead.kind.scale or range(1)
    weights = _WEIGHTS.get((flow.lead.kind.value, went_well), [1] * len(scale))
    return random.choices(scale, weights)[0]


def _store_answers(session: Session, answered: Sequence[tuple[_Asked, int]], now: datetime) -> None:
    cases = [_open_case(session, one, now) for one, _ in answered]
    responses = _insert(
        session,
        SurveyResponse,
        [
            {
                "invitation_id": invitation_id,
                "complete": True,
                "started_at": one.row["opened_at"],
                "answered_at": one.answered_at,
                "case_id": case_id,
            }
            for (one, invitation_id), case_id in zip(answered, cases, strict=True)
        ],
    )
    answers: list[dict[str, Any]] = []
    for (one, _), response_id in zip(answered, responses, strict=True):
        answers += _answers(one, response_id)
    if answers:
        _insert(session, SurveyAnswer, answers)
        _insert(
            session,
            Feedback,
            [
                _feedback(one, invitation_id, case_id, now)
                for (one, invitation_id), case_id in zip(answered, cases, strict=True)
            ],
        )


def _answers(one: _Asked, response_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "response_id": response_id,
            "question": one.flow.lead.id,
            "number": one.score,
            "text": None,
        }
    ]
    words = [question for question in one.flow.questions if question.kind.scale is None]
    if one.comment and words:
        text = {"question": words[0].id, "number": None, "text": one.comment}
        found.append({"response_id": response_id, **text})
    return found


def _feedback(
    one: _Asked, invitation_id: int, case_id: int | None, now: datetime
) -> dict[str, Any]:
    when = one.answered_at or now
    is_old = when < now - timedelta(days=14)
    return {
        "source": f"survey:{one.flow.id}",
        "source_id": str(invitation_id),
        "scale": one.flow.lead.kind.value,
        "rating": one.score,
        "text": one.comment,
        "language": one.flow.language,
        "sku": one.row["sku"],
        "order_id": one.row["order_id"],
        "customer_id": one.row["customer_id"],
        "case_id": case_id,
        "state": FeedbackState.DONE if is_old else FeedbackState.NEW,
        "said_at": when,
    }


def _open_case(session: Session, one: _Asked, now: datetime) -> int | None:
    """Open the case of a low score; older ones are resolved by now."""
    if one.answered_at is None or not one.flow.lead.kind.is_low(one.score):
        return None
    case = open_case(
        session,
        CaseKind.RECOVERY,
        subject=f"{one.score} of {(one.flow.lead.kind.scale or range(1))[-1]} in a survey",
        summary=one.comment or "The customer gave no reason.",
        customer_id=one.row["customer_id"],
        order_id=one.row["order_id"],
        actor=f"customer:{one.row['customer_id']}",
        now=one.answered_at,
    )
    if one.answered_at + _SOLVED_AFTER < now:
        case.state = CaseState.RESOLVED
        case.resolved_at = one.answered_at + _SOLVED_AFTER
    return case.id


def _insert(session: Session, table: type[Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows and return their ids in the same order."""
    statement = insert(table).returning(table.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, rows))
