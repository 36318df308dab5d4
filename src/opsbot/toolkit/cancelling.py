"""What a customer's cancellation comes to: the whole order, or some units of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsbot.commerce.orders import Order, cancellation_value
from opsbot.commerce.payments import (
    in_proportion,
    paid_by,
    payments_of,
    refundable,
    reserved_by,
)
from opsbot.errors import InvalidInputError
from opsbot.formats import format_items
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.ownership import pick_pieces
from opsbot.toolkit.policy.orders import OrderFacts, decide_cancellation
from opsbot.toolkit.results import Clause
from opsbot.toolkit.telling import is_made_to_order, order_facts, outbound_parcels, units_in_words
from opsbot.toolkit.tool import ToolContext
from opsbot.toolkit.wallet import money_goes_to

_MOST_NAMED = 2
"""Items that a title or a subject names; more are counted."""


@dataclass(frozen=True)
class Cancellation:
    """Units of an order that a customer does not want any more."""

    order: Order
    units: Mapping[int, int]
    """By the id of their line."""

    @property
    def whole(self) -> bool:
        """Whether nothing of the order stays."""
        return all(line.wanted == self.units.get(line.id, 0) for line in self.order.lines)

    @property
    def goes(self) -> list[str]:
        """What is cancelled: "2 x Kiln mug, moss"."""
        units = self.units
        return [units_in_words(x, units[x.id]) for x in self.order.lines if units.get(x.id)]

    @property
    def stays(self) -> list[str]:
        """What is left of the order."""
        left = {line.id: line.wanted - self.units.get(line.id, 0) for line in self.order.lines}
        return [units_in_words(line, left[line.id]) for line in self.order.lines if left[line.id]]

    @property
    def name(self) -> str:
        """What is cancelled, short enough for a title."""
        if self.whole:
            return f"order {self.order.number}"
        many = len(self.goes) > _MOST_NAMED
        items = f"{len(self.goes)} items" if many else format_items(self.goes)
        return f"{items} of order {self.order.number}"


def plan_cancellation(
    order: Order, names: Sequence[str], quantity: int | None = None
) -> Cancellation:
    """Return what is cancelled when a customer names these items; no names: the whole order.

    Raises:
        AmbiguousError: words fit several items, or none.
        ConflictError: there are not so many pieces.
        InvalidInputError: a number of pieces, and nothing tells of which item.
    """
    lines = [line for line in order.lines if line.wanted]
    if not names and quantity is None:
        return Cancellation(order, {line.id: line.wanted for line in lines})
    if not names and len({line.sku for line in lines}) > 1:
        raise InvalidInputError("Of which item shall so many be cancelled?", field="items")
    units: dict[int, int] = {}
    for piece in pick_pieces(order, names or [lines[0].sku], quantity):
        units[piece.line.id] = units.get(piece.line.id, 0) + piece.quantity
    return Cancellation(order, units)


def check_cancellation(ctx: ToolContext, planned: Cancellation) -> Clause:
    """Return the rule that allows it.

    Raises:
        PolicyError: the shop's rules forbid it; with the rule and what is possible instead.
    """
    zone = ctx.settings.time_zone
    facts = _facts(ctx, planned)
    decision = decide_cancellation(facts, ctx.policies, ctx.now, zone=zone)
    if decision.allowed:
        return ctx.policies.clause(decision.clause)
    name = planned.name
    words = f"{name[0].upper()}{name[1:]} cannot be cancelled any more. {decision.refusal}"
    if facts.partial and decision.clause == "cancellation.before_packing":
        words = f"{decision.refusal} Nothing was changed."
    raise refusal(ctx, words, clause=decision.clause, alternatives=decision.alternatives)


def _facts(ctx: ToolContext, planned: Cancellation) -> OrderFacts:
    """Return what the decision rests on: of some units only what holds for them."""
    order = planned.order
    facts = order_facts(order, outbound_parcels(ctx, order))
    if planned.whole:
        return facts
    meant = [line for line in order.lines if planned.units.get(line.id)]
    return replace(facts, partial=True, made_to_order=is_made_to_order(meant))


def money_back(ctx: ToolContext, planned: Cancellation) -> tuple[int, str]:
    """Return what goes back in minor units, and in a sentence by which ways."""
    order = planned.order
    ledger = payments_of(ctx.session, order.id)
    worth = cancellation_value(order, planned.units)
    back = min(worth, refundable(ledger))
    if not back:
        return 0, _nothing_back(ctx, planned, worth, reserved=bool(reserved_by(ledger)))
    ways = in_proportion(paid_by(ledger), back)
    total = ctx.money(back, order.currency)
    if len(ways) == 1:
        return back, f"{total} goes back to {money_goes_to(ways[0][0])}."
    each = [f"{ctx.money(part, order.currency)} to {money_goes_to(way)}" for way, part in ways]
    return back, f"{total} goes back: {format_items(each)}."


def _nothing_back(ctx: ToolContext, planned: Cancellation, worth: int, *, reserved: bool) -> str:
    if planned.whole or not worth:
        return "Nothing was charged, so nothing is refunded."
    less = ctx.money(worth, planned.order.currency)
    held = "It is only reserved so far: " if reserved else "Nothing was charged yet: "
    return f"{held}you pay {less} less."
