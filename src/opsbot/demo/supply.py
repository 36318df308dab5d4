"""Where the stock comes from: opening stock, purchase orders, work orders, inspections."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsbot.commerce.inventory import (
    Location,
    LocationKind,
    MoveReason,
    StockPolicy,
)
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.quality import Inspection, InspectionResult, InspectionStage, judge
from opsbot.demo.world import DAYS, QUARANTINE, RETURNS, STORE, WAREHOUSE, Product, World

UNITS_A_YEAR = 6600
"""About how many units are sold; what the stock policies are computed from."""

SOLD_OUT = ("LL-VAS-01-MID", "LL-KET-01-COP")
"""Items that are gone by today."""

RUNNING_LOW = ("LL-LMP-03-BRS", "LL-NBK-01-LIN", "LL-GRD-01-BLK")
"""Items that are nearly gone by today."""

_LATE_FROM_DAYS = 16
"""Purchase orders promised in the last days of the year that have not come."""


@dataclass(frozen=True)
class _Source:
    """A supplier, and what it makes."""

    name: str
    country: str
    lead_days: int
    categories: tuple[str, ...]
    punctuality: float
    """Days that a delivery is late on average."""
    reject_pct: float


_SOURCES = (
    _Source("Nordlicht Components GmbH", "DE", 14, ("lamps", "spares"), 0.5, 0.6),
    _Source("Tecelagem Ribeira Lda", "PT", 24, ("bags",), 1.5, 1.2),
    _Source("Osaka Kettle Works", "JP", 35, ("coffee",), 5.0, 2.5),
    _Source("Papier Havel eG", "DE", 10, ("gift cards",), 0.5, 0.2),
)
_DEFECTS = {
    "lamps": "flickering driver",
    "coffee": "loose burr carrier",
    "bags": "open seam",
    "ceramics": "hairline crack",
    "paper": "skewed binding",
    "wood": "burn marks",
}


@dataclass
class Pipeline:
    """What is ordered and has not come yet: units by item, and what to do on which day."""

    on_order: dict[str, int] = field(default_factory=dict)
    arrivals: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """Units that become free, by day of the year."""


def open_shop(world: World) -> Pipeline:
    """Add locations, suppliers, stock policies and the opening stock."""
    for name, code, kind, sellable in (
        ("Berlin warehouse", "BER", LocationKind.WAREHOUSE, True),
        ("Berlin store", "STO", LocationKind.STORE, True),
        ("Returns bench", "RET", LocationKind.RETURNS, False),
        ("Quarantine", "QUA", LocationKind.QUARANTINE, False),
    ):
        world.add(Location, code=code, name=name, kind=kind, country="DE", sellable=sellable)
    for source in _SOURCES:
        world.add(
            Supplier,
            name=source.name,
            country=source.country,
            currency="EUR",
            lead_days=source.lead_days,
        )
    for product in world.products.values():
        _open_item(world, product)
    return Pipeline(on_order=dict.fromkeys(world.products, 0))


def _open_item(world: World, product: Product) -> None:
    daily = _daily_units(world, product)
    lead = 12 if product.manufactured else _source_of(product)[1].lead_days
    safety = max(3, round(daily * 9))
    point = safety + max(2, round(daily * (lead + 7)))
    world.rows[StockPolicy].append(
        {
            "sku": product.sku,
            "reorder_point": point,
            "order_up_to": point + max(8, round(daily * 40)),
            "safety_stock": safety,
        }
    )
    opening = point + max(10, round(daily * 30))
    _stock_in(world, product.sku, opening, MoveReason.OPENING, "opening", world.start)
    world.free[product.sku, WAREHOUSE] += opening


def _daily_units(world: World, product: Product) -> float:
    whole = sum(other.popularity for other in world.products.values())
    return UNITS_A_YEAR / DAYS * product.popularity / whole


def _source_of(product: Product) -> tuple[int, _Source]:
    """Return the id of the supplier and the supplier."""
    for key, source in enumerate(_SOURCES, start=1):
        if product.category in source.categories:
            return key, source
    return 1, _SOURCES[0]


def _stock_in(
    world: World, sku: str, units: int, reason: MoveReason, reference: str, at: datetime
) -> None:
    world.move(sku, WAREHOUSE, units, reason, reference, at)


def end_day(world: World, pipeline: Pipeline, day: int) -> None:
    """Put away what arrived, fill the store's shelves, and order what runs out."""
    for sku, units in pipeline.arrivals.pop(day, []):
        world.free[sku, WAREHOUSE] += units
        pipeline.on_order[sku] -= units
    at = world.start + timedelta(days=day, hours=6)
    if at.weekday() == 0:
        _fill_store(world, at)
    wanted = _what_runs_out(world, pipeline, day)
    for product, units in wanted:
        if product.manufactured:
            _make(world, pipeline, product, units, day)
    for key, source in enumerate(_SOURCES, start=1):
        bought = [(p, n) for p, n in wanted if not p.manufactured and _source_of(p)[0] == key]
        if bought and at.weekday() == key:
            _buy(world, pipeline, key, source, bought, day)


