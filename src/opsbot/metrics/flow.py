"""How long orders take from placing to delivery, and in which stage the time goes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.reservations import Reservation, ReservationState
from opsbot.commerce.shipments import Direction, Shipment, ShipmentState
from opsbot.metrics.counting import spans
from opsbot.metrics.facts import delivery_facts
from opsbot.metrics.grouping import PLACE, TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share

MOMENTS = ("placed_at", "paid_at", "reserved_at", "packed_at", "shipped_at", "delivered_at")
STAGES = (
    "placed_to_paid",
    "paid_to_reserved",
    "reserved_to_packed",
    "packed_to_shipped",
    "shipped_to_delivered",
)
_MONEY_IN = (PaymentKind.AUTHORIZATION, PaymentKind.CAPTURE)
_NOT_LEFT = (ShipmentState.PACKED, ShipmentState.PRE_TRANSIT)
_ENDED = (ShipmentState.DELIVERED, ShipmentState.CANCELLED)


def cycle_time(session: Session, part: Slice) -> Groups:
    """Give the median and the 90th percentile of the days from order to delivery; n: orders.

    Of orders delivered in the period; calendar days, with fractions; without sales over the
    counter. By stage beside it: its share of all the time, and how many orders are in it now.
    """
    staged = part.by is Dimension.STAGE or Dimension.STAGE in part.filters
    facts = _stages(part) if staged else delivery_facts(Order.delivered_at)
    names = ("begun_at", "ended_at") if staged else ("placed_at", "delivered_at")
    found = spans(session, part, facts, first=names[0], last=names[1])
    by_stage = part.by is Dimension.STAGE
    waiting: Mapping[str, int] = _waiting(session) if by_stage else {}
    whole = sum(one.total for one in found.values())
    return {
        key: Counted(
            one.label,
            (
                *one.points,
                share(one.total, whole) if by_stage else None,
                waiting.get(key) if by_stage else None,
            ),
            one.n,
        )
        for key, one in found.items()
    }


def _stages(part: Slice) -> Select[Any]:
    """Return a row for each stage of each order that was delivered in the period.

    A stage begins when the one before it has ended: an invoice that is paid after the delivery
    takes no time of the order.
    """
    orders = (
        delivery_facts(Order.delivered_at)
        .where(Order.delivered_at >= part.period.start, Order.delivered_at < part.period.end)
        .add_columns(*(moment.label(name) for name, moment in _moments().items()))
        .cte("delivered")
    )
    reached: ColumnElement[Any] = orders.c.placed_at
    steps = []
    for stage, name in zip(STAGES, MOMENTS[1:], strict=True):
        begun, moment = reached, orders.c[name]
        reached = case((moment > begun, moment), else_=begun)
        steps.append((stage, begun, reached, moment))
    groups = [c for c in orders.c if c.key not in MOMENTS]
    rows = union_all(
        *(
            select(
                *groups,
                literal(stage).label("stage"),
                begun.label("begun_at"),
                ended.label("ended_at"),
            ).where(moment.is_not(None))
            for stage, begun, ended, moment in steps
        )
    ).subquery("stages")
    return select(*rows.c)


def _moments() -> dict[str, ColumnElement[Any]]:
    """Return what is not a column of the order itself, as subqueries of it."""
    paid = select(func.min(Payment.at)).where(
        Payment.order_id == Order.id, Payment.kind.in_(_MONEY_IN)
    )
    reserved = (
        select(func.max(Reservation.created_at))
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .where(OrderLine.order_id == Order.id, Reservation.state != ReservationState.RELEASED)
    )
    parcels = (Shipment.order_id == Order.id, Shipment.direction == Direction.OUTBOUND)
    found = {
        "paid_at": paid,
        "reserved_at": reserved,
        "packed_at": select(func.max(Shipment.packed_at)).where(*parcels),
        "shipped_at": select(func.max(Shipment.shipped_at)).where(*parcels),
    }
    return {name: query.correlate(Order).scalar_subquery() for name, query in found.items()}


def _waiting(session: Session) -> dict[str, int]:
    """Count what is in each stage now: orders, and from packing on parcels."""
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .where(
            Reservation.order_line_id == OrderLine.id,
            Reservation.state == ReservationState.ACTIVE,
        )
        .correlate(OrderLine)
        .scalar_subquery()
    )
    short = exists().where(
        OrderLine.order_id == Order.id,
        OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped > held,
    )
    confirmed = Order.state == OrderState.CONFIRMED
    orders = select(
        _count(Order.state == OrderState.PENDING), _count(and_(confirmed, short)), _count(confirmed)
    ).where(or_(Order.state == OrderState.PENDING, confirmed))
    pending, lacking, open_orders = session.execute(orders).one()
    parcels = select(
        _count(Shipment.state.in_(_NOT_LEFT)), _count(Shipment.state.not_in(_NOT_LEFT))
    ).where(Shipment.direction == Direction.OUTBOUND, Shipment.state.not_in(_ENDED))
    packed, moving = session.execute(parcels).one()
    counts = (pending, lacking, (open_orders or 0) - (lacking or 0), packed, moving)
    return {stage: int(count or 0) for stage, count in zip(STAGES, counts, strict=True)}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


METRICS = (
    Metric(
        key="cycle_time",
        title="Order to delivery",
        definition="Calendar days from placing the order to its last parcel arriving, of "
        "orders delivered in the period: median, and the time 90 % stay within. Without "
        "sales over the counter. By stage: from the end of the stage before, its share of all the "
        "time, and the orders or parcels that are in it now.",
        counts="orders",
        dimensions=(*TIME, *PLACE, Dimension.CARRIER, Dimension.STAGE),
        measures=(
            Measure("cycle_time", "Median", Unit.DAYS),
            Measure("cycle_time_p90", "90 % within", Unit.DAYS),
            Measure("cycle_share", "Of all the time", Unit.SHARE),
            Measure("cycle_waiting", "In it now", Unit.COUNT),
        ),
        function=cycle_time,
    ),
)
