"""Why things come back."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import OrderLine
from opsbot.commerce.returns import Return, ReturnLine, ReturnReason, ReturnState
from opsbot.planning.periods import Period

NOT_COUNTED = (ReturnState.DECLINED, ReturnState.CANCELLED, ReturnState.EXPIRED)
"""Returns that came to nothing."""


@dataclass(frozen=True)
class ReasonCount:
    """How much came back for one reason."""

    reason: ReturnReason
    units: int
    returns: int
    share: float
    """Of all units, 0 to 1."""
    cumulative: float
    """This reason and those before it."""
    top_item: str
    """Title of the item with most units."""


def count_reasons(
    session: Session, period: Period, skus: Collection[str] | None = None
) -> list[ReasonCount]:
    """Count returned units by reason, most first.

    Returns that were asked for in the period; those declined, cancelled or expired do not count,
    nor those of another system that gives no reason.

    Args:
        session: a session to read in.
        period: when the return was asked for.
        skus: only these items; None: all.
    """
    statement = (
        select(ReturnLine.reason, OrderLine.title, ReturnLine.quantity, Return.id)
        .join(Return, Return.id == ReturnLine.return_id)
        .join(OrderLine, OrderLine.id == ReturnLine.order_line_id)
        .where(Return.requested_at >= period.start, Return.requested_at < period.end)
        .where(Return.state.not_in(NOT_COUNTED))
    )
    if skus is not None:
        statement = statement.where(OrderLine.sku.in_(skus))
    units: defaultdict[ReturnReason, Counter[str]] = defaultdict(Counter)
    returns: defaultdict[ReturnReason, set[int]] = defaultdict(set)
    for reason, title, quantity, number in session.execute(statement):
        if reason is not None:
            units[reason][title] += quantity
            returns[reason].add(number)
    return _in_order(units, returns)


def _in_order(
    units: dict[ReturnReason, Counter[str]], returns: dict[ReturnReason, set[int]]
) -> list[ReasonCount]:
    whole = sum(titles.total() for titles in units.values())
    counts: list[ReasonCount] = []
    before = 0
    for reason in sorted(units, key=lambda reason: (-units[reason].total(), reason)):
        titles = units[reason]
        before += titles.total()
        counts.append(
            ReasonCount(
                reason=reason,
                units=titles.total(),
                returns=len(returns[reason]),
                share=titles.total() / whole,
                cumulative=before / whole,
                top_item=min(titles, key=lambda title: (-titles[title], title)),
            )
        )
    return counts
