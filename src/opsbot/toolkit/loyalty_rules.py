"""Points by the shop's rules: what an order earns, when it counts, what a return takes back."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from opsbot.commerce.customers import Customer
from opsbot.commerce.loyalty import (
    LoyaltyEntry,
    LoyaltyKind,
    append,
    append_earned,
)
from opsbot.commerce.orders import Order, OrderLine, SalesChannel
from opsbot.commerce.products import Item
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
from opsbot.toolkit.return_records import ReturnRecords, read_return_records, return_facts

_LOOK_BACK = timedelta(days=60)
"""Deliveries and returns older than this have had their points, or never will."""
_AT_ONCE = 200
"""Orders, or returns, that are read together."""
_MOST_AT_ONCE = 1_000
"""Orders that get their points in one transaction: others want to write, too."""
_POINTS_STAY = AGAIN | {Resolution.EXCHANGE}


def points_for(lines: Iterable[tuple[OrderLine, int]], policies: Policies) -> int:
    """Return what units earn: so many points for each full 100 minor units paid for them."""
    rules = policies.loyalty.earn
    paid = sum(
        line.unit_price_minor * units - line.discount_minor * units // line.quantity
        for line, units in lines
        if line.item.return_class not in rules.not_for_classes
    )
    return max(0, paid) // 100 * rules.points_per_hundred


def count_from(records: ReturnRecords, order: Order, policies: Policies, *, zone: str) -> datetime:
    """Return when the points of a delivered order can be used: when no return is possible any more.

    Needs lines, items, customer and channel loaded.
    """
    delivered = order.delivered_at or order.placed_at
    day = delivered.astimezone(ZoneInfo(zone)).date()
    last = day
    for line in order.lines:
        facts = return_facts(
            records,
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
    """Write down the points of delivered orders that have none yet; return of how many orders.

    Many orders are read, decided and written at once. Call it again until none is left.
    """
    awarded = 0
    after = (now - _LOOK_BACK, 0)
    while awarded < _MOST_AT_ONCE:
        orders = session.scalars(_waiting(policies, after, now=now)).unique().all()
        if not orders:
            break
        records = read_return_records(session, orders)
        entries = []
        for order in orders:
            if points := points_for([(line, line.delivered) for line in order.lines], policies):
                begins = count_from(records, order, policies, zone=zone)
                entries.append(earning(order, points, begins, policies, zone=zone, now=now))
        awarded += append_earned(session, entries)
        # Onward from the last one: an order that earns nothing must not come up again and again.
        after = (orders[-1].delivered_at or now, orders[-1].id)
    return awarded


def _waiting(policies: Policies, after: tuple[datetime, int], *, now: datetime) -> Select[Order]:
    """Return the next orders without points that were delivered after an order, by time and id."""
    at, last = after
    rules = policies.loyalty.earn
    earned = exists().where(
        LoyaltyEntry.order_id == Order.id, LoyaltyEntry.kind == LoyaltyKind.EARN
    )
    counts = exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.delivered > 0,
        OrderLine.sku == Item.sku,
        Item.return_class.not_in(rules.not_for_classes),
    )
    return (
        select(Order)
        .join(Order.channel)
        .join(Order.customer)
        .where(
            Order.delivered_at >= at,
            or_(Order.delivered_at > at, Order.id > last),
            Order.delivered_at <= now,
            SalesChannel.kind.in_(rules.channels),
            Customer.anonymized_at.is_(None),
            counts,
            ~earned,
        )
        .order_by(Order.delivered_at, Order.id)
        .limit(_AT_ONCE)
        .options(
            contains_eager(Order.channel),
            contains_eager(Order.customer),
            selectinload(Order.lines).joinedload(OrderLine.item),
        )
    )


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
    their points still. What was taken back for the whole order, under its number, includes what
    its returns would take; and all of them together take no more than the order had earned.
    """
    if opened.resolution in _POINTS_STAY:
        return 0
    earned = session.scalar(
        select(LoyaltyEntry).where(
            LoyaltyEntry.order_id == opened.order_id, LoyaltyEntry.kind == LoyaltyKind.EARN
        )
    )
    if earned is None:
        return 0
    gone = session.scalars(
        select(LoyaltyEntry).where(
            LoyaltyEntry.order_id == opened.order_id, LoyaltyEntry.kind == LoyaltyKind.REVERSE
        )
    ).all()
    if any(entry.reference == f"reverse:{opened.order.number}" for entry in gone):
        return 0
    units = [(line.order_line, line.quantity) for line in opened.lines]
    left = earned.points + sum(entry.points for entry in gone)
    points = min(points_for(units, policies), left)
    if points <= 0:
        return 0
    entry = LoyaltyEntry(
        customer_id=opened.customer_id,
        kind=LoyaltyKind.REVERSE,
        points=-points,
        order_id=opened.order_id,
        reference=f"reverse:{opened.number}",
        available_at=max(now, earned.available_at),
        expires_at=None,
        actor="system",
        at=now,
    )
    return points if append(session, entry) else 0


def take_back_all(session: Session, policies: Policies, *, now: datetime) -> int:
    """Take back the points of returns that ended elsewhere; return of how many."""
    taken = last = 0
    while ended := session.scalars(_to_take_back(last, now=now)).all():
        taken += sum(take_back_points(session, one, policies, now=now) > 0 for one in ended)
        last = ended[-1].id
    return taken


def _to_take_back(after: int, *, now: datetime) -> Select[Return]:
    """Return the next ended returns whose points nobody has taken back, by their ids."""
    return (
        select(Return)
        .where(
            Return.id > after,
            Return.state == ReturnState.RESOLVED,
            Return.resolved_at > now - _LOOK_BACK,
            Return.resolution.not_in(_POINTS_STAY),
            ~exists().where(LoyaltyEntry.reference == "reverse:" + Return.number),
            exists().where(
                LoyaltyEntry.order_id == Return.order_id, LoyaltyEntry.kind == LoyaltyKind.EARN
            ),
        )
        .order_by(Return.id)
        .limit(_AT_ONCE)
        .options(
            joinedload(Return.order),
            selectinload(Return.lines).joinedload(ReturnLine.order_line).joinedload(OrderLine.item),
        )
    )
