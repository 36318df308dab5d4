"""How long parcels really take, from the carriers' own events."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order
from opsbot.commerce.shipments import Direction, Shipment
from opsbot.planning.promises import percentile

WINDOW = timedelta(days=180)
ENOUGH = 10
"""Parcels below which the promised days are told instead."""


@dataclass(frozen=True)
class Transit:
    """Calendar days from the first scan to the door."""

    p50: float
    p90: float
    parcels: int


def transit_days(
    session: Session, country: str, carriers: Collection[str], *, now: datetime
) -> Transit | None:
    """Return how long the last half year's parcels to a country took; None when they are few."""
    rows = session.execute(
        select(Shipment.shipped_at, Shipment.delivered_at)
        .join(Order, Order.id == Shipment.order_id)
        .where(
            Shipment.direction == Direction.OUTBOUND,
            Shipment.delivered_at > now - WINDOW,
            Shipment.shipped_at.is_not(None),
            Order.ship_to["country"].as_string() == country,
            Shipment.carrier.in_(carriers),
        )
    )
    days = sorted(
        (arrived - left) / timedelta(days=1) for left, arrived in rows if left and arrived
    )
    if len(days) < ENOUGH:
        return None
    return Transit(percentile(days, 0.5), percentile(days, 0.9), len(days))
