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
    LOT = "LOT"
    ADJUSTMENT = "ADJ"
    WITHDRAWAL = "WD"


class Counter(Base):
    """The last number given out of one kind."""

    __tablename__ = "counters"

    kind: Mapped[NumberKind] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_number(session: Session, kind: NumberKind) -> str:
    """Take the next number of this kind. Two transactions never take the same one.

    The first customer and the first order are 1001, everything else starts at 1.
    """
    return next_numbers(session, kind, 1)[0]


def next_numbers(session: Session, kind: NumberKind, count: int) -> list[str]:
    """Take the next `count` numbers of this kind, as `next_number` takes one."""
    last = _raise_counter(session, kind, count)
    if last is None:
        insert_or_ignore(session, Counter, kind=kind, last=_first(kind) - 1)
        last = _raise_counter(session, kind, count) or _first(kind)
    return [written_number(kind, number) for number in range(last - count + 1, last + 1)]


def skip_numbers(session: Session, kind: NumberKind, highest: int) -> None:
    """Give out no number up to `highest` any more: it came from elsewhere."""
    insert_or_ignore(session, Counter, kind=kind, last=_first(kind) - 1)
    session.execute(
        update(Counter)
        .where(Counter.kind == kind, Counter.last < highest)
        .values(last=highest)
        .execution_options(synchronize_session=False)
    )


def written_number(kind: NumberKind, count: int) -> str:
    """Return the number as people read it: `#1001`, `C-1001`, `RMA-00010`."""
    if kind is NumberKind.ORDER:
        return f"#{count}"
    return f"{kind}-{count}" if kind is NumberKind.CUSTOMER else f"{kind}-{count:05}"


def _first(kind: NumberKind) -> int:
    return 1001 if kind in {NumberKind.CUSTOMER, NumberKind.ORDER} else 1


def _raise_counter(session: Session, kind: NumberKind, count: int) -> int | None:
    return session.scalar(
        update(Counter)
        .where(Counter.kind == kind)
        .values(last=Counter.last + count)
        .returning(Counter.last)
        .execution_options(synchronize_session=False)
    )
