"""How many tries somebody has before they must wait."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from opsbot.errors import RateLimitedError

_MOST_KEYS = 10_000
"""So many keys are remembered; the oldest is forgotten first."""


class Throttle:
    """Counts tries by key, in the memory of one process. Safe to use from several threads."""

    def __init__(self, *, window: timedelta) -> None:
        """Tries are remembered for `window`."""
        self._window = window
        self._tries: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, limits: Mapping[str, int], *, now: datetime) -> None:
        """Let a try pass, and count it at once: tries at the same time are seen too.

        Args:
            limits: what the try counts for, and how many of it may be within the window.
            now: when.

        Raises:
            RateLimitedError: there were too many; it says when to try again. Nothing is counted.
        """
        with self._lock:
            recent = {key: self._recent(key, now) for key in limits}
            full = [recent[key][-most] for key, most in limits.items() if len(recent[key]) >= most]
            if not full:
                for key, moments in recent.items():
                    self._tries[key] = [*moments, now]
                    self._tries.move_to_end(key)
                while len(self._tries) > _MOST_KEYS:
                    self._tries.popitem(last=False)
        if full:
            left = max(full) + self._window - now
            minutes = max(1, round(left.total_seconds() / 60))
            raise RateLimitedError(
                f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then go on.",
                retry_after=max(1, round(left.total_seconds())),
            )

    def give_back(self, keys: Iterable[str], *, now: datetime) -> None:
        """Uncount the try that was taken at `now`: it worked."""
        with self._lock:
            for key in keys:
                moments = self._tries.get(key, [])
                if now in moments:
                    moments.remove(now)

    def forget(self, key: str) -> None:
        """Start again from nothing, after a try that worked."""
        with self._lock:
            self._tries.pop(key, None)

    def _recent(self, key: str, now: datetime) -> list[datetime]:
        return [moment for moment in self._tries.get(key, []) if moment > now - self._window]
