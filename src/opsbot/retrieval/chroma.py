"""The vectors in Chroma: a cache in the data folder, owned by one process at a time.

Two processes on one Chroma folder silently lose vectors, and a kill while it writes can leave a
folder that never opens again. So a lock file keeps others out, every vector can be taken again from
the passage rows, and a rebuild begins in a fresh folder.
"""

import hashlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from opsbot.retrieval.encoder import Vectors
from opsbot.retrieval.models import Audience
from opsbot.retrieval.rows import (
    PassageKey,
    PassageVectors,
    read_keys,
    read_vectors,
    split_batches,
)

_SAME = 0.999
"""A stored vector must find itself at least this near, or the folder is broken."""


class ChromaStore:
    """One collection per audience, two vectors per passage (its text, its title)."""

    def __init__(self, folder: Path, *, model_key: str) -> None:
        """Use `folder`, which must be this process's own (see `FolderLock`).

        Args:
            folder: made when missing.
            model_key: encoder of the vectors; those of another one are not looked at.
        """
        self._folder = folder
        self._suffix = hashlib.sha256(model_key.encode()).hexdigest()[:8]
        self._client: Any = None
        self._collections: dict[Audience, Any] = {}

    def open(self) -> None:
        """Open the newest part of the folder, or begin a fresh one."""
        # Half a second and 40 MB: not for those who only read articles or ask another process.
        import chromadb  # noqa: PLC0415
        from chromadb.config import Settings  # noqa: PLC0415

        parts = sorted(self._folder.glob("index-*"))
        part = parts[-1] if parts else self._folder / f"index-{uuid.uuid4().hex}"
        part.mkdir(parents=True, exist_ok=True)
        self._client = chromadb.PersistentClient(
            str(part), settings=Settings(anonymized_telemetry=False)
        )
        self._collections = {
            audience: self._client.get_or_create_collection(
                f"{audience}-{self._suffix}",
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
            )
            for audience in Audience
        }

    def rebuild(self, session: Session) -> None:
        """Throw the folder away and fill a fresh one from the rows."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.open()
        self.follow(session)

    def follow(self, session: Session) -> None:
        """Make the collections hold the vectors of the rows, no more and no fewer.

        Raises:
            RuntimeError: Chroma counts or finds something else than was stored.
        """
        keys = read_keys(session)
        for audience, collection in self._collections.items():
            wanted = {_name(key): key for key in keys if key.audience is audience}
            stored = {name[:-2] for name in collection.get(include=[])["ids"]}
            for names in split_batches(sorted(stored - wanted.keys())):
                collection.delete(ids=[f"{name}{end}" for name in names for end in (".p", ".t")])
            missing = {wanted[name].id: name for name in wanted.keys() - stored}
            for ids in split_batches(sorted(missing)):
                _add(collection, list(read_vectors(session, ids)), missing)
            _probe(session, collection, list(wanted.values()))

    def search(
        self, vector: Vectors, audiences: Sequence[Audience], *, limit: int
    ) -> dict[int, float]:
        """Return the cosine of each of the nearest passages: of its text or title, if nearer."""
        cosines = dict[int, float]()
        for audience in audiences:
            for passage, cosine in _query(self._collections[audience], vector, limit):
                cosines[passage] = max(cosine, cosines.get(passage, -1.0))
        return cosines

    def close(self) -> None:
        """Let go of the folder's files."""
        if self._client is not None:
            self._client.close()
        self._client, self._collections = None, {}


class FolderLock:
    """Says which process owns a folder; let go of when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite's own file lock: the same on every system, and never left behind by a kill.
        self._file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self._held = False

    def acquire(self) -> bool:
        """Return whether this process owns the folder, now or already."""
        if not self._held:
            try:
                self._file.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return False
            self._held = True
        return True

    def release(self) -> None:
        """Let another process have the folder."""
        self._file.close()
        self._held = False


def _name(key: PassageKey) -> str:
    # The hash is part of the name because a database may use the id of a deleted row again.
    return f"{key.id}.{key.content_hash[:16]}"


def _add(collection: Any, passages: Sequence[PassageVectors], names: dict[int, str]) -> None:
    if passages:
        collection.add(
            ids=[f"{names[p.id]}{end}" for p in passages for end in (".p", ".t")],
            embeddings=[vector for p in passages for vector in (p.text, p.title)],
        )


def _probe(session: Session, collection: Any, keys: Sequence[PassageKey]) -> None:
    """Check that the collection counts right and finds a vector that it holds."""
    if collection.count() != 2 * len(keys):
        raise RuntimeError(f"{collection.count()} vectors instead of {2 * len(keys)}")
    for passage in read_vectors(session, [key.id for key in keys[:1]]):
        found = list(_query(collection, passage.text, 1))
        if not found or found[0][1] < _SAME:
            raise RuntimeError("a stored vector cannot be found")


def _query(collection: Any, vector: Vectors, limit: int) -> Iterator[tuple[int, float]]:
    found = collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
    for name, distance in zip(found["ids"][0], found["distances"][0], strict=True):
        yield int(name.partition(".")[0]), 1.0 - distance
