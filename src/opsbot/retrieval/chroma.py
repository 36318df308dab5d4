"""The vectors in Chroma: in the data folder, owned by one process at a time, or on a server.

Two processes on one Chroma folder silently lose vectors, and a kill while it writes can leave a
folder that never opens again. So a lock file keeps others out, every vector can be taken again from
the rows, and a rebuild begins in a fresh folder. A server may be shared: names are unique and
writes can be repeated, so that several processes may do the same work.
"""

import hashlib
import shutil
import socket
import sqlite3
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from opsbot.retrieval.models import Audience
from opsbot.retrieval.packing import Vectors
from opsbot.retrieval.rows import (
    PassageKey,
    read_changes,
    read_keys,
    read_vectors,
    split_batches,
)

_SAME = 0.99
"""A stored vector must find itself at least this near, or the folder is broken."""
_CONNECT_S = 5.0
_ENDS = (".p", ".t")
"""Of the names of the two vectors of a passage: of its text, of its title."""


class ChromaStore:
    """One collection per audience and language, two vectors per passage."""

    def __init__(self, folder: Path, *, url: str = "") -> None:
        """Use a folder or a server.

        Args:
            folder: made when missing; must be this process's own (see `FolderLock`).
            url: address of a Chroma server, such as `http://chroma:8000`; empty: the folder.
        """
        self._folder, self._url = folder, url
        self._client: Any = None
        self._prefix = ""
        self._collections: dict[tuple[Audience, str], Any] = {}

    def open(self, index_id: str, model_key: str) -> None:
        """Open the server, or the newest part of the folder, or begin a fresh one.

        Args:
            index_id: which index it is: several may share a server.
            model_key: encoder of the vectors; those of another one are not looked at.
        """
        # Half a second and 40 MB: not for those who only read articles or ask another process.
        import chromadb  # noqa: PLC0415

        self.close()
        self._client = self._connect(chromadb)
        digest = hashlib.sha256(f"{index_id} {model_key}".encode()).hexdigest()
        self._prefix = f"opsbot-{digest[:12]}-"
        self._collections = {}
        for collection in self._client.list_collections():
            if collection.name.startswith(self._prefix):
                audience, _, language = collection.name[len(self._prefix) :].partition("-")
                self._collections[Audience(audience), language] = collection

    def rebuild(self, session: Session, index_id: str, model_key: str) -> None:
        """Throw everything of this index away and fill it again from the rows."""
        if self._url:
            self.open(index_id, model_key)
            for collection in self._collections.values():
                self._client.delete_collection(collection.name)
        else:
            self.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        self.open(index_id, model_key)
        self.compare(session)

    def compare(self, session: Session) -> tuple[int, int]:
        """Make the collections hold the vectors of the rows, no more and no fewer.

        Returns:
            How many passages were put in, and how many were taken out.

        Raises:
            RuntimeError: Chroma counts or finds something else than was stored.
        """
        # What is stored is asked for first: what another process adds meanwhile is not taken out.
        stored = {
            place: {name[:-2] for name in collection.get(include=[])["ids"]}
            for place, collection in self._collections.items()
        }
        keys = read_keys(session)
        wanted = {(key.audience, key.language, _name(key.id, key.content_hash)) for key in keys}
        gone = 0
        for place, names in stored.items():
            extra = sorted(name for name in names if (*place, name) not in wanted)
            self._remove(place, extra)
            gone += len(extra)
        missing = [
            key
            for key in keys
            if _name(key.id, key.content_hash)
            not in stored.get((key.audience, key.language), set())
        ]
        self._add(session, missing)
        self._probe(session, keys)
        return len(missing), gone

    def follow(self, session: Session, since: int) -> None:
        """Apply what changed after version `since`.

        Raises:
            RuntimeError: Chroma counts or finds something else than was stored.
        """
        changes = read_changes(session, since)
        gone = [_name(change.passage_id, change.content_hash) for change in changes.values()]
        for place in self._collections:
            self._remove(place, gone)
        self._add(session, read_keys(session, [id_ for id_, c in changes.items() if c.added]))
        self._probe(session, read_keys(session))

    def search(
        self,
        vector: Vectors,
        audiences: Collection[Audience],
        languages: Collection[str],
        *,
        limit: int,
    ) -> set[int]:
        """Return the ids of the passages that have one of the nearest vectors."""
        return {
            passage
            for (audience, language), collection in self._collections.items()
            if audience in audiences and language in languages
            for passage, _ in _query(collection, vector, limit)
        }

    def close(self) -> None:
        """Let go of the folder's files, or of the connection."""
        if self._client is not None:
            parts = [self._client, getattr(self._client, "_admin_client", None)]
            self._client.close()
            for part in parts:
                # It leaves its connections to a server open.
                session = getattr(getattr(part, "_server", None), "_session", None)
                if session is not None:
                    session.close()
        self._client, self._collections = None, {}

    def _connect(self, chromadb: Any) -> Any:
        from chromadb.config import Settings  # noqa: PLC0415

        settings = Settings(anonymized_telemetry=False)
        if self._url:
            parts = urlsplit(self._url)
            secure = parts.scheme == "https"
            port = parts.port or (443 if secure else 8000)
            # The client would leave its connections open when it finds no server.
            socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_S).close()
            return chromadb.HttpClient(parts.hostname, port, ssl=secure, settings=settings)
        found = sorted(self._folder.glob("index-*"))
        part = found[-1] if found else self._folder / f"index-{uuid.uuid4().hex}"
        part.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(str(part), settings=settings)

    def _collection(self, place: tuple[Audience, str]) -> Any:
        if place not in self._collections:
            audience, language = place
            self._collections[place] = self._client.get_or_create_collection(
                f"{self._prefix}{audience}-{language}",
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
            )
        return self._collections[place]

    def _add(self, session: Session, keys: Sequence[PassageKey]) -> None:
        for some in split_batches(keys):
            vectors = {found.id: found for found in read_vectors(session, [k.id for k in some])}
            places = dict[tuple[Audience, str], list[PassageKey]]()
            for key in some:
                if key.id in vectors:
                    places.setdefault((key.audience, key.language), []).append(key)
            for place, own in places.items():
                names = [_name(key.id, key.content_hash) for key in own]
                both = [(vectors[key.id].text, vectors[key.id].title) for key in own]
                self._collection(place).upsert(
                    ids=[name + end for name in names for end in _ENDS],
                    embeddings=[vector for pair in both for vector in pair],
                )

    def _remove(self, place: tuple[Audience, str], names: Sequence[str]) -> None:
        for some in split_batches(names):
            self._collections[place].delete(ids=[name + end for name in some for end in _ENDS])

    def _probe(self, session: Session, keys: Sequence[PassageKey]) -> None:
        """Check that every collection counts right and finds a vector that it holds."""
        wanted = Counter((key.audience, key.language) for key in keys)
        first = {(key.audience, key.language): key.id for key in reversed(keys)}
        for place in wanted.keys() | self._collections.keys():
            collection = self._collection(place)
            if (count := collection.count()) != 2 * wanted[place]:
                raise RuntimeError(f"{count} vectors instead of {2 * wanted[place]}")
            for passage in read_vectors(session, [first[place]] if place in first else []):
                found = list(_query(collection, passage.text, 1))
                if not found or found[0][1] < _SAME:
                    raise RuntimeError("a stored vector cannot be found")


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


def _name(passage: int, content_hash: str) -> str:
    # The hash is part of the name because a database restored from a copy uses ids again.
    return f"{passage}.{content_hash[:16]}"


def _query(collection: Any, vector: Vectors, limit: int) -> Iterator[tuple[int, float]]:
    found = collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
    for name, distance in zip(found["ids"][0], found["distances"][0], strict=True):
        yield int(name.partition(".")[0]), 1.0 - distance
