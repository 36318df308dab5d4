"""What holds for every change of an order that is not packed."""

from opsbot.commerce.order_changes import ITEMS_CHANGED, PAYMENT_CHANGED, count_changes
from opsbot.commerce.orders import Order
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.policy.changes import ChangeFacts, decide_after_change
from opsbot.toolkit.telling import order_facts, outbound_parcels
from opsbot.toolkit.tool import ToolContext


def change_facts(
    ctx: ToolContext, order: Order, *, same_product: bool = True, personalized: bool = False
) -> ChangeFacts:
    """Return what decisions about a change of an order rest on. Needs lines and items loaded."""
    return ChangeFacts(
        order=order_facts(order, outbound_parcels(ctx, order)),
        items_changed=count_changes(ctx.session, order, ITEMS_CHANGED) > 0,
        payment_changed=count_changes(ctx.session, order, PAYMENT_CHANGED) > 0,
        same_product=same_product,
        personalized=personalized,
    )


def refuse_after_change(ctx: ToolContext, order: Order, words: str) -> None:
    """Refuse to change an order whose items were changed, where the shop ends changes by that.

    Raises:
        PolicyError: it is so.
    """
    decision = decide_after_change(change_facts(ctx, order), ctx.policies)
    if decision is not None:
        said = f"{words} {decision.refusal}"
        raise refusal(ctx, said, clause=decision.clause, alternatives=decision.alternatives)
