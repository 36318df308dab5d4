"""What things are made of, and what goes into what: for staff."""

from decimal import Decimal

from opsbot.commerce.boms import read_boms, read_routings, work_costs
from opsbot.commerce.products import Item
from opsbot.errors import InvalidInputError
from opsbot.metrics.workshop import free_stock, read_workshop, titles_of
from opsbot.planning.boms import Need, explode, rolled_cost
from opsbot.planning.boms import where_used as uses_of
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import OneItem, Units, find_one_item
from opsbot.toolkit.results import Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("ops", "planner", "quality", "lead", "manager")
_NEED_COLUMNS = (
    Column("level", "Level", numeric=True),
    Column("item", "Part"),
    Column("sku", "SKU"),
    Column("needed", "Needed", numeric=True),
    Column("unit", "Unit"),
    Column("stock", "From stock", numeric=True),
    Column("missing", "Missing", numeric=True),
    Column("how", "How we get it"),
)
_USE_COLUMNS = (
    Column("item", "Goes into"),
    Column("sku", "SKU"),
    Column("quantity", "For one", numeric=True),
    Column("unit", "Unit"),
    Column("level", "Level", numeric=True),
)
_COST = (
    "Cost: parts at cost through all levels and the work on one, without set-up; scrap included."
)


@tool(
    examples=[
        "What is the walnut desk lamp made of?",
        "explode the bill of materials of the moss mug for 200",
        "BOM of the dotted A5 notebook",
        "which parts do we need for 50 oak coaster sets",
        "materials for 30 dinner plates in ink",
        "show the parts list of the breakfast bowl",
        "what goes into one dinner plate and what does it cost us",
        "what is the small pendant lamp made from",
        "are there enough parts for 40 Arc floor lamps, brass?",
        "list of components of the Drift pendant lamp",
    ],
    label="Going through the bill of materials",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def explode_bom(ctx: ToolContext, item: OneItem, quantity: Units = 1) -> Result:
    """Show what a number of an item is made from, level by level, with shortages and cost.

    Args:
        ctx: who asks.
        item: the product.
        quantity: how many are to be made.
    """
    product = find_one_item(ctx.session, item)
    boms = read_boms(ctx.session)
    if product.sku not in boms:
        raise _not_made(product)
    needs = explode(boms, product.sku, Decimal(quantity), stock=free_stock(ctx.session))[1:]
    items = titles_of(ctx.session, [need.sku for need in needs])
    cost = _cost_of_one(ctx, product, items)
    rows = [_need_row(need, items[need.sku]) for need in needs]
    caption = f"Parts of {quantity} x {product.title}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _NEED_COLUMNS, rows)
    short = [need for need in needs if need.missing > 0 and not need.made]
    words = ctx.money(cost, product.currency)
    lines = [
        f"**{quantity} x {product.title}: {count(len(needs), 'part')}, {len(short)} missing.**",
        "",
        f"- One costs {words} to make; booked at {ctx.money(product.cost_minor, product.currency)}",
    ]
    if short:
        named = ", ".join(f"{need.missing:f} {_unit(items[need.sku])}" for need in short[:4])
        lines.append(f"- To be bought first: {named}")
    facts = {
        "item": product.title,
        "quantity": quantity,
        "missing": len(short),
        "cost_of_one": words,
        "caveats": [_COST],
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "Where is the oak blank used?",
        "what uses the LED driver board",
        "what do we need the stoneware clay for",
        "where-used list for the textile cable",
        "in which lamps is the coated lamp stem built in",
        "where do walnut blanks go",
        "everything that contains binding glue",
        "if there is no paper, what can we not make?",
        "what stands still without brass rod",
    ],
    label="Looking where it is used",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def where_used(ctx: ToolContext, item: OneItem) -> Result:
    """List the products that a material or part goes into, directly or through other parts.

    Args:
        ctx: who asks.
        item: the material or part.
    """
    part = find_one_item(ctx.session, item)
    uses = uses_of(read_boms(ctx.session), part.sku)
    if not uses:
        say = f"**{part.title} goes into 0 products.**"
        return Result(say, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    items = titles_of(ctx.session, [use.sku for use in uses])
    rows = [
        (
            items[one.sku].title,
            one.sku,
            round(float(one.quantity), 4),
            part.stock_unit.value,
            one.level,
        )
        for one in uses
    ]
    caption = f"What {part.title} goes into, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _USE_COLUMNS, rows)
    sold = sum(items[use.sku].sellable for use in uses)
    free = free_stock(ctx.session).get(part.sku, Decimal(0))
    lines = [
        f"**{part.title} goes into {count(len(uses), 'item')}, {sold} of them for sale.**",
        "",
        f"- {_amount(free, part)} are free now",
    ]
    facts = {"count": len(uses), "item": part.title, "as_of": ctx.moment(ctx.now)}
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


def _cost_of_one(ctx: ToolContext, product: Item, items: dict[str, Item]) -> int:
    boms = read_boms(ctx.session)
    centers = read_workshop(ctx.session, now=ctx.now, zone=ctx.settings.time_zone).centers
    bought = {
        sku: Decimal(item.cost_minor) / item.cost_per
        for sku, item in items.items()
        if sku not in boms
    }
    work = work_costs(read_routings(ctx.session), centers)
    return round(rolled_cost(boms, product.sku, bought=bought, work=work))


def _need_row(need: Need, item: Item) -> tuple[int | str | float, ...]:
    return (
        need.level,
        item.title,
        need.sku,
        float(need.gross),
        item.stock_unit.value,
        float(need.from_stock),
        float(need.missing),
        "made here" if need.made else "bought",
    )


def _unit(item: Item) -> str:
    return item.title if item.stock_unit == "each" else f"{item.stock_unit} of {item.title}"


def _not_made(product: Item) -> InvalidInputError:
    return InvalidInputError(f"{product.title} has no bill of materials: it is not made here.")


def _amount(units: Decimal, item: Item) -> str:
    return f"{units:,.0f}" if item.stock_unit == "each" else f"{units:,.0f} {item.stock_unit}"
