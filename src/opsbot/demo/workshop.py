"""What the sample shop makes things from: materials, bills, routings, work centres, prices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatch
from math import ceil
from pathlib import Path
from typing import Any

from opsbot.commerce.production import (
    Bom,
    BomLine,
    BomState,
    CapacityException,
    CenterKind,
    ExceptionReason,
    RoutingOp,
    WorkCenter,
)
from opsbot.commerce.products import Item, ItemStatus, StockUnit
from opsbot.commerce.purchasing import Supplier, SupplierItem
from opsbot.demo.world import World
from opsbot.yamls import load_yaml

_PART_LEAD = 8
_TARIFF = {
    "lamps": "940521",
    "coffee": "821000",
    "ceramics": "691200",
    "paper": "482010",
    "bags": "420292",
    "wood": "441990",
    "engraved": "442199",
    "spares": "940599",
}
"""Numbers in the customs tariff by category."""
_BOXES = {"lamps": (420, 240, 180), "ceramics": (120, 120, 110), "paper": (215, 150, 20)}
_FRAGILE = ("lamps", "ceramics")


@dataclass(frozen=True)
class Material:
    """A part that is bought or made, as the simulation needs it."""

    sku: str
    title: str
    cost_minor: int
    cost_per: int
    supplier: int
    """Id of who sells it; 0: made here."""
    lead_days: int
    lateness: float
    pack: int
    minimum: int


@dataclass(frozen=True)
class Step:
    """One step of making something."""

    seq: int
    name: str
    center: int
    setup_minutes: int
    run_seconds: int

    def minutes(self, units: int) -> int:
        """Return set-up and run for a number of units."""
        return self.setup_minutes + ceil(self.run_seconds * units / 60)


@dataclass(frozen=True)
class Recipe:
    """How one item is made."""

    bom_id: int
    parts: Sequence[tuple[str, int, int]]
    """Part, stock units for one, scrap in thousandths."""
    steps: Sequence[Step]

    def needs(self, units: int) -> dict[str, int]:
        """Return the stock units of each part that a number takes, rounded up."""
        return {sku: -(-units * each * 1000 // (1000 - scrap)) for sku, each, scrap in self.parts}

    def without_parts(self) -> "Recipe":
        """Return the steps alone: a draft holds no parts back."""
        return Recipe(self.bom_id, (), self.steps)


@dataclass
class Workshop:
    """What things are made from and how."""

    materials: dict[str, Material] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    centers: dict[str, int] = field(default_factory=dict)


def read_workshop() -> dict[str, Any]:
    """Return the content of workshop.yaml."""
    text = Path(__file__).with_name("workshop.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = load_yaml(text)
    return content


def add_workshop(world: World) -> Workshop:
    """Add materials, suppliers, prices, work centres and bills of materials; describe the items."""
    content, shop = read_workshop(), Workshop()
    suppliers = _add_suppliers(world, content["suppliers"])
    _add_materials(world, shop, content, suppliers)
    _add_offers(world, content["offers"], suppliers)
    _add_centers(world, shop, content["centers"], suppliers)
    for pattern, bill in content["boms"].items():
        for sku in _made_as(world, shop, pattern):
            shop.recipes[sku] = _add_bom(world, shop, sku, bill)
    _describe_items(world, shop)
    return shop


def _add_suppliers(world: World, entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add the suppliers of materials to those of goods; return all by name."""
    for row in world.rows[Supplier]:
        domain = row["name"].split()[0].lower()
        row |= {"email": f"orders@{domain}.example", "incoterm": "DAP"}
    for entry in entries:
        world.add(
            Supplier,
            name=entry["name"],
            country=entry["country"],
            currency="EUR",
            lead_days=entry["lead"],
            incoterm=entry["incoterm"],
            email=entry["email"],
        )
    late = {entry["name"]: entry["late"] for entry in entries}
    return {
        row["name"]: {**row, "late": late.get(row["name"], 1.0)} for row in world.rows[Supplier]
    }


