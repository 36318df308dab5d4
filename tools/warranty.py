"""Guarantee and warranty: until when, and what is done; registering products."""

from datetime import date
from typing import Annotated, Any

from sqlalchemy import select

from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.products import Item, ItemStatus
from opsbot.commerce.registrations import Registration, plain_serial, register, registrations_of
from opsbot.commerce.returns import ReturnReason
from opsbot.errors import InvalidInputError, NotVerifiedError
from opsbot.formats import format_items
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Items, OrderNumber, Product, argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.catalogue import find_product, tokens
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.ownership import own_order, pick_lines
from opsbot.toolkit.policy.grounds import add_months
from opsbot.toolkit.policy.return_facts import Basis, Condition
from opsbot.toolkit.policy.returns import decide_return
from opsbot.toolkit.policy.schema import WarrantyStep
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.return_records import ReturnRecords, read_return_records, return_facts
from opsbot.toolkit.return_words import CHOICES
from opsbot.toolkit.tool import ToolContext, tool

Serial = Annotated[
    str,
    argument(
        "serial",
        "What is the serial number? It stands on the base of the product.",
        description="The serial number on the product.",
        pattern=r"\bserial(?:\s+(?:number|no\.?))?\s*(?:is|:|#)?\s*([A-Z0-9][A-Z0-9-]{3,31})\b",
        max_length=40,
    ),
]
Bought = Annotated[
    str,
    argument(
        "bought",
        "On which day did you buy it?",
        description='The day of the purchase in words or as a date, such as "2026-10-03".',
        pattern=r"\b(\d{4}-\d{2}-\d{2})\b",
        max_length=60,
    ),
]
Seller = Annotated[
    str,
    argument(
        "seller",
        "Where did you buy it?",
        description="The shop or partner it was bought from.",
        min_length=2,
        max_length=120,
    ),
]
Receipt = Annotated[
    str,
    argument(
        "receipt",
        "What is the number of the receipt?",
        description="Number of the receipt or order of the seller.",
        max_length=80,
    ),
]
_STEPS = {
    WarrantyStep.TROUBLESHOOT: "we go through the troubleshooting guide with you",
    WarrantyStep.SEND_PART: "we send a part",
    WarrantyStep.REPAIR: "we repair it",
    WarrantyStep.REPLACE: "we replace it",
    WarrantyStep.REFUND: "you get your money back",
}


@tool(
    examples=[
        "Is my lamp still under warranty?",
        "how long is the guarantee on the lamp of order #1001",
        "until when am I covered for the grinder",
        "What can I claim if the kettle fails after a year?",
        "warranty status for serial number TIDE20931",
        "Does the guarantee still hold for my order?",
        "which spare parts are there for my lamp",
        "do I get a repair or a new one under guarantee",
        "guarantee end date for #1002",
    ],
    label="Checking the guarantee",
    level=Level.ORDER,
    pii="masked",
)
def warranty(
    ctx: ToolContext,
    order_number: OrderNumber = "",
    items: Items | None = None,
    serial: Serial = "",
) -> Result:
    """Tell until when bought or registered products are covered, the remedies and spare parts."""
    if order_number:
        order = own_order(ctx, order_number)
        names = items or [line.title for line in order.lines if line.wanted]
        records = read_return_records(ctx.session, [order])
        covers = [_of_line(ctx, records, order, line) for line in pick_lines(order, names)]
    else:
        covers = [_of_registration(ctx, one) for one in _registered(ctx, serial)]
    lines = [line for cover in covers for line in cover["lines"]]
    steps = [_STEPS[step] for step in ctx.policies.rights.warranty.steps]
    clause = ctx.policies.clause("warranty.claim")
    lines += ["", f"If it has a fault: {', then '.join(steps)}.", "", f"Our rule: {clause.text}"]
    facts = {"covered": [{k: v for k, v in c.items() if k != "lines"} for c in covers]}
    return Result("\n".join(lines), facts=facts)


@tool(
    examples=[
        "I want to register my grinder",
        "register the lamp with serial number HALO77812",
        "please register my product, I bought it at a partner shop",
        "Can I register a kettle that I got from a retailer?",
        "product registration",
        "add my Tide grinder to my account, serial number TIDE20931",
        "how do I register what I bought in a department store",
        "sign my lamp up for the warranty, it is from a partner",
    ],
    label="Preparing the registration",
    effect="write",
    level=Level.SIGNED_IN,
)
def register_product(
    ctx: ToolContext,
    product: Product,
    serial: Serial,
    bought_on: Bought,
    seller: Seller,
    receipt: Receipt = "",
) -> Change:
    """Register a product by its serial number, also one that was bought from a partner."""
    item = find_product(ctx.session, product, active_only=False).variants[0]
    number = plain_serial(serial)
    day = _day(ctx, bought_on)
    months = ctx.policies.rights.warranty.register_within_months
    if ctx.today > add_months(day, months):
        words = f"{item.title} was bought on {ctx.day(day)}, which is too long ago to register it."
        instead = ("The receipt is proof enough for a claim.",)
        raise refusal(ctx, words, clause="warranty.registration", alternatives=instead)
    until = add_months(day, ctx.policies.warranty_months(item.return_class))

    def apply() -> Result:
        kept = register(
            ctx.session,
            serial=number,
            sku=item.sku,
            customer_id=ctx.caller.customer_id or 0,
            bought_on=day,
            seller=seller,
            proof=receipt,
            now=ctx.now,
        )
        facts = {"product": item.title, "serial": kept.serial, "warranty_until": str(until)}
        say = f"**{item.title}** ({kept.serial}) is registered."
        return Result(f"{say} Our warranty runs until {ctx.day(until)}.", facts=facts)

    return Change(
        title=f"Register {item.title}?",
        details=[
            f"Serial number {number}, bought on {ctx.day(day)} from {seller}.",
            f"Our warranty runs until {ctx.day(until)}.",
        ],
        button="Register it",
        basis={"sku": item.sku, "serial": number, "bought_on": str(day)},
        apply=apply,
        clause=ctx.policies.clause("warranty.registration"),
    )


