"""Changing stock: corrections, transfers and counts, written to the ledger."""

from typing import Annotated, Literal

from opsbot.commerce.inventory import Location, MoveReason, StockLevel, move, transfer
from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.products import Item
from opsbot.commerce.purchasing import value_of
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.approvals import second_person
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.places import (
    FromPlace,
    OneItem,
    StockPlace,
    ToPlace,
    Units,
    find_one_item,
    find_place,
)
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

_ROLES = ("ops", "planner", "lead", "manager")
_REASONS = {
    "damaged": (-1, MoveReason.DAMAGE, "damaged"),
    "lost": (-1, MoveReason.ADJUST, "lost"),
    "written_off": (-1, MoveReason.WRITE_OFF, "written off"),
    "too_many_booked": (-1, MoveReason.ADJUST, "booked too often"),
    "found": (1, MoveReason.ADJUST, "found"),
    "too_few_booked": (1, MoveReason.ADJUST, "not booked before"),
}
"""For each reason its sign, how the ledger calls it, and how a person does."""

AdjustReason = Annotated[
    Literal["damaged", "lost", "written_off", "too_many_booked", "found", "too_few_booked"],
    argument(
        "choice",
        "Why: damaged, lost, written off, found, or a booking to correct?",
        description="Why stock is corrected. It tells the direction: only found and "
        "too_few_booked add.",
        labels={
            "damaged": ("damaged", "broken", "broke", "chipped", "cracked", "fell down", "dropped"),
            "lost": ("lost", "missing", "disappeared", "stolen", "gone"),
            "written_off": ("write off", "written off", "scrap", "expired", "throw away", "sample"),
            "too_many_booked": ("booked twice", "too many booked", "counted too many"),
            "found": ("found", "turned up", "came to light", "discovered"),
            "too_few_booked": ("not booked", "too few booked", "forgot to book", "never booked"),
        },
    ),
]

Counted = Annotated[
    int,
    argument(
        "quantity",
        "How many did you count?",
        description="How many are there; 0: none.",
        ge=0,
        le=1_000_000,
    ),
]


