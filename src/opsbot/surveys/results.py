"""What a survey brought: the score with its interval, and how many answered."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.errors import NotFoundError
from opsbot.planning.periods import Period
from opsbot.planning.scores import (
    Score,
    effort_score,
    net_promoter_score,
    satisfaction_score,
)
from opsbot.surveys.flows import Flow, QuestionKind
from opsbot.surveys.models import (
    Feedback,
    InvitationState,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
    SurveyVersion,
)
from opsbot.texts import mask_personal

MOST_COMMENTS = 20

_SCORES: Mapping[QuestionKind, Callable[[Sequence[int]], Score | None]] = {
    QuestionKind.NPS: net_promoter_score,
    QuestionKind.CSAT: satisfaction_score,
    QuestionKind.CES: effort_score,
}


@dataclass(frozen=True)
class SurveyResults:
    """One version of one survey in one period."""

    survey: str
    version: str
    """Answers to other wordings are not in here."""
    other_versions: tuple[str, ...]
    """Versions with answers in the same period."""
    question: str
    """The question the score is about."""
    kind: QuestionKind
    score: Score | None
    """None without answers."""
    counts: Mapping[int, int]
    """How often each number of the scale was chosen."""
    sent: int
    """Invitations that left in the period."""
    completed: int
    """Of those, the ones that were answered whole, whenever that was."""
    suppressed: Mapping[str, int]
    """Reason to number of customers who were not asked in the period."""
    comments: tuple[Feedback, ...]
    """The newest texts."""

    @property
    def response_rate(self) -> float | None:
        """Share of the invitations that were answered; None when none was sent."""
        return self.completed / self.sent if self.sent else None


def results(
    session: Session, survey: str, period: Period, *, version: str | None = None
) -> SurveyResults:
    """Return what a survey brought in a period.

    Args:
        session: a session to read in.
        survey: id of the flow.
        period: days in which answers came, or invitations left.
        version: which wording; the newest that has answers in the period, or else the newest.

    Raises:
        NotFoundError: nobody was ever invited to this survey.
    """
    versions = _versions(session, survey)
    answered = _answered_versions(session, survey, period)
    wanted = version or next((row.id for row in versions if row.id in answered), None)
    chosen = next((row for row in versions if row.id == wanted), versions[0])
    flow = chosen.flow
    numbers = _numbers(session, chosen.id, flow, period)
    sent, completed = _reached(session, chosen.id, period)
    return SurveyResults(
        survey=survey,
        version=chosen.id,
        other_versions=tuple(sorted(answered - {chosen.id})),
        question=flow.lead.text,
        kind=flow.lead.kind,
        score=_SCORES[flow.lead.kind](numbers),
        counts={choice: Counter(numbers)[choice] for choice in flow.lead.kind.scale or ()},
        sent=sent,
        completed=completed,
        suppressed=_suppressed(session, survey, period),
        comments=_comments(session, survey, period),
    )


def _versions(session: Session, survey: str) -> Sequence[SurveyVersion]:
    newest_first = SurveyVersion.first_used_at.desc()
    found = session.scalars(
        select(SurveyVersion).where(SurveyVersion.survey == survey).order_by(newest_first)
    ).all()
    if not found:
        raise NotFoundError("answers to the survey", survey)
    return found


def _answered_versions(session: Session, survey: str, period: Period) -> set[str]:
    query = (
        select(SurveyInvitation.version_id)
        .join(SurveyResponse, SurveyResponse.invitation_id == SurveyInvitation.id)
        .where(SurveyInvitation.survey == survey)
        .where(SurveyResponse.answered_at >= period.start, SurveyResponse.answered_at < period.end)
        .distinct()
    )
    return set(session.scalars(query))


def _numbers(session: Session, version: str, flow: Flow, period: Period) -> list[int]:
    query = (
        select(SurveyAnswer.number)
        .join(SurveyResponse, SurveyResponse.id == SurveyAnswer.response_id)
        .join(SurveyInvitation, SurveyInvitation.id == SurveyResponse.invitation_id)
        .where(SurveyInvitation.version_id == version, SurveyAnswer.question == flow.lead.id)
        .where(SurveyResponse.answered_at >= period.start, SurveyResponse.answered_at < period.end)
    )
    return [number for number in session.scalars(query) if number is not None]


def _reached(session: Session, version: str, period: Period) -> tuple[int, int]:
    sent = (
        SurveyInvitation.version_id == version,
        SurveyInvitation.sent_at >= period.start,
        SurveyInvitation.sent_at < period.end,
    )
    count = select(func.count()).select_from(SurveyInvitation).where(*sent)
    answered = count.where(SurveyInvitation.state == InvitationState.COMPLETED)
    return session.scalar(count) or 0, session.scalar(answered) or 0


def _suppressed(session: Session, survey: str, period: Period) -> dict[str, int]:
    rows = session.execute(
        select(SurveyInvitation.reason, func.count())
        .where(
            SurveyInvitation.survey == survey,
            SurveyInvitation.state == InvitationState.SUPPRESSED,
            SurveyInvitation.created_at >= period.start,
            SurveyInvitation.created_at < period.end,
        )
        .group_by(SurveyInvitation.reason)
        .order_by(SurveyInvitation.reason)
    )
    return {str(reason): count for reason, count in rows}


def _comments(session: Session, survey: str, period: Period) -> tuple[Feedback, ...]:
    query = (
        select(Feedback)
        .where(Feedback.source == f"survey:{survey}", Feedback.text != "")
        .where(Feedback.said_at >= period.start, Feedback.said_at < period.end)
        .order_by(Feedback.said_at.desc(), Feedback.id.desc())
        .limit(MOST_COMMENTS)
    )
    return tuple(session.scalars(query))


def low_scores(session: Session, period: Period) -> list[str]:
    """Return scores of a period that a person should hear about, such as "2 (csat): broken"."""
    query = select(Feedback).where(
        Feedback.rating.is_not(None),
        Feedback.said_at >= period.start,
        Feedback.said_at < period.end,
    )
    return [
        f"{one.rating} ({one.scale}): {mask_personal(one.text) or 'no words'}"
        for one in session.scalars(query.order_by(Feedback.rating, Feedback.id))
        if one.scale and one.rating is not None and QuestionKind(one.scale).is_low(one.rating)
    ]
