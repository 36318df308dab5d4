"""What the records say when goods are to come back: read for whole orders at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from opsbot.commerce.loyalty import LoyaltyEntry, entries_by_customer
from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.returns import (
    Remedies,
    ReturnReason,
    returned_or_open,
    returns_opened,
    tried_remedies,
)
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.policy.returns import Condition, ReturnFacts
from opsbot.toolkit.tiers import tier_name

_NONE = Remedies(0, 0)


@dataclass(frozen=True)
class ReturnRecords:
    """What is known of the lines and the customers of some orders."""

    gone: Mapping[int, int]
    """Units that came back or are on an open return, by the id of their line."""
    remedies: Mapping[int, Remedies]
    """By the id of the line."""
    opened: Mapping[int, Sequence[datetime]]
    """When each customer's returns were asked for."""
    points: Mapping[int, Sequence[LoyaltyEntry]]
    """Each customer's ledger of points."""

    def left(self, line: OrderLine) -> int:
        """Return how many units of a delivered line can still come back."""
        return line.delivered - self.gone.get(line.id, 0)


def read_return_records(session: Session, orders: Collection[Order]) -> ReturnRecords:
    """Read what decisions about returns of these orders rest on. Needs the lines loaded."""
    lines = [line.id for order in orders for line in order.lines]
    customers = {order.customer_id for order in orders}
    return ReturnRecords(
        gone=returned_or_open(session, lines),
        remedies=tried_remedies(session, lines),
        opened=returns_opened(session, customers),
        points=entries_by_customer(session, customers),
    )


def return_facts(
    records: ReturnRecords,
    order: Order,
    line: OrderLine,
    quantity: int,
    *,
    reason: ReturnReason,
    condition: Condition,
    carries_shipping: bool,
    policies: Policies,
    zone: str,
    now: datetime,
) -> ReturnFacts:
    """Return what the records say about units that are to come back. A pure function.

    Args:
        records: of the order.
        order: with its customer, channel and lines.
        line: whose units they are, with its item.
        quantity: how many.
        reason: why.
        condition: what was done with the goods.
        carries_shipping: the whole order comes back, and these units stand for its delivery charge.
        policies: the rules, for how far back to look.
        zone: the shop's time zone.
        now: the time.
    """

    def day(moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(zone)).date()

    since = now - timedelta(days=policies.returns.automatic.within_days)
    tried = records.remedies.get(line.id, _NONE)
    points = records.points.get(order.customer_id, ())
    return ReturnFacts(
        country=str(order.ship_to["country"]),
        customer=order.customer.kind,
        channel=order.channel.kind,
        return_class=line.item.return_class,
        reason=reason,
        condition=condition,
        paid_minor=line.unit_price_minor * quantity
        - line.discount_minor * quantity // line.quantity,
        bought_on=day(order.placed_at),
        delivered_on=day(order.delivered_at) if order.delivered_at else None,
        whole_order=carries_shipping,
        shipping_minor=order.shipping_minor,
        recent_returns=sum(at >= since for at in records.opened.get(order.customer_id, ())),
        failed_remedies=tried.repairs + tried.replacements,
        repaired=tried.repairs > 0,
        tier=tier_name(points, policies, zone=zone, now=now),
    )
