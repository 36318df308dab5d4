"""What customers said, kept in one place; and a person for those who are unhappy."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case, CaseKind, open_case
from opsbot.surveys.flows import Flow
from opsbot.surveys.models import Feedback, FeedbackState, SurveyInvitation, SurveyResponse

_DANGER = re.compile(
    r"\b(on fire|caught fire|smoke|smoking|burn(?:t|ed|s)?|electric(?:al)? shock|injur(?:y|ed|ies)"
    r"|hurt (?:me|my|her|his|our)|hospital|dangerous|unsafe|lawyer|sue you|in court)\b",
    re.IGNORECASE,
)


def file_feedback(
    session: Session,
    invitation: SurveyInvitation,
    response: SurveyResponse,
    answers: Mapping[str, str | int],
    *,
    now: datetime,
) -> Feedback:
    """Keep a response among the feedback, and open a case when a person should react.

    Answers that replace earlier ones replace their feedback too; a case stays open, for somebody
    may be at work on it.
    """
    flow = invitation.version.flow
    feedback = _find_feedback(session, invitation, now=now)
    rating = answers.get(flow.lead.id)
    feedback.rating = rating if isinstance(rating, int) else None
    feedback.scale = flow.lead.kind.value
    feedback.text = "\n\n".join(value for value in answers.values() if isinstance(value, str))
    feedback.language = flow.language
    feedback.said_at = now
    if response.case_id is None and _needs_person(flow, feedback):
        response.case_id = _open_case(session, invitation, flow, feedback, now=now).id
    feedback.case_id = response.case_id
    session.flush()
    return feedback


def _find_feedback(session: Session, invitation: SurveyInvitation, *, now: datetime) -> Feedback:
    source, source_id = f"survey:{invitation.survey}", str(invitation.id)
    known = session.scalar(
        select(Feedback).where(Feedback.source == source, Feedback.source_id == source_id)
    )
    if known is not None:
        return known
    feedback = Feedback(
        source=source,
        source_id=source_id,
        text="",
        language="",
        sku=invitation.sku,
        order_id=invitation.order_id,
        customer_id=invitation.customer_id,
        state=FeedbackState.NEW,
        said_at=now,
    )
    session.add(feedback)
    return feedback


def _needs_person(flow: Flow, feedback: Feedback) -> bool:
    is_low = feedback.rating is not None and flow.lead.kind.is_low(feedback.rating)
    return is_low or _DANGER.search(feedback.text) is not None


def _open_case(
    session: Session,
    invitation: SurveyInvitation,
    flow: Flow,
    feedback: Feedback,
    *,
    now: datetime,
) -> Case:
    highest = (flow.lead.kind.scale or range(1))[-1]
    given = "no score" if feedback.rating is None else f"{feedback.rating} of {highest}"
    return open_case(
        session,
        CaseKind.RECOVERY,
        subject=f"{given} in the survey about order {invitation.order.number}",
        summary=feedback.text or "The customer gave no reason.",
        customer_id=invitation.customer_id,
        order_id=invitation.order_id,
        actor=f"customer:{invitation.customer_id}",
        now=now,
    )
