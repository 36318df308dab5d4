"""Remember the word pieces of passages that are looked at often."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from opsbot.retrieval.rows import read_pieces


class PieceCache:
    """Word pieces by passage, the last used ones, up to a number of bytes. Safe in threads.

    The id of a passage is never given to another one, so that what is remembered holds for as long
    as the encoder is the same.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._model_key = ""
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many bytes the remembered pieces have."""
        return self._size

    def read(self, connection: Connection, model_key: str, ids: Sequence[int]) -> list[bytes]:
        """Return the packed word pieces of each passage; empty for those that have none.

        Args:
            connection: reads those that are not remembered.
            model_key: of the encoder whose pieces are wanted: that of the index.
            ids: of the passages.
        """
        found = self._find(model_key, ids)
        missing = [id_ for id_ in ids if id_ not in found]
        if missing:
            read = read_pieces(connection, model_key, missing)
            self._keep(model_key, read)
            found |= read
        return [found.get(id_, b"") for id_ in ids]

    def _find(self, model_key: str, ids: Sequence[int]) -> dict[int, bytes]:
        found = dict[int, bytes]()
        with self._lock:
            if model_key == self._model_key:
                for id_ in ids:
                    if (pieces := self._pieces.get(id_)) is not None:
                        self._pieces.move_to_end(id_)
                        found[id_] = pieces
        return found

    def _keep(self, model_key: str, read: dict[int, bytes]) -> None:
        with self._lock:
            if model_key != self._model_key:
                self._pieces.clear()
                self._model_key, self._size = model_key, 0
            for id_, pieces in read.items():
                if id_ not in self._pieces:
                    self._pieces[id_] = pieces
                    self._size += len(pieces)
            while self._size > self._most:
                self._size -= len(self._pieces.popitem(last=False)[1])