def _add_materials(
    world: World,
    shop: Workshop,
    content: Mapping[str, Any],
    suppliers: Mapping[str, Mapping[str, Any]],
) -> None:
    for entry in content["materials"]:
        source = suppliers[entry["supplier"]]
        per = entry.get("per", 1)
        shop.materials[entry["sku"]] = Material(
            entry["sku"], entry["title"], entry["cost"], per, source["id"], source["lead_days"],
            source["late"], entry["pack"], entry["minimum"],
        )  # fmt: skip
        _add_item(world, entry, bought=True, lead=source["lead_days"])
        breaks = [{"from": units, "price_minor": price} for units, price in entry.get("breaks", ())]
        _add_price(
            world, entry["sku"], source["id"], entry["cost"], per=per, breaks=breaks,
            minimum=entry["minimum"], pack=entry["pack"], lead=source["lead_days"], preferred=True,
        )  # fmt: skip
    for entry in content["parts"]:
        shop.materials[entry["sku"]] = Material(
            entry["sku"], entry["title"], entry["cost"], 1, 0, _PART_LEAD, 0.0, 1, 1
        )
        _add_item(world, entry, bought=False, lead=_PART_LEAD)


def _add_item(world: World, entry: Mapping[str, Any], *, bought: bool, lead: int) -> None:
    world.rows[Item].append(
        {
            "sku": entry["sku"],
            "title": entry["title"],
            "variant_of": None,
            "options": {},
            "category": "materials" if bought else "parts",
            "return_class": "standard",
            "price_minor": 0,
            "cost_minor": entry["cost"],
            "cost_per": entry.get("per", 1),
            "currency": "EUR",
            "weight_g": 1 if entry.get("unit") == "g" else 0,
            "manufactured": not bought,
            "purchasable": bought,
            "sellable": False,
            "component": True,
            "lot_tracked": True,
            "stock_unit": StockUnit(entry.get("unit", "each")),
            "status": ItemStatus.ACTIVE,
            "warranty_months": 0,
            "lead_time_days": lead,
            "created_at": world.start - timedelta(days=30),
        }
    )


def _add_offers(
    world: World,
    offers: Sequence[Mapping[str, Any]],
    suppliers: Mapping[str, Mapping[str, Any]],
) -> None:
    """Add prices of goods, and what others ask for making what we make."""
    for offer in offers:
        for sku in [row["sku"] for row in world.rows[Item] if fnmatch(row["sku"], offer["sku"])]:
            _add_price(
                world, sku, suppliers[offer["supplier"]]["id"], offer["price"],
                minimum=offer["minimum"], pack=offer["pack"], lead=offer["lead"], preferred=False,
            )  # fmt: skip


def _add_price(
    world: World,
    sku: str,
    supplier: int,
    price: int,
    *,
    minimum: int,
    pack: int,
    lead: int,
    preferred: bool,
    per: int = 1,
    breaks: Sequence[Mapping[str, int]] = (),
) -> None:
    world.add(
        SupplierItem,
        supplier_id=supplier,
        sku=sku,
        supplier_sku=f"{sku[:2]}{supplier}-{len(world.rows[SupplierItem]) + 101}",
        price_minor=price,
        price_per=per,
        breaks=list(breaks),
        minimum=minimum,
        pack_multiple=pack,
        lead_days=lead,
        preferred=preferred,
    )


