"""Whether orders leave and arrive as promised, whole and without a complaint; what still waits."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from opsbot.commerce.cases import Case, CaseKind
from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.returns import ENDED_EARLY, Return, ReturnLine, ReturnReason
from opsbot.commerce.shipments import Direction, Shipment, ShipmentLine
from opsbot.db import UtcDateTime
from opsbot.metrics.counting import shares, spans, sums
from opsbot.metrics.facts import delivery_facts, line_facts, order_facts
from opsbot.metrics.grouping import GOODS, PLACE, TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share
from opsbot.metrics.sending_back import RETURNS_SETTLE

OUR_FAULT = tuple(
    reason
    for reason in ReturnReason
    if reason not in {ReturnReason.CHANGED_MIND, ReturnReason.SIZE_OR_STYLE}
)
"""Reasons for a return that are not the customer's: the shop's, or its carrier's."""
COMPLAINTS = (CaseKind.DELIVERY, CaseKind.QUALITY)
OPEN = (OrderState.PENDING, OrderState.CONFIRMED, OrderState.IN_FULFILLMENT)


def otif(session: Session, part: Slice) -> Groups:
    """Tell which share of the orders due in the period arrived on time and in full; n: those due.

    Due: promised for delivery in the period and before now, and not cancelled. What is due and has
    not arrived has failed. Sales over the counter do not count.
    """
    facts = delivery_facts(Order.promised_delivery_by)
    return shares(session, part.up_to_now, facts, "in_full_on_time", "*")


def otif_lines(session: Session, part: Slice) -> Groups:
    """Tell the same of lines: whether all wanted units of one arrived on time; n: lines due."""
    wanted = OrderLine.quantity - OrderLine.cancelled
    came = and_(OrderLine.delivered >= wanted, Order.delivered_at <= Order.promised_delivery_by)
    facts = (
        line_facts(Order.promised_delivery_by)
        .where(SalesChannel.kind != SalesChannelKind.OWN_STORE, wanted > 0)
        .add_columns(_one_if(came).label("came"))
    )
    return shares(session, part.up_to_now, facts, "came", "*")


def on_time_ship(session: Session, part: Slice) -> Groups:
    """Tell which share of the orders that had to leave in the period left in time; n: those due."""
    left = _parcels_of_order(func.max(Shipment.shipped_at)).scalar_subquery()
    whole = ~exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.shipped < OrderLine.quantity - OrderLine.cancelled,
    )
    known = or_(~whole, exists(_parcels_of_order(Shipment.id)))
    facts = (
        delivery_facts(Order.promised_ship_by)
        .where(known)
        .add_columns(_one_if(and_(whole, left <= Order.promised_ship_by)).label("left_in_time"))
    )
    return shares(session, part.up_to_now, facts, "left_in_time", "*")


def perfect_order(session: Session, part: Slice) -> Groups:
    """Tell which share of the orders due arrived on time, in full, and without a complaint."""
    faulty = exists().where(
        Return.order_id == Order.id,
        Return.state.not_in(ENDED_EARLY),
        ReturnLine.return_id == Return.id,
        ReturnLine.reason.in_(OUR_FAULT),
    )
    complained = exists().where(Case.order_id == Order.id, Case.kind.in_(COMPLAINTS))
    facts = delivery_facts(Order.promised_delivery_by).add_columns(
        _one_if(or_(faulty, complained)).label("troubled")
    )
    rows = facts.subquery("deliveries")
    perfect = case((rows.c.troubled == 0, rows.c.in_full_on_time), else_=0)
    return shares(
        session, part.up_to_now, select(*rows.c, perfect.label("perfect")), "perfect", "*"
    )


def fill_rate(session: Session, part: Slice) -> Groups:
    """Tell which share of the units due came off the shelf at once; n: units due."""
    earliest = _parcels_of_order(func.min(Shipment.packed_at)).scalar_subquery()
    at_once = (
        select(func.coalesce(func.sum(ShipmentLine.quantity), 0))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            Shipment.order_id == Order.id,
            ShipmentLine.order_line_id == OrderLine.id,
            Shipment.direction == Direction.OUTBOUND,
            Shipment.packed_at == earliest,
            Shipment.packed_at <= Order.promised_ship_by,
        )
        .correlate(Order, OrderLine)
        .scalar_subquery()
    )
    facts = (
        line_facts(Order.promised_ship_by)
        .where(SalesChannel.kind != SalesChannelKind.OWN_STORE)
        .add_columns(at_once.label("at_once"))
    )
    return shares(session, part.up_to_now, facts, "at_once", "wanted")


