"""Markets and partners: what selling somewhere needs, and what came of it."""

from typing import Annotated, Any

from rapidfuzz import fuzz, process
from sqlalchemy import func, select

from opsbot.commerce.inventory import StockLevel
from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.commerce.trade import (
    DutyMode,
    Market,
    Partner,
    PartnerKind,
    product_numbers,
    sellers,
    services_to,
)
from opsbot.errors import NotFoundError
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Period, Product, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.catalogue import find_product
from opsbot.toolkit.countries import Country, country_name
from opsbot.toolkit.results import Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_LIKE = 80
_DUTIES = {
    DutyMode.INSIDE: "no customs border",
    DutyMode.DDP: "we pay duties and tax (DDP)",
    DutyMode.DAP: "the customer pays duties and tax (DAP)",
}
PartnerName = Annotated[
    str,
    argument(
        "partner",
        "Which partner? Its name.",
        description="A retail partner, distributor or marketplace by name; empty: all.",
        max_length=120,
    ),
]


@tool(
    examples=[
        "may we sell the kettle in Switzerland, and what does that need",
        "market readiness for Japan",
        "what documents do we need to sell in Switzerland",
        "which restrictions apply to the Tide grinder in the US?",
        "are we ready to sell lamps in the UK",
        "duties and packaging rules for France",
        "Is Canada open as a market?",
        "what is missing before we can ship to Australia",
        "do we have a tax registration in Norway",
    ],
    label="Looking up the market",
    audience=Audience.STAFF,
)
def market_readiness(ctx: ToolContext, country: Country, product: Product | None = None) -> Result:
    """Tell what selling in a country needs: restrictions, documents, duties, packaging, language.

    Args:
        ctx: who asks.
        country: where.
        product: whether this one may go there.
    """
    market = ctx.session.get(Market, country)
    name = country_name(country)
    if market is None:
        words = f"**{name} is not set up as a market: 0 of its rules are on record.**"
        return Result(words, facts={"country": country, "known": False, "rows": []})
    items = list(find_product(ctx.session, product).variants) if product else []
    blocked = product_numbers(items) & set(market.restricted)
    services = services_to(ctx.session, country, items)
    checks = [
        ("Market open", market.enabled, "open" if market.enabled else "not open"),
        ("May be sent there", not blocked, _restricted(market, bool(items), bool(blocked))),
        (
            "Delivery service",
            bool(services),
            ", ".join(f"{s.name} {ctx.money(s.price_minor, s.currency)}" for s in services)
            or "none takes it",
        ),
        ("Duties", True, market.duty_note or _DUTIES[market.duty_mode]),
        (
            "Tax registration",
            market.duty_mode is not DutyMode.DDP or bool(market.tax_number),
            market.tax_number or "none",
        ),
        ("Documents", True, "; ".join(market.documents) or "none"),
        ("Packaging and labels", True, "; ".join(market.packaging) or "no rules on record"),
        ("Languages", True, ", ".join(market.languages) or "none on record"),
    ]
    missing = [label for label, done, _ in checks if not done]
    what = f"the {product} in {name}" if product else name
    state = "can be sold" if product else "is ready"
    head = f"**Yes, {what} {state}: {len(checks)} of {len(checks)} points are met.**"
    if missing:
        met = len(checks) - len(missing)
        head = f"**Not yet, {what}: {met} of {len(checks)} points are met.**"
    columns = (Column("point", "Point"), Column("met", "Met"), Column("detail", "What is needed"))
    caption = f"Selling in {name}, as of {ctx.moment(ctx.now)}"
    rows = [(label, "yes" if done else "no", detail) for label, done, detail in checks]
    table = make_table(caption, columns, rows)
    lines = [head, "", f"- Missing: {', '.join(missing)}" if missing else "- Nothing is missing"]
    lines.append(f"- Papers: {'; '.join(market.documents) or 'none'}")
    facts = {"country": country, "ready": not missing, "missing": missing, **table_facts(table)}
    return Result("\n".join(lines), facts | {"as_of": ctx.moment(ctx.now)}, table=table)


