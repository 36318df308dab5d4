"""What customers said, kept in one place; and a person for those who are unhappy."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case, CaseKind, CasePriority, open_case
from opsbot.commerce.orders import Order
from opsbot.hazards import HARM, LEGAL
from opsbot.planning.office_hours import OfficeHours
from opsbot.retrieval.languages import detect
from opsbot.surveys.flows import Flow, QuestionKind
from opsbot.surveys.models import Feedback, FeedbackState, SurveyInvitation, SurveyResponse


def file_feedback(
    session: Session,
    invitation: SurveyInvitation,
    response: SurveyResponse,
    answers: Mapping[str, str | int],
    *,
    hours: OfficeHours | None = None,
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
        response.case_id = _open_case(session, invitation, flow, feedback, hours=hours, now=now).id
    feedback.case_id = response.case_id
    session.flush()
    return feedback


def add_feedback(
    session: Session,
    *,
    source: str,
    text: str,
    rating: int | None = None,
    sku: str | None = None,
    order: Order | None = None,
    customer_id: int | None = None,
    conversation_id: str | None = None,
    hours: OfficeHours | None = None,
    actor: str,
    now: datetime,
) -> Feedback:
    """Keep what somebody said outside a survey; a person reads it when it is bad or alarming.

    The same words from the same conversation a second time are the same feedback. `rating` is 1
    to 5; `hours`: see `open_case`.
    """
    said_where = conversation_id or f"{actor} {now:%Y-%m-%d}"
    key = hashlib.sha256(f"{said_where}\n{text}".encode()).hexdigest()[:32]
    known = session.scalar(
        select(Feedback).where(Feedback.source == source, Feedback.source_id == key)
    )
    if known is not None:
        return known
    feedback = Feedback(
        source=source,
        source_id=key,
        scale=None if rating is None else QuestionKind.CSAT.value,
        rating=rating,
        text=text,
        language=detect(text),
        sku=sku,
        order_id=order.id if order else None,
        customer_id=customer_id,
        state=FeedbackState.NEW,
        said_at=now,
    )
    session.add(feedback)
    if (rating is not None and QuestionKind.CSAT.is_low(rating)) or is_alarming(text):
        case = _case_of_words(session, feedback, order, conversation_id, hours, actor)
        feedback.case_id = case.id
    session.flush()
    return feedback


def _case_of_words(
    session: Session,
    feedback: Feedback,
    order: Order | None,
    conversation_id: str | None,
    hours: OfficeHours | None,
    actor: str,
) -> Case:
    about = f" about order {order.number}" if order else ""
    given = "No score" if feedback.rating is None else f"{feedback.rating} of 5"
    return open_case(
        session,
        CaseKind.RECOVERY,
        subject=f"{given} in feedback{about}",
        summary=feedback.text,
        customer_id=feedback.customer_id,
        order_id=feedback.order_id,
        conversation_id=conversation_id,
        priority=priority_of(feedback.text),
        hours=hours,
        actor=actor,
        now=feedback.said_at,
    )


def is_alarming(text: str) -> bool:
    """Tell whether a person must read this whatever the score: danger, or the law."""
    return HARM.search(text) is not None or LEGAL.search(text) is not None


def priority_of(text: str) -> CasePriority:
    """Return how soon somebody must look at what a customer wrote."""
    return CasePriority.URGENT if HARM.search(text) else CasePriority.NORMAL


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
    return is_low or is_alarming(feedback.text)


def _open_case(
    session: Session,
    invitation: SurveyInvitation,
    flow: Flow,
    feedback: Feedback,
    *,
    hours: OfficeHours | None,
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
        priority=priority_of(feedback.text),
        hours=hours,
        actor=f"customer:{invitation.customer_id}",
        now=now,
    )
