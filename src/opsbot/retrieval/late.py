"""Compare a question with a passage word by word, late: after both were encoded.

One vector for a whole passage blurs what single sentences say. So each passage also keeps a small
vector for every word piece, as the encoder left it; each piece of the question looks for its
nearest one, and the passage is as near as these are on average, rare words counting more. The
encoder has made all these vectors anyway; what is kept of them is a random projection in int8,
about 7 kB a passage, which ranks as well as the whole.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WIDTH = 96
"""Numbers that are kept of each word piece; fewer cost quality, more do not add any."""

_SCALE = 254.0
"""From -0.5..0.5 to int8; a part of a unit vector of this width is hardly ever larger."""
_LARGEST = 127

Vectors = NDArray[np.float32]


def pack_states(states: Vectors) -> bytes:
    """Return the vectors of word pieces, shape (pieces, any), as `WIDTH` bytes each."""
    small = states @ _projection(states.shape[1])
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    rounded: NDArray[np.int8] = np.clip(np.rint(small * _SCALE), -_LARGEST, _LARGEST).astype(
        np.int8
    )
    return rounded.tobytes()


def unpack_states(content: bytes) -> Vectors:
    """Return the vectors of `pack_states`: shape (pieces, `WIDTH`), of about length 1."""
    return np.frombuffer(content, np.int8).reshape(-1, WIDTH).astype(np.float32) / _SCALE


def nearest_pieces(question: bytes, passages: Sequence[bytes]) -> NDArray[np.float32]:
    """Return how near each word piece of a question comes to some piece of each passage.

    Args:
        question: its packed word pieces.
        passages: the packed word pieces of each passage; empty for one that has none.

    Returns:
        Cosines of shape (pieces, passages); 0 where a passage has no pieces.
    """
    asked = np.frombuffer(question, np.int8).reshape(-1, WIDTH).astype(np.float32)
    asked /= _SCALE * _SCALE
    nearest = np.zeros((len(asked), len(passages)), np.float32)
    there = [place for place, packed in enumerate(passages) if packed]
    if there:
        found = [passages[place] for place in there]
        sizes = np.array([len(packed) // WIDTH for packed in found])
        pieces = np.frombuffer(b"".join(found), np.int8).reshape(-1, WIDTH)
        cosines = pieces.astype(np.float32) @ asked.T
        nearest[:, there] = np.maximum.reduceat(cosines, np.cumsum(sizes) - sizes, axis=0).T
    return nearest


def late_scores(weights: NDArray[np.float32], nearest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how near each passage is to a question, piece by piece, at most about 1.

    Args:
        weights: how much each piece of the question tells, shape (pieces,); not all 0.
        nearest: what `nearest_pieces` returned.

    Returns:
        The weighted mean over the question's pieces, shape (passages,).
    """
    scores: NDArray[np.float32] = (weights[:, None] * nearest).sum(axis=0) / weights.sum()
    return scores


@lru_cache(maxsize=4)
def _projection(width: int) -> Vectors:
    """Return signs of shape (width, `WIDTH`): the same on every machine, for rows are shared."""
    bits = np.frombuffer(hashlib.shake_128(b"opsbot-late").digest(width * WIDTH // 8), np.uint8)
    signs = np.unpackbits(bits).reshape(width, WIDTH).astype(np.float32)
    projection: Vectors = (2 * signs - 1) / np.sqrt(np.float32(WIDTH))
    return projection
