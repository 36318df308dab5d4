"""The work of the warehouse: what waits, packing and shipping."""

from collections import Counter
from datetime import timedelta
from typing import Annotated, Literal

from sqlalchemy import select

from opsbot.commerce.fulfilment import open_units, ready_units, ship_units
from opsbot.commerce.orders import Order, find_order
from opsbot.commerce.trade import DeliveryService, PackageType, services_to
from opsbot.errors import ConflictError, NotFoundError
from opsbot.formats import format_items
from opsbot.metrics import backlog
from opsbot.planning.packing import Box, Fit, Piece, fitting_boxes
from opsbot.toolkit.arguments import OrderNumber, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.notices import tell_customer
from opsbot.toolkit.ownership import pick_lines
from opsbot.toolkit.results import Change, Column, Result
from opsbot.toolkit.tables import count, make_table, table_facts
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "ops", "lead", "manager")
WAREHOUSE = ("ops", "lead", "manager")
_BATTERY = "LL-LMP-04"

Waits = Annotated[
    Literal["all", "on_hold", "unpaid", "out_of_stock", "ready", "packed"],
    argument(
        "choice",
        "Which orders: all, on hold, unpaid, out of stock, ready to pack, or packed?",
        description="Only orders that wait for this.",
        labels={
            "all": ("all open orders", "whole backlog"),
            "on_hold": ("on hold", "held orders", "blocked"),
            "unpaid": ("unpaid", "not paid", "waiting for payment"),
            "out_of_stock": ("out of stock", "waiting for stock", "missing stock", "backorders"),
            "ready": ("ready to pack", "ready", "can be packed"),
            "packed": ("packed", "waiting for the carrier"),
        },
    ),
]
ShipItems = Annotated[
    str,
    argument(
        "item",
        "Which of the items?",
        description="Titles of items, with commas between them; empty: everything that is open.",
        max_length=400,
    ),
]


@tool(
    examples=[
        "Show me the order queue",
        "what is in the backlog and why does it wait",
        "How many orders are waiting to be packed?",
        "open orders by age",
        "which orders are ready to pack",
        "orders waiting for payment",
        "what orders are on hold right now",
        "orders that wait for stock",
        "packing list for today",
        "How old is our backlog?",
        "open orders without a payment",
        "which open orders are blocked or not paid",
    ],
    label="Gathering the queue",
    audience=Audience.STAFF,
)
def order_queue(ctx: ToolContext, waits_for: Waits = "all") -> Result:
    """List the orders that have not left: their age against the promise, and why they wait."""
    found = backlog.open_orders(ctx.session, now=ctx.now)
    if waits_for != "all":
        found = [one for one in found if one.kind == waits_for]
    if not found:
        words = f"**0 orders wait ({waits_for.replace('_', ' ')}).**"
        return Result(words, facts={"count": 0, "rows": [], "as_of": ctx.moment(ctx.now)})
    late = [one for one in found if one.order.promised_ship_by < ctx.now]
    kinds = Counter(one.kind.replace("_", " ") for one in found)
    share = round(100 * len(late) / len(found))
    oldest = max(found, key=lambda one: ctx.now - one.order.placed_at)
    age = (ctx.now - oldest.order.placed_at) / timedelta(days=1)
    columns = (
        Column("number", "Order"),
        Column("age", "Days old", numeric=True),
        Column("ship_by", "Ship by"),
        Column("late", "Late"),
        Column("why", "Why it waits"),
        Column("channel", "Channel"),
        Column("country", "To"),
    )
    rows = [
        (
            one.order.number,
            round((ctx.now - one.order.placed_at) / timedelta(days=1), 1),
            ctx.day(one.order.promised_ship_by),
            "late" if one.order.promised_ship_by < ctx.now else "",
            one.reason,
            one.order.channel.name,
            str(one.order.ship_to.get("country", "")),
        )
        for one in found
    ]
    table = make_table(f"Open orders, as of {ctx.moment(ctx.now)}", columns, rows)
    lines = [
        f"**{count(len(found), 'order')} have not left; {len(late)} ({share} %) are late.**",
        "",
        f"- {', '.join(f'{many} {kind}' for kind, many in kinds.most_common(4))}",
        f"- The oldest is {oldest.order.number}, {age:.0f} days: {oldest.reason}",
    ]
    facts = {"count": len(found), "late": len(late), "kinds": dict(kinds), **table_facts(table)}
    return Result("\n".join(lines), facts | {"as_of": ctx.moment(ctx.now)}, table=table)


