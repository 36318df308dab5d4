"""Texts to vectors: MiniLM run by ONNX Runtime.

The graph has int8 weights per channel: on one thread a question takes a third of the time of
float32 and the process 60 MB less, and the nearest passages stay the same. Texts run one by one:
int8 scales depend on the whole batch, so that alone a text has the same vector every time, and
no time is spent on padding: on one core batches sorted by length are slower than that.
"""

import ctypes
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from opsbot.retrieval.late import pack_states
from opsbot.retrieval.weights import (
    INPUTS,
    OUTPUT,
    TOKENIZER_SHA256,
    TOKENS,
    WEIGHTS_SHA256,
    Weights,
    find_model_folder,
    read_known,
)

DIMENSIONS = 384
MAX_TOKENS = 256
MODEL_KEY = f"minilm-{WEIGHTS_SHA256[:16]}-int7-1"
"""Changes with the weights, with how the graph is built, and with what it is given to read."""

CACHED_BYTES = 16_000_000
"""About what remembered vectors and their texts may take, in all."""
_CACHED_CHARACTERS = 400
_THREADS = 2
_AT_ONCE = min(max(os.cpu_count() or 1, 2), 8)
"""Texts that are encoded at the same time: more take memory, 12 MB each, and save no time."""
_MALLOC_ARENAS = (-8, 2)
"""How `mallopt` of glibc is told to keep two heaps in all, not eight for each core."""

_ENTRY_BYTES = 250
"""What the table takes for one entry, beside text and numbers."""

T = TypeVar("T")
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """What a text says: as a whole, and word piece by word piece."""

    vector: Vectors
    """Shape (dimensions,), of length 1."""
    pieces: bytes
    """Its word pieces in order, as `late` packs them; those without a letter or digit are left out,
    unless there are no others."""
    words: tuple[str, ...]
    """The word that each piece is of."""


class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def key(self) -> str:
        """What the vectors depend on; vectors of different keys cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector, as a list of numbers."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        ...

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        """Return the vectors of `texts` together with those of their word pieces."""
        ...


class MiniLmEncoder:
    """The packaged English model. Safe to use from several threads."""

    dimensions = DIMENSIONS

    def __init__(self, session: Any, tokenizer: Tokenizer) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._cache = VectorCache(CACHED_BYTES)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def key(self) -> str:
        """The hash of the weights and the way the graph is built."""
        return MODEL_KEY

    @classmethod
    def open(cls, data_dir: Path) -> "MiniLmEncoder":
        """Load the model; build its graph in `data_dir/models` the first time (about 5 s).

        Raises:
            UnavailableError: the weights are missing or not the known ones, or the folder cannot
                be written.
        """
        folder = find_model_folder()
        tokenizer = Tokenizer.from_str(
            read_known(folder / "tokenizer.json", TOKENIZER_SHA256).decode()
        )
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return cls(_open_session(folder, data_dir / "models" / f"{MODEL_KEY}.onnx"), tokenizer)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of `texts`, shape (len(texts), 384), each row of length 1.

        Short texts are remembered; what is past the 256th token of a text is left out.
        """
        known = self._cache.find(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        made = dict(zip(missing, _map(self._run, missing), strict=True))
        self._cache.keep(made)
        known |= made
        return np.array([known[text] for text in texts], np.float32).reshape(-1, DIMENSIONS)

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        """Return the vectors of `texts` together with those of their word pieces."""
        encoded = _map(self._run_whole, texts)
        self._cache.keep({text: one.vector for text, one in zip(texts, encoded, strict=True)})
        return encoded

    def _run(self, text: str) -> Vectors:
        feed = _feed(self._tokenizer.encode(text))
        with self._turns:
            vector: Vectors = self._session.run([OUTPUT], feed)[0][0]
        return vector

    def _run_whole(self, text: str) -> Encoded:
        encoding = self._tokenizer.encode(text)
        with self._turns:
            vectors, states = self._session.run([OUTPUT, TOKENS], _feed(encoding))
        words = _words_of(text, encoding)
        kept = [place for place, word in enumerate(words) if any(map(str.isalnum, word))] or [0]
        return Encoded(vectors[0], pack_states(states[0][kept]), tuple(words[i] for i in kept))


class VectorCache:
    """Remembers the vectors of short texts, the last used ones, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return self._size

    def find(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors it has of these texts."""
        found = dict[str, Vectors]()
        with self._lock:
            for text in texts:
                if (vector := self._vectors.get(text)) is not None:
                    self._vectors.move_to_end(text)
                    found[text] = vector
        return found

    def keep(self, vectors: Mapping[str, Vectors]) -> None:
        """Remember these vectors, as far as their texts are short."""
        with self._lock:
            for text, vector in vectors.items():
                if len(text) > _CACHED_CHARACTERS or text in self._vectors:
                    continue
                # A copy: the vector may be a window on memory of the model that is much larger.
                self._vectors[text] = vector.copy()
                self._size += _size_of(text, vector)
            while self._size > self._most:
                self._size -= _size_of(*self._vectors.popitem(last=False))


def _size_of(text: str, vector: Vectors) -> int:
    return vector.nbytes + sys.getsizeof(text) + _ENTRY_BYTES


def _map(run: Callable[[str], T], texts: Sequence[str]) -> list[T]:
    """Return what `run` makes of each text; several at a time if there are many."""
    if len(texts) < 2 * _THREADS:
        return [run(text) for text in texts]
    # The longest first, so that no thread is left with a long one at the end.
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    with ThreadPoolExecutor(_THREADS) as pool:
        made = dict(zip(order, pool.map(lambda place: run(texts[place]), order), strict=True))
    return [made[place] for place in range(len(texts))]


def _feed(encoding: Any) -> dict[str, NDArray[np.int64]]:
    rows = (encoding.ids, encoding.attention_mask, encoding.type_ids)
    return {name: np.array([row], np.int64) for name, row in zip(INPUTS, rows, strict=True)}


def _words_of(text: str, encoding: Any) -> list[str]:
    """Return the word that each token is a piece of; empty for the marks of start and end."""
    words = list[str]()
    for number in encoding.word_ids:
        start, end = (0, 0) if number is None else encoding.word_to_chars(number)
        words.append(text[start:end])
    return words


def _open_session(folder: Path, graph: Path) -> Any:
    if graph.exists():
        try:
            return _start(graph)
        except Exception:  # noqa: BLE001  (onnxruntime has a dozen kinds for a file it cannot read)
            graph.unlink(missing_ok=True)
    # Only the first start of all builds; the others do without onnx's memory.
    from opsbot.retrieval.graph import write_graph  # noqa: PLC0415

    write_graph(Weights(read_known(folder / "model.safetensors", WEIGHTS_SHA256)), graph)
    return _start(graph)


def _share_heaps() -> None:
    """Keep the memory of long texts from piling up, where the C library can be told.

    glibc gives threads heaps of their own, and each keeps what its longest text took: together
    some hundreds of MB once many threads had one.
    """
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(*_MALLOC_ARENAS)


def _start(graph: Path) -> Any:
    _share_heaps()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # An arena keeps the largest text's memory for good; without one the process stays small.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
