"""What the sample shop sells, from catalogue.yaml."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from opsbot.commerce.products import Item, ItemStatus
from opsbot.demo.world import Product, World
from opsbot.yamls import load_yaml

_POPULARITY = {
    "ceramics": 3.0,
    "paper": 2.6,
    "coffee": 2.2,
    "bags": 1.6,
    "lamps": 1.2,
    "wood": 1.2,
    "spares": 0.8,
    "engraved": 0.8,
    "gift cards": 0.6,
}
_COST_PCT = {"lamps": 42, "coffee": 48, "ceramics": 31, "paper": 34, "bags": 45, "gift cards": 100}
_ELECTRIC_MONTHS, _OTHER_MONTHS = 36, 24


def add_products(world: World) -> None:
    """Add every product and variant; those that are sold become `world.products`."""
    text = Path(__file__).with_name("catalogue.yaml").read_text(encoding="utf-8")
    for entry in load_yaml(text)["products"]:
        variants = entry.get("variants", {})
        _add_item(world, entry, sku=entry["sku"], title=entry["title"], sellable=not variants)
        for ending, value in variants.items():
            _add_item(
                world,
                entry,
                sku=f"{entry['sku']}-{ending}",
                title=f"{entry['title']}, {value}",
                sellable=True,
                variant_of=entry["sku"],
                options={entry["option"]: str(value)},
                share=1 / len(variants),
            )


def _add_item(
    world: World,
    entry: dict[str, Any],
    *,
    sku: str,
    title: str,
    sellable: bool,
    variant_of: str | None = None,
    options: dict[str, str] | None = None,
    share: float = 1.0,
) -> None:
    cost = entry["price"] * _COST_PCT.get(entry["category"], 40) // 100
    electric = entry["class"] == "electronics"
    world.rows[Item].append(
        {
            "sku": sku,
            "title": title,
            "variant_of": variant_of,
            "options": options or {},
            "category": entry["category"],
            "return_class": entry["class"],
            "price_minor": entry["price"],
            "cost_minor": cost,
            "currency": "EUR",
            "weight_g": entry["weight_g"],
            "manufactured": entry["made"],
            "sellable": sellable,
            "status": ItemStatus.ACTIVE,
            "warranty_months": _ELECTRIC_MONTHS if electric else _OTHER_MONTHS,
            "lead_time_days": 10 if entry["made"] else 21,
            "created_at": world.start - timedelta(days=30),
        }
    )
    if not sellable:
        return
    world.products[sku] = Product(
        sku=sku,
        title=title,
        category=entry["category"],
        return_class=entry["class"],
        price_minor=entry["price"],
        cost_minor=cost,
        weight_g=entry["weight_g"],
        manufactured=entry["made"],
        popularity=_POPULARITY[entry["category"]] * share * world.random.uniform(0.6, 1.4),
    )
