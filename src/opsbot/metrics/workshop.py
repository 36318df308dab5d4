"""What the workshop can do: its parts, its time, and what is planned on it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.boms import read_boms, read_routings
from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.production import (
    CapacityException,
    WorkCenter,
    WorkOrder,
    WorkOrderState,
)
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import Supplier, SupplierItem
from opsbot.commerce.work_orders import open_work_orders
from opsbot.errors import AmbiguousError, NotFoundError
from opsbot.metrics.lead_times import SupplierPace, lead_days
from opsbot.planning.capacity import (
    Operation,
    WeekLoad,
    Work,
    day_capacity,
    schedule,
    week_loads,
)
from opsbot.planning.making import Shop
from opsbot.planning.periods import DAY, local_day

WEEK = timedelta(weeks=1)
Room = Callable[[date], float]


@dataclass(frozen=True)
class Workshop:
    """Work centres with their time, and the work that is planned on them."""

    centers: Mapping[str, WorkCenter]
    """By code."""
    orders: Sequence[WorkOrder]
    """That are still to be done, the first due first."""
    work: Sequence[Work]
    """What is left to do of them, by centre and week."""
    exceptions: Mapping[tuple[str, date], int]
    today: date

    def minutes(self, code: str, day: date) -> float:
        """Return the minutes that a centre has on a day."""
        return center_minutes(self.centers[code], day, self.exceptions.get((code, day), 0))

    def capacity(self, code: str, monday: date) -> float:
        """Return the minutes of a centre in a week; of the present one, what is left of it."""
        days = (monday + index * DAY for index in range(7))
        return sum(self.minutes(code, day) for day in days if day >= self.today)

    def loads(self, weeks: Sequence[date], extra: Iterable[Work] = ()) -> list[WeekLoad]:
        """Compare load and capacity of the centres that have work in some weeks."""
        return week_loads([*self.work, *extra], self.capacity, weeks=weeks)

    def room(self, code: str) -> Room:
        """Return the free minutes of a centre by day: planned work is spread over its week."""
        load: defaultdict[date, float] = defaultdict(float)
        for one in self.work:
            if one.center == code:
                load[one.week] += one.minutes

        def free(day: date) -> float:
            monday = monday_of(day)
            capacity = self.capacity(code, monday)
            share = max(0.0, 1 - load[monday] / capacity) if capacity else 0.0
            return self.minutes(code, day) * share

        return free


def center_minutes(center: WorkCenter, day: date, extra: int) -> float:
    """Return the minutes that a centre has on a day, with what is more or less than usual."""
    works = str(day.isoweekday()) in center.weekdays
    shift = center.minutes_per_day if works else 0
    return day_capacity(shift, center.efficiency_pct / 100, [extra])


def read_workshop(session: Session, *, now: datetime, zone: str) -> Workshop:
    """Read work centres, exceptions from this week on, and the open work orders."""
    today = local_day(now, zone)
    centers = {one.code: one for one in session.scalars(select(WorkCenter).order_by(WorkCenter.id))}
    codes = {center.id: code for code, center in centers.items()}
    exceptions: defaultdict[tuple[str, date], int] = defaultdict(int)
    for one in session.scalars(
        select(CapacityException).where(CapacityException.day >= monday_of(today))
    ):
        exceptions[codes[one.work_center_id], one.day] += one.minutes
    orders = open_work_orders(session)
    work = [step for order in orders for step in _left_of(order, codes, today, zone)]
    return Workshop(centers, orders, work, exceptions, today)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def weeks_from(today: date, count: int) -> list[date]:
    """Return the Mondays of this week and the following ones."""
    return [monday_of(today) + index * WEEK for index in range(count)]


def extra_work(
    workshop: Workshop, operations: Sequence[Operation], quantity: int, *, job: str, start: date
) -> list[Work]:
    """Put one more order into the free time of the centres, from a day on; see `schedule`."""
    free = {code: workshop.room(code) for code in workshop.centers}
    return [
        Work(step.center, monday_of(day), minutes, job)
        for step in schedule(operations, quantity, free, start=start)
        for day, minutes in step.days
    ]


def unbounded_work(
    operations: Sequence[Operation], quantity: int, *, job: str, week: date
) -> list[Work]:
    """Put one more order into one week, as if it had no end: what it would do to the load."""
    return [Work(one.center, week, one.minutes(quantity), job) for one in operations]


def find_center(session: Session, words: str) -> WorkCenter:
    """Return the work centre that words name.

    Raises:
        NotFoundError: none is called so.
        AmbiguousError: several are; with their names.
    """
    said = _words(words)
    centers = list(session.scalars(select(WorkCenter).order_by(WorkCenter.name)))
    hits = {one.code: len(said & {*_words(one.name), one.code.lower()}) for one in centers}
    best = max(hits.values(), default=0)
    found = [one for one in centers if best and hits[one.code] == best]
    if not found:
        raise NotFoundError("a work centre called", words.strip()[:60])
    if len(found) > 1:
        names = [one.name for one in found]
        raise AmbiguousError("Which work centre do you mean?", candidates=names)
    return found[0]


def making_shop(session: Session, workshop: Workshop, paces: dict[str, SupplierPace]) -> Shop:
    """Return what there is to make things from and with, for a promise.

    Parts take as long as their supplier's last receipts did, else as it quotes.
    """
    usual = session.execute(select(Item.sku, Item.lead_time_days)).all()
    quoted = session.execute(
        select(SupplierItem.sku, SupplierItem.lead_days, Supplier.name)
        .join(Supplier, Supplier.id == SupplierItem.supplier_id)
        .where(SupplierItem.preferred)
    ).all()
    lead = {sku: int(days) for sku, days in usual}
    lead |= {sku: lead_days(paces, name, days) for sku, days, name in quoted}
    return Shop(
        boms=read_boms(session),
        stock=free_stock(session),
        lead_days=lead,
        routings=read_routings(session),
        free={code: workshop.room(code) for code in workshop.centers},
    )


def free_stock(session: Session) -> dict[str, Decimal]:
    """Return the free units of every item at places that are used from."""
    rows = session.execute(
        select(StockLevel.sku, func.sum(StockLevel.on_hand - StockLevel.reserved))
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.sellable)
        .group_by(StockLevel.sku)
    )
    return {sku: Decimal(int(free)) for sku, free in rows}


def titles_of(session: Session, skus: Iterable[str]) -> dict[str, Item]:
    """Return items by number."""
    found = session.scalars(select(Item).where(Item.sku.in_(list(skus))))
    return {item.sku: item for item in found}


def _left_of(order: WorkOrder, codes: Mapping[int, str], today: date, zone: str) -> Iterable[Work]:
    """Yield what is left to do of an order, its steps spread evenly between start and due day."""
    begin = max(today, local_day(order.planned_start or order.created_at, zone))
    days = max(0, (local_day(order.due_at, zone) - begin).days)
    last = max(1, len(order.operations) - 1)
    for place, step in enumerate(order.operations):
        done = min(1.0, (step.good + step.scrap) / order.planned)
        left = step.planned_minutes * (1 - done)
        if left > 0 and order.state is not WorkOrderState.PAUSED:
            week = monday_of(begin + timedelta(days=days * place // last))
            yield Work(codes[step.work_center_id], week, left, order.number)


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() else " " for c in text.casefold()).split())