@tool(
    examples=[
        "How is our partner Lichtblick doing?",
        "partner sales this year",
        "which retail partners sell most?",
        "show the terms of our partner in Vienna",
        "consignment stock at partners",
        "returns by retail partner in the last 6 months",
        "list our distributors and their discounts",
        "Which partner shops are paused?",
        "overview of all retail partners",
    ],
    label="Gathering the partners",
    audience=Audience.STAFF,
)
def partner(ctx: ToolContext, partner: PartnerName = "", period: Period = "this year") -> Result:
    """Show retail partners, distributors and marketplaces: sales, returns, stock, terms.

    Args:
        ctx: who asks.
        partner: only this one.
        period: of sales and returns.
    """
    when = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    own = (PartnerKind.STORE, PartnerKind.POPUP)
    everyone = list(ctx.session.scalars(select(Partner).where(Partner.kind.not_in(own))))
    chosen = [_named(everyone, partner)] if partner else everyone
    figures = [(one, _sales(ctx, one, when.start, when.end)) for one in chosen]
    figures.sort(key=lambda pair: -pair[1]["revenue"])
    rows = [_partner_row(ctx, one, found) for one, found in figures]
    columns = (
        Column("name", "Partner"),
        Column("place", "Place"),
        Column("state", "State"),
        Column("terms", "Terms"),
        Column("orders", "Orders", numeric=True),
        Column("revenue", "Revenue"),
        Column("returned", "Units returned", numeric=True),
        Column("stock", "Consignment units", numeric=True),
    )
    caption = f"Partners, {when.words()}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, columns, rows)
    total = ctx.money(sum(f["revenue"] for _, f in figures), ctx.settings.currency)
    active = len([one for one in chosen if one in sellers(ctx.session)])
    head = f"**{count(len(chosen), 'partner')}, {active} active, {total} {when.phrase()}.**"
    lines = [head]
    if figures:
        best, found = figures[0]
        money = ctx.money(found["revenue"], ctx.settings.currency)
        lines += ["", f"- {best.name} in {best.city}: {money}, {best.discount_pct} % discount"]
        lines.append(f"- Payment within {best.terms_days} days; {best.state.value}")
    facts = {"count": len(chosen), **table_facts(table), "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts, table=table)


def _restricted(market: Market, named: bool, blocked: bool) -> str:  # noqa: FBT001  (two answers)
    if named:
        return "restricted" if blocked else "no restriction"
    return f"restricted: {', '.join(market.restricted)}" if market.restricted else "everything"


def _named(partners: list[Partner], words: str) -> Partner:
    names = [f"{one.name} {one.city}" for one in partners]
    best = process.extractOne(words, names, scorer=fuzz.token_set_ratio, score_cutoff=_LIKE)
    if best is None:
        raise NotFoundError("a partner called", words.strip()[:60])
    return partners[best[2]]


def _sales(ctx: ToolContext, one: Partner, start: Any, end: Any) -> dict[str, int]:
    units = 0
    if one.location_id is not None:
        held = select(func.sum(StockLevel.on_hand)).where(StockLevel.location_id == one.location_id)
        units = ctx.session.scalar(held) or 0
    if one.customer_id is None:
        return {"orders": 0, "revenue": 0, "returned": 0, "stock": units}
    of_them = (
        Order.customer_id == one.customer_id,
        Order.state != OrderState.CANCELLED,
        Order.placed_at >= start,
        Order.placed_at < end,
    )
    orders, revenue = ctx.session.execute(
        select(func.count(), func.coalesce(func.sum(Order.items_minor - Order.discount_minor), 0))
        .where(*of_them)
        .select_from(Order)
    ).one()
    returned = ctx.session.scalar(
        select(func.sum(OrderLine.returned))
        .join(Order, Order.id == OrderLine.order_id)
        .where(*of_them)
    )
    return {
        "orders": int(orders),
        "revenue": int(revenue),
        "returned": int(returned or 0),
        "stock": int(units),
    }


def _partner_row(ctx: ToolContext, one: Partner, found: dict[str, int]) -> tuple[str | int, ...]:
    return (
        one.name,
        f"{one.city}, {one.country}",
        one.state.value,
        f"{one.terms_days} days, {one.discount_pct} %",
        found["orders"],
        ctx.money(found["revenue"], ctx.settings.currency),
        found["returned"],
        found["stock"],
    )
