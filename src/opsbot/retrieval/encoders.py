"""Which encoder a question needs: that of the index, which may not be the chosen one yet."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from opsbot.errors import UnavailableError
from opsbot.retrieval.encoder import Encoder, MiniLmEncoder
from opsbot.retrieval.sentence_models import KEY_PREFIX, SentenceEncoder

log = logging.getLogger(__name__)

Reopen = Callable[[str], Encoder]
"""Returns the encoder that has a key."""

_PACKAGED = "minilm-"
"""How the keys of all builds of the packaged model begin; their vectors are nearly the same."""


class Encoders:
    """The chosen encoder, and the one before it for as long as the index is of its vectors.

    With another embedding model all passages are embedded anew, beside their old vectors. Until
    that is done questions are compared with the old ones, so they need the old encoder.
    """

    def __init__(self, chosen: Encoder, reopen: Reopen | None = None) -> None:
        self.chosen = chosen
        self._reopen = reopen
        self._before: dict[str, Encoder] = {}
        self._lock = threading.Lock()

    def of(self, model_key: str) -> Encoder:
        """Return the encoder whose vectors the index has.

        Args:
            model_key: as the state of the index names it; empty: there is no index yet.

        Raises:
            UnavailableError: that encoder cannot be opened.
        """
        if model_key in {"", self.chosen.key} or self._reopen is None:
            return self.chosen
        with self._lock:
            if model_key not in self._before:
                log.warning(
                    "The index is of the embedding model %s until all is switched.", model_key
                )
                self._before = {model_key: self._reopen(model_key)}
            return self._before[model_key]


def open_encoder(name: str, data_dir: Path) -> Encoder:
    """Return the encoder that a setting names.

    Args:
        name: folder or name of a sentence-transformers model; empty: the packaged one.
        data_dir: where the packaged one keeps its graph.

    Raises:
        UnavailableError: it cannot be loaded.
    """
    return SentenceEncoder.open(name) if name else MiniLmEncoder.open(data_dir)


def reopen_encoder(model_key: str, data_dir: Path) -> Encoder:
    """Return the encoder that has a key.

    Raises:
        UnavailableError: nobody knows that model any more.
    """
    if model_key.startswith(_PACKAGED):
        return MiniLmEncoder.open(data_dir)
    if model_key.startswith(KEY_PREFIX):
        name = model_key.removeprefix(KEY_PREFIX).rpartition("@")[0]
        if (encoder := SentenceEncoder.open(name)).key == model_key:
            return encoder
    raise UnavailableError(
        f"The index was made with the embedding model {model_key}, which cannot be opened; run "
        "`opsbot ingest`."
    )
