"""Loyalty: who takes part, and what the points that are out are worth."""

from bisect import bisect_left
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.metrics.counting import sums
from opsbot.metrics.grouping import TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Currency, Groups, Measure, Metric, Unit, counted_share

TOOK_PART = (LoyaltyKind.EARN, LoyaltyKind.REDEEM)
Columns = tuple[ColumnElement[Any], ...]
USABLE, PENDING = "usable", "pending"


def loyalty_active(session: Session, part: Slice) -> Groups:
    """Tell which share of the members earned or used points in the period; n: members."""
    columns: Columns = (LoyaltyEntry.at.label("at"), LoyaltyEntry.customer_id.label("order_id"))
    facts = select(*columns).where(LoyaltyEntry.kind.in_(TOOK_PART))
    active = sums(session, part.up_to_now, facts, ("orders",))
    joined = sorted(
        session.scalars(select(func.min(LoyaltyEntry.at)).group_by(LoyaltyEntry.customer_id))
    )
    ends: dict[Any, datetime] = {number: piece.end for number, piece in enumerate(part.pieces)} or {
        "": part.period.end
    }
    found = {}
    for key, end in ends.items():
        members = bisect_left(joined, end)
        if members:
            label, count = active.get(key, (str(key), 0))
            found[key] = counted_share(label, count, members)
    return found


def points_liability(session: Session, part: Slice) -> Groups:
    """Value the points that customers hold now, or will hold when returns are over; n: holders."""
    usable = LoyaltyEntry.available_at <= part.now
    kind = case((usable, USABLE), else_=PENDING)
    held = (
        select(
            LoyaltyEntry.customer_id.label("customer_id"),
            kind.label("kind"),
            func.sum(LoyaltyEntry.points).label("points"),
        )
        .where(LoyaltyEntry.at <= part.now)
        .group_by(LoyaltyEntry.customer_id, kind)
        .having(func.sum(LoyaltyEntry.points) > 0)
        .subquery("held")
    )
    facts: Select[Any] = select(
        held.c.kind.label("kind"),
        held.c.points.label("points"),
        held.c.customer_id.label("order_id"),
        literal(1).label("holders"),
    )
    found = sums(session, part, facts, ("points", "orders"))
    worth = part.terms.point_minor
    return {
        key: Counted(label, (points * worth, points), holders)
        for key, (label, points, holders) in found.items()
    }


def points_used(session: Session, part: Slice) -> Groups:
    """Count the points that customers turned into store credit; n: customers."""
    columns: Columns = (
        LoyaltyEntry.at.label("at"),
        (-LoyaltyEntry.points).label("points"),
        LoyaltyEntry.customer_id.label("order_id"),
    )
    facts = select(*columns).where(LoyaltyEntry.kind == LoyaltyKind.REDEEM)
    found = sums(session, part, facts, ("points", "orders"))
    worth = part.terms.point_minor
    return {
        key: Counted(label, (points, points * worth), customers)
        for key, (label, points, customers) in found.items()
    }


METRICS = (
    Metric(
        key="loyalty_active",
        title="Active members",
        definition="Share of the customers with an entry in the loyalty ledger by the end of the "
        "period who earned or used points in it.",
        counts="members",
        dimensions=TIME,
        measures=(Measure("loyalty_active", "Active", Unit.SHARE),),
        function=loyalty_active,
        period="last 90 days",
        score_scale=100,
    ),
    Metric(
        key="points_liability",
        title="Worth of points",
        definition="Points that customers hold now, those included that begin to count when the "
        "time for returns is over, times what a point is worth; balances below zero count as none.",
        counts="customers",
        dimensions=(Dimension.KIND,),
        measures=(
            Measure("points_liability", "Worth", Unit.MONEY),
            Measure("points_out", "Points", Unit.COUNT),
        ),
        function=points_liability,
        snapshot=True,
        adds_up=True,
        currency=Currency.ITEMS,
    ),
    Metric(
        key="points_used",
        title="Points used",
        definition="Points that customers turned into store credit in the period, and what they "
        "were worth.",
        counts="customers",
        dimensions=TIME,
        measures=(
            Measure("points_used", "Points", Unit.COUNT),
            Measure("points_used_worth", "Worth", Unit.MONEY),
        ),
        function=points_used,
        period="last 90 days",
        currency=Currency.ITEMS,
    ),
)