def _of_line(
    ctx: ToolContext, records: ReturnRecords, order: Order, line: OrderLine
) -> dict[str, Any]:
    facts = return_facts(
        records,
        order,
        line,
        max(1, line.wanted),
        reason=ReturnReason.DEFECTIVE,
        condition=Condition.OPENED,
        carries_shipping=False,
        policies=ctx.policies,
        zone=ctx.settings.time_zone,
        now=ctx.now,
    )
    decision = decide_return(facts, ctx.policies, ctx.today)
    until = {
        basis: day
        for basis, day in decision.deadlines.items()
        if basis in {Basis.GUARANTEE, Basis.WARRANTY, Basis.REJECTION}
    }
    if not until:
        words = f"**{line.title}**: both begin when it arrives."
        return {"product": line.title, "lines": [words], "until": None}
    repaired = " (12 months longer, because it was repaired)" if facts.repaired else ""
    lines = [f"**{line.title}**"]
    lines += [f"- {_NAMES[basis]}: {_ends(ctx, day)}" for basis, day in until.items()]
    if repaired and Basis.GUARANTEE in until:
        months = ctx.policies.rights.region_of(facts.country)[1].guarantee
        extra = months.extra_months_after_repair if months else 0
        lines.append(f"- The repair made the legal guarantee {extra} months longer")
    choices = [CHOICES[one] for one in decision.resolutions]
    if decision.allowed:
        lines.append(f"- You may claim {format_items(choices).replace(' and ', ' or ')}")
    lines += _parts(ctx, line.item)
    return {
        "product": line.title,
        "until": {basis.value: str(day) for basis, day in until.items()},
        "lines": lines,
    }


_NAMES = {
    Basis.GUARANTEE: "Legal guarantee",
    Basis.WARRANTY: "Our own warranty",
    Basis.REJECTION: "Right to reject it at once",
}


def _ends(ctx: ToolContext, day: date) -> str:
    return f"until {ctx.day(day)}" if day >= ctx.today else f"ended on {ctx.day(day)}"


def _of_registration(ctx: ToolContext, kept: Registration) -> dict[str, Any]:
    until = add_months(kept.bought_on, ctx.policies.warranty_months(kept.item.return_class))
    lines = [
        f"**{kept.item.title}**, serial number {kept.serial}, from {kept.seller}",
        f"- Our own warranty: {_ends(ctx, until)}",
        f"- Your legal guarantee is with {kept.seller}, where you bought it",
        *_parts(ctx, kept.item),
    ]
    return {"product": kept.item.title, "until": {"warranty": str(until)}, "lines": lines}


def _registered(ctx: ToolContext, serial: str) -> list[Registration]:
    if ctx.caller.level < Level.SIGNED_IN and not serial:
        raise InvalidInputError("Which order is it about?")
    if ctx.caller.level < Level.SIGNED_IN:
        raise NotVerifiedError(
            "Which order is it about? Registered products I can look up once you are signed in.",
            level=int(Level.SIGNED_IN),
        )
    own = registrations_of(ctx.session, ctx.caller.customer_id or 0)
    wanted = [one for one in own if not serial or one.serial == plain_serial(serial)]
    if not wanted:
        raise InvalidInputError(
            "Which order is it about? Or tell me the serial number of a product you registered."
        )
    return wanted


def _parts(ctx: ToolContext, item: Item) -> list[str]:
    """Return the spare parts that are named for a product."""
    title = item.title.partition(",")[0]
    named = {word for word in tokens(title) if word[0].isalpha()}
    spares = select(Item).where(
        Item.category == "spares", Item.sellable, Item.status == ItemStatus.ACTIVE
    )
    fits = [
        one
        for one in ctx.session.scalars(spares.order_by(Item.sku))
        if one.sku != item.sku and len(named & set(tokens(one.title))) > 1
    ]
    if not fits:
        return []
    words = [f"{one.title} ({ctx.money(one.price_minor, one.currency)})" for one in fits]
    return [f"- Spare parts: {format_items(words)}"]


def _day(ctx: ToolContext, words: str) -> date:
    try:
        day = date.fromisoformat(words.strip())
    except ValueError:
        day = ctx.local_day(read_period(words, now=ctx.now, zone=ctx.settings.time_zone).start)
    if day > ctx.today:
        raise InvalidInputError("The day of the purchase is in the future.")
    return day
