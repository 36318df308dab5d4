"""How often one caller may use one tool.

A limit that protects something (a change, a proof) is counted in a table, so that neither a restart
nor a second process forgets it; one that is only polite is counted in memory.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.commerce.records import insert_or_ignore
from opsbot.db import Base
from opsbot.errors import InvalidInputError, RateLimitedError
from opsbot.toolkit.caller import Caller

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_FORM = re.compile(r"(\d{1,6})/(minute|hour|day)")
_MOST_KEYS = 10_000


@dataclass(frozen=True)
class Limit:
    """So many uses within one minute, hour or day of the clock."""

    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """How long the window is."""
        return _SECONDS[self.unit]

    def __str__(self) -> str:
        """Return it as it is written: `5/hour`."""
        return f"{self.count}/{self.unit}"


class ToolUse(Base):
    """How often a caller has used a tool within one window."""

    __tablename__ = "tool_uses"

    caller: Mapped[str] = mapped_column(primary_key=True)
    """See `counted_as`."""
    tool: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    """`minute`, `hour` or `day`."""
    window: Mapped[int] = mapped_column(primary_key=True)
    """Number of the window since 1970."""
    count: Mapped[int]


def read_limit(text: str) -> Limit:
    """Read a limit such as `5/hour`.

    Raises:
        InvalidInputError: it is written otherwise.
    """
    found = _FORM.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise InvalidInputError(f"A limit is written like 5/hour, 60/minute or 20/day, not {text}.")
    return Limit(int(found[1]), found[2])


def counted_as(caller: Caller) -> str:
    """Return whose uses are counted together.

    A visitor gets a new id for the asking, so visitors count by their network where it is known.
    """
    if caller.staff_id is not None or caller.customer_id is not None:
        return caller.actor
    return f"from:{caller.origin}" if caller.origin else caller.owner


def count_use(
    session: Session, caller: Caller, tool: str, limits: Sequence[Limit], *, now: datetime
) -> None:
    """Count one use in the table, in the transaction of what is done with it.

    Raises:
        RateLimitedError: there were too many; the caller must roll back.
    """
    key, at = counted_as(caller), int(now.timestamp())
    for limit in sorted(limits, key=lambda one: one.seconds):
        window = at // limit.seconds
        row = {"caller": key, "tool": tool, "unit": limit.unit, "window": window}
        if insert_or_ignore(session, ToolUse, **row, count=0):
            session.execute(
                delete(ToolUse).where(
                    ToolUse.caller == key,
                    ToolUse.tool == tool,
                    ToolUse.unit == limit.unit,
                    ToolUse.window < window,
                )
            )
        counted = session.execute(
            update(ToolUse)
            .where(*(getattr(ToolUse, name) == value for name, value in row.items()))
            .where(ToolUse.count < limit.count)
            .values(count=ToolUse.count + 1)
            .execution_options(synchronize_session=False)
        )
        if counted.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, for an UPDATE
            raise _too_often((window + 1) * limit.seconds - at)


class UseCounter:
    """Counts uses in the memory of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str, str], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: Caller, tool: str, limits: Sequence[Limit], *, now: datetime) -> None:
        """Count one use.

        Raises:
            RateLimitedError: there were too many; this one is not counted.
        """
        at = int(now.timestamp())
        with self._lock:
            counts = dict[tuple[str, str, str], tuple[int, int]]()
            for limit in limits:
                key, window = (counted_as(caller), tool, limit.unit), at // limit.seconds
                before, count = self._counts.get(key, (window, 0))
                count = count if before == window else 0
                if count >= limit.count:
                    raise _too_often((window + 1) * limit.seconds - at)
                counts[key] = (window, count + 1)
            for key, value in counts.items():
                self._counts[key] = value
                self._counts.move_to_end(key)
            while len(self._counts) > _MOST_KEYS:
                self._counts.popitem(last=False)


def _too_often(seconds: int) -> RateLimitedError:
    minutes = max(1, round(seconds / 60))
    wait = f"{minutes} minute{'s' if minutes > 1 else ''}"
    if minutes >= 120:  # noqa: PLR2004  (two hours)
        wait = f"{round(minutes / 60)} hours"
    return RateLimitedError(
        f"That was done very often already. Please try again in {wait}, or ask for a person.",
        retry_after=max(1, seconds),
    )
