"""Which records a caller may speak about, and what of them may be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from opsbot.commerce.orders import Order, OrderLine, find_order, orders_of
from opsbot.errors import AmbiguousError, ConflictError, InvalidInputError, NotFoundError
from opsbot.toolkit.caller import Level
from opsbot.toolkit.tool import ToolContext

_LIKE = 80.0
"""Similarity, 0 to 100, from which words mean a line of an order."""
_MOST_ORDERS = 20


@dataclass(frozen=True)
class Named:
    """Units of one line that a customer names."""

    line: OrderLine
    quantity: int


def own_order(ctx: ToolContext, number: str) -> Order:
    """Return an order that the caller may speak about, loaded as by `find_order`.

    Staff may speak about every order, a customer about their own, and who has proved one order
    about that one alone.

    Raises:
        NotFoundError: there is no such order, or it is not the caller's to see; the two read the
            same.
    """
    caller = ctx.caller
    if caller.is_staff:
        return find_order(ctx.session, number, customer_id=None)
    if caller.customer_id is None or caller.level < Level.ORDER:
        raise NotFoundError("order", number.strip()[:40])
    order = find_order(ctx.session, number, customer_id=caller.customer_id)
    if caller.level < Level.SIGNED_IN and order.id != caller.proved_order_id:
        raise NotFoundError("order", order.number)
    return order


def own_orders(ctx: ToolContext) -> list[Order]:
    """Return the caller's latest orders, newest first; none for who has not signed in."""
    caller = ctx.caller
    if caller.is_staff or caller.customer_id is None or caller.level < Level.SIGNED_IN:
        return []
    return orders_of(ctx.session, caller.customer_id, limit=_MOST_ORDERS)


def may_see_address(ctx: ToolContext) -> bool:
    """Tell whether names and streets may be shown: not to who has proved one order alone."""
    return ctx.caller.is_staff or ctx.caller.level >= Level.SIGNED_IN


def pick_lines(order: Order, names: Sequence[str]) -> list[OrderLine]:
    """Return the lines of an order that are meant by words, in the order of the lines.

    Raises:
        AmbiguousError: words fit none, or several that are not all meant; with the titles.
        InvalidInputError: the order has no lines.
    """
    lines = [line for line in order.lines if line.wanted]
    if not lines:
        raise InvalidInputError(f"Nothing is left of order {order.number}.")
    chosen: list[OrderLine] = []
    for name in names:
        fits = _fitting(lines, name)
        if len(fits) != 1:
            titles = list(dict.fromkeys(line.title for line in fits or lines))
            raise AmbiguousError(
                f"Which item of order {order.number} do you mean?", candidates=titles
            )
        chosen += fits
    return [line for line in lines if line in chosen]


def pick_pieces(order: Order, names: Sequence[str], quantity: int | None = None) -> list[Named]:
    """Return the units that are meant by words, in the order of the words.

    An item that is named once means all units of its line; named more often, so many units, of
    several lines when there are lines alike. Names in one list may repeat.

    Args:
        order: with its lines loaded.
        names: titles or item numbers.
        quantity: how many of the one item; None: as above.

    Raises:
        AmbiguousError: words fit none, or several that are not all meant.
        ConflictError: there are not so many.
        InvalidInputError: a quantity for several items.
    """
    taken: dict[int, int] = {}
    named: list[OrderLine] = []
    for name in names:
        [line] = pick_lines(order, [name])
        alike = [one for one in order.lines if one.sku == line.sku and one.wanted]
        free = [one for one in alike if taken.get(one.id, 0) < one.wanted]
        if not free:
            raise ConflictError(f"There are not that many of {line.title} in {order.number}.")
        taken[free[0].id] = taken.get(free[0].id, 0) + 1
        named.append(free[0])
    if quantity is not None and len(taken) > 1:
        raise InvalidInputError("Please give a number for one item at a time.")
    pieces = []
    for line in named:
        times = taken[line.id]
        units = quantity or (line.wanted if times == 1 else 1)
        if units > line.wanted:
            raise ConflictError(f"Of {line.title} there are only {line.wanted} in the order.")
        pieces.append(Named(line, units))
    return pieces


def _fitting(lines: Sequence[OrderLine], name: str) -> list[OrderLine]:
    wanted = _plain(name)
    exact = [line for line in lines if wanted in {_plain(line.title), _plain(line.sku)}]
    if exact or not wanted:
        return exact[:1]
    scores = [(fuzz.token_set_ratio(wanted, _plain(line.title)), line) for line in lines]
    best = max(score for score, _ in scores)
    return [line for score, line in scores if score == best and score >= _LIKE]


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