def backlog_age(session: Session, part: Slice) -> Groups:
    """Tell how long the orders that have not left wait by now; n: orders."""
    found = spans(session, part, _waiting(part), first="placed_at", last="now")
    late = sums(session, part, _waiting(part), ("late", "*"))
    return {
        key: Counted(
            one.label,
            (*one.points, one.n, share(late[key][1], one.n)),
            one.n,
        )
        for key, one in found.items()
    }


def _waiting(part: Slice) -> Select[Any]:
    """Return the orders that have not left, with the stage they wait in."""
    waits = case(
        (Order.on_hold, "on_hold"),
        (Order.state == OrderState.PENDING, "waits_for_payment"),
        (Order.state == OrderState.CONFIRMED, "waits_to_be_packed"),
        else_="waits_for_the_carrier",
    )
    unshipped = exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.shipped < OrderLine.quantity - OrderLine.cancelled,
    )
    now = literal(part.now, UtcDateTime())
    facts = (
        order_facts(Order.placed_at)
        .where(Order.state.in_(OPEN), unshipped)
        .add_columns(
            waits.label("stage"),
            now.label("now"),
            _one_if(Order.promised_ship_by < now).label("late"),
        )
        .subquery("waiting")
    )
    # Without `at`: of now, whatever the period.
    return select(*(column for column in facts.c if column.key != "at"))


def _parcels_of_order(column: Any) -> Select[Any]:
    return (
        select(column)
        .where(Shipment.order_id == Order.id, Shipment.direction == Direction.OUTBOUND)
        .correlate(Order)
    )


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


METRICS = (
    Metric(
        key="otif",
        title="On time in full",
        definition="Share of the orders promised for delivery in the period, up to now, "
        "that arrived complete and by the promised time; what has not arrived has failed. "
        "Without sales over the counter.",
        counts="orders due",
        dimensions=(*TIME, *PLACE, Dimension.CARRIER),
        measures=(Measure("otif", "On time in full", Unit.SHARE),),
        function=otif,
        score_scale=100,
    ),
    Metric(
        key="otif_lines",
        title="Lines on time in full",
        definition="Share of the order lines promised for delivery in the period, up to now, whose "
        "wanted units all arrived, the order's last parcel by the promised time. Without sales "
        "over the counter.",
        counts="lines due",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("otif_lines", "Lines on time in full", Unit.SHARE),),
        function=otif_lines,
        score_scale=100,
    ),
    Metric(
        key="on_time_ship",
        title="Left on time",
        definition="Share of the orders promised to leave in the period, up to now, whose last "
        "parcel left by the promised time; what has not left whole has failed. Without sales over "
        "the counter, and without orders whose parcels we do not know.",
        counts="orders due",
        dimensions=(*TIME, *PLACE, Dimension.CARRIER),
        measures=(Measure("on_time_ship", "Left on time", Unit.SHARE),),
        function=on_time_ship,
        score_scale=100,
    ),
    Metric(
        key="perfect_order",
        title="Perfect orders",
        definition="Share of the orders due in the period, up to now, that arrived on time and in "
        "full, about which nobody complained, and of which nothing came back through our fault or "
        f"the carrier's; final {RETURNS_SETTLE.days} days after the period ends.",
        counts="orders due",
        dimensions=(*TIME, *PLACE, Dimension.CARRIER),
        measures=(Measure("perfect_order", "Perfect orders", Unit.SHARE),),
        function=perfect_order,
        settles=RETURNS_SETTLE,
        score_scale=100,
    ),
    Metric(
        key="fill_rate",
        title="Fill rate",
        definition="Share of the units promised to leave in the period, up to now, that were in "
        "the order's first parcel, packed by the promised time. Without sales over the counter.",
        counts="units due",
        dimensions=(*TIME, *PLACE, *GOODS),
        measures=(Measure("fill_rate", "Fill rate", Unit.SHARE),),
        function=fill_rate,
        score_scale=100,
    ),
    Metric(
        key="backlog_age",
        title="Age of the backlog",
        definition="Calendar days since the orders that have not left whole were placed: median, "
        "and the time 90 % stay within; beside it how many they are, and the share that should "
        "have left by now.",
        counts="open orders",
        dimensions=(*PLACE, Dimension.STAGE),
        measures=(
            Measure("backlog_age", "Median", Unit.DAYS),
            Measure("backlog_age_p90", "90 % within", Unit.DAYS),
            Measure("backlog", "Orders", Unit.COUNT),
            Measure("backlog_late", "Should have left", Unit.SHARE),
        ),
        function=backlog_age,
        snapshot=True,
    ),
)
