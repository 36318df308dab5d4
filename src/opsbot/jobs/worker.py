"""A worker: takes jobs, one after the other, and does them."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.jobs.queue import (
    LEASE,
    Claim,
    claim_job,
    enqueue_recurring,
    finish_job,
    prolong_lease,
)

POLL_S = 1.0
"""How long a worker without work waits before it looks again."""

Handler = Callable[[Mapping[str, Any], datetime], None]
"""Does a job of one kind: takes its payload and the time. Harmless to repeat."""

_log = logging.getLogger(__name__)


class Worker:
    """Does jobs in the thread that runs it. Any number may run, in any number of processes."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        clock: Callable[[], datetime],
        *,
        schedules: Mapping[str, timedelta] | None = None,
        slow: bool = False,
    ) -> None:
        """Prepare a worker.

        Args:
            database: where the jobs are.
            handlers: kind of job to what does it.
            clock: gives the time.
            schedules: kind to how often it is put in by itself.
            slow: do the kinds that take long, and no others.
        """
        self._database = database
        self._handlers = handlers
        self._clock = clock
        self._schedules = dict(schedules or {})
        self._slow = slow
        self._planned: dict[str, int] = {}

    def run_once(self, now: datetime) -> int:
        """Put in what is scheduled, then do everything that is due; return how many jobs."""
        self._plan(now)
        count = 0
        while (claim := claim_job(self._database, now=now, slow=self._slow)) is not None:
            self._do(claim, now)
            count += 1
        return count

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set; the job at hand is finished first."""
        while not stop.is_set():
            try:
                self.run_once(self._clock())
            except OpsbotError as error:  # the database is away; it may come back
                _log.warning("The worker pauses: %s", error)
            stop.wait(POLL_S)

    def _plan(self, now: datetime) -> None:
        for kind, every in self._schedules.items():
            period = int(now.timestamp() // every.total_seconds())
            if self._planned.get(kind) == period:
                continue
            with self._database.write() as session:
                enqueue_recurring(session, kind, every, now=now)
            self._planned[kind] = period

    def _do(self, claim: Claim, now: datetime) -> None:
        error = self._try(claim, now)
        if error is not None:
            _log.warning("Job %s (%s) was not done: %s", claim.id, claim.kind, error)
        if not finish_job(self._database, claim, error=error, now=now):
            _log.warning("Job %s (%s) was given to another worker", claim.id, claim.kind)

    def _try(self, claim: Claim, now: datetime) -> str | None:
        """Do the job; return what went wrong, in words."""
        handle = self._handlers.get(claim.kind)
        if handle is None:
            return f"Nobody does jobs of the kind {claim.kind!r} here."
        try:
            with self._sign_of_life(claim):
                handle(claim.payload, now)
        except OpsbotError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  (one broken job must not stop the others)
            _log.exception("Job %s (%s) broke", claim.id, claim.kind)
            return f"{type(error).__name__}: {error}"
        return None

    @contextmanager
    def _sign_of_life(self, claim: Claim) -> Iterator[None]:
        """Prolong the lease from a thread of its own while the job is at work."""
        done = threading.Event()

        def prolong() -> None:
            while not done.wait(LEASE.total_seconds() / 3):
                try:
                    prolong_lease(self._database, claim, now=self._clock())
                except OpsbotError as error:
                    _log.warning("The lease of job %s was not prolonged: %s", claim.id, error)

        thread = threading.Thread(target=prolong, name=f"lease-{claim.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
