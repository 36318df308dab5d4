"""Whether items, payment and refunds of an order may be changed the way a customer asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsbot.commerce.orders import OrderState
from opsbot.commerce.payment_methods import MethodKind
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.orders import OrderDecision, OrderFacts
from opsbot.toolkit.policy.schema_changes import Destination

_PERSON = "A person of our team can look at your case."


@dataclass(frozen=True)
class ChangeFacts:
    """What a decision about a change rests on."""

    order: OrderFacts
    items_changed: bool = False
    """Whether its items were changed before."""
    payment_changed: bool = False
    same_product: bool = True
    """Whether every new item is of the product of the old one."""
    personalized: bool = False
    """Whether one of the items is made for this customer alone."""


def decide_item_change(facts: ChangeFacts, policies: Policies) -> OrderDecision:
    """Decide whether items of an order that is not packed may become others. A pure function."""
    rule = policies.changes.items
    if _is_packed(facts.order, rule.allowed_in_states):
        return _too_late(facts.order, "changes.items")
    if final := decide_after_change(facts, policies):
        return final
    if facts.items_changed and rule.once:
        return OrderDecision(
            allowed=False,
            clause="changes.once",
            refusal="Its items were changed once already.",
            alternatives=("The order can be cancelled and placed again.", _PERSON),
        )
    if facts.personalized:
        return OrderDecision(
            allowed=False,
            clause="changes.items",
            refusal="A piece that is made for you alone has no other variant.",
            alternatives=(_PERSON,),
        )
    if rule.same_product_only and not facts.same_product:
        return OrderDecision(
            allowed=False,
            clause="changes.items",
            refusal="An item can become another variant of the same product only.",
            alternatives=("The order can be cancelled and the other product ordered.",),
        )
    return OrderDecision(allowed=True, clause="changes.items")


def decide_payment_change(
    facts: ChangeFacts, kind: MethodKind, policies: Policies
) -> OrderDecision:
    """Decide whether an order may be paid by a method of this kind instead. A pure function."""
    rule = policies.changes.payment
    if _is_packed(facts.order, rule.allowed_in_states):
        return _too_late(facts.order, "changes.payment")
    if final := decide_after_change(facts, policies):
        return final
    if facts.payment_changed and rule.once:
        return OrderDecision(
            allowed=False,
            clause="changes.payment",
            refusal="Its payment was changed once already.",
            alternatives=(_PERSON,),
        )
    if kind not in rule.kinds:
        return OrderDecision(
            allowed=False,
            clause="changes.payment",
            refusal="An order cannot be changed to that way of paying.",
            alternatives=("Please choose another payment method of your account.",),
        )
    return OrderDecision(allowed=True, clause="changes.payment")


def decide_after_change(facts: ChangeFacts, policies: Policies) -> OrderDecision | None:
    """Refuse any change of an order whose items were changed, where the shop has it so."""
    if not (facts.items_changed and policies.changes.items.ends_changes):
        return None
    return OrderDecision(
        allowed=False,
        clause="changes.once",
        refusal="Its items were changed, and after that nothing of it can be changed.",
        alternatives=("You may return the goods after they arrive.", _PERSON),
    )


def may_receive(kind: MethodKind, *, original: bool, allowed: Sequence[Destination]) -> bool:
    """Tell whether money may go back to a payment method. A pure function.

    Args:
        kind: of the payment method.
        original: whether the order was paid by it.
        allowed: what the shop's rule names.
    """
    if Destination.ANY in allowed or (original and Destination.ORIGINAL in allowed):
        return True
    return kind.value in {destination.value for destination in allowed}


def _is_packed(order: OrderFacts, states: Sequence[OrderState]) -> bool:
    return order.packed or order.left or order.state not in states


def _too_late(order: OrderFacts, clause: str) -> OrderDecision:
    if order.left or order.state is OrderState.COMPLETED:
        return OrderDecision(
            allowed=False,
            clause=clause,
            refusal="The parcel has left us already.",
            alternatives=("Once it has arrived, items can be exchanged or returned.",),
        )
    return OrderDecision(
        allowed=False,
        clause=clause,
        refusal="The order is being packed already.",
        alternatives=("Once it has arrived, items can be exchanged or returned.", _PERSON),
    )