def add_goods_price(world: World, sku: str, supplier: int, price: int, lead: int) -> None:
    """Add what a supplier asks for something that is bought and sold as it is."""
    lower = [{"from": 100, "price_minor": price * 95 // 100}]
    _add_price(
        world, sku, supplier, price, minimum=5, pack=1, lead=lead, preferred=True, breaks=lower
    )


def _add_centers(
    world: World,
    shop: Workshop,
    entries: Sequence[Mapping[str, Any]],
    suppliers: Mapping[str, Mapping[str, Any]],
) -> None:
    for entry in entries:
        partner = suppliers.get(entry.get("supplier", ""))
        shop.centers[entry["code"]] = world.add(
            WorkCenter,
            code=entry["code"],
            name=entry["name"],
            kind=CenterKind.OUTSOURCED if partner else CenterKind.IN_HOUSE,
            supplier_id=partner["id"] if partner else None,
            weekdays=entry.get("days", "12345"),
            minutes_per_day=entry["minutes"],
            efficiency_pct=entry["efficiency"],
            cost_minor_per_hour=entry["cost"],
        )
    for code, day, minutes, reason in _exceptions(world.today.date()):
        world.add(
            CapacityException,
            work_center_id=shop.centers[code],
            day=day,
            minutes=minutes,
            reason=reason,
        )


def _exceptions(today: date) -> Iterator[tuple[str, date, int, ExceptionReason]]:
    """Yield a kiln that is looked after each quarter, overtime and a day off in the next weeks."""
    for weeks in range(-48, 13, 12):
        yield "KILN", today + timedelta(weeks=weeks, days=9), -600, ExceptionReason.MAINTENANCE
    monday = today + timedelta(days=7 - today.weekday())
    yield "LASER", monday + timedelta(days=1), -180, ExceptionReason.MAINTENANCE
    yield "BIND", monday + timedelta(days=8), 120, ExceptionReason.OVERTIME
    yield "ASM", monday + timedelta(days=10), -480, ExceptionReason.ABSENCE


def _made_as(world: World, shop: Workshop, pattern: str) -> list[str]:
    """Return the items that a bill of materials is for: one, or the variants of a product."""
    own = [*world.products, *shop.materials]
    return [sku for sku in own if sku == pattern or sku.rpartition("-")[0] == pattern]


def _add_bom(world: World, shop: Workshop, sku: str, bill: Mapping[str, Any]) -> Recipe:
    created = world.start - timedelta(days=20)
    bom = world.add(Bom, sku=sku, revision=1, state=BomState.ACTIVE, created_at=created)
    for place, (part, units, scrap) in enumerate(bill["parts"], start=1):
        world.add(
            BomLine,
            bom_id=bom,
            seq=10 * place,
            component=part,
            quantity_e4=units * 10_000,
            scrap_permille=scrap,
        )
    steps = []
    for place, (center, name, setup, run, queue) in enumerate(bill["steps"], start=1):
        world.add(
            RoutingOp,
            bom_id=bom,
            seq=10 * place,
            name=name,
            work_center_id=shop.centers[center],
            setup_minutes=setup,
            run_seconds=run,
            queue_days=queue,
        )
        steps.append(Step(10 * place, name, shop.centers[center], setup, run))
    return Recipe(bom, [tuple(part) for part in bill["parts"]], steps)


def _describe_items(world: World, shop: Workshop) -> None:
    """Write down how goods are kept and what customs wants to know of them."""
    used = {part for recipe in shop.recipes.values() for part, _, _ in recipe.parts}
    for place, row in enumerate(world.rows[Item]):
        category = row["category"]
        row.setdefault("purchasable", not row["manufactured"])
        row.setdefault("component", row["sku"] in used)
        row.setdefault("lot_tracked", row["sellable"] and category != "gift cards")
        row["serial_tracked"] = category == "lamps"
        row["fragile"] = category in _FRAGILE
        row["hs_code"] = _TARIFF.get(category)
        row["origin_country"] = "DE" if row["manufactured"] or not row["sellable"] else "PT"
        row["barcode"] = _barcode(place) if row["sellable"] else None
        size = _BOXES.get(category, (None, None, None))
        row["length_mm"], row["width_mm"], row["height_mm"] = size


def _barcode(number: int) -> str:
    """Return a GTIN-13 of the range for use inside a company, with its check digit."""
    digits = f"20{number:010}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"
