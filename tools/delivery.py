"""How things reach a customer, and where else they are sold."""

from opsbot.commerce.products import Item
from opsbot.commerce.trade import (
    DeliveryService,
    DutyMode,
    Market,
    PartnerKind,
    product_numbers,
    sellers,
    services_to,
)
from opsbot.errors import NotFoundError, PolicyError
from opsbot.formats import format_items
from opsbot.metrics.transit import transit_days
from opsbot.toolkit.arguments import OrderNumber, Product
from opsbot.toolkit.catalogue import find_product
from opsbot.toolkit.countries import Country, country_name
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool

_DUTIES = {
    DutyMode.INSIDE: "There is no customs border, so nothing is due on delivery.",
    DutyMode.DDP: "Duties and import tax are in the price; nothing is due on delivery.",
    DutyMode.DAP: "Import tax and duties are due on delivery.",
}
_MOST = 12


@tool(
    examples=[
        "Which delivery options are there to France?",
        "delivery options for the Tide grinder to the United States",
        "how long does a parcel to Austria take and what does it cost?",
        "can you deliver the Arc lamp to Switzerland",
        "shipping methods and prices to Norway",
        "what would sending a kettle to Italy cost me",
        "Is express available in Germany?",
        "how fast can you get a mug to Denmark",
        "do I pay customs when you send it to the UK",
        "Delivery time to Spain for a daypack",
    ],
    label="Looking up the ways of delivery",
)
def delivery_options(
    ctx: ToolContext,
    country: Country,
    product: Product | None = None,
    order_number: OrderNumber | None = None,
) -> Result:
    """Tell how a delivery to a country can be sent: service, price, days, duties, restrictions."""
    items = _items(ctx, product, order_number)
    market = ctx.session.get(Market, country)
    if market is None or not market.enabled:
        raise _refused(ctx, f"We do not deliver to {country_name(country)}.", country)
    blocked = sorted(product_numbers(items) & set(market.restricted))
    if blocked:
        titles = format_items(sorted({_title(ctx, number) for number in blocked}))
        raise _refused(ctx, f"We cannot send {titles} to {market.name}.", country)
    services = services_to(ctx.session, country, items)
    if not services:
        raise NotFoundError("a delivery service for that to", market.name)
    lines = [f"- {_service_words(ctx, service)}" for service in services]
    extra = _surcharge(ctx, items, country)
    if extra:
        more = ctx.money(extra, services[0].currency)
        lines.append(f"- Plus {more} for the size, also where delivery is free.")
    duties = f"- {market.duty_note or _DUTIES[market.duty_mode]}"
    head = f"This is how we deliver to {market.name}:"
    facts = {
        "country": country,
        "services": [_service_facts(ctx, one) for one in services],
        "surcharge": ctx.money(extra, services[0].currency) if extra else None,
        "duties": market.duty_mode.value,
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join((head, "", *lines, duties)), facts=facts)


@tool(
    examples=[
        "Where can I buy your lamps in Vienna?",
        "is there a shop near me that sells the kiln mug",
        "which stores carry your products in France?",
        "do you have retailers in the Netherlands",
        "list of partner shops",
        "Where is your store?",
        "can I find your notebooks in a shop in Switzerland",
        "any stockists in Denmark?",
        "places to see the lamps before buying",
        "who sells your stuff in Japan",
    ],
    label="Looking for shops",
)
def where_to_buy(ctx: ToolContext, country: Country = "", product: Product | None = None) -> Result:
    """List where our things are sold: own stores, pop-ups, partner shops and marketplaces."""
    category = ""
    if product:
        category = find_product(ctx.session, product, active_only=False).variants[0].category
    found = sellers(ctx.session, country, category)
    place = f" in {country_name(country)}" if country else ""
    what = f" for {category}" if category else ""
    facts = {
        "places": [{"name": one.name, "city": one.city, "country": one.country} for one in found],
        "as_of": ctx.moment(ctx.now),
    }
    market = ctx.session.get(Market, country) if country else None
    online = f"Online you can order at {ctx.settings.public_url}."
    if country and (market is None or not market.enabled):
        online = f"Our own shop does not deliver to {country_name(country)}."
    if not found:
        return Result(f"I know of no shop{place}{what} that sells our things. {online}", facts)
    lines = [f"- {_seller_words(one.kind, one.name, one.address, one.city)}" for one in found]
    more = [f"- and {len(found) - _MOST} more"] if len(found) > _MOST else []
    head = f"You find our things here{place}{what}:"
    return Result("\n".join((head, "", *lines[:_MOST], *more, "", online)), facts=facts)


def _seller_words(kind: PartnerKind, name: str, address: str, city: str) -> str:
    what = {
        PartnerKind.STORE: "our own store",
        PartnerKind.POPUP: "pop-up store",
        PartnerKind.MARKETPLACE: "marketplace",
        PartnerKind.DISTRIBUTOR: "distributor",
    }.get(kind, "partner shop")
    where = ", ".join(part for part in (address, city) if part)
    return f"**{name}** ({what})" + (f": {where}" if where else "")


def _items(ctx: ToolContext, product: str | None, order_number: str | None) -> list[Item]:
    if order_number:
        return [line.item for line in own_order(ctx, order_number).lines if line.wanted]
    return list(find_product(ctx.session, product).variants[:1]) if product else []


def _surcharge(ctx: ToolContext, items: list[Item], country: str) -> int:
    """Return what the bulkiest of the goods costs more to send, by the shop's delivery policy."""
    region, _law = ctx.policies.rights.region_of(country)
    by_class = ctx.policies.delivery.surcharge_minor
    places = [by_class.get(item.return_class, {}) for item in items]
    return max((place.get(country, place.get(region, 0)) for place in places), default=0)


def _refused(ctx: ToolContext, words: str, country: str) -> PolicyError:
    partners = [
        f"{one.name} in {one.city} sells our things there."
        for one in sellers(ctx.session, country)[:3]
    ]
    said = " ".join([words, *partners])
    return refusal(ctx, said, clause="delivery.countries", alternatives=partners)


def _title(ctx: ToolContext, sku: str) -> str:
    item = ctx.session.get(Item, sku)
    return f"the {item.title}" if item else sku


def _service_words(ctx: ToolContext, one: DeliveryService) -> str:
    price = ctx.money(one.price_minor, one.currency)
    free = ""
    if one.free_from_minor is not None:
        free = f", free from {ctx.money(one.free_from_minor, one.currency)}"
    span = f"{one.days_from} to {one.days_to}" if one.days_from < one.days_to else one.days_to
    promised = f"{span} working days" if one.days_to > 1 else "the next working day"
    words = f"**{one.name}**: {price}{free}; {promised}"
    real = transit_days(ctx.session, one.country, one.carriers, now=ctx.now)
    if real is None or one.days_to == 1:
        return f"{words}."
    return (
        f"{words}. Of the last {real.parcels} parcels half were there within {real.p50:.0f} days, "
        f"nine of ten within {real.p90:.0f}."
    )


def _service_facts(ctx: ToolContext, one: DeliveryService) -> dict[str, object]:
    real = transit_days(ctx.session, one.country, one.carriers, now=ctx.now)
    return {
        "name": one.name,
        "price": ctx.money(one.price_minor, one.currency),
        "working_days": [one.days_from, one.days_to],
        "days_p50": round(real.p50, 1) if real else None,
        "days_p90": round(real.p90, 1) if real else None,
        "parcels": real.parcels if real else 0,
    }
