"""Taking in what suppliers bring: good units to stock, rejected ones aside. For staff."""

from collections.abc import Sequence
from typing import Annotated

from opsbot.commerce.inventory import LocationKind
from opsbot.commerce.purchase_orders import (
    RECEIVABLE,
    Received,
    expect_state,
    find_purchase_order,
)
from opsbot.commerce.purchase_orders import receive_purchase_order as take_in
from opsbot.commerce.purchasing import PurchaseOrder
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.documents import PurchaseOrderNumber
from opsbot.toolkit.places import (
    StockPlace,
    find_optional_item,
    find_place,
    place_of_kind,
)
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool

_MOST_NAMED = 12
"""Lines that a preview names."""
_ROLES = ("planner", "lead", "manager")
OneLine = Annotated[
    str,
    argument(
        "item",
        "Which of its lines?",
        description="One item of the order; empty: all that is open.",
        max_length=120,
    ),
]
Came = Annotated[
    int,
    argument(
        "received_units",
        "How many came?",
        description="Stock units that came; 0: all that is open.",
        pattern=r"(?<![\w#-])(\d{1,6}) (?:units? |pieces? |of them )?"
        r"(?:came|arrived|received|delivered)\b"
        r"|\b(?:received|got|delivered) (\d{1,6})\b",
        ge=0,
        le=1_000_000,
    ),
]
Rejected = Annotated[
    int,
    argument(
        "rejected_units",
        "How many of them are rejected?",
        description="Of these, units that are not taken for use; they go to quarantine.",
        pattern=r"\b(\d{1,6}) (?:of them )?(?:were |are |was |is )?"
        r"(?:rejected|damaged|broken|bad|faulty|defective|rejects?)\b",
        ge=0,
        le=1_000_000,
    ),
]


@tool(
    examples=[
        "PO-00120 has arrived, take it in",
        "receive purchase order 118",
        "goods receipt for PO-00121: 50 came, 2 rejected",
        "book in PO-00119, all complete",
        "the delivery of PO-00117 is here, 3 are broken",
        "received 40 of PO-00122",
        "we got PO-00116 today, 1 of them faulty",
        "post the receipt of PO-00115",
    ],
    label="Preparing the receipt",
    audience=Audience.STAFF,
    effect="write",
    roles=("ops", "quality", *_ROLES),
)
def receive_purchase_order(
    ctx: ToolContext,
    purchase_order: PurchaseOrderNumber,
    item: OneLine = "",
    received: Came = 0,
    rejected: Rejected = 0,
    place: StockPlace = "",
) -> Change:
    """Take in what came of a purchase order: good units to stock, rejected ones to quarantine.

    Args:
        ctx: who asks.
        purchase_order: its number.
        item: only this line of it.
        received: units that came; 0: all that is open.
        rejected: of these, not taken for use.
        place: where the good ones go.
    """
    order, spot = find_purchase_order(ctx.session, purchase_order), find_place(ctx.session, place)
    expect_state(order, RECEIVABLE)
    came = _what_came(ctx, order, item, received, rejected)
    quarantine = place_of_kind(ctx.session, LocationKind.QUARANTINE)

    def apply() -> Result:
        lots = _take_in(ctx, order, came, spot.id, quarantine.id)
        named = f", lots {', '.join(lots)}" if lots else ""
        say = f"**{order.number}** is {order.state.replace('_', ' ')}{named}."
        return Result(say, facts={"number": order.number, "lots": lots, "state": order.state.value})

    return Change(
        title=f"Take in what came of {order.number} from {order.supplier.name}?",
        details=[
            *(_came_words(one) for one in came[:_MOST_NAMED]),
            f"Good units go to {spot.name}, rejected ones to {quarantine.name}.",
        ],
        button="Take it in",
        basis={
            "version": order.version,
            "lines": [[one.line.sku, one.line.received, one.units, one.rejected] for one in came],
            "place": spot.code,
        },
        apply=apply,
    )


def _take_in(
    ctx: ToolContext, order: PurchaseOrder, came: Sequence[Received], to: int, aside: int
) -> list[str]:
    """Take in what came; return the numbers of its lots."""
    lots = take_in(
        ctx.session,
        order,
        came,
        location_id=to,
        quarantine_id=aside,
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    return [lot.number for lot in lots]


def _what_came(
    ctx: ToolContext, order: PurchaseOrder, item: str, received: int, rejected: int
) -> list[Received]:
    open_lines = [line for line in order.lines if line.received < line.ordered]
    named = find_optional_item(ctx.session, item)
    if named is not None:
        open_lines = [line for line in order.lines if line.sku == named.sku]
    if not open_lines:
        raise ConflictError(f"Nothing of that is open on {order.number}.")
    if len(open_lines) > 1 and (received or rejected):
        titles = ", ".join(line.item.title for line in open_lines[:5])
        raise InvalidInputError(f"{order.number} has several lines: {titles}. Of which one?")
    came = []
    for line in open_lines:
        units = received or max(0, line.ordered - line.received)
        if rejected > units:
            raise InvalidInputError(f"Not more than the {units} that came can be rejected.")
        came.append(Received(line, units, rejected))
    return came


def _came_words(one: Received) -> str:
    bad = f", {one.rejected} of them rejected" if one.rejected else ""
    return f"{one.units} of {one.line.ordered} x {one.line.item.title}{bad}"
