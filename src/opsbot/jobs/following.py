"""Follow the articles: a saved file is answered from seconds later.

Each process looks at its folders; what it finds becomes a job whose key is the state of the files.
So one of them ingests, and the others find the job done.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.jobs.queue import FOLLOW_ARTICLES, enqueue
from opsbot.jobs.worker import Worker
from opsbot.retrieval.library import Library
from opsbot.retrieval.rows import read_version

_SHARE = 20
"""Looking takes at most one part in so many of the time: with many files, it is done less often."""

_log = logging.getLogger(__name__)


class Follower:
    """Notices changed files, and ingests them unless another process does."""

    def __init__(
        self, database: Database, library: Library, clock: Callable[[], datetime], *, every_s: float
    ) -> None:
        """Prepare to look at the files every so many seconds."""
        self._database = database
        self._library = library
        self._clock = clock
        self._every_s = every_s
        self._worker = Worker(database, {FOLLOW_ARTICLES: self._ingest}, clock, slow=True)
        self._last = ""
        self._done = ""
        self._looked_s = 0.0

    def run_once(self, now: datetime) -> int:
        """Look at the files, and ingest if they changed and stand still; return how many jobs ran.

        A file that is being written looks different each time: it is left alone until it is whole.
        """
        began = time.monotonic()
        found = self._library.snapshot()
        self._looked_s = time.monotonic() - began
        stands_still, self._last = found == self._last, found
        if stands_still and found != self._done:
            with self._database.write() as session:
                key = f"{FOLLOW_ARTICLES}:{found}:{read_version(session.connection())}"
                enqueue(session, FOLLOW_ARTICLES, {}, run_at=now, dedupe_key=key)
            self._done = found
        return self._worker.run_once(now)

    def run_forever(self, stop: threading.Event) -> None:
        """Follow until `stop` is set; what is at hand is finished first."""
        said = ""
        while not stop.is_set():
            try:
                self.run_once(self._clock())
                said = ""
            except OpsbotError as error:  # the folder or the database is away; it may come back
                if str(error) != said:
                    _log.warning("The articles are not followed: %s", error)
                said = str(error)
            stop.wait(max(self._every_s, _SHARE * self._looked_s))

    def _ingest(self, _payload: Mapping[str, Any], now: datetime) -> None:
        report = self._library.follow(now=now)
        changed = [*report.added, *report.changed, *report.removed]
        if changed:
            _log.info("Articles followed: %s", ", ".join(changed[:20]))
