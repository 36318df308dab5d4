"""What a return of some items of an order would come to, by the shop's policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from opsbot.commerce.orders import Order, OrderLine
from opsbot.commerce.returns import (
    Resolution,
    ReturnReason,
)
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.ownership import pick_lines, pick_pieces
from opsbot.toolkit.policy.return_facts import decision_as_json, facts_as_json
from opsbot.toolkit.policy.returns import (
    Basis,
    Condition,
    ReturnDecision,
    ReturnFacts,
    cares_about_condition,
    decide_return,
)
from opsbot.toolkit.policy.schema import Party
from opsbot.toolkit.return_records import ReturnRecords, read_return_records, return_facts
from opsbot.toolkit.tool import ToolContext


@dataclass(frozen=True)
class Piece:
    """Units of one line, and what the policies say about them."""

    line: OrderLine
    quantity: int
    facts: ReturnFacts
    decision: ReturnDecision


@dataclass(frozen=True)
class Plan:
    """A return of one or more pieces, in one parcel."""

    order: Order
    pieces: tuple[Piece, ...]

    @property
    def refused(self) -> Piece | None:
        """The first piece that may not come back."""
        return next((piece for piece in self.pieces if not piece.decision.allowed), None)

    @property
    def postage_minor(self) -> int | None:
        """What the one label costs the customer; None: they pay the carrier."""
        costs = [
            piece.decision.postage_minor for piece in self.pieces if not piece.decision.keep_item
        ]
        known = [cost for cost in costs if cost is not None]
        return max(known, default=None if costs else 0)

    @property
    def fee_minor(self) -> int:
        """What is kept of the price."""
        return sum(piece.decision.fee_minor for piece in self.pieces)

    @property
    def refund_minor(self) -> int:
        """What goes back once the goods have arrived, with one label taken off."""
        before = sum(
            piece.decision.refund_minor + (piece.decision.postage_minor or 0)
            for piece in self.pieces
        )
        return max(0, before - (self.postage_minor or 0))

    @property
    def resolutions(self) -> list[Resolution]:
        """What the customer may choose for all pieces together."""
        first, *others = (piece.decision.resolutions for piece in self.pieces)
        return [r for r in first if all(r in resolutions for resolutions in others)]

    @property
    def withdrawal_until(self) -> date | None:
        """The last day on which all pieces may come back by law; None when it has passed."""
        if all(Basis.WITHDRAWAL in piece.decision.bases for piece in self.pieces):
            return min(piece.decision.deadlines[Basis.WITHDRAWAL] for piece in self.pieces)
        return None

    @property
    def keep_items(self) -> bool:
        """Whether nothing needs to be sent back."""
        return all(piece.decision.keep_item for piece in self.pieces)

    @property
    def automatic(self) -> bool:
        """Whether no person needs to look first."""
        return all(piece.decision.automatic for piece in self.pieces)

    def as_json(self) -> dict[str, Any]:
        """Return facts and decisions, as they are kept with the return."""
        return {
            "pieces": [
                {
                    "sku": piece.line.sku,
                    "quantity": piece.quantity,
                    "facts": facts_as_json(piece.facts),
                    **decision_as_json(piece.decision),
                }
                for piece in self.pieces
            ],
            "postage_minor": self.postage_minor,
        }


def credit_minor(ctx: ToolContext, refund_minor: int) -> int:
    """Return what a refund is worth as store credit."""
    bonus = ctx.policies.returns.store_credit_bonus_pct
    return refund_minor + (refund_minor * bonus + 50) // 100


def plan_return(
    ctx: ToolContext,
    order: Order,
    names: Sequence[str],
    *,
    quantity: int | None,
    reason: ReturnReason,
    condition: Condition,
) -> Plan:
    """Work out a return.

    Args:
        ctx: of the tool.
        order: the caller's, with its lines and items.
        names: which items, by words; empty: all that can be sent back. An item that is named n
            times means n pieces.
        quantity: how many of the one item; None: all that can be sent back.
        reason: why.
        condition: what was done with the goods.

    Raises:
        ConflictError: the items were sent back already, or fewer were delivered.
        InvalidInputError: a quantity for several items.
        AmbiguousError: words fit several items, or none.
    """
    if len(set(names)) < len(names):
        named: dict[int, int] = {}
        for piece in pick_pieces(order, names, quantity):
            named[piece.line.id] = named.get(piece.line.id, 0) + piece.quantity
        return plan_units(ctx, order, named, reason=reason, condition=condition)
    lines = pick_lines(order, names or [line.title for line in order.lines if line.wanted])
    if quantity is not None and len(lines) > 1:
        raise InvalidInputError("Please give a number for one item at a time.")
    records = read_return_records(ctx.session, [order])
    units = {line.id: _units(records, order, line, quantity) for line in lines}
    if order.delivered_at is not None:
        lines = [line for line in lines if units[line.id]]
        if not lines:
            words = "A return of this is under way already, or has been completed."
            raise ConflictError(words, instead="return_status")
    chosen = {line.id: units[line.id] for line in lines}
    return _plan(ctx, records, order, chosen, reason, condition)


def plan_units(
    ctx: ToolContext,
    order: Order,
    units: Mapping[int, int],
    *,
    reason: ReturnReason,
    condition: Condition,
) -> Plan:
    """Work out a return of so many units of each line, by the id of the line.

    Raises:
        ConflictError: fewer were delivered, or they were sent back already.
    """
    records = read_return_records(ctx.session, [order])
    for line in order.lines:
        if line.id in units:
            _units(records, order, line, units[line.id])
    return _plan(ctx, records, order, units, reason, condition)


def _plan(
    ctx: ToolContext,
    records: ReturnRecords,
    order: Order,
    units: Mapping[int, int],
    reason: ReturnReason,
    condition: Condition,
) -> Plan:
    lines = [line for line in order.lines if line.id in units]
    whole = all(units.get(line.id, 0) == line.wanted for line in order.lines)
    return Plan(
        order,
        tuple(
            _piece(ctx, records, order, line, units[line.id], reason, condition, whole and n == 0)
            for n, line in enumerate(lines)
        ),
    )


def plan_of(
    ctx: ToolContext, order: Order, pieces: Sequence[tuple[OrderLine, int, ReturnFacts]]
) -> Plan:
    """Return the plan for units whose facts are known."""
    return Plan(
        order,
        tuple(
            Piece(line, quantity, facts, decide_return(facts, ctx.policies, ctx.today))
            for line, quantity, facts in pieces
        ),
    )


def condition_matters(ctx: ToolContext, plan: Plan, reason: ReturnReason) -> bool:
    """Tell whether it changes anything if the box was opened."""
    customer = ctx.policies.returns.reasons[reason].fault is Party.CUSTOMER
    classes = (piece.facts.return_class for piece in plan.pieces)
    return customer and any(cares_about_condition(name, ctx.policies) for name in classes)


def _units(records: ReturnRecords, order: Order, line: OrderLine, quantity: int | None) -> int:
    if order.delivered_at is None:
        return quantity or line.wanted
    left = records.left(line)
    if quantity is not None and quantity > left:
        raise ConflictError(f"Of {line.title} only {left} can still be sent back.")
    return left if quantity is None else quantity


def _piece(
    ctx: ToolContext,
    records: ReturnRecords,
    order: Order,
    line: OrderLine,
    quantity: int,
    reason: ReturnReason,
    condition: Condition,
    carries_shipping: bool,  # noqa: FBT001  (private, called once)
) -> Piece:
    facts = return_facts(
        records,
        order,
        line,
        quantity,
        reason=reason,
        condition=condition,
        carries_shipping=carries_shipping,
        policies=ctx.policies,
        zone=ctx.settings.time_zone,
        now=ctx.now,
    )
    return Piece(line, quantity, facts, decide_return(facts, ctx.policies, ctx.today))
