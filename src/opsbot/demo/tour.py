"""What a newcomer is shown of the sample shop."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order
from opsbot.settings import Settings
from opsbot.surveys.flows import load_flows
from opsbot.surveys.invitations import invite_customer, renew_link
from opsbot.surveys.models import SurveyInvitation

ORDER = "#1007"
"""Delivered a few days ago, and not asked about yet."""
SURVEY = "delivery_csat"

QUESTIONS = (
    "How do I clean the Tide grinder?",
    "Where is my order #1003?",
    "Cancel order #1004",
)
"""To try as the signed-in customer."""


def open_survey(session: Session, settings: Settings, *, now: datetime) -> str:
    """Return a link to the survey about the tour's order; an earlier link stops working."""
    order = session.scalars(select(Order).where(Order.number == ORDER)).one()
    invitation = session.scalar(
        select(SurveyInvitation).where(
            SurveyInvitation.order_id == order.id, SurveyInvitation.survey == SURVEY
        )
    )
    if invitation is not None:
        return renew_link(session, settings, invitation)
    flow = load_flows(settings.web_dir / "surveys")[SURVEY]
    invited = invite_customer(session, settings, flow, order, now=now)
    if invited is None:
        raise ValueError(f"{ORDER} was asked about, but there is no invitation")
    return invited.url