@tool(
    examples=[
        "Take three moss mugs off stock, they broke",
        "write off 2 copper kettles",
        "book 5 A5 notebooks out, damaged by water",
        "we found four oak coasters, add them to stock",
        "correct the stock of the tote bag: one was stolen",
        "remove 1 Halo lamp from the books, it is missing",
        "adjust stock of the travel mug by two, they turned up in the store",
        "10 pocket notebooks were never booked in, please add them",
        "two plates fell down, book them out",
    ],
    label="Preparing the stock correction",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def adjust_stock(
    ctx: ToolContext, item: OneItem, quantity: Units, reason: AdjustReason, place: StockPlace = ""
) -> Change:
    """Correct the stock of one item at one place: damaged, lost, found, booked wrongly.

    Args:
        ctx: who asks.
        item: what.
        quantity: how many units.
        reason: why; it tells whether units come or go.
        place: where.
    """
    found, spot = find_one_item(ctx.session, item), find_place(ctx.session, place)
    sign, kind, words = _REASONS[reason]
    on_hand, free = _there(ctx, found, spot)
    if sign < 0 and quantity > free:
        raise ConflictError(_too_few(found, spot, on_hand, free))
    after = on_hand + sign * quantity
    worth = value_of(quantity, found.cost_minor, found.cost_per)

    verb = "Add {} of {} to stock" if sign > 0 else "Take {} of {} off stock"
    back = "too_many_booked" if sign > 0 else "too_few_booked"
    undone = {"item": found.sku, "quantity": quantity, "reason": back, "place": spot.code}
    return Change(
        title=f"{verb.format(quantity, found.title)}?",
        details=[
            f"Place: {spot.name}; reason: {words}.",
            f"On hand there: {on_hand} → {after}.",
            f"Worth {ctx.money(worth, found.currency)} at cost.",
        ],
        button="Book it",
        basis={"sku": found.sku, "place": spot.code, "on_hand": on_hand, "free": free},
        apply=lambda: _book(ctx, found, spot, after - on_hand, kind),
        approval=second_person(ctx, "adjust_stock", amount_minor=worth, currency=found.currency),
        undo=Undo("adjust_stock", undone),
    )


@tool(
    examples=[
        "Move 12 moss mugs from the warehouse to the store",
        "transfer 4 Arc floor lamps to the store",
        "bring six oak coasters back to the warehouse from the store",
        "send 20 tote bags to the shop",
        "put two travel mugs into quarantine",
        "restock the store with 10 dotted notebooks",
        "relocate 3 pendant lamps to the Berlin store",
        "the store needs 8 zip pouches from the warehouse",
    ],
    label="Preparing the transfer",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def transfer_stock(
    ctx: ToolContext,
    item: OneItem,
    quantity: Units,
    to_place: ToPlace,
    from_place: FromPlace = "",
) -> Change:
    """Bring units of one item from one place to another.

    Args:
        ctx: who asks.
        item: what.
        quantity: how many units.
        to_place: where it goes.
        from_place: where it comes from.
    """
    found = find_one_item(ctx.session, item)
    source, target = find_place(ctx.session, from_place), find_place(ctx.session, to_place)
    if source.id == target.id:
        raise InvalidInputError(f"The goods are at {source.name} already.")
    on_hand, free = _there(ctx, found, source)
    there, _ = _there(ctx, found, target)
    if quantity > free:
        raise ConflictError(_too_few(found, source, on_hand, free))

    lines = [
        f"{source.name}: {on_hand} → {on_hand - quantity} on hand.",
        f"{target.name}: {there} → {there + quantity} on hand.",
    ]
    if source.sellable != target.sellable:
        lines.append(
            "They can be sold again." if target.sellable else "They are not for sale then."
        )
    back = {
        "item": found.sku,
        "quantity": quantity,
        "to_place": source.code,
        "from_place": target.code,
    }
    return Change(
        title=f"Bring {quantity} of {found.title} to {target.name}?",
        details=lines,
        button="Move them",
        basis={"sku": found.sku, "from": source.code, "to": target.code, "on_hand": on_hand},
        apply=lambda: _bring(ctx, found, quantity, source, target),
        undo=Undo("transfer_stock", back),
    )


@tool(
    examples=[
        "I counted 41 moss mugs in the warehouse",
        "stock count: 17 oak coasters at the store",
        "the count of the black kettle is 9",
        "counted 120 A5 notebooks dotted",
        "set the counted stock of the steel grinder to 14",
        "stocktake result for the zip pouch, navy: 33",
        "there are only 6 brass floor lamps on the shelf, I counted them",
        "inventory count of the canvas tote bag, natural: 58",
    ],
    label="Preparing the count",
    audience=Audience.STAFF,
    effect="write",
    roles=_ROLES,
)
def count_stock(ctx: ToolContext, item: OneItem, quantity: Units, place: StockPlace = "") -> Change:
    """Set the stock of one item at one place to what was counted there.

    Args:
        ctx: who asks.
        item: what was counted.
        quantity: units that are there.
        place: where.
    """
    found, spot = find_one_item(ctx.session, item), find_place(ctx.session, place)
    on_hand, free = _there(ctx, found, spot)
    change = quantity - on_hand
    if change < -free:
        held = on_hand - free
        raise ConflictError(
            f"{held} of {found.title} at {spot.name} are reserved, so the books cannot go down to "
            f"{quantity}. Release an order first."
        )
    worth = value_of(abs(change), found.cost_minor, found.cost_per)

    difference = f"{change:+d}" if change else "none"
    return Change(
        title=f"Book the count of {found.title} at {spot.name}: {quantity}?",
        details=[
            f"In the books: {on_hand}; difference: {difference}.",
            f"Worth {ctx.money(worth, found.currency)} at cost.",
        ],
        button="Book the count",
        basis={"sku": found.sku, "place": spot.code, "on_hand": on_hand, "free": free},
        apply=lambda: _book(ctx, found, spot, change, MoveReason.COUNT),
        approval=second_person(ctx, "adjust_stock", amount_minor=worth, currency=found.currency),
        undo=Undo("count_stock", {"item": found.sku, "quantity": on_hand, "place": spot.code})
        if on_hand
        else None,
    )


def _bring(
    ctx: ToolContext, item: Item, quantity: int, source: Location, target: Location
) -> Result:
    number = next_number(ctx.session, NumberKind.ADJUSTMENT)
    transfer(
        ctx.session,
        item.sku,
        quantity,
        from_id=source.id,
        to_id=target.id,
        reference=number,
        actor=ctx.caller.actor,
        at=ctx.now,
    )
    say = f"{quantity} of **{item.title}** are at {target.name} now ({number})."
    return Result(say, facts={"number": number, "sku": item.sku, "quantity": quantity})


def _book(ctx: ToolContext, item: Item, place: Location, change: int, reason: MoveReason) -> Result:
    """Write a correction to the ledger; a count without any difference leaves its number alone."""
    number = next_number(ctx.session, NumberKind.ADJUSTMENT)
    if change:
        move(
            ctx.session,
            item.sku,
            place.id,
            change,
            reason=reason,
            reference=number,
            actor=ctx.caller.actor,
            at=ctx.now,
        )
    on_hand, _ = _there(ctx, item, place)
    facts = {"number": number, "sku": item.sku, "on_hand": on_hand, "change": change}
    say = f"**{item.title}** at {place.name}: {on_hand} on hand now ({number})."
    return Result(say, facts=facts)


def _there(ctx: ToolContext, item: Item, place: Location) -> tuple[int, int]:
    """Return what is on hand of an item at a place, and what of it is free."""
    level = ctx.session.get(StockLevel, (item.sku, place.id))
    return (level.on_hand, level.available) if level else (0, 0)


def _too_few(item: Item, place: Location, on_hand: int, free: int) -> str:
    reserved = f", {on_hand - free} of them reserved" if on_hand > free else ""
    return f"At {place.name} there are {on_hand} of {item.title}{reserved}."
