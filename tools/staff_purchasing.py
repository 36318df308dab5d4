"""Buying: from what is missing to what has come. For staff."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from opsbot.commerce.effects import request_effect
from opsbot.commerce.purchase_orders import (
    RECEIVABLE,
    Priced,
    acknowledge_purchase_order,
    cancel_purchase_order,
    close_purchase_order,
    expect_state,
    find_purchase_order,
    hold_purchase_order,
    order_value,
    price_line,
    source_of,
)
from opsbot.commerce.purchase_orders import approve_purchase_order as approve
from opsbot.commerce.purchase_orders import draft_purchase_order as draft
from opsbot.commerce.purchasing import PurchaseOrder, PurchaseOrderState, Supplier
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.metrics import supply
from opsbot.metrics.replenishment import Line, replenishment_lines
from opsbot.planning.periods import midnight
from opsbot.toolkit.approvals import second_person
from opsbot.toolkit.arguments import Span, argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import PurchaseOrderNumber
from opsbot.toolkit.named_suppliers import SupplierName
from opsbot.toolkit.places import (
    find_one_item,
)
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tables import count
from opsbot.toolkit.tool import ToolContext, tool

_MOST_NAMED = 12
"""Lines that a preview names."""
_ROLES = ("planner", "lead", "manager")
Wanted = Annotated[
    int,
    argument(
        "quantity",
        "How many?",
        description="Stock units to order; 0 without an item: what is to be replenished.",
        ge=0,
        le=1_000_000,
    ),
]
SomeItem = Annotated[
    str,
    argument(
        "item",
        "Which item?",
        description="One item to order; empty: all that is to be replenished of the supplier.",
        max_length=120,
    ),
]
OrderStep = Annotated[
    Literal["acknowledge", "cancel", "hold", "resume", "close"],
    argument(
        "choice",
        "Confirmed by the supplier, cancelled, on hold, resumed, or closed?",
        description="What happened to the purchase order, or shall happen.",
        labels={
            "acknowledge": ("confirmed", "acknowledged", "confirm", "accepted by the supplier"),
            "cancel": ("cancel", "call off"),
            "hold": ("hold", "put on hold", "stop"),
            "resume": ("resume", "off hold", "continue"),
            "close": ("close", "will not come", "nothing more comes"),
        },
    ),
]


@tool(
    examples=[
        "Write a purchase order for 100 LED driver boards",
        "draft a purchase order for what we need from Nordlicht Components",
        "order 20 copper kettles at Osaka Kettle Works",
        "prepare the order of clay: 150000 grams",
        "make a PO out of the replenishment for Papiermühle Harz",
        "buy 60 canvas tote bags in natural",
        "please order 200 padded cartons",
        "turn the proposals for Lumenparts BV into a purchase order",
    ],
    label="Preparing the purchase order",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def draft_purchase_order(
    ctx: ToolContext, item: SomeItem = "", quantity: Wanted = 0, supplier: SupplierName = ""
) -> Change:
    """Write a purchase order for one item, or for all that is to be replenished of a supplier.

    Args:
        ctx: who asks.
        item: what; empty: what replenishment says.
        quantity: how many of the item.
        supplier: where; empty: the item's preferred supplier.
    """
    source = supply.find_supplier(ctx.session, supplier) if supplier else None
    if item and quantity:
        lines = [_one_line(ctx, item, quantity, source)]
    elif source is not None:
        lines = [one.priced for one in _lines(ctx, source, 60) if one.priced is not None]
    else:
        raise InvalidInputError("Please name the item and how many, or the supplier to order from.")
    if not lines:
        name = source.name if source else "anybody"
        raise ConflictError(f"Nothing needs to be ordered from {name}.")
    seller = lines[0].source.supplier
    worth = sum(line.value_minor for line in lines)
    lead = max(line.source.lead_days for line in lines)

    def apply() -> Result:
        order = draft(ctx.session, seller, lines, actor=ctx.caller.actor, now=ctx.now)
        undo = Undo("change_purchase_order", {"purchase_order": order.number, "action": "cancel"})
        words = ctx.money(worth, seller.currency)
        say = f"**{order.number}** to {seller.name} is drafted, {words}. It waits for approval."
        return Result(say, facts={"number": order.number, "value": words}, undo=undo)

    return Change(
        title=f"Draft a purchase order to {seller.name}?",
        details=[
            *(_priced_words(ctx, line) for line in lines[:_MOST_NAMED]),
            *(
                [f"and {count(len(lines) - _MOST_NAMED, 'more line')}"]
                if len(lines) > _MOST_NAMED
                else []
            ),
            (
                f"In all {ctx.money(worth, seller.currency)}; expected on "
                f"{ctx.day(ctx.today + timedelta(days=lead))}."
            ),
            "Nothing is sent before it is approved.",
        ],
        button="Draft it",
        basis={
            "lines": [[line.source.sku, line.units, line.price_minor] for line in lines],
            "supplier": seller.name,
        },
        apply=apply,
    )


@tool(
    examples=[
        "Approve purchase order PO-00127",
        "PO-00130 is fine, send it to the supplier",
        "release the purchase order 128 and send it off",
        "please approve PO-00042",
        "send out PO-00131",
        "sign off purchase order PO-00129",
        "go ahead with PO 140",
        "place the drafted order PO-00135 with the supplier",
    ],
    label="Preparing the approval",
    audience=Audience.STAFF,
    effect="irreversible",
    roles=_ROLES,
)
def approve_purchase_order(ctx: ToolContext, purchase_order: PurchaseOrderNumber) -> Change:
    """Approve a drafted purchase order and send it to the supplier.

    Args:
        ctx: who asks.
        purchase_order: its number.
    """
    order = find_purchase_order(ctx.session, purchase_order)
    expect_state(order, (PurchaseOrderState.DRAFT,))
    worth = order_value(order)
    lead = order.promised_at - order.ordered_at

    def apply() -> Result:
        approve(ctx.session, order, actor=ctx.caller.actor, now=ctx.now)
        request_effect(
            ctx.session,
            port="suppliers",
            operation="send_order",
            payload=_letter(order),
            key=f"send_order:{order.number}",
            now=ctx.now,
        )
        say = f"**{order.number}** is approved and goes to {order.supplier.name}."
        return Result(say, facts={"number": order.number, "state": "sent"})

    return Change(
        title=f"Approve {order.number} and send it to {order.supplier.name}?",
        details=[
            *(f"{line.ordered} x {line.item.title}" for line in order.lines[:_MOST_NAMED]),
            f"In all {ctx.money(worth, order.currency)}; expected on {ctx.day(ctx.now + lead)}.",
            "What is sent can only be called off with the supplier.",
        ],
        button="Approve and send",
        basis={"version": order.version, "value_minor": worth},
        apply=apply,
        approval=second_person(
            ctx, "approve_purchase_order", amount_minor=worth, currency=order.currency
        ),
    )


@tool(
    examples=[
        "PO-00124 is confirmed by the supplier, in 10 days",
        "put purchase order PO-00126 on hold",
        "cancel PO-00128",
        "the supplier acknowledged PO 125",
        "close PO-00110, the rest will not come",
        "take PO-00126 off hold again",
        "call off the purchase order 127",
        "nothing more comes of PO-00109",
    ],
    label="Preparing the change",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def change_purchase_order(
    ctx: ToolContext,
    purchase_order: PurchaseOrderNumber,
    action: OrderStep,
    days: Span | None = None,
) -> Change:
    """Note that a supplier confirmed an order, or hold, resume, cancel or close it.

    Args:
        ctx: who asks.
        purchase_order: its number.
        action: what happened or shall happen.
        days: confirmed for in so many days.
    """
    order = find_purchase_order(ctx.session, purchase_order)
    promised: datetime | None = None
    if action == "acknowledge" and days:
        promised = midnight(ctx.today + timedelta(days=days), ctx.settings.time_zone)
    told = order.state in {*RECEIVABLE} and action == "cancel"

    def apply() -> Result:
        _change(ctx, order, action, promised)
        say = f"**{order.number}** is {order.state.replace('_', ' ')} now."
        return Result(say, facts={"number": order.number, "state": order.state.value})

    details = [f"Supplier: {order.supplier.name}; so far {order.state.replace('_', ' ')}."]
    if action == "acknowledge":
        details.append(f"Promised for {ctx.day(promised or order.promised_at)}.")
    if told:
        details.append("The supplier is told that it is called off.")
    back = {"hold": "resume", "resume": "hold"}.get(action)
    number = {"purchase_order": order.number}
    return Change(
        title=f"{action.capitalize()} {order.number}?",
        details=details,
        button=f"{action.capitalize()} it",
        basis={"version": order.version},
        apply=apply,
        undo=Undo("change_purchase_order", {**number, "action": back}) if back else None,
    )


def _change(ctx: ToolContext, order: PurchaseOrder, action: str, promised: datetime | None) -> None:
    who, now, sent = ctx.caller.actor, ctx.now, order.state in RECEIVABLE
    if action == "acknowledge":
        acknowledge_purchase_order(ctx.session, order, promised_at=promised, actor=who, now=now)
    elif action == "cancel":
        cancel_purchase_order(ctx.session, order, actor=who, now=now)
        if sent:
            request_effect(
                ctx.session,
                port="suppliers",
                operation="cancel_order",
                payload={"number": order.number, "supplier": order.supplier.name},
                key=f"cancel_order:{order.number}",
                now=now,
            )
    elif action == "close":
        close_purchase_order(ctx.session, order, actor=who, now=now)
    else:
        held = action == "hold"
        hold_purchase_order(ctx.session, order, on_hold=held, actor=who, now=now)


def _lines(ctx: ToolContext, source: Supplier | None, days: int) -> list[Line]:
    zone = ctx.settings.time_zone
    return replenishment_lines(ctx.session, now=ctx.now, zone=zone, days=days, supplier=source)


def _one_line(ctx: ToolContext, item: str, quantity: int, source: Supplier | None) -> Priced:
    found = find_one_item(ctx.session, item)
    seller = source_of(ctx.session, found.sku, source.id if source else None)
    if seller is None:
        whom = source.name if source else "No supplier"
        verb = "does not sell" if source else "sells"
        raise ConflictError(f"{whom} {verb} {found.title}.")
    return price_line(seller, quantity)


def _priced_words(ctx: ToolContext, line: Priced) -> str:
    per = f" for {line.source.price_per}" if line.source.price_per > 1 else ""
    price = ctx.money(line.price_minor, line.source.supplier.currency)
    return f"{line.units} x {line.source.sku} at {price}{per}"


def _letter(order: PurchaseOrder) -> dict[str, object]:
    """Return what the supplier is sent."""
    return {
        "number": order.number,
        "supplier": order.supplier.name,
        "email": order.supplier.email,
        "currency": order.currency,
        "lines": [
            {
                "sku": line.sku,
                "title": line.item.title,
                "quantity": line.ordered,
                "price_minor": line.unit_price_minor,
                "price_per": line.price_per,
            }
            for line in order.lines
        ],
    }
