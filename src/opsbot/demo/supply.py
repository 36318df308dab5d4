"""Where the stock comes from: opening stock, what is made and bought, and what is counted."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsbot.commerce.inventory import Location, LocationKind, MoveReason
from opsbot.commerce.numbers import NumberKind
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.commerce.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
)
from opsbot.commerce.quality import (
    Disposition,
    Inspection,
    InspectionResult,
    InspectionStage,
    judge,
)
from opsbot.commerce.stock_policies import StockPolicy
from opsbot.demo.making import Job, keep_records, part_use, reserve_parts
from opsbot.demo.workshop import Workshop, add_goods_price, add_workshop, read_workshop
from opsbot.demo.world import DAYS, QUARANTINE, RETURNS, STORE, WAREHOUSE, Product, World
from opsbot.planning.sampling import MAJOR_LIMIT, MINOR_LIMIT, sampling_plan

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
    "spares": "frayed edge",
    "engraved": "smudged engraving",
    "parts": "chipped edge",
    "materials": "wrong dimension",
}
_UNPUNCTUAL = ("Nordlicht", "Tecelagem", "Osaka", "Papier Havel", "Lumenparts", "Holzhof")
"""Whose orders are late at the end of the year."""


@dataclass
class Pipeline:
    """What is ordered and has not come yet: units by item, and what to do on which day."""

    on_order: dict[str, int] = field(default_factory=dict)
    arrivals: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """Units that become free, by day of the year."""
    workshop: Workshop = field(default_factory=Workshop)
    goods: dict[str, Product] = field(default_factory=dict)
    """What is kept on stock: what is sold, and what it is made from."""
    sources: dict[int, _Source] = field(default_factory=dict)
    """Suppliers by id."""


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
    workshop = add_workshop(world)
    pipeline = Pipeline(
        workshop=workshop,
        goods={**world.products, **_materials(workshop)},
        sources=dict(enumerate((*_SOURCES, *_sources_of_parts()), start=1)),
    )
    pipeline.on_order = dict.fromkeys(pipeline.goods, 0)
    use = part_use(workshop, {p.sku: _daily_units(world, p) for p in world.products.values()})
    for product in pipeline.goods.values():
        sold = _daily_units(world, product) if product.popularity else 0.0
        _open_item(world, pipeline, product, sold + use.get(product.sku, 0.0))
    return pipeline


def _sources_of_parts() -> list[_Source]:
    return [
        _Source(entry["name"], entry["country"], entry["lead"], (), entry["late"], 0.6)
        for entry in read_workshop()["suppliers"]
    ]


def _materials(workshop: Workshop) -> dict[str, Product]:
    """Return what things are made from in the shape of products; nobody buys them."""
    return {
        one.sku: Product(
            sku=one.sku,
            title=one.title,
            category="materials" if one.supplier else "parts",
            return_class="standard",
            price_minor=0,
            cost_minor=one.cost_minor,
            weight_g=0,
            manufactured=not one.supplier,
            popularity=0.0,
        )
        for one in workshop.materials.values()
    }


def _open_item(world: World, pipeline: Pipeline, product: Product, daily: float) -> None:
    key = _supplier_of(pipeline, product)
    lead = 12 if product.manufactured else pipeline.sources[key].lead_days
    safety = max(3, round(daily * 9))
    point = safety + max(2, round(daily * (lead + 7)))
    world.rows[StockPolicy].append(
        {
            "sku": product.sku,
            "reorder_point": point,
            "order_up_to": point + max(8, round(daily * 40)),
            "safety_stock": safety,
            "computed_at": world.start,
        }
    )
    if not product.manufactured and product.sku in world.products:
        add_goods_price(world, product.sku, key, product.cost_minor, lead)
    opening = point + max(10, round(daily * 30))
    _stock_in(world, product.sku, opening, MoveReason.OPENING, "opening", world.start)
    world.free[product.sku, WAREHOUSE] += opening


def _daily_units(world: World, product: Product) -> float:
    whole = sum(other.popularity for other in world.products.values())
    return UNITS_A_YEAR / DAYS * product.popularity / whole


def _supplier_of(pipeline: Pipeline, product: Product) -> int:
    """Return the id of the supplier; of what is made, of nobody in particular."""
    material = pipeline.workshop.materials.get(product.sku)
    if material is not None:
        return material.supplier
    for key, source in enumerate(_SOURCES, start=1):
        if product.category in source.categories:
            return key
    return 1


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
    for key, source in pipeline.sources.items():
        bought = [
            (p, _packs(pipeline, p, n))
            for p, n in wanted
            if not p.manufactured and _supplier_of(pipeline, p) == key
        ]
        if bought and at.weekday() == key % 5:
            _buy(world, pipeline, key, source, bought, day)


def _packs(pipeline: Pipeline, product: Product, units: int) -> int:
    """Round a quantity up to whole packs, and to the least that is sold."""
    material = pipeline.workshop.materials.get(product.sku)
    if material is None:
        return max(units, 5)
    return -(-max(units, material.minimum) // material.pack) * material.pack


def _what_runs_out(world: World, pipeline: Pipeline, day: int) -> list[tuple[Product, int]]:
    wanted = []
    for policy in world.rows[StockPolicy]:
        sku = policy["sku"]
        free = world.free[sku, WAREHOUSE] + world.free[sku, STORE] + pipeline.on_order[sku]
        stopped = sku in (*SOLD_OUT, *RUNNING_LOW) and day > DAYS - 60
        if free <= policy["reorder_point"] and not stopped:
            wanted.append((pipeline.goods[sku], policy["order_up_to"] - free))
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
    """Release a work order if its parts are there; it is done one to two weeks later."""
    recipe = pipeline.workshop.recipes.get(product.sku)
    if recipe is not None and not reserve_parts(world, recipe, units):
        return
    created = world.start + timedelta(days=day, hours=7)
    started = created + timedelta(days=world.random.randint(1, 4))
    completed = started + timedelta(days=world.random.randint(4, 11), hours=8)
    scrap = round(units * world.random.triangular(0, 0.12, 0.02))
    number = world.number(NumberKind.WORK_ORDER)
    done, begun = completed < world.today, started < world.today
    idle = WorkOrderState.IN_PROGRESS if begun else WorkOrderState.RELEASED
    key = world.add(
        WorkOrder,
        number=number,
        sku=product.sku,
        bom_id=recipe.bom_id if recipe else None,
        state=WorkOrderState.COMPLETED if done else idle,
        planned=units,
        produced=units - scrap if done else 0,
        scrapped=scrap if done else 0,
        created_at=created,
        planned_start=created + timedelta(days=1),
        due_at=created + timedelta(days=12, hours=9),
        started_at=started if begun else None,
        completed_at=completed if done else None,
    )
    if recipe is not None:
        job = Job(key, number, product.category, units, scrap if done else 0, created)
        keep_records(world, recipe, job, begun=begun, completed=completed if done else None)
    pipeline.on_order[product.sku] += units - scrap
    if done:
        good = units - scrap
        _inspect(world, InspectionStage.FINAL, number, product, good, scrap // 2, completed)
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
    worse = 0.4 + 1.2 * day / DAYS if source.categories == () else 1.0
    arrived = promised + timedelta(days=world.random.gauss(source.punctuality * worse - 1, 2.5))
    last_days = world.today - timedelta(days=_LATE_FROM_DAYS) < promised < world.today
    if last_days and source.name.startswith(_UNPUNCTUAL):
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
            price_per=_price_per(pipeline, product),
        )
        pipeline.on_order[product.sku] += units
        if done:
            _receive(world, pipeline, number, product, units, rejected, arrived)


def _price_per(pipeline: Pipeline, product: Product) -> int:
    material = pipeline.workshop.materials.get(product.sku)
    return material.cost_per if material else 1


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
    plan = sampling_plan(lot, MAJOR_LIMIT)
    small = sampling_plan(lot, MINOR_LIMIT)
    major = sum(world.chance(faulty / lot) for _ in range(plan.sample_size)) if lot else 0
    minor = min(world.random.randint(0, 2), small.accept_up_to)
    result = judge(critical=0, major=major, accept_up_to=plan.accept_up_to)
    world.add(
        Inspection,
        stage=stage,
        reference=reference,
        sku=product.sku,
        lot_size=lot,
        sample_size=plan.sample_size,
        accept_up_to=plan.accept_up_to,
        minor_accept_up_to=small.accept_up_to,
        critical=0,
        major=major,
        minor=minor,
        defect=_DEFECTS.get(product.category, "scratches") if major else None,
        result=result,
        disposition=Disposition.RELEASE if result is InspectionResult.ACCEPTED else None,
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
