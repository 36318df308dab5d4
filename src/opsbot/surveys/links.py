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


def page_state(invitation: SurveyInvitation, now: datetime) -> PageState:
    """Return what the page behind the link shows now."""
    if now >= invitation.expires_at or invitation.state not in ANSWERABLE:
        return PageState.CLOSED
    if invitation.state is InvitationState.COMPLETED:
        return PageState.ANSWERED
    return PageState.OPEN
