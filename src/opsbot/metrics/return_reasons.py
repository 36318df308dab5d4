"""Why things come back."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderLine
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


@dataclass(frozen=True)
class Cohort:
    """Units that were delivered in a period, and what of them came back, whenever that was."""

    delivered: int
    back: Mapping[ReturnReason, int]

    def rate(self, reason: ReturnReason | None = None) -> float | None:
        """Return the share that came back, for one reason or any; None: none was delivered."""
        units = sum(self.back.values()) if reason is None else self.back.get(reason, 0)
        return units / self.delivered if self.delivered else None


def count_cohort(session: Session, period: Period, skus: Collection[str] | None = None) -> Cohort:
    """Follow the units delivered in a period: never returns of one month over sales of it.

    Args:
        session: a session to read in.
        period: in which the last parcel of the order arrived.
        skus: only these items; None: all.
    """
    inside = (Order.delivered_at >= period.start, Order.delivered_at < period.end)
    sent = (
        select(func.coalesce(func.sum(OrderLine.delivered), 0))
        .join(Order, Order.id == OrderLine.order_id)
        .where(*inside)
    )
    returned = (
        select(ReturnLine.reason, func.sum(ReturnLine.quantity))
        .join(Return, Return.id == ReturnLine.return_id)
        .join(OrderLine, OrderLine.id == ReturnLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(*inside, Return.state.not_in(NOT_COUNTED), ReturnLine.reason.is_not(None))
        .group_by(ReturnLine.reason)
    )
    if skus is not None:
        sent = sent.where(OrderLine.sku.in_(skus))
        returned = returned.where(OrderLine.sku.in_(skus))
    back = {reason: int(units) for reason, units in session.execute(returned) if reason}
    return Cohort(int(session.scalar(sent) or 0), back)


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
