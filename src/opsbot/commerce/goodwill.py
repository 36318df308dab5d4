"""Gestures of goodwill: what customers were given without being owed it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base


class GoodwillGrant(Base):
    """One gesture. Never changed, never deleted."""

    __tablename__ = "goodwill_grants"
    __table_args__ = (CheckConstraint("value_minor > 0", name="value_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[str]
    """`store_credit`, `points` or `shipping_refund`."""
    value_minor: Mapped[int]
    points: Mapped[int | None]
    currency: Mapped[str]
    reason: Mapped[str]
    policy_version: Mapped[str]
    actor: Mapped[str]
    """Who gave it."""
    at: Mapped[datetime]


def shipping_given(session: Session, order_id: int) -> int:
    """Return how much of an order's delivery charge was given back as goodwill."""
    total = select(func.coalesce(func.sum(GoodwillGrant.value_minor), 0)).where(
        GoodwillGrant.order_id == order_id, GoodwillGrant.kind == "shipping_refund"
    )
    return session.scalar(total) or 0


def given_since(session: Session, customer_id: int, currency: str, *, since: datetime) -> int:
    """Return what a customer was given since then, in minor units of a currency."""
    total = select(func.coalesce(func.sum(GoodwillGrant.value_minor), 0)).where(
        GoodwillGrant.customer_id == customer_id,
        GoodwillGrant.currency == currency,
        GoodwillGrant.at >= since,
    )
    return session.scalar(total) or 0
