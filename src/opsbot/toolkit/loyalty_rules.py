"""Points by the shop's rules: what an order earns, when it counts, what a return takes back."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.loyalty import (
    LoyaltyEntry,
    LoyaltyKind,
    append,
)
from opsbot.commerce.orders import Order, OrderLine, SalesChannel
from opsbot.commerce.returns import (
    AGAIN,
    Resolution,
    Return,
    ReturnLine,
    ReturnReason,
    ReturnState,
)
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.policy.grounds import add_months
from opsbot.toolkit.policy.return_facts import Condition
from opsbot.toolkit.policy.returns import decide_return
from opsbot.toolkit.return_plans import return_facts

_LOOK_BACK = timedelta(days=60)
"""Deliveries and returns older than this have had their points, or never will."""
_AT_ONCE = 200


def points_for(lines: Iterable[tuple[OrderLine, int]], policies: Policies) -> int:
    """Return what units earn: so many points for each full 100 minor units paid for them."""
    rules = policies.loyalty.earn
    paid = sum(
        line.unit_price_minor * units - line.discount_minor * units // line.quantity
        for line, units in lines
        if line.item.return_class not in rules.not_for_classes
    )
    return max(0, paid) // 100 * rules.points_per_hundred


def count_from(session: Session, order: Order, policies: Policies, *, zone: str) -> datetime:
    """Return when the points of a delivered order can be used: when no return is possible any more.

    Needs lines, items, customer and channel loaded.
    """
    delivered = order.delivered_at or order.placed_at
    day = delivered.astimezone(ZoneInfo(zone)).date()
    last = day
    for line in order.lines:
        facts = return_facts(
            session,
            order,
            line,
            max(1, line.wanted),
            reason=ReturnReason.CHANGED_MIND,
            condition=Condition.UNOPENED,
            carries_shipping=False,
            policies=policies,
            zone=zone,
            now=delivered,
        )
        last = max(last, decide_return(facts, policies, day).deadline or day)
    return datetime.combine(last + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def award_points(session: Session, policies: Policies, *, zone: str, now: datetime) -> int:
    """Write down the points of delivered orders that have none yet; return of how many orders."""
    earned = exists().where(
        LoyaltyEntry.order_id == Order.id, LoyaltyEntry.kind == LoyaltyKind.EARN
    )
    waiting = (
        select(Order)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(
            Order.delivered_at > now - _LOOK_BACK,
            Order.delivered_at <= now,
            SalesChannel.kind.in_(policies.loyalty.earn.channels),
            ~earned,
        )
        .order_by(Order.delivered_at)
        .limit(_AT_ONCE)
        .options(
            joinedload(Order.channel),
            joinedload(Order.customer),
            selectinload(Order.lines).joinedload(OrderLine.item),
        )
    )
    awarded = 0
    for order in session.scalars(waiting):
        points = points_for([(line, line.delivered) for line in order.lines], policies)
        if points and order.customer.anonymized_at is None:
            begins = count_from(session, order, policies, zone=zone)
            awarded += append(session, earning(order, points, begins, policies, zone=zone, now=now))
    return awarded


def earning(
    order: Order, points: int, begins: datetime, policies: Policies, *, zone: str, now: datetime
) -> LoyaltyEntry:
    """Return the entry for what an order earned."""
    return LoyaltyEntry(
        customer_id=order.customer_id,
        kind=LoyaltyKind.EARN,
        points=points,
        order_id=order.id,
        reference=f"earn:{order.number}",
        available_at=begins,
        expires_at=ends_of(begins, policies, zone=zone),
        actor="system",
        at=now,
    )


def ends_of(begins: datetime, policies: Policies, *, zone: str) -> datetime:
    """Return when points end that can be used from `begins` on."""
    day = begins.astimezone(ZoneInfo(zone)).date()
    last = add_months(day, policies.loyalty.expire_months)
    return datetime.combine(last, time(), tzinfo=ZoneInfo(zone))


def take_back_points(session: Session, opened: Return, policies: Policies, *, now: datetime) -> int:
    """Take back what the goods of an ended return had earned; return how many points.

    Needs its lines with order lines and items. Goods that were repaired, exchanged or kept have
    their points still.
    """
    if opened.resolution in AGAIN | {Resolution.EXCHANGE}:
        return 0
    earned = session.scalar(
        select(LoyaltyEntry).where(
            LoyaltyEntry.order_id == opened.order_id, LoyaltyEntry.kind == LoyaltyKind.EARN
        )
    )
    units = [(line.order_line, line.quantity) for line in opened.lines]
    points = points_for(units, policies)
    if earned is None or not points:
        return 0
    entry = LoyaltyEntry(
        customer_id=opened.customer_id,
        kind=LoyaltyKind.REVERSE,
        points=-min(points, earned.points),
        order_id=opened.order_id,
        reference=f"reverse:{opened.number}",
        available_at=max(now, earned.available_at),
        expires_at=None,
        actor="system",
        at=now,
    )
    return min(points, earned.points) if append(session, entry) else 0


def take_back_all(session: Session, policies: Policies, *, now: datetime) -> int:
    """Take back the points of returns that ended elsewhere; return of how many."""
    ended = (
        select(Return)
        .where(
            Return.state == ReturnState.RESOLVED,
            Return.resolved_at > now - _LOOK_BACK,
            ~exists().where(LoyaltyEntry.reference == "reverse:" + Return.number),
            exists().where(
                LoyaltyEntry.order_id == Return.order_id, LoyaltyEntry.kind == LoyaltyKind.EARN
            ),
        )
        .order_by(Return.id)
        .limit(_AT_ONCE)
        .options(
            selectinload(Return.lines).joinedload(ReturnLine.order_line).joinedload(OrderLine.item)
        )
    )
    return sum(
        take_back_points(session, opened, policies, now=now) > 0
        for opened in session.scalars(ended)
    )