def _what_runs_out(world: World, pipeline: Pipeline, day: int) -> list[tuple[Product, int]]:
    wanted = []
    for policy in world.rows[StockPolicy]:
        sku = policy["sku"]
        free = world.free[sku, WAREHOUSE] + world.free[sku, STORE] + pipeline.on_order[sku]
        stopped = sku in (*SOLD_OUT, *RUNNING_LOW) and day > DAYS - 60
        if free <= policy["reorder_point"] and not stopped:
            wanted.append((world.products[sku], policy["order_up_to"] - free))
    return wanted


def _fill_store(world: World, at: datetime) -> None:
    for sku, product in world.products.items():
        missing = (3 if product.category == "lamps" else 8) - world.free[sku, STORE]
        if missing > 1 and world.free[sku, WAREHOUSE] > missing + 12:
            reference = f"shelf {at:%Y-%m-%d}"
            world.move(sku, WAREHOUSE, -missing, MoveReason.TRANSFER, reference, at)
            world.move(sku, STORE, missing, MoveReason.TRANSFER, reference, at)
            world.free[sku, WAREHOUSE] -= missing
            world.free[sku, STORE] += missing


def _make(world: World, pipeline: Pipeline, product: Product, units: int, day: int) -> None:
    """Release a work order; it is done one to two weeks later, with some scrap."""
    created = world.start + timedelta(days=day, hours=7)
    started = created + timedelta(days=world.random.randint(1, 4))
    completed = started + timedelta(days=world.random.randint(4, 11), hours=8)
    scrap = round(units * world.random.triangular(0, 0.12, 0.02))
    number = world.number(NumberKind.WORK_ORDER)
    done, begun = completed < world.today, started < world.today
    idle = WorkOrderState.IN_PROGRESS if begun else WorkOrderState.RELEASED
    world.add(
        WorkOrder,
        number=number,
        sku=product.sku,
        state=WorkOrderState.COMPLETED if done else idle,
        planned=units,
        produced=units - scrap if done else 0,
        scrapped=scrap if done else 0,
        created_at=created,
        due_at=created + timedelta(days=12, hours=9),
        started_at=started if begun else None,
        completed_at=completed if done else None,
    )
    pipeline.on_order[product.sku] += units - scrap
    if done:
        _inspect(world, InspectionStage.FINAL, number, product, units, scrap, completed)
        good = units - scrap
        _stock_in(world, product.sku, good, MoveReason.PRODUCE, number, completed)
        _arrive(world, pipeline, product.sku, good, completed)