@tool(
    examples=[
        "Ship order #1042",
        "pack and ship #2010",
        "create the label for order 2033",
        "send out #1990 today",
        "ship only the mugs of #2044, the lamp follows",
        "only the notebook of #2005 leaves now",
        "make a shipment for #2071",
        "print the shipping label of #1877",
        "dispatch #2008 with the next pick-up",
    ],
    label="Preparing the shipment",
    audience=Audience.STAFF,
    roles=WAREHOUSE,
    effect="irreversible",
)
def ship_order(ctx: ToolContext, order_number: OrderNumber, items: ShipItems = "") -> Change:
    """Pack an order, or a part of it, into one parcel and buy its label; the rest leaves later."""
    order = find_order(ctx.session, order_number, customer_id=None)
    left = open_units(ctx.session, order)
    if not left:
        raise ConflictError(f"Everything of order {order.number} is packed.")
    names = [name.strip() for name in items.split(",") if name.strip()]
    chosen = {line.id for line in pick_lines(order, names)} if names else set(left)
    open_now = left if names else ready_units(ctx.session, order)
    units = {line: n for line, n in open_now.items() if line in chosen}
    service = _service(ctx, order)
    fits = fitting_boxes(_pieces(order, units), _boxes(ctx))
    package = fits[0].box.code if fits else ""
    cost = (fits[0].box.cost_minor if fits else 0) + service.price_minor
    told = [f"{n} x {line.title}" for line in order.lines if (n := units.get(line.id))]
    rest = {line: n - units.get(line, 0) for line, n in left.items()}
    later = [f"{n} x {line.title}" for line in order.lines if (n := rest.get(line.id))]

    def apply() -> Result:
        return _pack(ctx, order, units, service, package, cost, later)

    return Change(
        title=f"Ship {'a part of ' if later else ''}order {order.number}?",
        details=[
            f"In the parcel: {format_items(told)}.",
            *([f"Leaves later: {format_items(later)}."] if later else []),
            f"{service.name} with {service.carriers[0]}"
            + (f", box {package}." if package else ", no box on record fits."),
            "The label is bought at the carrier; that cannot be undone here.",
        ],
        button="Pack and buy the label",
        basis={"version": order.version, "units": _plain(units), "package": package},
        apply=apply,
    )


@tool(
    examples=[
        "Which box should #1999 go in?",
        "how do I pack order #2010",
        "packaging for order 2033",
        "what box fits #1990",
        "advise the packaging of #2044",
        "carton for #2005 please",
        "how much air is in the parcel of #2071",
        "dimensional weight of order #1877",
    ],
    label="Choosing the box",
    audience=Audience.STAFF,
)
def advise_packaging(ctx: ToolContext, order_number: OrderNumber) -> Result:
    """Advise the box for an order: room, weights, cost, and what to be careful with."""
    order = find_order(ctx.session, order_number, customer_id=None)
    units = open_units(ctx.session, order) or {x.id: x.wanted for x in order.lines if x.wanted}
    pieces = _pieces(order, units)
    fits = fitting_boxes(pieces, _boxes(ctx))
    warnings = _warnings(order, units, pieces)
    facts = {"order_number": order.number, "warnings": warnings, "as_of": ctx.moment(ctx.now)}
    if not fits:
        weight = sum(piece.weight_g for piece in pieces)
        say = f"**No box on record takes the {weight} g of order {order.number}: use two parcels.**"
        return Result("\n".join([say, "", *(f"- {w}" for w in warnings[:2])]), facts=facts)
    columns = (
        Column("box", "Box"),
        Column("void", "Empty %", numeric=True),
        Column("weight", "Weight g", numeric=True),
        Column("dimensional", "Dimensional g", numeric=True),
        Column("charged", "Charged g", numeric=True),
        Column("cost", "Cost of the box"),
    )
    rows = [_fit_row(ctx, fit) for fit in fits[:5]]
    caption = f"Boxes for order {order.number}, as of {ctx.moment(ctx.now)}"
    table = make_table(caption, columns, rows)
    best = fits[0]
    void = "" if best.void_pct is None else f", {best.void_pct:.0f} % of it empty"
    lines = [f"**Box {best.box.code} for order {order.number}{void}.**", ""]
    lines.append(f"- {best.weight_g} g real, {best.dimensional_g} g dimensional")
    lines += [f"- {warning}" for warning in warnings[:2]]
    return Result("\n".join(lines), facts | table_facts(table), table=table)


