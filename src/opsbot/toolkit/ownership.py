"""Which records a caller may speak about, and what of them may be shown."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from opsbot.commerce.orders import Order, OrderLine, find_order, orders_of
from opsbot.errors import AmbiguousError, InvalidInputError, NotFoundError
from opsbot.toolkit.caller import Level
from opsbot.toolkit.tool import ToolContext

_LIKE = 80.0
"""Similarity, 0 to 100, from which words mean a line of an order."""
_MOST_ORDERS = 20


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
