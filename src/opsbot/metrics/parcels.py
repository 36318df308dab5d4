"""What carriers do with parcels: in time or not, how fast, at what cost, how often damaged."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsbot.commerce.orders import Order, SalesChannel
from opsbot.commerce.returns import ENDED_EARLY, Return, ReturnLine, ReturnReason
from opsbot.commerce.shipments import Direction, Shipment, ShipmentLine, ShipmentState
from opsbot.metrics.counting import shares, spans, sums
from opsbot.metrics.facts import order_columns
from opsbot.metrics.grouping import PLACE, TIME, Dimension, Slice
from opsbot.metrics.measures import Counted, Groups, Measure, Metric, Unit, share
from opsbot.metrics.sending_back import RETURNS_SETTLE

CARRIERS = (Dimension.CARRIER, Dimension.SERVICE)


def carrier_on_time(session: Session, part: Slice) -> Groups:
    """Tell which share of the parcels due in the period arrived by the promised time."""
    facts = parcel_facts(Shipment.promised_by).where(Shipment.shipped_at.is_not(None))
    return shares(session, part.up_to_now, facts, "in_time", "*")


def transit_days(session: Session, part: Slice) -> Groups:
    """Give the days from leaving to arriving, of parcels that arrived in the period."""
    facts = parcel_facts(Shipment.delivered_at)
    found = spans(
        session, part, facts, first="shipped_at", last="delivered_at", percents=(50, 25, 75, 90)
    )
    return {key: Counted(one.label, one.points, one.n) for key, one in found.items()}


def cost_per_parcel(session: Session, part: Slice) -> Groups:
    """Divide what sending the parcels of the period cost by their number; n: parcels."""
    facts = parcel_facts(Shipment.shipped_at)
    found = sums(session, part, facts, ("cost_minor", "orders", "*"))
    return {
        key: Counted(label, (share(cost, n), share(cost, orders), int(cost)), n)
        for key, (label, cost, orders, n) in found.items()
    }


def damage_rate(session: Session, part: Slice) -> Groups:
    """Tell of which share of the parcels that arrived goods came back as damaged on the way."""
    damaged = exists().where(
        ShipmentLine.shipment_id == Shipment.id,
        ReturnLine.order_line_id == ShipmentLine.order_line_id,
        ReturnLine.reason == ReturnReason.DAMAGED_TRANSIT,
        Return.id == ReturnLine.return_id,
        Return.state.not_in(ENDED_EARLY),
    )
    facts = parcel_facts(Shipment.delivered_at).add_columns(_one_if(damaged).label("damaged"))
    return shares(session, part, facts, "damaged", "*")


def parcel_facts(at: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return one row for each parcel to a customer, placed in time by `at`.

    Further columns: `carrier`, `service`, `cost_minor`, `shipped_at`, `delivered_at`, `in_time`
    (1 when it arrived by the promised time, else 0).
    """
    return (
        select(
            at.label("at"),
            *order_columns(),
            Shipment.carrier.label("carrier"),
            (Shipment.carrier + " " + Shipment.service).label("service"),
            Shipment.cost_minor.label("cost_minor"),
            Shipment.shipped_at.label("shipped_at"),
            Shipment.delivered_at.label("delivered_at"),
            _one_if(Shipment.delivered_at <= Shipment.promised_by).label("in_time"),
        )
        .select_from(Shipment)
        .join(Order, Order.id == Shipment.order_id)
        .join(SalesChannel, SalesChannel.id == Order.channel_id)
        .where(Shipment.direction == Direction.OUTBOUND, Shipment.state != ShipmentState.CANCELLED)
    )


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((func.coalesce(condition, False), 1), else_=0)


_of_parcels = partial(
    Metric,
    dimensions=(*TIME, *CARRIERS, *PLACE),
)
METRICS = (
    _of_parcels(
        key="carrier_on_time",
        title="Carriers on time",
        definition="Share of the parcels promised for the period, up to now, that the carrier had "
        "and brought by the promised time; what has not arrived has failed.",
        counts="parcels due",
        measures=(Measure("carrier_on_time", "On time", Unit.SHARE),),
        function=carrier_on_time,
        score_scale=100,
    ),
    _of_parcels(
        key="transit_days",
        title="Days in transit",
        definition="Calendar days from the carrier's first scan to the delivery, of parcels that "
        "arrived in the period: median, the middle half, and the time 90 % stay within.",
        counts="parcels",
        measures=(
            Measure("transit_days", "Median", Unit.DAYS),
            Measure("transit_days_p25", "A quarter within", Unit.DAYS),
            Measure("transit_days_p75", "Three quarters within", Unit.DAYS),
            Measure("transit_days_p90", "90 % within", Unit.DAYS),
        ),
        function=transit_days,
        period="last 90 days",
    ),
    _of_parcels(
        key="cost_per_parcel",
        title="Shipping cost per parcel",
        definition="What the carriers cost for the parcels that left in the period, divided by "
        "the parcels; beside it per order, and in all. Without what customers paid for shipping.",
        counts="parcels",
        measures=(
            Measure("cost_per_parcel", "Per parcel", Unit.MONEY),
            Measure("cost_per_order", "Per order", Unit.MONEY),
            Measure("shipping_cost", "In all", Unit.MONEY),
        ),
        function=cost_per_parcel,
        period="last 12 weeks",
    ),
    _of_parcels(
        key="damage_rate",
        title="Damaged parcels",
        definition="Share of the parcels that arrived in the period of which goods came back as "
        f"damaged on the way; final {RETURNS_SETTLE.days} days after the period ends.",
        counts="parcels",
        measures=(Measure("damage_rate", "Damaged", Unit.SHARE),),
        function=damage_rate,
        settles=RETURNS_SETTLE,
        period="last 90 days",
        score_scale=100,
    ),
)
