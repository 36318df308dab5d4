"""When a change by staff needs a second person, as the shop's policy says it."""

from opsbot.toolkit.policy.approvals import approval_for
from opsbot.toolkit.results import Approval
from opsbot.toolkit.tool import ToolContext


def second_person(
    ctx: ToolContext,
    tool: str,
    *,
    amount_minor: int | None = None,
    currency: str = "EUR",
    result: str | None = None,
) -> Approval | None:
    """Return who else must agree; None: nobody.

    Args:
        ctx: who asks.
        tool: the tool whose rule counts.
        amount_minor: what the change is worth.
        currency: of the amount.
        result: the outcome that is overruled, such as `rejected`.
    """
    needed = approval_for(ctx.policies, tool, amount_minor=amount_minor, result=result)
    if needed is None:
        return None
    above = needed.over_minor
    why = f"above {ctx.money(above, currency)}" if above is not None else f"it was {result}"
    return Approval(needed.roles, why)