def _pack(
    ctx: ToolContext,
    order: Order,
    units: dict[int, int],
    service: DeliveryService,
    package: str,
    cost_minor: int,
    later: list[str],
) -> Result:
    parcel = ship_units(
        ctx.session,
        order,
        units,
        carrier=service.carriers[0],
        service=service.name,
        package=package,
        cost_minor=cost_minor,
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    if later:
        told = [f"{n} x {line.title}" for line in order.lines if (n := units.get(line.id))]
        tell_customer(
            ctx,
            order.customer,
            subject=f"Your order {order.number} comes in parts",
            lines=[f"Now leaves: {format_items(told)}.", f"Later: {format_items(later)}."],
            key=f"order-split:{parcel.tracking_number}",
        )
    number = parcel.tracking_number
    words = f"Parcel **{number}** of order {order.number} is packed; its label is being bought."
    return Result(words, facts={"parcel": number, "package": package})


def _plain(units: dict[int, int]) -> dict[str, int]:
    return {str(line): n for line, n in units.items()}


def _service(ctx: ToolContext, order: Order) -> DeliveryService:
    country = str(order.ship_to["country"])
    found = services_to(ctx.session, country, [line.item for line in order.lines])
    if not found:
        raise NotFoundError("a delivery service to", country)
    return found[0]


def _boxes(ctx: ToolContext) -> list[Box]:
    return [
        Box(
            one.code,
            (one.length_mm, one.width_mm, one.height_mm),
            one.tare_g,
            one.max_g,
            one.cost_minor,
            one.protective,
        )
        for one in ctx.session.scalars(select(PackageType))
    ]


def _pieces(order: Order, units: dict[int, int]) -> list[Piece]:
    pieces = []
    for line in order.lines:
        item = line.item
        sides = (item.length_mm, item.width_mm, item.height_mm)
        known = None if None in sides else (sides[0] or 0, sides[1] or 0, sides[2] or 0)
        piece = Piece(known, item.weight_g, item.fragile)
        pieces += [piece] * units.get(line.id, 0)
    return pieces


def _warnings(order: Order, units: dict[int, int], pieces: list[Piece]) -> list[str]:
    words = []
    if any(piece.fragile for piece in pieces):
        words.append("Fragile: 40 mm of filling on every side, sticker F2")
    battery = sum(n for x in order.lines if (n := units.get(x.id)) and x.sku.startswith(_BATTERY))
    if battery:
        words.append("Battery: label UN 3481, at most two in a parcel")
    if any(piece.sides_mm is None for piece in pieces):
        words.append("Not every size is on record, so check that it fits")
    return words


def _fit_row(ctx: ToolContext, fit: Fit) -> tuple[str | int | float | None, ...]:
    return (
        fit.box.code,
        None if fit.void_pct is None else round(fit.void_pct),
        fit.weight_g,
        fit.dimensional_g,
        fit.charged_g,
        ctx.money(fit.box.cost_minor, ctx.settings.currency),
    )
