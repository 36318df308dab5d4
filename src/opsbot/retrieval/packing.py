"""How vectors and terms are written into rows: small, and read back by numpy in one go."""

import hashlib
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

TERM = np.dtype([("key", "<u8"), ("body", "u1"), ("head", "u1")])
"""One stem of a passage: its key, how often it stands in the text, and in title and headings."""

_LARGEST = 127
_MOST = 255


def pack_vector(vector: Vectors) -> bytes:
    """Return a vector as int8 behind its scale; the cosine changes by less than 0.002."""
    scale = float(np.max(np.abs(vector))) / _LARGEST or 1.0
    values: NDArray[np.int8] = np.rint(vector / scale).astype(np.int8)
    return struct.pack("<f", scale) + values.tobytes()


def unpack_vector(content: bytes) -> Vectors:
    """Return the vector of `pack_vector`."""
    values = np.frombuffer(content, np.int8, offset=4).astype(np.float32)
    return values * np.float32(struct.unpack_from("<f", content)[0])


def unpack_int8(contents: Sequence[bytes]) -> tuple[NDArray[np.int8], Vectors]:
    """Return packed vectors of one length as they are.

    Returns:
        int8 values of shape (len(contents), dimensions), and the scale of each row.
    """
    width = len(contents[0]) - 4
    rows = np.frombuffer(b"".join(contents), [("scale", "<f4"), ("values", "i1", (width,))])
    return rows["values"], rows["scale"]


def pack_terms(body: Mapping[str, int], head: Mapping[str, int]) -> bytes:
    """Return the counts of a passage's stems as bytes, sorted by key; see `TERM`.

    A stem is kept as a 64-bit hash: no table of words has to be read, grown or locked, and among a
    million different words the chance that any two share a key is 1 in 37 million.
    """
    keys = {term_key(term): term for term in body.keys() | head.keys()}
    terms = np.zeros(len(keys), TERM)
    for place, key in enumerate(sorted(keys)):
        term = keys[key]
        terms[place] = key, min(body.get(term, 0), _MOST), min(head.get(term, 0), _MOST)
    return terms.tobytes()


def unpack_terms(content: bytes) -> NDArray[np.void]:
    """Return the terms of `pack_terms`: an array of `TERM`."""
    return np.frombuffer(content, TERM)


def count_terms(body: Sequence[str], head: Sequence[str]) -> bytes:
    """Return the packed counts of these stems."""
    return pack_terms(Counter(body), Counter(head))


@lru_cache(maxsize=200_000)
def term_key(term: str) -> int:
    """Return the key of a stem: the same in every process and on every machine."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
