"""Search by meaning: in Chroma when it is ready, and by a scan of the rows until then."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from opsbot.db import Database
from opsbot.retrieval.chroma import ChromaStore, FolderLock
from opsbot.retrieval.encoder import DIMENSIONS
from opsbot.retrieval.models import Audience
from opsbot.retrieval.packing import Vectors
from opsbot.retrieval.rows import read_keys, read_vectors, read_version

log = logging.getLogger(__name__)


class VectorIndex:
    """Finds the passages nearest to a vector.

    Chroma follows the rows in a thread of its own. While it does, or when it is broken, or when
    another process owns its folder, every search scans the rows' vectors in memory: the same
    answers, with more memory on large bases.
    """

    def __init__(self, database: Database, data_dir: Path, *, model_key: str) -> None:
        self._database = database
        self._store = ChromaStore(data_dir / "chroma", model_key=model_key)
        self._owner = FolderLock(data_dir / "chroma.lock")
        self._scan: _Scan | None = None
        self._ready_for: int | None = None
        """The version of the index that Chroma holds; unset when it holds none."""
        self._wanted: int | None = None
        self._is_open = self._is_closed = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def search(
        self,
        session: Session,
        vector: Vectors,
        audiences: Sequence[Audience],
        *,
        version: int,
        limit: int,
    ) -> dict[int, float]:
        """Return the cosines of about `limit` nearest passages, by id.

        Args:
            session: sees the index at `version`.
            vector: of length 1.
            audiences: whose passages to search.
            version: the version of the index that the answer must come from.
            limit: most vectors to look at for each audience.
        """
        if self._ready_for == version:
            try:
                return self._store.search(vector, audiences, limit=limit)
            except Exception:
                # Chroma's errors have no common parent, and none may cost a customer an answer.
                log.exception("Chroma failed; it is rebuilt from the passage rows.")
                self._ready_for = self._wanted = None
        self._follow(version)
        return self._scan_for(session, version).search(vector, audiences, limit=limit)

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
        self._owner.release()

    def _follow(self, version: int) -> None:
        """Let Chroma catch up with the rows, in a thread of its own."""
        with self._lock:
            if self._thread is not None or self._is_closed or self._wanted == version:
                return
            self._wanted, self._ready_for = version, None
            self._thread = threading.Thread(target=self._catch_up, name="chroma", daemon=True)
            self._thread.start()

    def _catch_up(self) -> None:
        held: int | None = None
        try:
            if self._owner.acquire():
                held = self._synchronise()
            else:
                log.warning("Another process owns the Chroma folder; this one scans the vectors.")
        except Exception:
            log.exception("Chroma cannot be used; the vectors are scanned instead.")
        with self._changed:
            self._ready_for, self._thread = held, None
            if held is not None:
                self._wanted = held
                self._scan = None
            self._changed.notify_all()

    def _synchronise(self) -> int:
        """Bring Chroma to the rows as they are now, rebuilding it if need be."""
        with self._database.read() as session:
            version = read_version(session)
            try:
                if not self._is_open:
                    self._store.open()
                    self._is_open = True
                self._store.follow(session)
            except Exception as error:  # noqa: BLE001  (Chroma's errors have no common parent)
                log.warning("Chroma is broken (%s); it is rebuilt from the passage rows.", error)
                self._store.rebuild(session)
        return version

    def _scan_for(self, session: Session, version: int) -> "_Scan":
        scan = self._scan
        if scan is None or scan.version != version:
            scan = self._scan = _Scan(session, version)
        return scan


class _Scan:
    """All vectors of one version of the index, in memory."""

    def __init__(self, session: Session, version: int) -> None:
        self.version = version
        keys = read_keys(session)
        self._ids = np.array([key.id for key in keys], np.int64)
        self._audiences: NDArray[np.str_] = np.array([str(key.audience) for key in keys], np.str_)
        self._text = np.zeros((len(keys), DIMENSIONS), np.float32)
        self._title = np.zeros_like(self._text)
        rows = {key.id: row for row, key in enumerate(keys)}
        for passage in read_vectors(session, rows):
            self._text[rows[passage.id]] = passage.text
            self._title[rows[passage.id]] = passage.title

    def search(
        self, vector: Vectors, audiences: Sequence[Audience], *, limit: int
    ) -> dict[int, float]:
        if not len(self._ids):
            return {}
        cosines = np.maximum(self._text @ vector, self._title @ vector)
        cosines[~np.isin(self._audiences, [str(audience) for audience in audiences])] = -1
        best = np.argsort(-cosines, kind="stable")[:limit]
        return {int(self._ids[i]): float(cosines[i]) for i in best if cosines[i] > -1}
