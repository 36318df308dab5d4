"""Claims about deliveries: late, not received, incomplete, damaged or wrong."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base


class Claim(Base):
    """What a customer reported about a delivery, with the decision it rests on."""

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_kind_reported_at", "kind", "reported_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str]
    """`late`, `not_received`, `missing`, `damaged` or `wrong`."""
    items: Mapped[list[str]]
    """Titles of the lines it is about; empty: the whole delivery."""
    wanted: Mapped[str | None]
    """What the customer chose of what was offered."""
    in_time: Mapped[bool]
    policy_version: Mapped[str]
    decision: Mapped[dict[str, Any]]
    """Facts, steps and resolutions, as they were."""
    reported_at: Mapped[datetime]


def claims_of(session: Session, order_id: int) -> list[Claim]:
    """Return the claims about an order, oldest first."""
    found = select(Claim).where(Claim.order_id == order_id).order_by(Claim.id)
    return list(session.scalars(found))
