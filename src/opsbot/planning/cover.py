"""How long stock lasts, and when and how much to order again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor

from opsbot.errors import InvalidInputError

HORIZON_DAYS = 3650
"""A run-out further away than this is none."""


@dataclass(frozen=True)
class Arrival:
    """Stock that is ordered and confirmed."""

    on: date
    quantity: int


@dataclass(frozen=True)
class Cover:
    """How long the stock of one item lasts."""

    days: float | None
    """Days of demand that today's stock covers, arrivals not counted. None without demand."""
    runs_out_on: date | None
    """First day whose demand is no longer met in full, arrivals counted; None: not foreseeable."""
    order_by: date | None
    """Last day to order so that the goods arrive in time; it may have passed."""


def daily_demand(sold: int, *, days: int, days_out: int = 0) -> float:
    """Return the mean units a day over a window.

    Args:
        sold: units ordered in the window.
        days: length of the window.
        days_out: days of the window without stock. They tell nothing of demand and are left out,
            for demand would look smaller than it was.
    """
    if days < 1:
        raise InvalidInputError(f"A window has at least one day, not {days}.")
    return sold / max(1, days - days_out)


def plan_cover(
    available: int,
    demand: float,
    arrivals: Iterable[Arrival] = (),
    *,
    today: date,
    lead_days: int,
) -> Cover:
    """Tell how long stock lasts at a steady demand.

    Args:
        available: units that can still be sold, at the start of today.
        demand: units a day.
        arrivals: confirmed arrivals, in any order. Those that are overdue are not counted: nobody
            knows when they come.
        today: the first day of demand.
        lead_days: calendar days from ordering to having.
    """
    if demand <= 0:
        return Cover(days=None, runs_out_on=None, order_by=None)
    stock = max(0, available)
    out = _day_after(today, stock / demand)
    for arrival in sorted(arrivals, key=lambda arrival: arrival.on):
        if arrival.on < today:
            continue
        if out is None or arrival.on > out:
            break
        stock += arrival.quantity
        out = _day_after(today, stock / demand)
    order_by = out - timedelta(days=lead_days) if out else None
    return Cover(days=max(0, available) / demand, runs_out_on=out, order_by=order_by)


def order_up_to_level(
    demand: float, *, lead_days: int, review_days: int, safety_stock: int = 0
) -> int:
    """Return the position to fill up to: demand until the order after next, and safety stock."""
    return ceil(demand * (lead_days + review_days)) + safety_stock


def order_quantity(position: int, order_up_to: int, *, minimum: int = 0, multiple: int = 1) -> int:
    """Return how much to order, 0 when the position already reaches the level.

    Args:
        position: on hand + incoming - reserved - backorders.
        order_up_to: the level to fill up to.
        minimum: least quantity the supplier takes.
        multiple: size of a pack; the quantity is rounded up to whole packs.
    """
    missing = order_up_to - position
    if missing <= 0:
        return 0
    return ceil(max(missing, minimum) / multiple) * multiple


def _day_after(today: date, days: float) -> date | None:
    # A hair of tolerance: 0.1 a day for ten days is one unit, whatever floats add up to.
    whole = floor(days + 1e-9)
    return today + timedelta(days=whole) if whole <= HORIZON_DAYS else None
