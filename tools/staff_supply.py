"""What is on order at suppliers, and how well they deliver: for staff."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from opsbot.commerce.purchasing import PurchaseOrderState, Supplier
from opsbot.formats import format_items
from opsbot.metrics import supply
from opsbot.metrics.blocked import Blocked, blocked_by
from opsbot.metrics.supply import OpenOrder, SupplierFigures
from opsbot.planning.period_words import read_period
from opsbot.toolkit.arguments import Period, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.named_suppliers import SupplierName
from opsbot.toolkit.results import Chart, Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

MOST_ITEMS = 3
"""Items of an order that its row names."""
MOST_BLOCKED = 6
"""Work orders and orders that its row names."""
Which = Annotated[
    Literal["open", "late"],
    argument(
        "choice",
        "All open ones, or only the late ones?",
        description="Which purchase orders.",
        labels={
            "open": ("open", "outstanding", "on order"),
            "late": ("late", "overdue", "delayed", "past their date"),
        },
    ),
]
_ORDER_COLUMNS = (
    Column("number", "Order"),
    Column("supplier", "Supplier"),
    Column("promised", "Promised"),
    Column("late", "Days late", numeric=True),
    Column("units", "Open units", numeric=True),
    Column("value", "Open value"),
    Column("items", "Items"),
    Column("state", "State"),
    Column("blocks", "Holds up"),
)
_CARD_COLUMNS = (
    Column("supplier", "Supplier"),
    Column("score", "Score", numeric=True),
    Column("due", "Lines due", numeric=True),
    Column("on_time", "On time (%)", numeric=True),
    Column("lead", "Lead days", numeric=True),
    Column("spread", "Spread (days)", numeric=True),
    Column("quoted", "Quoted days", numeric=True),
    Column("ppm", "Rejects (ppm)", numeric=True),
    Column("price", "Price change (%)", numeric=True),
)
_SCORE = (
    "The score of 100 weighs punctuality by 50, rejects by 35 (none left at 20,000 ppm) and "
    "prices by 15 (none left at a rise of 10 %). Lines open past their day count as late."
)


@tool(
    examples=[
        "Which purchase orders are late?",
        "What is outstanding at our suppliers?",
        "open purchase orders",
        "which POs are overdue and what do they block",
        "show the purchase orders that have not arrived",
        "what have we ordered from Papier Havel",
        "which suppliers still owe us goods",
        "Are any of our orders at Osaka Kettle Works outstanding?",
        "which supplier deliveries are we still waiting for",
        "list of POs with their promised dates",
        "when will what we ordered come in",
    ],
    label="Looking at purchase orders",
    audience=Audience.STAFF,
)
def purchase_orders(ctx: ToolContext, supplier: SupplierName = "", which: Which = "open") -> Result:
    """List what is ordered at suppliers and has not come, what is late, and what that holds up.

    Args:
        ctx: who asks.
        supplier: only this one's.
        which: all that are open, or only the late ones.
    """
    source = _supplier(ctx, supplier)
    found = supply.open_purchase_orders(
        ctx.session, now=ctx.now, zone=ctx.settings.time_zone, supplier=source
    )
    if which == "late":
        found = [one for one in found if one.days_late]
    at = f" at {source.name}" if source else ""
    facts = {
        "count": len(found),
        "late": sum(one.days_late > 0 for one in found),
        "as_of": ctx.moment(ctx.now),
    }
    if not found:
        return Result(f"**No purchase order is {which}{at}.**", facts=facts | {"rows": []})
    caption = f"{which.capitalize()} purchase orders{at}, as of {ctx.moment(ctx.now)}"
    ordered = sorted(found, key=lambda one: (-one.days_late, one.promised_on))
    held_up = blocked_by(
        ctx.session, {x.sku for one in ordered if one.days_late for x in one.items}
    )
    rows = [_order_row(ctx, one, _held_up(one, held_up)) for one in ordered]
    table = make_table(caption, _ORDER_COLUMNS, rows)
    say = _order_words(ctx, ordered, which, at, _held_up(ordered[0], held_up))
    return Result(say, facts=facts | table_facts(table), table=table)


@tool(
    examples=[
        "Which of our suppliers got worse lately?",
        "supplier scorecard",
        "How punctual are our suppliers?",
        "How reliable is Osaka Kettle Works?",
        "which supplier has the best score this year",
        "compare our suppliers by lead time and quality",
        "supplier performance in the last 6 months",
        "rate the vendors",
        "does Tecelagem Ribeira deliver on time?",
        "do our suppliers deliver as fast as they quoted",
    ],
    label="Rating the suppliers",
    audience=Audience.STAFF,
)
def supplier_scorecard(
    ctx: ToolContext, supplier: SupplierName = "", period: Period = "last 12 months"
) -> Result:
    """Rate suppliers: on time, lead time, rejected units, price changes.

    Args:
        ctx: who asks.
        supplier: only this one.
        period: in which the orders were placed.
    """
    source = _supplier(ctx, supplier)
    span = read_period(period, now=ctx.now, zone=ctx.settings.time_zone)
    found = supply.supplier_figures(ctx.session, span, now=ctx.now, supplier=source)
    phrase = span.phrase(locale=ctx.caller.locale)
    if not found:
        whom = source.name if source else "any supplier"
        nothing = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        return Result(f"**Nothing was ordered from {whom} {phrase}.**", facts=nothing)
    words = span.words(locale=ctx.caller.locale)
    caption = f"Suppliers, orders placed {words}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _CARD_COLUMNS, [_card_row(one) for one in found])
    chart = Chart(
        kind="bar",
        title="Score by supplier",
        summary=f"{found[0].supplier.name} scores best of {count(len(found), 'supplier')}.",
        x="supplier",
        y=("score",),
        unit="points",
    )
    facts = {
        "count": len(found),
        "period": words,
        "definition": _SCORE,
        "as_of": ctx.moment(ctx.now),
        **table_facts(table),
    }
    drawn = chart if len(found) > 1 else None
    return Result(_card_words(found, phrase), facts=facts, table=table, chart=drawn)


def _supplier(ctx: ToolContext, words: str) -> Supplier | None:
    return supply.find_supplier(ctx.session, words) if words else None


def _held_up(one: OpenOrder, blocked: Mapping[str, Blocked]) -> list[str]:
    """Return the numbers of what a late order holds up: work first, then orders of customers."""
    found = [blocked[item.sku] for item in one.items if item.sku in blocked and one.days_late]
    work = [number for each in found for number in each.work_orders]
    orders = [number for each in found for number in each.orders]
    return list(dict.fromkeys([*work, *orders]))


def _order_row(ctx: ToolContext, one: OpenOrder, held_up: Sequence[str]) -> tuple[Cell, ...]:
    titles = [item.title for item in one.items]
    more = len(titles) - MOST_ITEMS
    named = [*titles[:MOST_ITEMS], f"{more} more"] if more > 0 else titles
    return (
        one.number,
        one.supplier,
        ctx.day(one.promised_on),
        one.days_late,
        one.open_units,
        ctx.money(one.value_minor, one.currency),
        format_items(named),
        "sent, not confirmed"
        if one.state is PurchaseOrderState.SENT
        else one.state.replace("_", " "),
        _some(held_up),
    )


def _some(numbers: Sequence[str]) -> str:
    more = len(numbers) - MOST_BLOCKED
    return ", ".join(numbers[:MOST_BLOCKED]) + (f" and {more} more" if more > 0 else "")


def _order_words(
    ctx: ToolContext, found: Sequence[OpenOrder], which: str, at: str, held_up: Sequence[str]
) -> str:
    late = [one for one in found if one.days_late]
    verb = "is" if len(found) == 1 else "are"
    stands = f"late{at}" if which == "late" else f"open{at}, {len(late)} late"
    lines = [f"**{count(len(found), 'purchase order')} {verb} {stands}.**", ""]
    if late:
        worst = late[0]
        lines.append(
            f"- The longest overdue is {worst.number} of {worst.supplier}: "
            f"{count(worst.days_late, 'day')}, {count(worst.open_units, 'unit')} of "
            f"{_row_items(worst)}"
        )
        if held_up:
            lines.append(f"- {worst.number} holds up {_some(held_up)}")
    coming = [one for one in found if not one.days_late]
    if coming:
        first = coming[0]
        lines.append(f"- Next to come: {first.number}, promised for {ctx.day(first.promised_on)}")
    if unconfirmed := sum(one.state is PurchaseOrderState.SENT for one in found):
        lines.append(f"- {unconfirmed} not confirmed by the supplier yet")
    return "\n".join(lines)


def _row_items(one: OpenOrder) -> str:
    return format_items([item.title for item in one.items[:MOST_ITEMS]])


def _card_row(one: SupplierFigures) -> tuple[Cell, ...]:
    card, lead = one.card, one.card.lead_times
    return (
        one.supplier.name,
        _rounded(one.score),
        card.due,
        _percent(card.on_time),
        round(lead.mean, 1) if lead else None,
        round(lead.deviation, 1) if lead else None,
        one.supplier.lead_days,
        _rounded(card.ppm),
        _percent(card.price_change),
    )


def _card_words(found: Sequence[SupplierFigures], phrase: str) -> str:
    lines = [f"**{count(len(found), 'supplier')} got orders {phrase}.**", ""]
    ends = found if len(found) == 1 else (found[0], found[-1])
    lines += [f"- {one.supplier.name}: {_one_card(one)}" for one in ends]
    return "\n".join([*lines, f"- {_SCORE}"])


def _one_card(one: SupplierFigures) -> str:
    card = one.card
    if one.score is None:
        return "nothing was due yet"
    parts = [f"score {one.score:.0f}"]
    if card.on_time is not None:
        parts.append(f"{card.on_time:.0%} of {count(card.due, 'line')} on time")
    if card.lead_times:
        parts.append(f"{card.lead_times.mean:.0f} days to deliver, {one.supplier.lead_days} quoted")
    if card.ppm is not None:
        parts.append(f"{card.ppm:,.0f} ppm rejected")
    return ", ".join(parts)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
