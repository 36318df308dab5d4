"""From the token of a link to its invitation, and what can still be done with it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from opsbot.errors import NotFoundError
from opsbot.surveys.invitations import hash_token
from opsbot.surveys.models import ANSWERABLE, InvitationState, SurveyInvitation

LONGEST_TOKEN = 100


class PageState(StrEnum):
    """What a survey page shows."""

    OPEN = "open"
    """The questions, empty."""
    ANSWERED = "answered"
    """The thanks, and the questions with the answers given, which can be changed."""
    CLOSED = "closed"
    """That it is too late."""


def find_invitation(session: Session, token: str, *, lock: bool = False) -> SurveyInvitation:
    """Return the invitation behind a link, with its version and order.

    Args:
        session: an open transaction.
        token: the last part of the link.
        lock: keep others from answering until the transaction ends.

    Raises:
        NotFoundError: there is no such link.
    """
    query = (
        select(SurveyInvitation)
        .where(SurveyInvitation.token_hash == hash_token(token[:LONGEST_TOKEN]))
        .options(joinedload(SurveyInvitation.version), joinedload(SurveyInvitation.order))
    )
    if lock:
        query = query.with_for_update(of=SurveyInvitation)
    invitation = session.scalar(query)
    if invitation is None:
        raise NotFoundError("a survey", "behind this link")
    return invitation


def find_open_invitation(
    session: Session, customer_id: int, *, order_id: int | None, now: datetime
) -> SurveyInvitation:
    """Return the survey that waits for this customer's answer, the newest first.

    Args:
        session: an open transaction that may write.
        customer_id: whose.
        order_id: only about this order; None: any of theirs.
        now: the time.

    Raises:
        NotFoundError: none waits.
    """
    query = (
        select(SurveyInvitation)
        .where(SurveyInvitation.customer_id == customer_id)
        .where(SurveyInvitation.state.in_(ANSWERABLE), SurveyInvitation.expires_at > now)
        .options(joinedload(SurveyInvitation.version), joinedload(SurveyInvitation.order))
        .order_by(
            SurveyInvitation.state == InvitationState.COMPLETED,
            SurveyInvitation.created_at.desc(),
            SurveyInvitation.id.desc(),
        )
        .limit(1)
        .with_for_update(of=SurveyInvitation)
    )
    if order_id is not None:
        query = query.where(SurveyInvitation.order_id == order_id)
    invitation = session.scalar(query)
    if invitation is None:
        raise NotFoundError("a survey", "that waits for your answer")
    return invitation


def page_state(invitation: SurveyInvitation, now: datetime) -> PageState:
    """Return what the page behind the link shows now."""
    if now >= invitation.expires_at or invitation.state not in ANSWERABLE:
        return PageState.CLOSED
    if invitation.state is InvitationState.COMPLETED:
        return PageState.ANSWERED
    return PageState.OPEN
