"""What can be promised, and when: available-to-promise with look-ahead, shipping, delivery."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least, between
from opsbot.planning.cover import Arrival
from opsbot.planning.workdays import add_workdays


@dataclass(frozen=True)
class Promise:
    """What stock allows to promise, bucket by bucket."""

    projected: tuple[int, ...]
    """Units on the shelf at the end of each bucket, when all goes as planned."""
    available: tuple[int, ...]
    """Units that can be promised in each bucket without taking them from a later promise.

    Negative where more is promised than will be there."""

    def earliest(self, quantity: int) -> int | None:
        """Return the first bucket, counted from 0, in which a quantity can be promised.

        None: in none of them.

        Raises:
            InvalidInputError: the quantity is not at least 1.
        """
        at_least(1, quantity, "A quantity")
        fits = (bucket for bucket, units in enumerate(self.available) if units >= quantity)
        return next(fits, None)


@dataclass(frozen=True)
class PurchaseArrival:
    """Units on order at a supplier."""

    due: date
    units: int
    confirmed: bool
    """Whether the supplier has acknowledged it."""


@dataclass(frozen=True)
class DeliveryWindow:
    """Days between which a parcel is likely to arrive."""

    first: date
    last: date


def available_to_promise(
    on_hand: int, receipts: Sequence[int], committed: Sequence[int], *, overdue: int = 0
) -> Promise:
    """Return what can be promised in each bucket (day or week), later promises kept.

    cum_t = cum_(t-1) + receipts_t - committed_t, cum_0 = on hand - overdue;
    ATP_t = min(cum_t, cum_(t+1), ...).

    Args:
        on_hand: units on sellable shelves now.
        receipts: confirmed units that come in, by bucket.
        committed: units already promised, by the bucket they are due in.
        overdue: units promised for a time that has passed.

    Raises:
        InvalidInputError: the two differ in length, are empty, or hold a negative value.
    """
    if not receipts or len(receipts) != len(committed):
        raise InvalidInputError("Receipts and commitments need the same buckets, at least one.")
    for units in (*receipts, *committed, overdue):
        at_least(0, units, "A quantity")
    changes = [received - due for received, due in zip(receipts, committed, strict=True)]
    projected = list(accumulate(changes, initial=on_hand - overdue))[1:]
    available = list(accumulate(reversed(projected), min))[::-1]
    return Promise(tuple(projected), tuple(available))


def countable_arrivals(
    arrivals: Iterable[PurchaseArrival], *, today: date, usual_lateness: int
) -> list[Arrival]:
    """Return the arrivals that a promise may rest on, by day.

    Those the supplier has not confirmed do not count. An overdue one counts from today plus the
    lateness that nine of ten late deliveries stay within.

    Args:
        arrivals: open purchase orders.
        today: the present day.
        usual_lateness: 90th percentile of the supplier's lateness, calendar days.

    Raises:
        InvalidInputError: the lateness is negative.
    """
    at_least(0, usual_lateness, "The usual lateness")
    late = today + timedelta(days=usual_lateness)
    counted = [
        Arrival(one.due if one.due >= today else late, one.units)
        for one in arrivals
        if one.confirmed
    ]
    return sorted(counted, key=lambda arrival: arrival.on)


def in_buckets(
    arrivals: Iterable[Arrival], *, first: date, buckets: int, days: int = 1
) -> list[int]:
    """Add up units by bucket; what lies before the first day is in the first bucket.

    Args:
        arrivals: dated quantities: receipts or commitments.
        first: the first day of the first bucket.
        buckets: how many; what lies after the last is left out.
        days: length of a bucket: 1 or 7.

    Raises:
        InvalidInputError: there is no bucket, or it has no length.
    """
    at_least(1, buckets, "The number of buckets")
    at_least(1, days, "The length of a bucket")
    units = [0] * buckets
    for arrival in arrivals:
        bucket = max(0, (arrival.on - first).days // days)
        if bucket < buckets:
            units[bucket] += arrival.quantity
    return units


def ship_date(
    ready: date, *, handling: int, after_cutoff: bool, is_open: Callable[[date], bool]
) -> date:
    """Return the day a parcel leaves.

    Args:
        ready: the day on which the goods are there, or the order is placed.
        handling: working days to pick and pack.
        after_cutoff: whether the day's last pick-up has passed; then the next working day counts.
        is_open: tells whether a day is a working day.

    Raises:
        InvalidInputError: the handling time is negative, or the calendar has no open day.
    """
    # On a closed day nothing is missed: the next open day is whole.
    late = after_cutoff and is_open(ready)
    return add_workdays(ready, handling + late, is_open)


def delivery_window(
    shipped: date, transit_days: Sequence[float], *, is_open: Callable[[date], bool] | None = None
) -> DeliveryWindow:
    """Return the days between the median and the 90th percentile of past transit times.

    Args:
        shipped: the day the parcel leaves.
        transit_days: days from hand-over to delivery of past parcels of that service and country.
        is_open: counts working days when given, else calendar days.

    Raises:
        InvalidInputError: there are no past parcels, or one took less than no time.
    """
    if not transit_days:
        raise InvalidInputError("Without past parcels no delivery date can be told.")
    for days in transit_days:
        at_least(0, days, "A transit time")
    soon, late = (round(percentile(transit_days, share)) for share in (0.5, 0.9))
    if is_open is not None:
        return DeliveryWindow(
            add_workdays(shipped, soon, is_open), add_workdays(shipped, late, is_open)
        )
    return DeliveryWindow(shipped + timedelta(days=soon), shipped + timedelta(days=late))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, between neighbours linearly.

    Raises:
        InvalidInputError: there are no values, or the share is not from 0 to 1.
    """
    if not values:
        raise InvalidInputError("Without values there is no percentile.")
    between(0, share, 1, "A share")
    ordered = sorted(values)
    whole, part = divmod(share * (len(ordered) - 1), 1)
    below = int(whole)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * part
