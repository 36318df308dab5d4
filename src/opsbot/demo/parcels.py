"""Parcels and what carriers say about them, from the label to the door."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto

from opsbot.commerce.shipments import (
    ON_ITS_WAY,
    Direction,
    Shipment,
    ShipmentLine,
    ShipmentState,
    TrackingEvent,
    dedupe_key,
)
from opsbot.demo.rates import CARRIERS, rate_to
from opsbot.demo.world import World

_HUBS = {
    "DE": "Leipzig",
    "AT": "Wien",
    "BE": "Brussel",
    "CH": "Zürich",
    "DK": "Fredericia",
    "FR": "Lyon",
    "GB": "East Midlands",
    "IT": "Milano",
    "NL": "Amersfoort",
    "NO": "Oslo",
    "US": "Louisville",
}
_CUSTOMS = frozenset({"CH", "GB", "NO", "US"})


class Fate(Enum):
    """What becomes of a parcel."""

    NORMAL = auto()
    SLOW = auto()
    """It arrives, some days late."""
    NOBODY_HOME = auto()
    """It arrives the day after a first try."""
    PICKUP = auto()
    """The customer fetches it from a shop."""
    LOST = auto()
    """It is scanned once more and then no more."""
    REFUSED = auto()
    """It goes back."""


@dataclass(frozen=True)
class Scan:
    """One message of the carrier."""

    status: ShipmentState
    message: str
    place: str
    at: datetime


@dataclass(frozen=True)
class Parcel:
    """What the order needs to know of its parcel."""

    shipment_id: int
    shipped_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True)
class Journey:
    """The plan of one parcel."""

    order_id: int
    country: str
    city: str
    packed_at: datetime
    arrives_at: datetime
    promised_by: datetime
    fate: Fate
    weight_g: int
    carrier: str | None = None
    """None: one of those that go to the country."""


def send_parcel(world: World, plan: Journey, contents: list[tuple[int, int]]) -> Parcel:
    """Add a parcel with its contents and every scan until today.

    Args:
        world: what it is added to.
        plan: when it goes where, and what becomes of it.
        contents: pairs of order line id and units.
    """
    name = plan.carrier or world.random.choice(rate_to(plan.country).carriers)
    carrier = CARRIERS[name]
    scans = [scan for scan in _scans(plan, name) if scan.at < world.today]
    state, shipped_at, delivered_at = _outcome(scans)
    tracking_number = f"{carrier.prefix}{world.random.randrange(10**11):011}"
    key = world.add(
        Shipment,
        order_id=plan.order_id,
        direction=Direction.OUTBOUND,
        state=state,
        carrier=name,
        service=carrier.service,
        tracking_number=tracking_number,
        tracking_url=carrier.url.format(tracking_number),
        weight_g=plan.weight_g,
        cost_minor=carrier.cost_minor + plan.weight_g // 10,
        packed_at=plan.packed_at,
        shipped_at=shipped_at,
        eta=plan.promised_by if plan.fate is Fate.LOST else plan.arrives_at,
        promised_by=plan.promised_by,
        delivered_at=delivered_at,
    )
    for line_id, units in contents:
        world.add(ShipmentLine, shipment_id=key, order_line_id=line_id, quantity=units)
    for scan in scans:
        _add_scan(world, key, scan)
    return Parcel(key, shipped_at, delivered_at)


def _add_scan(world: World, shipment_id: int, scan: Scan) -> None:
    received = scan.at + timedelta(minutes=world.random.randint(1, 25))
    world.add(
        TrackingEvent,
        shipment_id=shipment_id,
        status=scan.status,
        message=scan.message,
        place=scan.place,
        occurred_at=scan.at,
        received_at=received,
        dedupe=dedupe_key(scan.status, scan.message, scan.place, scan.at),
    )


def _outcome(scans: list[Scan]) -> tuple[ShipmentState, datetime | None, datetime | None]:
    """Return the state and when the parcel left and arrived (the scans are in order)."""
    state = scans[-1].status if scans else ShipmentState.PACKED
    moving = next((scan.at for scan in scans if scan.status in ON_ITS_WAY), None)
    arrived = next((s.at for s in scans if s.status is ShipmentState.DELIVERED), None)
    return state, moving, arrived


def _scans(plan: Journey, carrier: str) -> list[Scan]:
    label = Scan(
        ShipmentState.PRE_TRANSIT,
        f"{carrier} has been told about the parcel.",
        "Berlin",
        plan.packed_at + timedelta(minutes=10),
    )
    left = _at(plan.packed_at, 19, 20)
    picked_up = Scan(
        ShipmentState.IN_TRANSIT, "The parcel was picked up from the sender.", "Berlin", left
    )
    scans = [label, picked_up, *_on_the_road(plan, left), *_ending(plan)]
    return sorted(scans, key=lambda scan: scan.at)


def _on_the_road(plan: Journey, left: datetime) -> list[Scan]:
    hub = _HUBS.get(plan.country, "Leipzig")
    moving = ShipmentState.IN_TRANSIT
    scans = [Scan(moving, "Sorted at the parcel centre.", "Leipzig", left + timedelta(hours=9))]
    middle = left + (plan.arrives_at - left) / 2
    if plan.fate is Fate.LOST:
        return scans
    if plan.country in _CUSTOMS:
        scans.append(Scan(moving, "The parcel is with customs.", hub, middle - timedelta(hours=6)))
    if plan.fate is Fate.SLOW:
        message = "There is a delay; the parcel arrives later than planned."
        scans.append(Scan(ShipmentState.DELAYED, message, hub, middle))
    if plan.country != "DE":
        arrival = plan.arrives_at - timedelta(hours=20)
        scans.append(Scan(moving, "Arrived in the country of delivery.", hub, arrival))
    return scans


def _ending(plan: Journey) -> list[Scan]:
    out = ShipmentState.OUT_FOR_DELIVERY
    morning = _at(plan.arrives_at, 6, 45)
    scans = [Scan(out, "The parcel is on the delivery vehicle.", plan.city, morning)]
    door = Scan(ShipmentState.DELIVERED, "The parcel was delivered.", plan.city, plan.arrives_at)
    if plan.fate is Fate.LOST:
        silent = plan.packed_at + timedelta(days=8)
        message = "No scan for seven days; the carrier is looking for the parcel."
        return [Scan(ShipmentState.EXCEPTION, message, "Leipzig", silent)]
    if plan.fate is Fate.REFUSED:
        message = "The parcel was refused and goes back to the sender."
        return [*scans, Scan(ShipmentState.RETURNING, message, plan.city, plan.arrives_at)]
    if plan.fate is Fate.PICKUP:
        message = "The parcel waits at the parcel shop."
        day = plan.arrives_at - timedelta(days=1)
        on_vehicle = Scan(out, scans[0].message, plan.city, _at(day, 6, 45))
        waits = Scan(ShipmentState.READY_FOR_PICKUP, message, plan.city, _at(day, 12, 10))
        return [on_vehicle, waits, door]
    if plan.fate is Fate.NOBODY_HOME:
        tried = plan.arrives_at - timedelta(days=1)
        failed = Scan(ShipmentState.ATTEMPT_FAILED, "Nobody was at home.", plan.city, tried)
        first = Scan(out, scans[0].message, plan.city, morning - timedelta(days=1))
        return [first, failed, *scans, door]
    return [*scans, door]


def _at(day: datetime, hour: int, minute: int) -> datetime:
    return datetime.combine(day.date(), time(hour, minute), tzinfo=day.tzinfo)
