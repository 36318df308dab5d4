"""What a customer's points come to, and the tier they make."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from opsbot.commerce.loyalty import LoyaltyEntry, Standing, entries_of, standing_of
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.policy.grounds import add_months


def tier_since(policies: Policies, today: date) -> date:
    """Return from which day on earned points count for the tier."""
    return add_months(today, -policies.loyalty.expire_months)


def standing(
    session: Session, customer_id: int, policies: Policies, *, zone: str, now: datetime
) -> Standing:
    """Return a customer's points, and what their tier goes by."""
    return _sum_up(entries_of(session, customer_id), policies, zone=zone, now=now)


def tier_name(
    entries: Sequence[LoyaltyEntry], policies: Policies, *, zone: str, now: datetime
) -> str:
    """Return the name of the tier that a customer's ledger makes."""
    points = _sum_up(entries, policies, zone=zone, now=now).earned
    return policies.loyalty.tier_of(points).name


def _sum_up(
    entries: Sequence[LoyaltyEntry], policies: Policies, *, zone: str, now: datetime
) -> Standing:
    since = tier_since(policies, now.astimezone(ZoneInfo(zone)).date())
    begins = datetime.combine(since, time(), tzinfo=ZoneInfo(zone))
    return standing_of(entries, now=now, since=begins)
