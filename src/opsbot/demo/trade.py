"""Where the sample shop sells and how it sends, from trade.yaml."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from opsbot.commerce.improvements import Area, Improvement, ImprovementState
from opsbot.commerce.inventory import Location, LocationKind, MoveReason
from opsbot.commerce.products import Item
from opsbot.commerce.trade import (
    DeliveryService,
    DutyMode,
    Market,
    PackageType,
    Partner,
    PartnerKind,
    PartnerState,
)
from opsbot.demo.world import World
from opsbot.yamls import load_yaml

_CONSIGNED = {"LL-MUG-01-MOS": 8, "LL-LMP-02-SGE": 3, "LL-NBK-01-DOT": 12}


def add_trade(world: World) -> None:
    """Add markets, delivery services, partners, boxes, sizes and improvements."""
    text = Path(__file__).with_name("trade.yaml").read_text(encoding="utf-8")
    told = load_yaml(text)
    for one in told["markets"]:
        world.rows[Market].append(_market(one))
    for one in told["services"]:
        _add_services(world, one)
    buyers = [person for person in world.people if person.business]
    for one in told["partners"]:
        buyer = buyers.pop(0).id if one.get("buys") and buyers else None
        _add_partner(world, one, buyer)
    for one in told["boxes"]:
        world.rows[PackageType].append(_box(one))
    _measure(world, told["sizes"], set(told["fragile"]))
    for one in told["improvements"]:
        _add_improvement(world, one)


def _market(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "country": one["country"],
        "name": one["name"],
        "enabled": one.get("enabled", True),
        "languages": one["languages"],
        "duty_mode": DutyMode(one["duty_mode"]),
        "duty_note": one.get("duty_note", ""),
        "tax_number": one.get("tax_number"),
        "restricted": one.get("restricted", []),
        "documents": one.get("documents", []),
        "packaging": one.get("packaging", []),
        "version": 1,
    }


def _add_services(world: World, one: dict[str, Any]) -> None:
    for country in one["countries"]:
        world.add(
            DeliveryService,
            country=country,
            name=one["name"],
            carriers=one["carriers"],
            price_minor=one["price"],
            free_from_minor=one.get("free"),
            currency="EUR",
            days_from=one["days"][0],
            days_to=one["days"][1],
            excluded=one.get("excluded", []),
        )


def _add_partner(world: World, one: dict[str, Any], buyer: int | None) -> None:
    place = _add_consignment(world, one) if one.get("consignment") else None
    world.add(
        Partner,
        name=one["name"],
        kind=PartnerKind(one["kind"]),
        state=PartnerState(one.get("state", "active")),
        country=one["country"],
        city=one["city"],
        address=one["address"],
        territory=one.get("territory", []),
        categories=one.get("categories", []),
        customer_id=buyer,
        location_id=place,
        terms_days=one.get("terms", 0),
        discount_pct=one.get("discount", 0),
        contact=None,
        since=world.start,
        version=1,
    )


def _add_consignment(world: World, one: dict[str, Any]) -> int:
    name = f"{one['name']}, {one['city']}"
    place = world.add(
        Location,
        code=one["name"][:4].upper(),
        name=name,
        kind=LocationKind.CONSIGNMENT,
        country=one["country"],
        sellable=False,
    )
    for sku, units in _CONSIGNED.items():
        world.move(sku, place, units, MoveReason.OPENING, "opening", world.start)
    return place


def _box(one: dict[str, Any]) -> dict[str, Any]:
    length, width, height = one["inner"]
    return {
        "code": one["code"],
        "name": one["name"],
        "length_mm": length,
        "width_mm": width,
        "height_mm": height,
        "tare_g": one["tare"],
        "max_g": one["max"],
        "cost_minor": one["cost"],
        "protective": one["protective"],
        "recyclable": True,
    }


def _measure(world: World, sizes: dict[str, list[int]], fragile: set[str]) -> None:
    for row in world.rows[Item]:
        sides = sizes.get(row.get("variant_of") or row["sku"])
        if sides:
            row["length_mm"], row["width_mm"], row["height_mm"] = sides
        row["fragile"] = row["category"] in fragile


def _add_improvement(world: World, one: dict[str, Any]) -> None:
    created, started, done = (*one["days"], None, None)[:3]
    key = world.add(
        Improvement,
        title=one["title"],
        area=Area(one["area"]),
        state=ImprovementState(one["state"]),
        evidence=one["evidence"],
        owner=one["owner"],
        survey=one["survey"],
        target=one["target"],
        created_at=world.today - timedelta(days=created),
        started_at=world.today - timedelta(days=started) if started else None,
        done_at=world.today - timedelta(days=done) if done else None,
        version=1,
    )
    world.note(Improvement, key, "improvement_proposed", world.today - timedelta(days=created))
