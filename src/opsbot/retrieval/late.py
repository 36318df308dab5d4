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


def late_scores(
    question: bytes, weights: NDArray[np.float32], passages: Sequence[bytes]
) -> NDArray[np.float32]:
    """Return how near each passage is to a question, piece by piece, at most about 1.

    Args:
        question: its packed word pieces.
        weights: how much each of them tells, shape (pieces,); not all 0.
        passages: the packed word pieces of each passage, of which each has at least one.

    Returns:
        The weighted mean over the question's pieces of the cosine of the nearest piece of the
        passage, shape (len(passages),).
    """
    if not passages:
        return np.zeros(0, np.float32)
    asked = unpack_states(question)
    sizes = np.array([len(passage) // WIDTH for passage in passages])
    cosines = asked @ unpack_states(b"".join(passages)).T
    nearest = np.maximum.reduceat(cosines, np.cumsum(sizes) - sizes, axis=1)
    scores: NDArray[np.float32] = weights @ nearest / weights.sum()
    return scores


@lru_cache(maxsize=4)
def _projection(width: int) -> Vectors:
    """Return signs of shape (width, `WIDTH`): the same on every machine, for rows are shared."""
    bits = np.frombuffer(hashlib.shake_128(b"opsbot-late").digest(width * WIDTH // 8), np.uint8)
    signs = np.unpackbits(bits).reshape(width, WIDTH).astype(np.float32)
    projection: Vectors = (2 * signs - 1) / np.sqrt(np.float32(WIDTH))
    return projection
