"""What should have left or arrived, and has not: for staff."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from opsbot.formats import format_span
from opsbot.metrics import lateness
from opsbot.metrics.lateness import LateOrder, LateShipment
from opsbot.planning.periods import DAY, midnight
from opsbot.toolkit.arguments import Span
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.telling import items_in_words
from opsbot.toolkit.tool import ToolContext, tool

SILENT_DAYS = 3
_ORDER_COLUMNS = (
    Column("number", "Order"),
    Column("promised", "Ship by"),
    Column("days", "Days late", numeric=True),
    Column("reason", "Why it waits"),
    Column("items", "Items"),
    Column("channel", "Channel"),
    Column("country", "To"),
)
_PARCEL_COLUMNS = (
    Column("parcel", "Parcel"),
    Column("order", "Order"),
    Column("carrier", "Carrier"),
    Column("state", "State"),
    Column("last", "Last scan"),
    Column("silent", "Days silent", numeric=True),
    Column("promised", "Promised by"),
    Column("why", "Why it is here"),
)


@tool(
    examples=[
        "Which orders are late?",
        "Which orders missed their ship date?",
        "late orders",
        "orders behind schedule",
        "late dispatches of the day",
        "orders at risk of leaving too late",
        "what should have shipped by now and has not",
        "overdue orders and why they wait",
        "Show me the backlog past its promise",
        "which of today's orders leave too late",
        "what is stuck in the warehouse",
        "are there orders waiting too long to be packed?",
        "orders on hold past their date",
    ],
    label="Looking for late orders",
    audience=Audience.STAFF,
)
def late_orders(ctx: ToolContext) -> Result:
    """List orders past the day they were promised to leave, with age and reason."""
    late = lateness.late_orders(ctx.session, now=ctx.now)
    tomorrow = midnight(ctx.today + DAY, ctx.settings.time_zone)
    due = lateness.count_due(ctx.session, after=ctx.now, before=tomorrow)
    more = f"- {count(due, 'more order')} must leave today"
    if not late:
        nothing = {"count": 0, "due_today": due, "rows": [], "as_of": ctx.moment(ctx.now)}
        say = "**0 orders are past their ship date.**"
        return Result(f"{say}\n\n{more}" if due else say, facts=nothing)
    caption = f"Orders past their ship date, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _ORDER_COLUMNS, [_order_row(ctx, one) for one in late])
    reasons = Counter(one.reason.split(":")[0] for one in late)
    oldest = f"the oldest, {late[0].order.number}, by {format_span(late[0].late_by)}"
    are = "is" if len(late) == 1 else "are"
    lines = [f"**{count(len(late), 'order')} {are} past their ship date, {oldest}.**", ""]
    lines += [f"- {many} {reason}" for reason, many in reasons.most_common(2)]
    lines += [more] if due else []
    facts = {"count": len(late), "due_today": due, "reasons": dict(reasons), **table_facts(table)}
    return Result("\n".join(lines), facts=facts | {"as_of": ctx.moment(ctx.now)}, table=table)


@tool(
    examples=[
        "Which parcels are late?",
        "parcels that nobody has scanned for days",
        "late shipments",
        "parcels without a scan for 5 days",
        "shipments stuck with the carrier",
        "Which deliveries are past their promised date?",
        "are any parcels lost or coming back to us?",
        "carrier exceptions and failed deliveries",
        "what is delayed at UPS and DHL",
        "shipments with problems",
        "packages standing still at a carrier",
    ],
    label="Looking for late parcels",
    audience=Audience.STAFF,
)
def late_shipments(ctx: ToolContext, days: Span = SILENT_DAYS) -> Result:
    """List parcels that need a look: no scan for some days, past the promised day, or in trouble.

    Args:
        ctx: who asks.
        days: from how many days without a scan a parcel counts as silent.
    """
    late = lateness.late_shipments(ctx.session, now=ctx.now, silence=timedelta(days=days))
    if not late:
        nothing = {"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)}
        span = count(days, "day")
        return Result(
            f"**0 parcels are late, in trouble, or without a scan for {span}.**", facts=nothing
        )
    caption = f"Parcels that need a look, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, _PARCEL_COLUMNS, [_parcel_row(ctx, one) for one in late])
    facts = {"count": len(late), "as_of": ctx.moment(ctx.now), **table_facts(table)}
    return Result(_parcel_words(late), facts=facts, table=table)


def _parcel_words(late: Sequence[LateShipment]) -> str:
    reasons = Counter(
        "without a scan" if reason.startswith("no scan") else reason
        for one in late
        for reason in one.reasons
    )
    carriers = Counter(one.shipment.carrier for one in late)
    need = "needs" if len(late) == 1 else "need"
    by_carrier = ", ".join(f"{many} at {carrier}" for carrier, many in carriers.most_common(3))
    silent = max(late, key=lambda one: one.silent_for)
    number = silent.shipment.tracking_number
    lines = [
        f"**{count(len(late), 'parcel')} {need} a look: {by_carrier}.**",
        "",
        f"- {', '.join(f'{many} {reason}' for reason, many in reasons.most_common(4))}",
        f"- The longest without a scan is {number}: {format_span(silent.silent_for)}",
    ]
    return "\n".join(lines)


def _order_row(ctx: ToolContext, one: LateOrder) -> tuple[str | float, ...]:
    return (
        one.order.number,
        ctx.day(one.order.promised_ship_by),
        round(one.late_by / timedelta(days=1), 1),
        one.reason,
        items_in_words(one.order),
        one.order.channel.name,
        str(one.order.ship_to.get("country", "")),
    )


def _parcel_row(ctx: ToolContext, one: LateShipment) -> tuple[str | float, ...]:
    shipment, scan = one.shipment, one.last_scan
    last = f"{scan.message.rstrip('.')}, {ctx.moment(scan.occurred_at)}" if scan else "none yet"
    return (
        shipment.tracking_number,
        shipment.order.number,
        shipment.carrier,
        shipment.state.value.replace("_", " "),
        last,
        round(one.silent_for / timedelta(days=1), 1),
        ctx.day(shipment.promised_by),
        "; ".join(one.reasons),
    )
