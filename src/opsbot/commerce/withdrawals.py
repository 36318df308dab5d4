"""Withdrawals by law, as customers declared them: recorded whatever they are found to be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.numbers import NumberKind, next_number
from opsbot.commerce.orders import Order
from opsbot.commerce.records import record_event
from opsbot.db import Base


class WithdrawalOutcome(StrEnum):
    """What followed from a declared withdrawal."""

    CANCELLED = "cancelled"
    """Nothing had been packed: the units were cancelled, and their money goes back."""
    RETURN = "return"
    """A return is open, and the customer sends the goods."""
    ON_ITS_WAY = "on_its_way"
    """The parcel is with the carrier: refused at the door or sent back, then refunded."""
    BY_A_PERSON = "by_a_person"
    """It was found late or exempt; a person looks at it."""


class Withdrawal(Base):
    """One declaration of one customer about one order. Never changed, never deleted."""

    __tablename__ = "withdrawals"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    """`WD-00001`."""
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    lines: Mapped[list[dict[str, Any]]]
    """Keys: line (its id), sku, title, quantity, finding, outcome, until, clause."""
    statement: Mapped[str]
    """What was declared, in words: the content of the acknowledgement."""
    channel: Mapped[str]
    """Where it was declared: see `Caller.channel`."""
    policy_version: Mapped[str]
    decision: Mapped[dict[str, Any]]
    """The facts it was judged on, as they were."""
    return_id: Mapped[int | None] = mapped_column(ForeignKey("returns.id"))
    declared_at: Mapped[datetime]


def record_withdrawal(
    session: Session,
    order: Order,
    lines: Sequence[Mapping[str, Any]],
    *,
    statement: str,
    channel: str,
    policy_version: str,
    decision: Mapping[str, Any],
    return_id: int | None,
    actor: str,
    now: datetime,
) -> Withdrawal:
    """Write down that a customer withdrew from buying some units. Nothing can refuse it."""
    declared = Withdrawal(
        number=next_number(session, NumberKind.WITHDRAWAL),
        order_id=order.id,
        customer_id=order.customer_id,
        lines=[dict(line) for line in lines],
        statement=statement,
        channel=channel,
        policy_version=policy_version,
        decision=dict(decision),
        return_id=return_id,
        declared_at=now,
    )
    session.add(declared)
    session.flush()
    record_event(session, order, "withdrawal_declared", actor=actor, at=now, number=declared.number)
    return declared


def withdrawals_of(session: Session, order_id: int) -> list[Withdrawal]:
    """Return what was declared about an order, oldest first."""
    found = select(Withdrawal).where(Withdrawal.order_id == order_id)
    return list(session.scalars(found.order_by(Withdrawal.id)))


def units_withdrawn(declared: Sequence[Withdrawal]) -> dict[int, int]:
    """Return how many units of each line of an order were withdrawn from before."""
    units: dict[int, int] = {}
    for one in declared:
        for line in one.lines:
            units[line["line"]] = units.get(line["line"], 0) + line["quantity"]
    return units