def _buy(
    world: World,
    pipeline: Pipeline,
    supplier: int,
    source: _Source,
    bought: list[tuple[Product, int]],
    day: int,
) -> None:
    """Send a purchase order; it comes after the lead time, more or less, with some rejects."""
    ordered = world.start + timedelta(days=day, hours=9)
    promised = ordered + timedelta(days=source.lead_days)
    arrived = promised + timedelta(days=world.random.gauss(source.punctuality - 1, 2.5))
    if world.today - timedelta(days=_LATE_FROM_DAYS) < promised < world.today:
        arrived = world.today + timedelta(days=3)
    arrived = max(arrived, ordered + timedelta(days=2)).replace(hour=10, minute=0, second=0)
    done = arrived < world.today
    number = world.number(NumberKind.PURCHASE_ORDER)
    fresh = ordered > world.today - timedelta(days=2)
    waiting = PurchaseOrderState.SENT if fresh else PurchaseOrderState.ACKNOWLEDGED
    key = world.add(
        PurchaseOrder,
        number=number,
        supplier_id=supplier,
        state=PurchaseOrderState.RECEIVED if done else waiting,
        currency="EUR",
        ordered_at=ordered,
        promised_at=promised,
        received_at=arrived if done else None,
    )
    for product, units in bought:
        rejected = round(units * max(0.0, world.random.gauss(source.reject_pct, 1.5)) / 100)
        world.add(
            PurchaseOrderLine,
            purchase_order_id=key,
            sku=product.sku,
            ordered=units,
            received=units if done else 0,
            rejected=rejected if done else 0,
            unit_price_minor=product.cost_minor,
        )
        pipeline.on_order[product.sku] += units
        if done:
            _receive(world, pipeline, number, product, units, rejected, arrived)


def _receive(
    world: World,
    pipeline: Pipeline,
    number: str,
    product: Product,
    units: int,
    rejected: int,
    at: datetime,
) -> None:
    _inspect(world, InspectionStage.INCOMING, number, product, units, rejected, at)
    good = units - rejected
    if good:
        _stock_in(world, product.sku, good, MoveReason.RECEIPT, number, at)
    if rejected:
        world.move(product.sku, QUARANTINE, rejected, MoveReason.RECEIPT, number, at)
    pipeline.on_order[product.sku] -= rejected
    _arrive(world, pipeline, product.sku, good, at)


def _arrive(world: World, pipeline: Pipeline, sku: str, units: int, at: datetime) -> None:
    pipeline.arrivals.setdefault((at - world.start).days, []).append((sku, units))


def _inspect(
    world: World,
    stage: InspectionStage,
    reference: str,
    product: Product,
    lot: int,
    faulty: int,
    at: datetime,
) -> InspectionResult:
    """Write down the sample of a lot in which `faulty` units are not good."""
    sample = min(lot, 8 if lot < 50 else 13)  # noqa: PLR2004  (the plan's two sample sizes)
    major = sum(world.chance(faulty / lot) for _ in range(sample)) if lot else 0
    result = judge(critical=0, major=major, accept_up_to=1)
    world.add(
        Inspection,
        stage=stage,
        reference=reference,
        sku=product.sku,
        lot_size=lot,
        sample_size=sample,
        accept_up_to=1,
        critical=0,
        major=major,
        minor=world.random.randint(0, 2),
        defect=_DEFECTS.get(product.category, "scratches") if major else None,
        result=result,
        inspected_at=at,
    )
    return result


def count_stock(world: World) -> None:
    """Count what is left of some items before today: less than the books say."""
    at = world.today - timedelta(hours=5)
    for sku in (*SOLD_OUT, *RUNNING_LOW):
        keep = 0 if sku in SOLD_OUT else 2
        for place in (WAREHOUSE, STORE):
            left = max(0, world.free[sku, place] - (keep if place == WAREHOUSE else 0))
            if left:
                world.move(sku, place, -left, MoveReason.COUNT, f"count {at:%Y-%m-%d}", at)
                world.free[sku, place] -= left


def move_back(world: World, sku: str, units: int, reference: str, at: datetime) -> None:
    """Take returned goods from the returns bench back into the warehouse."""
    world.move(sku, RETURNS, -units, MoveReason.TRANSFER, reference, at)
    world.move(sku, WAREHOUSE, units, MoveReason.TRANSFER, reference, at)
    world.free[sku, WAREHOUSE] += units
