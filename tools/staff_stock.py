"""What is in stock and what runs out: for staff."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from opsbot.commerce.inventory import StockLevel
from opsbot.formats import format_items
from opsbot.metrics import run_outs, stock
from opsbot.metrics.run_outs import DEMAND_DAYS, RunOut
from opsbot.metrics.stock import Incoming
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.named_items import NamedItems, find_items
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

HORIZON_DAYS = 21
MOST_NAMED = 4
"""Items that a sentence names; the table has them all."""
_STOCK_COLUMNS = (
    Column("item", "Item"),
    Column("sku", "SKU"),
    Column("place", "Place"),
    Column("on_hand", "On hand", numeric=True),
    Column("reserved", "Reserved", numeric=True),
    Column("available", "Available", numeric=True),
    Column("incoming", "Incoming", numeric=True),
    Column("note", "Note"),
)
_RUN_OUT_COLUMNS = (
    Column("item", "Item"),
    Column("sku", "SKU"),
    Column("available", "Available", numeric=True),
    Column("demand", "Sold a week", numeric=True),
    Column("cover", "Days of cover", numeric=True),
    Column("runs_out", "Runs out"),
    Column("order_by", "Order by"),
    Column("incoming", "Incoming", numeric=True),
    Column("quantity", "Suggested order", numeric=True),
)
_DEMAND = (
    f"Demand is the mean of the last {DEMAND_DAYS} days, without days of empty shelves; overdue "
    "and unconfirmed deliveries do not put a run-out off."
)

CategoryWords = Annotated[
    str,
    argument(
        "category",
        "Which category?",
        description="A category of items, such as lamps; empty: all.",
        max_length=120,
    ),
]


@tool(
    examples=[
        "How many Kiln mugs do we have?",
        "Stock of LL-LMP-01-OAK",
        "what is on hand of the Halo desk lamp",
        "Where do we keep the tote bags and how many?",
        "stock level of the travel mug by location",
        "is anything of the copper kettle on order?",
        "how much of the moss mug is reserved?",
        "inventory of all lamps",
        "When does more of the hand grinder come in?",
        "available units of the A5 notebook",
        "do we still have some black floor lamps",
        "stock level of the copper kettle in the store",
    ],
    label="Counting the stock",
    audience=Audience.STAFF,
)
def stock_of(ctx: ToolContext, item: NamedItems) -> Result:
    """Show the stock of an item, a product with its variants, or a category.

    On hand, reserved and available by location, and what is on its way.
    """
    named = find_items(ctx.session, item)
    label, skus = named.label, named.skus
    levels = stock.stock_levels(ctx.session, skus)
    incoming = stock.incoming_stock(ctx.session, skus, zone=ctx.settings.time_zone)
    rows: list[Sequence[Cell]] = [_level_row(one) for one in levels if _is_shown(one)]
    titles = {level.sku: level.item.title for level in levels}
    rows += [_incoming_row(ctx, one, titles.get(one.sku, one.sku)) for one in incoming]
    table = make_table(f"Stock of {label}, as of {ctx.moment(ctx.now)}", _STOCK_COLUMNS, rows)
    for_sale = [level for level in levels if level.location.sellable]
    sums = {
        "available": sum(level.available for level in for_sale),
        "on_hand": sum(level.on_hand for level in for_sale),
        "reserved": sum(level.reserved for level in for_sale),
        "not_for_sale": sum(one.on_hand for one in levels if not one.location.sellable),
        "incoming": sum(one.quantity for one in incoming),
    }
    aside = f"; {sums['not_for_sale']} more are not for sale" if sums["not_for_sale"] else ""
    lines = [
        f"**{sums['available']} of {label} can be sold now.**",
        "",
        f"- {sums['on_hand']} on hand, {sums['reserved']} reserved for orders{aside}",
        f"- {_coming_words(ctx, incoming)}",
    ]
    if empty := _sold_out(levels):
        lines.append(f"- Sold out: {_some(empty)}")
    facts = {"item": label, **sums, "as_of": ctx.moment(ctx.now), **table_facts(table)}
    return Result("\n".join(lines), facts=facts, table=table)


@tool(
    examples=[
        "What will be sold out within a month?",
        "What do we need to reorder?",
        "which items are running low",
        "What will be sold out soon?",
        "Which lamps run out this month?",
        "days of cover for our ceramics",
        "what should we order and how much",
        "Show me items that run out within 10 days",
        "when do we run out of stock",
        "reorder list with order-by dates",
        "which goods are almost used up",
        "what will be gone before Christmas",
    ],
    label="Working out what runs out",
    audience=Audience.STAFF,
)
def runs_out(ctx: ToolContext, days: Span = HORIZON_DAYS, category: CategoryWords = "") -> Result:
    """List items that run out within some days, with order-by date and suggested quantity.

    Args:
        ctx: who asks.
        days: how far to look.
        category: only this category.
    """
    known = stock.find_category(ctx.session, category, among_others=True)
    zone = ctx.settings.time_zone
    found = run_outs.run_outs(ctx.session, now=ctx.now, zone=zone, days=days, category=known)
    what = f"items in {known}" if known else "items"
    unknown = ""
    if category and not known:
        unknown = "- I know no category of that name, so these are all items"
    if not found:
        say = f"**0 {what} run out within {count(days, 'day')}.**"
        nothing = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        return Result(f"{say}\n\n{unknown}".strip(), facts=nothing)
    caption = f"What runs out within {count(days, 'day')}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _RUN_OUT_COLUMNS, [_run_out_row(ctx, one) for one in found])
    chart = Chart(
        kind="bar",
        title="Days of cover",
        summary=f"{found[0].item.title} has the shortest cover of {count(len(found), 'item')}.",
        x="item",
        y=("cover",),
        unit="days",
    )
    facts = {"count": len(found), "caveats": [_DEMAND], "as_of": ctx.moment(ctx.now)}
    say = f"{_run_out_words(ctx, found, days, what)}\n{unknown}".strip()
    return Result(say, facts=facts | table_facts(table), table=table, chart=chart)


def _incoming_row(ctx: ToolContext, one: Incoming, title: str) -> tuple[Cell, ...]:
    due = f"due {ctx.day(one.due_on)}"
    if one.due_on < ctx.today:
        due = f"overdue since {ctx.day(one.due_on)}"
    elif not one.confirmed:
        due += ", not confirmed"
    return (title, one.sku, f"{one.number}, {one.source}", None, None, None, one.quantity, due)


def _coming_words(ctx: ToolContext, incoming: Sequence[Incoming]) -> str:
    if not incoming:
        return "Nothing is on its way"
    units = sum(one.quantity for one in incoming)
    overdue = sum(one.quantity for one in incoming if one.due_on < ctx.today)
    words = f"{units} on their way"
    coming = [one for one in incoming if one.due_on >= ctx.today]
    if coming:
        words += f", next {coming[0].quantity} on {ctx.day(coming[0].due_on)} ({coming[0].number})"
    return f"{words}; {overdue} of them overdue" if overdue else words


def _is_shown(level: StockLevel) -> bool:
    return level.on_hand > 0 or level.location.sellable


def _level_row(level: StockLevel) -> tuple[Cell, ...]:
    return (
        level.item.title,
        level.sku,
        level.location.name,
        level.on_hand,
        level.reserved,
        level.available,
        None,
        "" if level.location.sellable else "not for sale",
    )


def _sold_out(levels: Sequence[StockLevel]) -> list[str]:
    """Return the titles of items of which nothing can be sold."""
    free = dict.fromkeys((level.item.title for level in levels), 0)
    for level in levels:
        if level.location.sellable:
            free[level.item.title] += level.available
    return [title for title, units in free.items() if units == 0]


def _some(titles: Sequence[str]) -> str:
    more = len(titles) - MOST_NAMED
    return format_items([*titles[:MOST_NAMED], f"{more} more"] if more > 0 else titles)


def _run_out_row(ctx: ToolContext, one: RunOut) -> tuple[Cell, ...]:
    cover = one.cover
    return (
        one.item.title,
        one.item.sku,
        one.available,
        round(one.demand * 7, 1),
        round(cover.days or 0, 1),
        _day(ctx, cover.runs_out_on),
        _day(ctx, cover.order_by),
        one.incoming,
        one.quantity,
    )


def _day(ctx: ToolContext, day: date | None) -> str:
    if day is None:
        return ""
    return f"{ctx.day(day)} (past)" if day < ctx.today else ctx.day(day)


def _run_out_words(ctx: ToolContext, found: Sequence[RunOut], days: int, what: str) -> str:
    gone = [one.item.title for one in found if one.available <= 0]
    late = [one for one in found if one.quantity and _is_past(ctx, one.cover.order_by)]
    first = next((one for one in found if one.available > 0), None)
    run = what.replace("items", "item", 1) + " runs" if len(found) == 1 else f"{what} run"
    lines = [f"**{len(found)} {run} out within {count(days, 'day')}.**", ""]
    if gone:
        lines.append(f"- Already gone: {_some(gone)}")
    if first and first.cover.runs_out_on:
        lines.append(f"- Next: {first.item.title}, on {ctx.day(first.cover.runs_out_on)}")
    if late:
        lines.append(
            f"- {len(late)} should have been ordered by now: "
            f"{_some([f'{one.quantity} x {one.item.title}' for one in late])}"
        )
    return "\n".join(lines)


def _is_past(ctx: ToolContext, day: date | None) -> bool:
    return day is not None and day <= ctx.today
