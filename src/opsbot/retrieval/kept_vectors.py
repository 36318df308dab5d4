"""Vectors of texts that are the same at every start, kept in a file.

The examples of some hundred tools take seconds to encode; they change when a tool does. Only what
is asked in bulk is kept: what a person writes passes through.
"""

import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from opsbot.retrieval.encoder import Encoded, Encoder, Vectors

BULK = 40
"""Texts from which a request counts as one of a start, not of a person."""
MOST = 20_000
"""Texts that are kept; beyond it those of the last requests stay."""

log = logging.getLogger(__name__)


class KeptVectors:
    """An encoder that remembers over starts what it was asked in bulk. Safe in several threads."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        """Wrap `encoder`; its file lies in `folder`, which need not exist or be writable."""
        self._encoder = encoder
        name = hashlib.sha256(encoder.key.encode()).hexdigest()[:16]
        self._path = folder / f"examples-{name}.npz"
        self._lock = threading.Lock()
        self._known: dict[str, Vectors] | None = None

    @property
    def key(self) -> str:
        """What the vectors depend on."""
        return self._encoder.key

    @property
    def dimensions(self) -> int:
        """The length of a vector, as a list of numbers."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        if len(texts) < BULK:
            return self._encoder.encode(texts)
        with self._lock:
            if self._known is None:
                self._known = self._load()
            keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
            missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
            if missing:
                made = self._encoder.encode(list(missing.values()))
                self._known |= dict(zip(missing, made, strict=True))
                self._save(self._known)
            return np.stack([self._known[key] for key in keys])

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        """Return the vectors of `texts` together with those of their word pieces."""
        return self._encoder.encode_pieces(texts)

    def _load(self) -> dict[str, Vectors]:
        """Return what the file has; nothing when it is missing or cannot be read."""
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as read:
                keys, vectors = read["keys"], read["vectors"]
        except FileNotFoundError:
            return {}
        except Exception as error:  # noqa: BLE001  (zip, numpy and the disk have errors of their own)
            log.warning("%s cannot be read (%s); it is made anew.", self._path, error)
            return {}
        if vectors.shape != (len(keys), self.dimensions):
            return {}
        return dict(zip((str(key) for key in keys), vectors.astype(np.float32), strict=True))

    def _save(self, known: Mapping[str, Vectors]) -> None:
        """Write the file at once and whole; without it the next start takes longer, no more."""
        kept = list(known.items())[-MOST:]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self._path.parent, suffix=".npz", delete=False
            ) as file:
                np.savez(
                    file,
                    keys=np.array([key for key, _ in kept]),
                    vectors=np.stack([vector for _, vector in kept]),
                )
            os.replace(file.name, self._path)  # noqa: PTH105  (as in `graph`)
        except OSError as error:
            log.warning("%s cannot be written: %s.", self._path, error)
