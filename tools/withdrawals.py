"""The right of withdrawal: declared in two steps, recorded whatever it is found to be."""

from opsbot.toolkit.arguments import Items, OrderNumber
from opsbot.toolkit.caller import Level
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.withdrawing import Declaration, consequences, plan_withdrawal, record


@tool(
    examples=[
        "I hereby withdraw from my purchase",
        "I want to exercise my right of withdrawal for order #1001",
        "withdraw from the contract",
        "I revoke the contract for order 1012",
        "hereby I revoke my purchase contract",
        "Widerruf of order #1010",
        "please take this as my withdrawal from the contract concluded on 3 November",
        "use my statutory 14 day right to withdraw from #1001",
        "this is my declaration of withdrawal",
        "consumer withdrawal under EU law for the mug",
    ],
    label="Preparing the withdrawal",
    effect="irreversible",
    level=Level.ORDER,
    limits=("10/hour", "20/day"),
)
def withdraw(ctx: ToolContext, order_number: OrderNumber, items: Items | None = None) -> Change:
    """Declare the legal withdrawal from a purchase, or from some items of it, without a reason."""
    order = own_order(ctx, order_number)
    declared = plan_withdrawal(ctx, order, items or ())
    follows = consequences(ctx, declared)

    def apply() -> Result:
        return _declare(ctx, declared, follows)

    return Change(
        title=f"Withdraw from the contract of order {order.number}?",
        details=[
            f"Your declaration: “{declared.statement}”",
            *follows,
            "It is recorded with day and time, and acknowledged by mail to the order's address.",
        ],
        button="Confirm withdrawal here",
        basis={
            "version": order.version,
            "parts": [
                [part.line.id, part.quantity, part.outcome, part.decision.finding]
                for part in declared.parts
            ],
            "refund_minor": declared.back.refund_minor if declared.back else 0,
        },
        apply=apply,
        clause=ctx.policies.clause(declared.parts[0].decision.clause),
    )


def _declare(ctx: ToolContext, declared: Declaration, follows: list[str]) -> Result:
    kept = record(ctx, declared)
    lines = [
        (
            f"Your withdrawal **{kept.number}** from order {declared.order.number} is recorded, "
            f"received on {ctx.moment(kept.declared_at)}."
        ),
        "",
        *(f"- {sentence}" for sentence in follows),
        "- The acknowledgement is on its way to the e-mail address of the order.",
    ]
    facts = {
        "withdrawal_number": kept.number,
        "order_number": declared.order.number,
        "received": ctx.moment(kept.declared_at),
        "statement": kept.statement,
        "follows": follows,
        "items": [
            {
                "title": part.line.title,
                "quantity": part.quantity,
                "finding": part.decision.finding,
            }
            for part in declared.parts
        ],
    }
    return Result("\n".join(lines), facts=facts)
