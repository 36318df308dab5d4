"""Whom a survey must leave in peace, and when."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import AT_WORK, Case
from opsbot.commerce.customers import Customer
from opsbot.commerce.orders import Order, OrderState
from opsbot.commerce.returns import Return, ReturnState
from opsbot.settings import Settings
from opsbot.staff import Staff
from opsbot.surveys.models import InvitationState, Suppression, SurveyInvitation

COOLDOWN = timedelta(days=30)
"""Least time between two invitations to one customer, whatever the surveys."""
YEAR = timedelta(days=365)
MOST_A_YEAR = 6
OPENING_HOUR, CLOSING_HOUR = 9, 20

_CLOSED_RETURNS = (
    ReturnState.RESOLVED,
    ReturnState.DECLINED,
    ReturnState.CANCELLED,
    ReturnState.EXPIRED,
)


def is_time_to_ask(now: datetime, zone: str) -> bool:
    """Tell whether it is between 9 and 20 o'clock in the shop's time zone."""
    return OPENING_HOUR <= now.astimezone(ZoneInfo(zone)).hour < CLOSING_HOUR


def is_public_holiday(day: date, country: str) -> bool:
    """Tell whether the whole country has this day off; false for countries we do not know."""
    return day in _holidays(country, day.year)


def find_obstacle(
    session: Session, settings: Settings, order: Order, customer: Customer, *, now: datetime
) -> Suppression | None:
    """Return why this customer is not asked about this order, or None."""
    if customer.anonymized_at is not None:
        return Suppression.ANONYMIZED
    if customer.survey_opt_out_at is not None:
        return Suppression.OPTED_OUT
    if order.state is OrderState.CANCELLED:
        return Suppression.CANCELLED
    if _works_here(session, settings, customer):
        return Suppression.STAFF
    return _open_matter(session, customer) or _asked_before(session, customer, now)


def _works_here(session: Session, settings: Settings, customer: Customer) -> bool:
    own_domain = settings.mail.address.lower().rpartition("@")[2]
    if customer.email.rpartition("@")[2] == own_domain:
        return True
    return session.scalar(select(Staff.id).where(Staff.email == customer.email)) is not None


def _open_matter(session: Session, customer: Customer) -> Suppression | None:
    case = select(Case.id).where(Case.customer_id == customer.id, Case.state.in_(AT_WORK))
    if session.scalar(case.limit(1)) is not None:
        return Suppression.OPEN_CASE
    open_return = select(Return.id).where(
        Return.customer_id == customer.id, Return.state.not_in(_CLOSED_RETURNS)
    )
    if session.scalar(open_return.limit(1)) is not None:
        return Suppression.OPEN_RETURN
    return None


def _asked_before(session: Session, customer: Customer, now: datetime) -> Suppression | None:
    """Look at the year behind us; what was suppressed did not disturb anybody."""
    asked = session.scalars(
        select(SurveyInvitation.created_at).where(
            SurveyInvitation.customer_id == customer.id,
            SurveyInvitation.state != InvitationState.SUPPRESSED,
            SurveyInvitation.created_at > now - YEAR,
        )
    ).all()
    if any(moment > now - COOLDOWN for moment in asked):
        return Suppression.COOLDOWN
    return Suppression.YEARLY_LIMIT if len(asked) >= MOST_A_YEAR else None


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:  # how the library says that it does not know a country
        return frozenset()
