"""When an item is ordered again, and how much: what was computed, and what a person has set."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import Versioned, record_event
from opsbot.db import Base
from opsbot.errors import InvalidInputError
from opsbot.planning.safety import OrderPoint


class PolicySource(StrEnum):
    """Who set a stock policy. A computation never overwrites what a person set."""

    COMPUTED = "computed"
    MANUAL = "manual"


class StockPolicy(Versioned, Base):
    """When to order an item again, and how much: one rule for all places that sell it."""

    __tablename__ = "stock_policies"
    __table_args__ = (
        CheckConstraint("reorder_point >= 0 AND safety_stock >= 0", name="not_negative"),
        CheckConstraint("order_up_to >= reorder_point", name="up_to_above_point"),
    )

    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), primary_key=True)
    reorder_point: Mapped[int]
    order_up_to: Mapped[int]
    safety_stock: Mapped[int]
    method: Mapped[str] = mapped_column(default="min_max")
    """How it is replenished: a value of `opsbot.planning.replenishment.Method`."""
    service_level_pct: Mapped[int] = mapped_column(default=95)
    """Percent of cycles without a stock-out that the levels are computed for."""
    review_days: Mapped[int] = mapped_column(default=0)
    """Days from one periodic review to the next."""
    source: Mapped[PolicySource] = mapped_column(default=PolicySource.COMPUTED)
    computed_at: Mapped[datetime | None]
    suggested: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the last computation would set, where a person has set something else; else empty."""

    @property
    def levels(self) -> OrderPoint:
        """The three levels together."""
        return OrderPoint(self.safety_stock, self.reorder_point, self.order_up_to)


def set_levels(
    session: Session, sku: str, levels: OrderPoint, *, actor: str, now: datetime
) -> StockPolicy:
    """Set the levels of an item as a person wants them; no computation changes them then.

    Raises:
        InvalidInputError: the levels are out of order.
    """
    _check(levels)
    policy = _policy(session, sku, levels)
    _put(policy, levels)
    policy.source, policy.suggested = PolicySource.MANUAL, {}
    return _changed(session, policy, "stock_policy_set", actor=actor, now=now)


def compute_levels(
    session: Session,
    sku: str,
    levels: OrderPoint,
    *,
    service_level_pct: int,
    overwrite: bool = False,
    actor: str,
    now: datetime,
) -> StockPolicy:
    """Take over what was computed; what a person has set is only flagged with it.

    Args:
        session: an open transaction.
        sku: the item.
        levels: as computed.
        service_level_pct: percent of cycles that they are for.
        overwrite: a person asked for the computed levels in place of their own.
        actor: who has it computed.
        now: the time.
    """
    _check(levels)
    policy = _policy(session, sku, levels)
    policy.computed_at = now
    if policy.source is PolicySource.MANUAL and not overwrite:
        policy.suggested = {} if policy.levels == levels else _as_json(levels)
        return _changed(session, policy, "stock_policy_flagged", actor=actor, now=now)
    _put(policy, levels)
    policy.source, policy.suggested = PolicySource.COMPUTED, {}
    policy.service_level_pct = service_level_pct
    return _changed(session, policy, "stock_policy_computed", actor=actor, now=now)


def _check(levels: OrderPoint) -> None:
    if not 0 <= levels.safety_stock <= levels.reorder_point <= levels.order_up_to:
        raise InvalidInputError(
            "The safety stock must not be above the reorder point, nor that above the level to "
            "fill up to."
        )


def _policy(session: Session, sku: str, levels: OrderPoint) -> StockPolicy:
    policy = session.get(StockPolicy, sku, with_for_update=True)
    if policy is None:
        policy = StockPolicy(sku=sku, source=PolicySource.COMPUTED, suggested={})
        _put(policy, levels)
        session.add(policy)
        session.flush()
    return policy


def _put(policy: StockPolicy, levels: OrderPoint) -> None:
    policy.safety_stock = levels.safety_stock
    policy.reorder_point = levels.reorder_point
    policy.order_up_to = levels.order_up_to


def _as_json(levels: OrderPoint) -> dict[str, Any]:
    return {
        "safety_stock": levels.safety_stock,
        "reorder_point": levels.reorder_point,
        "order_up_to": levels.order_up_to,
    }


def _changed(
    session: Session, policy: StockPolicy, event: str, *, actor: str, now: datetime
) -> StockPolicy:
    policy.version += 1
    session.flush()
    record_event(session, policy, event, actor=actor, at=now, **_as_json(policy.levels))
    return policy
