"""What the shop sells: prices, variants, and whether something is in stock."""

from collections.abc import Mapping
from typing import Any

from opsbot.commerce.arrivals import next_arrival
from opsbot.commerce.inventory import available
from opsbot.commerce.products import Item, ItemStatus
from opsbot.formats import format_items
from opsbot.toolkit.arguments import Product, Quantity
from opsbot.toolkit.catalogue import Product as Found
from opsbot.toolkit.catalogue import find_product
from opsbot.toolkit.results import Card, Result
from opsbot.toolkit.tool import ToolContext, tool

_FEW = 5
"""Up to so many we say "few left"; a count is never told."""
_MADE_TO_ORDER = "made_to_order"
_HERE = frozenset({"in stock", "few left", "made to order"})
_GRAMS = 1000


@tool(
    examples=[
        "Is the Ember lamp in stock?",
        "do you have the kiln mug in moss",
        "When will the Tide grinder be back?",
        "can I still get the bud vase",
        "Is the tote bag available in navy?",
        "I need four dinner plates, do you have enough?",
        "are the A5 notebooks sold out",
        "which colours of the daypack can I buy right now?",
        "how many mugs are left?",
        "availability of LL-GRD-01-BLK",
        "do you sell teapots?",
    ],
    label="Checking the stock",
)
def check_availability(ctx: ToolContext, product: Product, quantity: Quantity = 1) -> Result:
    """Tell whether a product can be bought now, and if not, when more is expected."""
    found = find_product(ctx.session, product, active_only=False)
    states = [(item, _availability(ctx, item, quantity)) for item in found.variants]
    facts = {
        "product": found.title,
        "unmatched": list(found.unmatched),
        "in_stock": any(state in {"in stock", "few left"} for _, state in states),
        "made_to_order": any(state == "made to order" for _, state in states),
        "variants": [{"title": item.title, "availability": state} for item, state in states],
    }
    cards = [_card(ctx, item, state) for item, state in states] if len(states) == 1 else []
    if len(states) == 1:
        item, state = states[0]
        return Result(f"**{item.title}** is {_sentence(state, quantity)}", facts, cards=cards)
    many = f" for {quantity} pieces" if quantity > 1 else ""
    lines = [
        f"- {item.title}: {state}, {ctx.money(item.price_minor, item.currency)}"
        for item, state in states
    ]
    here = sum(state in _HERE for _, state in states)
    lines.append(f"- That is {len(states)} variants, {here} of which can be had now.")
    head = f"This is how **{found.title}** stands{many}:"
    return Result("\n".join((head, "", *lines)), facts, cards=cards)


@tool(
    examples=[
        "How much is the Halo desk lamp?",
        "what colours does the tote bag come in",
        "Tell me about the Pebble grinder",
        "what does the Arc floor lamp weigh?",
        "Price of the year planner please",
        "how long is the warranty on the Tide grinder",
        "Which sizes of the travel mug are there?",
        "is the bud vase returnable?",
        "what is the item number of the zip pouch",
        "how expensive are your espresso cups",
    ],
    label="Looking up the product",
)
def product_facts(ctx: ToolContext, product: Product) -> Result:
    """Tell a product's price, variants, weight, warranty, and how it may be returned."""
    found = find_product(ctx.session, product, active_only=False)
    first = found.variants[0]
    months = ctx.policies.warranty_months(first.return_class)
    goods = ctx.policies.returns.classes[first.return_class]
    clause = ctx.policies.clause(goods.clause)
    states = {item.sku: _availability(ctx, item, 1) for item in found.variants}
    lines = [
        f"**{found.title}** costs {_price(ctx, found)}.",
        "",
        *(_variants(ctx, found, states) if len(found.variants) > 1 else []),
        f"- Weight: {_weight(first.weight_g)}",
        f"- Our warranty: {months} months, beside your legal rights",
        f"- Returns: {clause.text}",
    ]
    if all(item.status is ItemStatus.DISCONTINUED for item in found.variants):
        lines.append("- It is not made any more.")
    facts = {
        "product": found.title,
        "unmatched": list(found.unmatched),
        "sku": found.sku if len(found.variants) > 1 else first.sku,
        "price": _price(ctx, found),
        "variants": [
            {
                "title": item.title,
                "sku": item.sku,
                "options": dict(item.options),
                "price": ctx.money(item.price_minor, item.currency),
                "availability": states[item.sku],
            }
            for item in found.variants
        ],
        "count": len(found.variants),
        "weight": _weight(first.weight_g),
        "warranty_months": months,
        "returnable": goods.returnable,
    }
    card = _card(ctx, first, states[first.sku]) if len(found.variants) == 1 else None
    return Result("\n".join(lines), facts, cards=[card] if card else [])


def _availability(ctx: ToolContext, item: Item, quantity: int) -> str:
    """Return words for the stock of an item; never a count."""
    if item.status is not ItemStatus.ACTIVE:
        return "not sold any more"
    if item.return_class == _MADE_TO_ORDER:
        return "made to order"
    free = available(ctx.session, item.sku)
    if free >= quantity:
        return "in stock" if free > _FEW else "few left"
    arrival = next_arrival(ctx.session, item.sku, now=ctx.now)
    back = f"more expected on {ctx.day(arrival)}" if arrival else "no date for more yet"
    return f"fewer left than you want; {back}" if free else f"not available now; {back}"


def _sentence(state: str, quantity: int) -> str:
    many = f", also {quantity} pieces" if quantity > 1 and state in {"in stock", "few left"} else ""
    words = {
        "in stock": f"in stock{many}.",
        "few left": f"in stock{many}, but only few are left.",
        "made to order": "made to order for you, so there is always one.",
    }
    return words.get(state, f"{state.replace('fewer left', 'in stock, but fewer')}.")


def _variants(ctx: ToolContext, found: Found, states: Mapping[str, str]) -> list[str]:
    """Return how many variants there are, and each with its price and whether it can be had."""
    here = sum(state in _HERE for state in states.values())
    lines = [
        f"- There is: {format_items(_options(found))}.",
        f"- That is {len(states)} variants, {here} of which can be had now:",
    ]
    for item, name in zip(found.variants, _options(found), strict=True):
        price = ctx.money(item.price_minor, item.currency)
        lines.append(f"  - {name}: {price}, {states[item.sku]}")
    return lines if len({item.price_minor for item in found.variants}) > 1 else lines[:1]


def _options(found: Found) -> list[str]:
    return [", ".join(item.options.values()) or item.title for item in found.variants]


def _price(ctx: ToolContext, found: Found) -> str:
    prices = sorted({item.price_minor for item in found.variants})
    currency = found.variants[0].currency
    if len(prices) == 1:
        return ctx.money(prices[0], currency)
    return f"{ctx.money(prices[0], currency)} to {ctx.money(prices[-1], currency)}"


def _weight(grams: int) -> str:
    return f"{grams / _GRAMS:.1f} kg" if grams >= _GRAMS else f"{grams} g"


def _card(ctx: ToolContext, item: Item, availability: str) -> Card:
    body: dict[str, Any] = {
        "sku": item.sku,
        "title": item.title,
        "price": ctx.money(item.price_minor, item.currency),
        "availability": availability,
    }
    return Card("product", body)
