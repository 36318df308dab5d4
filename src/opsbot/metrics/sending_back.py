"""What comes back, why, and how soon the customer has the money."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsbot.commerce.orders import Order, OrderLine, SalesChannel
from opsbot.commerce.products import Item
from opsbot.commerce.returns import ENDED_EARLY, Return, ReturnLine
from opsbot.metrics.counting import shares, spans, sums
from opsbot.metrics.facts import Product, goods_columns, line_facts, order_columns
from opsbot.metrics.grouping import GOODS, PLACE, TIME, Dimension, Slice
from opsbot.metrics.measures import DAY, Counted, Groups, Measure, Metric, Unit, counted_share

RETURNS_SETTLE = timedelta(days=45)
"""After the last delivery of a cohort: 30 days to ask for a return, 15 to send it."""


def return_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the units delivered in the period came back, whenever that was.

    Both counts are of one cohort, never this month's returns over this month's sales.
    By the day the order's last parcel arrived. n: units delivered.
    """
    return shares(session, part, line_facts(Order.delivered_at), "returned", "delivered")


def reason_share(session: Session, part: Slice) -> Groups:
    """Tell which share of the units asked to come back each group has; n: units of the group."""
    facts = return_line_facts(Return.requested_at).where(ReturnLine.reason.is_not(None))
    found = sums(session, part, facts, ("units",))
    whole = sum(units for _, units in found.values())
    return {
        key: Counted(label, counted_share("", units, whole).values, int(units))
        for key, (label, units) in found.items()
    }


def refund_days(session: Session, part: Slice) -> Groups:
    """Give the days from asking for a return to its end, of returns that ended in the period."""
    facts = return_facts(Return.resolved_at)
    found = spans(session, part, facts, first="requested_at", last="resolved_at", unit=DAY)
    waited = spans(session, part, facts, first="received_at", last="resolved_at", unit=DAY)
    return {
        key: Counted(
            one.label,
            (*one.points, waited[key].points[0] if key in waited else None),
            one.n,
        )
        for key, one in found.items()
    }


def return_facts(at: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return one row for each return that did not end early, placed in time by `at`."""
    return (
        select(
            at.label("at"),
            *order_columns(),
            Return.requested_at.label("requested_at"),
            Return.received_at.label("received_at"),
            Return.resolved_at.label("resolved_at"),
        )
        .select_from(Return)
        .join(Order, Order.id == Return.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(Return.state.not_in(ENDED_EARLY))
    )


def return_line_facts(at: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return one row for each line of each return that did not end early; `units`, `reason`."""
    return (
        select(
            at.label("at"),
            *order_columns(),
            *goods_columns(),
            ReturnLine.reason.label("reason"),
            ReturnLine.quantity.label("units"),
        )
        .select_from(ReturnLine)
        .join(Return, Return.id == ReturnLine.return_id)
        .join(OrderLine, OrderLine.id == ReturnLine.order_line_id)
        .join(Item, Item.sku == OrderLine.sku)
        .outerjoin(Product, Product.sku == Item.variant_of)
        .join(Order, Order.id == Return.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(Return.state.not_in(ENDED_EARLY))
    )


METRICS = (
    Metric(
        key="return_rate",
        title="Return rate",
        definition="Share of the units delivered in the period that came back, whenever "
        f"that was; final {RETURNS_SETTLE.days} days after the period ends.",
        counts="delivered units",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("return_rate", "Return rate", Unit.SHARE),),
        function=return_rate,
        settles=RETURNS_SETTLE,
        score_scale=100,
    ),
    Metric(
        key="reason_share",
        title="Share of returned units",
        definition="Of the units that customers asked to send back in the period, the share of "
        "each group; without returns that were declined, cancelled or expired, and those of "
        "another system that gives no reason.",
        counts="returned units",
        dimensions=(Dimension.REASON, *PLACE, *GOODS),
        measures=(Measure("reason_share", "Share of returned units", Unit.SHARE),),
        function=reason_share,
        by=Dimension.REASON,
    ),
    Metric(
        key="refund_days",
        title="Days to the end of a return",
        definition="Calendar days from asking for a return to its refund, exchange or credit, of "
        "returns that ended in the period: median, and the time 90 % stay within; beside it the "
        "median from when the goods came in.",
        counts="returns",
        dimensions=(*TIME, *PLACE),
        measures=(
            Measure("refund_days", "Median", Unit.DAYS),
            Measure("refund_days_p90", "90 % within", Unit.DAYS),
            Measure("refund_days_after_receipt", "Median from receipt", Unit.DAYS),
        ),
        function=refund_days,
    ),
)
