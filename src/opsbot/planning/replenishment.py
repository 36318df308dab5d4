"""What to order now, by the rule that an item is replenished by."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import at_least
from opsbot.planning.cover import order_quantity


class Method(StrEnum):
    """How an item is replenished."""

    MIN_MAX = "min_max"
    """At or below the reorder point: fill up to the order-up-to level (s, S)."""
    REORDER_POINT = "reorder_point"
    """At or below the reorder point: the fixed quantity, as often as needed (s, Q)."""
    PERIODIC = "periodic"
    """Every so many days: fill up to the order-up-to level (R, S)."""
    KANBAN = "kanban"
    """One container for each card that came back."""
    MAKE_TO_ORDER = "make_to_order"
    """As much as open orders lack."""


@dataclass(frozen=True)
class Position:
    """What is there, what is coming, and what is already spoken for."""

    on_hand: int
    incoming: int = 0
    """On order or being made."""
    reserved: int = 0
    backorders: int = 0
    """Units that open orders wait for and nothing is reserved for."""

    @property
    def units(self) -> int:
        """What is left for orders to come; negative: orders wait."""
        return self.on_hand + self.incoming - self.reserved - self.backorders


@dataclass(frozen=True)
class Rule:
    """How one item is replenished. Which fields count depends on the method."""

    method: Method
    reorder_point: int = 0
    order_up_to: int = 0
    quantity: int = 0
    """Fixed quantity of an order; for kanban: units of a container."""
    cards: int = 0
    """Kanban cards in the round."""
    review_days: int = 0
    """Days from one periodic review to the next."""
    minimum: int = 0
    """Least quantity the supplier takes."""
    multiple: int = 1
    """Units of a pack; quantities are rounded up to whole packs."""


@dataclass(frozen=True)
class Proposal:
    """What to order of one item."""

    quantity: int
    """0: nothing now."""
    because: str
    """One sentence that says why."""


def propose(
    rule: Rule, position: Position, *, today: date, reviewed_on: date | None = None
) -> Proposal:
    """Tell how much to order today.

    Args:
        rule: how the item is replenished.
        position: its stock, and what is on order.
        today: the day of the order.
        reviewed_on: when a periodic item was last looked at; None: never.

    Raises:
        InvalidInputError: the rule lacks what its method needs, or a quantity is negative.
    """
    _check(rule, position)
    units = position.units
    if rule.method is Method.MAKE_TO_ORDER:
        return _made_to_order(rule, units)
    if rule.method is Method.KANBAN:
        return _by_cards(rule, position)
    if rule.method is Method.PERIODIC:
        return _by_calendar(rule, units, today, reviewed_on)
    if units > rule.reorder_point:
        return Proposal(0, f"The position of {units} is above {rule.reorder_point}.")
    because = f"The position of {units} is not above the reorder point of {rule.reorder_point}."
    if rule.method is Method.MIN_MAX:
        return Proposal(_packed(rule, units, rule.order_up_to), because)
    # As many times the fixed quantity as lift the position above the reorder point.
    times = (rule.reorder_point - units) // rule.quantity + 1
    wanted = times * rule.quantity
    return Proposal(_packed(rule, 0, wanted), because)


def next_review(rule: Rule, reviewed_on: date) -> date:
    """Return the day a periodic item is looked at again.

    Raises:
        InvalidInputError: the rule has no review period.
    """
    at_least(1, rule.review_days, "The review period")
    return reviewed_on + timedelta(days=rule.review_days)


def _made_to_order(rule: Rule, units: int) -> Proposal:
    if units >= 0:
        return Proposal(0, "No order waits for it.")
    return Proposal(_packed(rule, units, 0), f"Orders wait for {-units}.")


def _by_cards(rule: Rule, position: Position) -> Proposal:
    there = max(0, position.on_hand) + position.incoming
    full = -(-there // rule.quantity)  # a container that is begun still has its card
    free = max(0, rule.cards - full)
    because = f"{full} of {rule.cards} cards are at full containers or on their way."
    return Proposal(_packed(rule, 0, free * rule.quantity), because)


def _by_calendar(rule: Rule, units: int, today: date, reviewed_on: date | None) -> Proposal:
    if reviewed_on is not None and today < (due := next_review(rule, reviewed_on)):
        return Proposal(0, f"The next review is on {due}.")
    quantity = _packed(rule, units, rule.order_up_to)
    word = "below" if quantity else "at"
    return Proposal(quantity, f"At the review the position of {units} is {word} its level.")


def _packed(rule: Rule, units: int, level: int) -> int:
    return order_quantity(units, level, minimum=rule.minimum, multiple=rule.multiple)


def _check(rule: Rule, position: Position) -> None:
    for value, what in (
        (position.incoming, "What is on order"),
        (position.reserved, "What is reserved"),
        (position.backorders, "What orders wait for"),
        (rule.minimum, "The least quantity"),
    ):
        at_least(0, value, what)
    at_least(1, rule.multiple, "A pack")
    if rule.method in {Method.REORDER_POINT, Method.KANBAN}:
        at_least(1, rule.quantity, "The quantity of an order")
    if rule.method is Method.KANBAN:
        at_least(1, rule.cards, "The number of cards")
    if rule.method is Method.PERIODIC:
        at_least(1, rule.review_days, "The review period")
    if rule.method is Method.MIN_MAX and rule.order_up_to < rule.reorder_point:
        raise InvalidInputError(
            f"The level to fill up to, {rule.order_up_to}, must not be below the reorder point, "
            f"{rule.reorder_point}."
        )
