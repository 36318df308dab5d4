"""Search by meaning in Chroma, when it holds what the rows hold."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.chroma import ChromaStore, FolderLock
from opsbot.retrieval.packing import Vectors
from opsbot.retrieval.postings import Rows
from opsbot.retrieval.rows import read_state
from opsbot.retrieval.shelf import AUDIENCES, Reader, Shelf

log = logging.getLogger(__name__)

_RETRY_S = 60.0
"""After so long a Chroma that could not be used is tried again."""


class VectorIndex:
    """Asks Chroma for the passages nearest to a vector.

    Chroma follows the rows in a thread of its own. While it does, or when it is broken, or when
    another process owns its folder, there is no answer, and the shelf is scanned instead: the same
    passages, with more work on large bases.
    """

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        *,
        url: str = "",
        asked_from: int = 0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the vectors of `database` in Chroma.

        Args:
            database: whose rows to follow.
            data_dir: holds Chroma's folder, unless there is a server.
            url: address of a Chroma server; empty: none.
            asked_from: Chroma is asked where a reader has so many passages; a scan of fewer is
                exact and faster.
            elapsed: seconds since some moment.
        """
        self._database = database
        self._store = ChromaStore(data_dir / "chroma", url=url)
        self._owner = None if url else FolderLock(data_dir / "chroma.lock")
        self._asked_from = asked_from
        self._elapsed = elapsed
        self._ready_for: int | None = None
        """The version of the index that Chroma holds; unset when it holds none."""
        self._wanted: int | None = None
        self._tried_at = 0.0
        self._model_key = ""
        """Of the vectors that are open."""
        self._is_closed = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def search(
        self,
        shelf: Shelf,
        reader: Reader,
        vector: Vectors,
        languages: Collection[str],
        *,
        limit: int,
    ) -> Rows | None:
        """Return the rows of the shelf's view that have one of the nearest vectors.

        Args:
            shelf: the index to search.
            reader: whose view to search.
            vector: of length 1.
            languages: the languages to search.
            limit: most vectors to look at for each audience and language.

        Returns:
            None when a scan is better, or Chroma does not hold the shelf's version; it is then
            brought to it.
        """
        view = shelf.view(reader)
        if self._ready_for == shelf.version:
            if len(view) < self._asked_from:
                return None
            try:
                found = self._store.search(vector, AUDIENCES[reader], languages, limit=limit)
                return view.find_rows(found)
            except Exception:
                # Chroma's errors have no common parent, and none may cost a customer an answer.
                log.exception("Chroma failed; it is rebuilt from the passage rows.")
                with self._lock:
                    self._ready_for = self._wanted = None
                    self._model_key = ""
        self._follow(shelf.version)
        return None

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Wait for Chroma to hold the version last asked for; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout_s) and (
                self._ready_for is not None and self._ready_for == self._wanted
            )

    def close(self) -> None:
        """Wait for the work in progress and let go of the folder."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        if thread is not None:
            thread.join()
        self._store.close()
        if self._owner is not None:
            self._owner.release()

    def _follow(self, version: int) -> None:
        """Let Chroma catch up with the rows, in a thread of its own."""
        with self._lock:
            failed = self._ready_for is None and self._wanted is not None
            waiting = failed and self._elapsed() < self._tried_at + _RETRY_S
            if self._thread is not None or self._is_closed or waiting:
                return
            if self._wanted == version and not failed:
                return
            self._wanted, self._tried_at = version, self._elapsed()
            held, self._ready_for = self._ready_for, None
            self._thread = threading.Thread(
                target=self._catch_up, args=(held,), name="chroma", daemon=True
            )
            self._thread.start()

    def _catch_up(self, held: int | None) -> None:
        now_held: int | None = None
        try:
            if self._owner is None or self._owner.acquire():
                now_held = self._synchronise(held)
            else:
                log.warning("Another process owns the Chroma folder; this one scans the vectors.")
        except Exception:
            log.exception("Chroma cannot be used; the vectors are scanned instead.")
        with self._changed:
            self._ready_for, self._thread = now_held, None
            if now_held is not None:
                self._wanted = now_held
            self._changed.notify_all()

    def _synchronise(self, held: int | None) -> int:
        """Bring Chroma to the rows as they are now, rebuilding it if need be."""
        with self._database.read() as session:
            _see_one_state(session)
            state = read_state(session)
            if state is None:
                return 0
            try:
                if self._model_key != state.model_key:
                    self._store.open(state.index_id, state.model_key)
                    self._model_key = state.model_key
                    held = None
                if held is None or held < state.followed_from:
                    self._store.compare(session)
                else:
                    self._store.follow(session, held)
            except Exception as error:  # noqa: BLE001  (Chroma's errors have no common parent)
                log.warning("Chroma is broken (%s); it is rebuilt from the passage rows.", error)
                self._store.rebuild(session, state.index_id, state.model_key)
                self._model_key = state.model_key
            return state.version


def _see_one_state(session: Session) -> None:
    """Read one state of the database to the end, as SQLite does anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
