"""Take answers, and stop asking."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from opsbot.commerce.customers import Customer
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.mail.outgoing import withdraw_mails
from opsbot.mail.text import clean_text
from opsbot.planning.office_hours import OfficeHours
from opsbot.surveys.feedback import file_feedback
from opsbot.surveys.flows import Flow, Question
from opsbot.surveys.links import PageState, find_invitation, page_state
from opsbot.surveys.models import (
    InvitationState,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from opsbot.toolkit.audit import record_audit


class AnswerError(InvalidInputError):
    """One answer cannot be kept.

    Attributes:
        question: id of the question.
    """

    def __init__(self, message: str, *, question: str) -> None:
        super().__init__(message)
        self.question = question


def record_response(
    session: Session,
    token: str,
    answers: Mapping[str, str | int],
    *,
    now: datetime,
    complete: bool = True,
    hours: OfficeHours | None = None,
) -> SurveyResponse:
    """Keep the answers of one invitation. Sent again before it closes, the last ones count.

    A low score, or words about danger or the law, open a case for a person; at most one.

    Args:
        session: an open transaction that may write.
        token: the last part of the link.
        answers: question id to number or text; an empty text is no answer.
        now: the time.
        complete: false keeps a part of the answers, and does not ask for the required ones.
        hours: when people work, for the case; see `open_case`.

    Raises:
        NotFoundError: there is no such link.
        ConflictError: the survey is closed.
        AnswerError: an answer does not fit its question; nothing is kept.
        InvalidInputError: there is no such question.
    """
    invitation = find_invitation(session, token, lock=True)
    return record_answers(session, invitation, answers, now=now, complete=complete, hours=hours)


def record_answers(
    session: Session,
    invitation: SurveyInvitation,
    answers: Mapping[str, str | int],
    *,
    now: datetime,
    complete: bool = True,
    hours: OfficeHours | None = None,
) -> SurveyResponse:
    """Keep the answers of an invitation that is at hand, with version and order; see above."""
    if page_state(invitation, now) is PageState.CLOSED:
        raise ConflictError("This survey is closed. Thank you all the same.")
    flow = invitation.version.flow
    checked = _check_answers(flow, answers, complete=complete)
    response = _find_response(session, invitation, now=now)
    response.complete = response.complete or complete
    response.answered_at = now
    session.execute(delete(SurveyAnswer).where(SurveyAnswer.response_id == response.id))
    for question, value in checked.items():
        number, text = (value, None) if isinstance(value, int) else (None, value)
        row = SurveyAnswer(response_id=response.id, question=question, number=number, text=text)
        session.add(row)
    completed, started = InvitationState.COMPLETED, InvitationState.STARTED
    invitation.state = completed if response.complete else started
    file_feedback(session, invitation, response, checked, hours=hours, now=now)
    _note(session, invitation, "survey_answered", now)
    return response


def opt_out(session: Session, token: str, *, now: datetime) -> None:
    """Never invite this customer again. Works after the survey has closed, and twice.

    Raises:
        NotFoundError: there is no such link.
    """
    invitation = find_invitation(session, token, lock=True)
    stop_asking(session, session.get_one(Customer, invitation.customer_id), now=now)
    if invitation.state is not InvitationState.COMPLETED:
        invitation.state = InvitationState.OPTED_OUT
    _note(session, invitation, "survey_opt_out", now)


def _note(session: Session, invitation: SurveyInvitation, action: str, now: datetime) -> None:
    actor, subject = f"customer:{invitation.customer_id}", f"survey invitation {invitation.id}"
    record_audit(session, actor=actor, action=action, subject=subject, at=now)


def stop_asking(session: Session, customer: Customer, *, now: datetime) -> None:
    """Never invite this customer again; an invitation that has not left yet does not leave."""
    customer.survey_opt_out_at = customer.survey_opt_out_at or now
    waiting = update(SurveyInvitation).where(
        SurveyInvitation.customer_id == customer.id,
        SurveyInvitation.state == InvitationState.SCHEDULED,
    )
    mails = session.scalars(
        waiting.values(state=InvitationState.OPTED_OUT)
        .returning(SurveyInvitation.mail_id)
        .execution_options(synchronize_session="fetch")
    ).all()
    withdraw_mails(session, [mail for mail in mails if mail is not None])
    session.flush()


def _check_answers(
    flow: Flow, answers: Mapping[str, str | int], *, complete: bool
) -> dict[str, str | int]:
    unknown = sorted(set(answers) - {question.id for question in flow.questions})
    if unknown:
        raise InvalidInputError(f"{clean_text(unknown[0], limit=40)}: there is no such question.")
    checked: dict[str, str | int] = {}
    for number, question in enumerate(flow.questions, start=1):
        given = str(answers.get(question.id, "")).strip()
        if given:
            checked[question.id] = _read_answer(question, number, given)
        elif question.required and complete:
            raise AnswerError(f"Question {number} needs an answer.", question=question.id)
    if not checked:
        message = "Please answer at least one question."
        raise AnswerError(message, question=flow.lead.id)
    return checked


def _read_answer(question: Question, number: int, given: str) -> str | int:
    scale = question.kind.scale
    if scale is None:
        if len(given) > question.max_length:
            message = (
                f"The answer to question {number} has {len(given):,} characters; "
                f"the most is {question.max_length:,}."
            )
            raise AnswerError(message, question=question.id)
        return clean_text(given, limit=question.max_length).strip()
    chosen = {str(choice): choice for choice in scale}.get(given)
    if chosen is None:
        message = f"Question {number}: please choose a number from {scale[0]} to {scale[-1]}."
        raise AnswerError(message, question=question.id)
    return chosen


def _find_response(
    session: Session, invitation: SurveyInvitation, *, now: datetime
) -> SurveyResponse:
    known = select(SurveyResponse).where(SurveyResponse.invitation_id == invitation.id)
    response = session.scalar(known)
    if response is None:
        response = SurveyResponse(
            invitation_id=invitation.id, complete=False, started_at=now, answered_at=now
        )
        session.add(response)
        session.flush()
    return response
