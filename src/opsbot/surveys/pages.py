"""What a survey page shows.

The page's GET calls `open_invitation`, its POST `answers.record_response`, and the POST of the page
behind `…/stop` calls `answers.opt_out`. A GET stores no answer: mail scanners open every link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from opsbot.commerce.orders import OrderLine
from opsbot.settings import Settings
from opsbot.surveys.flows import Question, QuestionKind, fill_fields
from opsbot.surveys.invitations import make_fields
from opsbot.surveys.links import PageState, find_invitation, page_state
from opsbot.surveys.models import (
    InvitationState,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)


@dataclass(frozen=True)
class PageQuestion:
    """One question, in the words of this invitation."""

    id: str
    """Name of the form's field."""
    kind: QuestionKind
    text: str
    help: str
    required: bool
    choices: tuple[int, ...]
    """The numbers to choose from; empty for a text."""
    low: str
    high: str
    max_length: int
    answer: str | int | None
    """What was answered before, or the score the link carried. Not stored by showing it."""


@dataclass(frozen=True)
class SurveyPage:
    """All that a page needs."""

    survey: str
    title: str
    intro: str
    language: str
    questions: tuple[PageQuestion, ...]
    thanks: str
    state: PageState
    closes_at: datetime


def open_invitation(
    session: Session, settings: Settings, token: str, *, now: datetime, score: str | None = None
) -> SurveyPage:
    """Return the page behind a link, and note that it was opened. Needs a writing session.

    Args:
        session: an open transaction that may write.
        settings: for the shop's name.
        token: the last part of the link.
        now: the time; after the invitation has expired the page is closed.
        score: what the link carries as `?score=`; shown as chosen, not stored.

    Raises:
        NotFoundError: there is no such link.
    """
    invitation = find_invitation(session, token)
    unseen = (InvitationState.SCHEDULED, InvitationState.SENT)
    if now < invitation.expires_at:
        session.execute(
            update(SurveyInvitation)
            .where(SurveyInvitation.id == invitation.id, SurveyInvitation.state.in_(unseen))
            .values(state=InvitationState.OPENED, opened_at=now)
        )
    return describe_invitation(session, settings, invitation, now=now, score=score)


def describe_invitation(
    session: Session,
    settings: Settings,
    invitation: SurveyInvitation,
    *,
    now: datetime,
    score: str | None = None,
) -> SurveyPage:
    """Return what an invitation asks, in its own words, with the answers given so far."""
    flow = invitation.version.flow
    fields = make_fields(settings, order=invitation.order, product=_product(session, invitation))
    answers = {flow.lead.id: _read_score(flow.lead, score), **_given_answers(session, invitation)}
    return SurveyPage(
        survey=flow.id,
        title=fill_fields(flow.title, fields),
        intro=fill_fields(flow.intro, fields),
        language=flow.language,
        questions=tuple(
            _describe_question(question, fields, answers) for question in flow.questions
        ),
        thanks=fill_fields(flow.thanks, fields),
        state=page_state(invitation, now),
        closes_at=invitation.expires_at,
    )


def _describe_question(
    question: Question, fields: Mapping[str, str], answers: Mapping[str, str | int | None]
) -> PageQuestion:
    return PageQuestion(
        id=question.id,
        kind=question.kind,
        text=fill_fields(question.text, fields),
        help=fill_fields(question.help, fields),
        required=question.required,
        choices=tuple(question.kind.scale or ()),
        low=question.low,
        high=question.high,
        max_length=question.max_length,
        answer=answers.get(question.id),
    )


def _product(session: Session, invitation: SurveyInvitation) -> str:
    """Return how the product was called on the order."""
    line = select(OrderLine.title).where(
        OrderLine.order_id == invitation.order_id, OrderLine.sku == invitation.sku
    )
    return session.scalar(line.limit(1)) or ""


def _given_answers(session: Session, invitation: SurveyInvitation) -> dict[str, str | int | None]:
    rows = session.scalars(
        select(SurveyAnswer)
        .join(SurveyResponse, SurveyResponse.id == SurveyAnswer.response_id)
        .where(SurveyResponse.invitation_id == invitation.id)
    )
    return {row.question: row.text if row.number is None else row.number for row in rows}


def _read_score(question: Question, score: str | None) -> int | None:
    """Return the score of the link, if it is one that can be chosen."""
    fitting = {str(choice): choice for choice in question.kind.scale or ()}
    return fitting.get(score or "")
