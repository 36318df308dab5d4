"""What was sold, and what of it stays: revenue, units, orders, margin, refunds, second orders."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, case, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from opsbot.commerce.orders import Order, OrderState
from opsbot.metrics.clock import seconds_between
from opsbot.metrics.counting import plain, shares, sums
from opsbot.metrics.facts import line_facts, margin_facts, order_facts, payment_facts
from opsbot.metrics.grouping import GOODS, PLACE, TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share

SECOND_ORDER = timedelta(days=180)
"""Within so long a customer comes back, or counts as not coming."""


def revenue(session: Session, part: Slice) -> Groups:
    """Sum the value of lines ordered in the period; n: orders."""
    groups = sums(session, part, line_facts(Order.placed_at), ("net_minor", "orders"))
    return {key: Counted(label, (round(net),), n) for key, (label, net, n) in groups.items()}


def units(session: Session, part: Slice) -> Groups:
    """Count the units ordered in the period and not cancelled; n: the same."""
    return plain(sums(session, part, line_facts(Order.placed_at), ("wanted",)))


def orders(session: Session, part: Slice) -> Groups:
    """Count the orders placed in the period that were not cancelled; n: the same."""
    by_line = part.names_goods
    facts = line_facts(Order.placed_at) if by_line else order_facts(Order.placed_at)
    return plain(sums(session, part, facts, ("orders",)))


def average_order_value(session: Session, part: Slice) -> Groups:
    """Divide the revenue of the period by its orders; n: orders."""
    return {
        key: Counted(group.label, (share(group.values[0], group.n),), group.n)
        for key, group in revenue(session, part).items()
    }


def channel_margin(session: Session, part: Slice) -> Groups:
    """Subtract from the revenue of the period's orders what they cost; n: orders."""
    names = ("revenue", "goods", "fees", "shipping", "refunds", "orders")
    groups = sums(session, part, margin_facts(), names)
    return {key: _margin(label, *found) for key, (label, *found) in groups.items()}


def _margin(
    label: str,
    earned: float,
    goods: float,
    fees: float,
    shipping: float,
    refunds: float,
    n: int,
) -> Counted:
    left = earned - goods - fees - shipping - refunds
    values = [round(float(value)) for value in (left, earned, goods, fees, shipping, refunds)]
    return Counted(label, (values[0], share(left, earned), *values[1:]), n)


def refund_rate(session: Session, part: Slice) -> Groups:
    """Divide what was paid back in the period by what was captured in it; n: orders."""
    names = ("refunded", "captured", "orders")
    groups = sums(session, part, payment_facts(), names)
    return {
        key: Counted(label, (share(back, taken), back), n)
        for key, (label, back, taken, n) in groups.items()
    }


def repeat_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the customers who first ordered in the period ordered again."""
    return shares(session, part, _first_orders(), "again", "one")


def _first_orders() -> Select[Any]:
    """Return the first order of each customer; `again`: 1 when a second followed in time."""
    earlier, later = aliased(Order), aliased(Order)
    is_first = ~exists().where(
        earlier.customer_id == Order.customer_id,
        earlier.state != OrderState.CANCELLED,
        (earlier.placed_at < Order.placed_at)
        | ((earlier.placed_at == Order.placed_at) & (earlier.id < Order.id)),
    )
    first_later = (
        select(func.min(later.placed_at))
        .where(
            later.customer_id == Order.customer_id,
            later.state != OrderState.CANCELLED,
            later.id != Order.id,
            later.placed_at >= Order.placed_at,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    soon = seconds_between(Order.placed_at, first_later) <= SECOND_ORDER.total_seconds()
    return (
        order_facts(Order.placed_at)
        .where(is_first)
        .add_columns(literal(1).label("one"), case((soon, 1), else_=0).label("again"))
    )


METRICS = (
    Metric(
        key="revenue",
        title="Revenue",
        definition="Value of the goods ordered in the period, after discounts, without "
        "tax, shipping, cancelled orders and cancelled units.",
        counts="orders",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("revenue", "Revenue", Unit.MONEY),),
        function=revenue,
        adds_up=True,
    ),
    Metric(
        key="units",
        title="Units sold",
        definition="Units ordered in the period, without cancelled orders and cancelled units.",
        counts="units",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("units", "Units sold", Unit.COUNT),),
        function=units,
        adds_up=True,
    ),
    Metric(
        key="orders",
        title="Orders",
        definition="Orders placed in the period that were not cancelled.",
        counts="orders",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("orders", "Orders", Unit.COUNT),),
        function=orders,
        adds_up=True,
    ),
    Metric(
        key="average_order_value",
        title="Average order value",
        definition="Revenue (after discounts, without tax and shipping) divided by the "
        "orders placed in the period that were not cancelled.",
        counts="orders",
        dimensions=(*TIME, *PLACE),
        measures=(Measure("average_order_value", "Average order value", Unit.MONEY),),
        function=average_order_value,
    ),
    Metric(
        key="channel_margin",
        title="Margin",
        definition="Of the orders placed in the period: revenue less the goods at today's cost, "
        "the channel's fee, the cost of parcels to customers, and refunds other than for cancelled "
        "units; without tax. Goods that came back count as lost.",
        counts="orders",
        dimensions=(*TIME, *PLACE),
        measures=(
            Measure("channel_margin", "Margin", Unit.MONEY),
            Measure("margin_share", "Margin of revenue", Unit.SHARE),
            Measure("margin_revenue", "Revenue", Unit.MONEY),
            Measure("margin_goods", "Goods", Unit.MONEY),
            Measure("margin_fees", "Fees", Unit.MONEY),
            Measure("margin_shipping", "Shipping", Unit.MONEY),
            Measure("margin_refunds", "Refunds", Unit.MONEY),
        ),
        function=channel_margin,
        by=Dimension.CHANNEL,
        period="last 12 months",
        adds_up=True,
    ),
    Metric(
        key="refund_rate",
        title="Refund rate",
        definition="Money paid back in the period divided by money captured in it, whatever the "
        "orders' age.",
        counts="orders",
        dimensions=(*TIME, *PLACE),
        measures=(
            Measure("refund_rate", "Refund rate", Unit.SHARE),
            Measure("refunded", "Refunded", Unit.MONEY),
        ),
        function=refund_rate,
    ),
    Metric(
        key="repeat_rate",
        title="Repeat rate",
        definition="Share of the customers whose first order was placed in the period that ordered "
        f"again within {SECOND_ORDER.days} days; final {SECOND_ORDER.days} days after the period.",
        counts="new customers",
        dimensions=(*TIME, *PLACE),
        measures=(Measure("repeat_rate", "Repeat rate", Unit.SHARE),),
        function=repeat_rate,
        settles=SECOND_ORDER,
        period="last 12 months",
        score_scale=100,
    ),
)
