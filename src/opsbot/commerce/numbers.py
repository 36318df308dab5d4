"""The numbers that people call records by: `RMA-00010`, `CS-00123`."""

from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base


class NumberKind(StrEnum):
    """What is numbered; the value is the number's first part."""

    CUSTOMER = "C"
    ORDER = "#"
    RETURN = "RMA"
    CASE = "CS"
    PURCHASE_ORDER = "PO"
    WORK_ORDER = "WO"


class Counter(Base):
    """The last number given out of one kind."""

    __tablename__ = "counters"

    kind: Mapped[NumberKind] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_number(session: Session, kind: NumberKind) -> str:
    """Take the next number of this kind. Two transactions never take the same one.

    The first customer and the first order are 1001, everything else starts at 1.
    """
    count = _raise_counter(session, kind)
    if count is None:
        insert_or_ignore(session, Counter, kind=kind, last=_first(kind) - 1)
        count = _raise_counter(session, kind)
    return written_number(kind, count or _first(kind))


def written_number(kind: NumberKind, count: int) -> str:
    """Return the number as people read it: `#1001`, `C-1001`, `RMA-00010`."""
    if kind is NumberKind.ORDER:
        return f"#{count}"
    return f"{kind}-{count}" if kind is NumberKind.CUSTOMER else f"{kind}-{count:05}"


def _first(kind: NumberKind) -> int:
    return 1001 if kind in {NumberKind.CUSTOMER, NumberKind.ORDER} else 1


def _raise_counter(session: Session, kind: NumberKind) -> int | None:
    return session.scalar(
        update(Counter)
        .where(Counter.kind == kind)
        .values(last=Counter.last + 1)
        .returning(Counter.last)
        .execution_options(synchronize_session=False)
    )
