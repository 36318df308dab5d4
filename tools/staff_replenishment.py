"""What to order now, of goods and materials: for staff."""

from opsbot.metrics import supply
from opsbot.metrics.replenishment import Line, replenishment_lines
from opsbot.toolkit.arguments import Span
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.named_suppliers import SupplierName
from opsbot.toolkit.results import Column, Result
from opsbot.toolkit.tables import Cell, count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("ops", "planner", "lead", "manager")
_LINES = (
    Column("item", "Item"),
    Column("sku", "SKU"),
    Column("available", "Free", numeric=True),
    Column("incoming", "Coming", numeric=True),
    Column("quantity", "To order", numeric=True),
    Column("value", "Value"),
    Column("supplier", "Supplier"),
    Column("order_by", "Order by"),
    Column("why", "Why"),
)
_BASIS = (
    "Position = free + coming; at or below the reorder point it is filled up to the level of its "
    "stock policy, in whole packs and not less than the supplier's minimum. Deliveries that are "
    "not confirmed count as coming."
)


@tool(
    examples=[
        "What should we order from Nordlicht Components this week?",
        "replenishment proposal for all suppliers",
        "which items are below their reorder point",
        "what do we have to buy from Kiln & Co",
        "purchase suggestions with quantities and reasons",
        "replenishment for the next 60 days",
        "which materials must be reordered and why",
        "order proposals for Lumenparts BV",
        "what to replenish, by supplier",
    ],
    label="Working out what to order",
    audience=Audience.STAFF,
    roles=_ROLES,
)
def replenishment(ctx: ToolContext, supplier: SupplierName = "", days: Span = 60) -> Result:
    """List what to order now, of goods and materials: quantity, supplier, order-by date and why.

    Args:
        ctx: who asks.
        supplier: only what this one sells.
        days: what runs out within so many days is listed too, if it must be ordered.
    """
    source = supply.find_supplier(ctx.session, supplier) if supplier else None
    lines = replenishment_lines(
        ctx.session, now=ctx.now, zone=ctx.settings.time_zone, days=days, supplier=source
    )
    at = f" from {source.name}" if source else ""
    if not lines:
        say = f"**0 items are to be ordered{at}.**"
        return Result(say, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    rows = [_line_row(ctx, one) for one in lines]
    caption = f"What to order{at}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _LINES, rows)
    worth = sum(one.value_minor for one in lines)
    late = [one for one in lines if one.order_by and one.order_by < ctx.today]
    made = sum(one.priced is None for one in lines)
    words = [f"**{count(len(lines), 'item')} are to be ordered{at}.**", ""]
    words.append(f"- Worth {ctx.money(worth, 'EUR')}, {made} of them made here")
    if late:
        words.append(f"- {len(late)} should have been ordered by now, first {late[0].item.title}")
    facts = {
        "count": len(lines),
        "late": len(late),
        "value": ctx.money(worth, "EUR"),
        "caveats": [_BASIS],
        "as_of": ctx.moment(ctx.now),
    }
    return Result("\n".join(words), facts=facts | table_facts(table), table=table)


def _line_row(ctx: ToolContext, one: Line) -> tuple[Cell, ...]:
    day = ctx.day(one.order_by) if one.order_by else ""
    return (
        one.item.title,
        one.item.sku,
        one.available,
        one.incoming,
        one.quantity,
        ctx.money(one.value_minor, one.item.currency),
        one.priced.source.supplier.name if one.priced else "own workshop",
        f"{day} (past)" if one.order_by and one.order_by < ctx.today else day,
        one.why,
    )
