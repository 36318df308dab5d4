"""Texts to vectors: MiniLM run by ONNX Runtime.

The graph has int8 weights per channel: on one thread a question takes a third of the time of
float32 and the process 60 MB less, and the nearest passages stay the same. Texts run one by one:
int8 scales depend on the whole batch, so that alone a text has the same vector every time, and
no time is spent on padding.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from opsbot.retrieval.weights import (
    INPUTS,
    TOKENIZER_SHA256,
    WEIGHTS_SHA256,
    Weights,
    find_model_folder,
    read_known,
)

DIMENSIONS = 384
MAX_TOKENS = 256
MODEL_KEY = f"minilm-{WEIGHTS_SHA256[:16]}-int8-1"
"""Changes with the weights and with how the graph is built."""

_CACHED = 4096
_CACHED_CHARACTERS = 400
_THREADS = 2

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def key(self) -> str:
        """What the vectors depend on; vectors of different keys cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        ...


class MiniLmEncoder:
    """The packaged English model. Safe to use from several threads."""

    def __init__(self, session: Any, tokenizer: Tokenizer) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def key(self) -> str:
        """The hash of the weights and the way the graph is built."""
        return MODEL_KEY

    @property
    def dimensions(self) -> int:
        """Length of a vector: 384."""
        return DIMENSIONS

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
        known = dict[str, Vectors]()
        with self._lock:
            for text in texts:
                if (vector := self._cache.get(text)) is not None:
                    self._cache.move_to_end(text)
                    known[text] = vector
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        for text, vector in zip(missing, self._run_all(missing), strict=True):
            known[text] = vector
            self._remember(text, vector)
        return np.array([known[text] for text in texts], np.float32).reshape(-1, DIMENSIONS)

    def _run_all(self, texts: list[str]) -> list[Vectors]:
        if len(texts) < 2 * _THREADS:
            return [self._run(text) for text in texts]
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self._run, texts))

    def _run(self, text: str) -> Vectors:
        encoding = self._tokenizer.encode(text)
        rows = (encoding.ids, encoding.attention_mask, encoding.type_ids)
        feed = {name: np.array([row], np.int64) for name, row in zip(INPUTS, rows, strict=True)}
        vector: Vectors = self._session.run(None, feed)[0][0]
        return vector

    def _remember(self, text: str, vector: Vectors) -> None:
        if len(text) > _CACHED_CHARACTERS:
            return
        with self._lock:
            self._cache[text] = vector
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)


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


def _start(graph: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # An arena keeps the largest text's memory for good; without one the process stays small.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
