"""Which items of an order become which: words of a customer against lines and variants."""

import re
from collections.abc import Sequence

from sqlalchemy import select

from opsbot.commerce.inventory import available
from opsbot.commerce.order_changes import Swap
from opsbot.commerce.orders import Order
from opsbot.commerce.products import Item, ItemStatus
from opsbot.errors import (
    AmbiguousError,
    InvalidInputError,
    NotFoundError,
    OutOfStockError,
)
from opsbot.toolkit.catalogue import find_product, tokens
from opsbot.toolkit.ownership import pick_pieces
from opsbot.toolkit.tool import ToolContext

_MADE_TO_ORDER = "made_to_order"


def plan_swaps(
    ctx: ToolContext,
    order: Order,
    names: Sequence[str],
    wishes: Sequence[str],
    *,
    quantity: int | None,
    same_product_only: bool,
) -> list[Swap]:
    """Return what becomes what.

    Args:
        ctx: of the tool.
        order: the caller's, with lines and items loaded.
        names: items of the order.
        wishes: what each becomes, in the same order; one alone holds for all.
        quantity: how many of the one item; None: all of it.
        same_product_only: look among the variants of the item's own product.

    Raises:
        InvalidInputError: the two lists do not go together, or nothing would change.
        AmbiguousError: words fit several things; with their titles.
        ConflictError: a new item is not in stock.
    """
    if len(wishes) not in {1, len(names)}:
        raise InvalidInputError("Please say for each item what it shall become.")
    pieces = pick_pieces(order, names, quantity)
    each = list(wishes) if len(wishes) == len(names) else list(wishes) * len(names)
    merged: dict[tuple[int, str], Swap] = {}
    for piece, wish in zip(pieces, each, strict=True):
        item = find_variant(ctx, piece.line.item, wish, same_product_only=same_product_only)
        before = merged.get((piece.line.id, item.sku))
        units = piece.quantity + (before.quantity if before else 0)
        merged[piece.line.id, item.sku] = Swap(piece.line, item, units)
    swaps = list(merged.values())
    if len({swap.line.id for swap in swaps}) < len(swaps):
        raise InvalidInputError("Pieces of one line can only become the same item in one go.")
    _check_stock(ctx, swaps)
    return swaps


def find_variant(ctx: ToolContext, item: Item, wish: str, *, same_product_only: bool) -> Item:
    """Return the variant that a customer wants in the place of an item.

    What the words do not name stays as it is: "ink" of a small moss mug is the small ink mug.

    Raises:
        AmbiguousError: several variants fit equally well, or none; with the titles.
        InvalidInputError: it is the same item.
    """
    others = variants_of(ctx, item)
    wanted = wish.strip()
    exact = [
        o for o in [item, *others] if wanted.casefold() in {o.sku.casefold(), o.title.casefold()}
    ]
    if exact:
        return _different(item, exact[0])
    if not same_product_only and (other := _other_product(ctx, item, wanted)) is not None:
        return other
    best = _best(item, others, wanted)
    if len(best) == 1:
        return _different(item, best[0])
    if not others:
        raise InvalidInputError(f"There is no other variant of {item.title}.")
    raise AmbiguousError(
        f"Which variant of {item.title} would you like?",
        candidates=[one.title for one in best or others],
    )


def variants_of(ctx: ToolContext, item: Item) -> list[Item]:
    """Return what else there is of an item's product: sold now, by title."""
    if item.variant_of is None:
        return []
    same = select(Item).where(
        Item.variant_of == item.variant_of,
        Item.sku != item.sku,
        Item.sellable,
        Item.status == ItemStatus.ACTIVE,
    )
    return list(ctx.session.scalars(same.order_by(Item.title, Item.sku)))


def is_available(ctx: ToolContext, item: Item, quantity: int = 1) -> bool:
    """Tell whether so many can be had now; what is made to order always can."""
    return item.return_class == _MADE_TO_ORDER or available(ctx.session, item.sku) >= quantity


def _best(item: Item, others: Sequence[Item], wish: str) -> list[Item]:
    """Return the variants that have most of what was wished, and differ least otherwise."""
    words = _phrase(wish)
    scored = []
    for other in others:
        named = [k for k, value in other.options.items() if _phrase(str(value)) in words]
        named = [k for k in named if not _is_part_of_longer(k, other, others, words)]
        if not named:
            continue
        other_changes = [
            k for k, v in other.options.items() if k not in named and item.options.get(k) != v
        ]
        scored.append(((-len(named), len(other_changes)), other))
    least = min((score for score, _ in scored), default=None)
    return [other for score, other in scored if score == least]


def _is_part_of_longer(key: str, item: Item, others: Sequence[Item], words: str) -> bool:
    """Tell whether a longer value of another variant is what was said: "dark blue", not "blue"."""
    own = _phrase(str(item.options[key]))
    values = {_phrase(str(o.options[key])) for o in others if key in o.options}
    return any(own != value and own in value and value in words for value in values)


def _phrase(text: str) -> str:
    plain = re.sub(r"[^\w.]+", " ", text.casefold())
    return f" {' '.join(plain.split())} "


def _different(item: Item, other: Item) -> Item:
    if other.sku == item.sku:
        raise InvalidInputError(f"{item.title} is what you have already.")
    return other


def _other_product(ctx: ToolContext, item: Item, wish: str) -> Item | None:
    """Return the item of another product that words name, if they clearly name one."""
    try:
        found = find_product(ctx.session, wish)
    except (AmbiguousError, NotFoundError):
        return None
    product = ctx.session.get(Item, item.variant_of) if item.variant_of else item
    own = set(tokens(product.title)) if product else set()
    if found.sku in {item.variant_of, item.sku} or own & set(tokens(wish)):
        return None
    return found.variants[0] if len(found.variants) == 1 else None


def _check_stock(ctx: ToolContext, swaps: Sequence[Swap]) -> None:
    wanted: dict[str, int] = {}
    for swap in swaps:
        wanted[swap.item.sku] = wanted.get(swap.item.sku, 0) + swap.quantity
    for swap in swaps:
        if not is_available(ctx, swap.item, wanted[swap.item.sku]):
            others = [o.title for o in variants_of(ctx, swap.line.item) if is_available(ctx, o)]
            hint = f" There is: {'; '.join(others[:5])}." if others else ""
            raise OutOfStockError(f"{swap.item.title} is not in stock now.{hint}")
