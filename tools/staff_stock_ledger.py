"""Why stock is what it is, and whether it works for its money: for staff."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select

from opsbot.commerce.inventory import Location, MoveReason, StockMove
from opsbot.commerce.lots import Lot
from opsbot.metrics.stock_worth import Health, ItemStock
from opsbot.metrics.stock_worth import inventory_health as health_of
from opsbot.planning.inventory_health import COVER_WEEKS, DEAD_DAYS
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Period
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import OneItem, find_one_item
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_MOST_MOVES = 500
_MOVE_COLUMNS = (
    Column("on", "When"),
    Column("change", "Change", numeric=True),
    Column("balance", "Then on hand", numeric=True),
    Column("reason", "Why"),
    Column("reference", "Document"),
    Column("place", "Place"),
    Column("lot", "Lot"),
    Column("who", "Who"),
)
_HEALTH_COLUMNS = (
    Column("item", "Item"),
    Column("sku", "SKU"),
    Column("on_hand", "On hand", numeric=True),
    Column("value", "Value", numeric=True),
    Column("classes", "Class"),
    Column("excess", "Too many", numeric=True),
    Column("excess_value", "Worth", numeric=True),
    Column("last_out", "Last out"),
    Column("note", "Note"),
)
_HEALTH = (
    "Value at cost. Class: A, B, C by value used in 26 weeks (80 and 95 %), X, Y, Z by variation "
    f"of weekly use (0.5 and 1.0). Too many: above {COVER_WEEKS} weeks of use. Dead: nothing out "
    f"for {DEAD_DAYS} days. Days of inventory: mean stock of the year / cost of what was sold."
)


@tool(
    examples=[
        "Why is the stock of the moss mug what it is?",
        "stock ledger of the oak coasters last month",
        "show all moves of the copper kettle this month",
        "stock movements of the LED driver board",
        "who booked stock of the travel mug in the last 30 days",
        "history of the stock of the dotted A5 notebook",
        "what went in and out of the canvas tote bag, natural",
        "how did the stock of the brass floor lamp change this quarter",
        "list the transactions of the stoneware clay",
    ],
    label="Reading the stock ledger",
    audience=Audience.STAFF,
    roles=("agent", "ops", "planner", "quality", "lead", "manager"),
)
def stock_ledger(ctx: ToolContext, item: OneItem, period: Period = "last 90 days") -> Result:
    """List the moves of one item with their reasons, documents and lots, newest first.

    Args:
        ctx: who asks.
        item: of what.
        period: when they happened.
    """
    found = find_one_item(ctx.session, item)
    span = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    moves = ctx.session.execute(
        select(StockMove, Location.name, Lot.number)
        .join(Location, Location.id == StockMove.location_id)
        .outerjoin(Lot, Lot.id == StockMove.lot_id)
        .where(StockMove.sku == found.sku)
        .where(StockMove.at >= span.start, StockMove.at < span.end)
        .order_by(StockMove.at.desc(), StockMove.id.desc())
        .limit(_MOST_MOVES)
    ).all()
    before = select(func.coalesce(func.sum(StockMove.quantity), 0)).where(
        StockMove.sku == found.sku, StockMove.at < span.end
    )
    balance = int(ctx.session.scalar(before) or 0)
    rows: list[tuple[Cell, ...]] = []
    sums: Counter[MoveReason] = Counter()
    for move, place, lot in moves:
        rows.append(_move_row(ctx, move, place, lot or "", balance))
        balance -= move.quantity
        sums[move.reason] += move.quantity
    phrase, words = span.phrase(locale=ctx.caller.locale), span.words(locale=ctx.caller.locale)
    caption = f"Stock moves of {found.title}, {words}, newest first"
    table = make_table(caption, _MOVE_COLUMNS, rows)
    change = sum(sums.values())
    lines = [f"**{count(len(rows), 'move')} of {found.title} {phrase}: {change:+d} in sum.**", ""]
    lines += [
        f"- {reason.value.replace('_', ' ')}: {units:+d}"
        for reason, units in sorted(sums.items(), key=lambda pair: -abs(pair[1]))[:3]
        if units
    ]
    facts = {
        "item": found.title,
        "moves": len(rows),
        "change": change,
        "by_reason": {reason.value: units for reason, units in sums.items()},
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(lines), facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "in which goods is our money tied up",
        "health of our stock",
        "how much is our stock worth",
        "stock that nobody has bought for months",
        "dead stock and excess stock by item",
        "days of inventory and stock turns",
        "ABC XYZ analysis",
        "which items do we have far too many of",
        "slow movers by value",
        "which goods have been lying untouched for 200 days",
        "items without any movement for months",
        "how much capital is tied up in the warehouse",
    ],
    label="Looking at the health of the stock",
    audience=Audience.STAFF,
    roles=("ops", "planner", "lead", "manager"),
)
def inventory_health(ctx: ToolContext) -> Result:
    """Show what stock is worth, how often it turns, its classes, and what is too much or dead."""
    found = health_of(ctx.session, now=ctx.now, zone=ctx.settings.time_zone)
    held = [one for one in found.items if one.on_hand]
    if not held:
        nothing = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        return Result("**0 items are in stock.**", facts=nothing)
    rows = [_health_row(ctx, one) for one in held]
    table = make_table(f"Stock by value, as of {ctx.moment(ctx.now)}", _HEALTH_COLUMNS, rows)
    currency = held[0].item.currency
    chart = Chart(
        kind="bar",
        title="Value of stock by item",
        summary=f"{held[0].item.title} is worth most of {count(len(held), 'item')}.",
        x="item",
        y=("value", "excess_value"),
        unit=currency,
    )
    facts = {
        "value": ctx.money(round(found.value), currency),
        "days_of_inventory": None if found.days is None else round(found.days, 1),
        "turns": None if found.turns is None else round(found.turns, 1),
        "excess": ctx.money(round(found.excess_value), currency),
        "dead": ctx.money(round(found.dead_value), currency),
        "classes": {
            f"{cell.value.value}{cell.steadiness.value}": [
                cell.items,
                round(cell.stock_value / 100),
            ]
            for cell in found.grid
        },
        "definition": _HEALTH,
        "as_of": ctx.moment(ctx.now),
    }
    say = _health_words(ctx, found, held, currency)
    return Result(say, facts=facts | table_facts(table), table=table, chart=chart)


def _move_row(
    ctx: ToolContext, move: StockMove, place: str, lot: str, balance: int
) -> tuple[Cell, ...]:
    return (
        ctx.moment(move.at),
        move.quantity,
        balance,
        move.reason.replace("_", " "),
        move.reference,
        place,
        lot,
        move.actor,
    )


def _health_row(ctx: ToolContext, one: ItemStock) -> tuple[Cell, ...]:
    return (
        one.item.title,
        one.item.sku,
        one.on_hand,
        round(one.value / 100, 2),
        f"{one.value_class.value}{one.steadiness.value}",
        one.excess,
        round(one.excess_value / 100, 2),
        ctx.day(one.last_out) if one.last_out else "never",
        "dead" if one.dead else "",
    )


def _health_words(ctx: ToolContext, found: Health, held: Sequence[ItemStock], currency: str) -> str:
    def money(value: float) -> str:
        return ctx.money(round(value), currency)

    lines = [f"**{money(found.value)} lie in {count(len(held), 'item')}.**", ""]
    if found.days is not None and found.turns is not None:
        lines.append(f"- {found.days:.0f} days of inventory, {found.turns:.1f} turns a year")
    worst = max(held, key=lambda one: one.excess_value)
    lines.append(
        f"- {money(found.excess_value)} are more than {COVER_WEEKS} weeks of use, most of it "
        f"{worst.item.title} ({money(worst.excess_value)})"
    )
    dead = sum(one.dead for one in held)
    lines.append(
        f"- {money(found.dead_value)} in {count(dead, 'item')} moved not out for half a year"
    )
    return "\n".join(lines)
