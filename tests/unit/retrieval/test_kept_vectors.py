"""What is encoded at every start is encoded once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from opsbot.retrieval.encoder import Encoded, Vectors
from opsbot.retrieval.kept_vectors import BULK, KeptVectors

EXAMPLES = [f"example {n}" for n in range(BULK)]


class CountingEncoder:
    """Gives each text a vector of its own and counts what it was asked."""

    key = "counting"
    dimensions = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text), hash(text) % 97, 1] for text in texts], np.float32)

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        raise NotImplementedError  # nothing here asks for word pieces


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


def test_the_next_start_reads_what_the_last_one_encoded(
    encoder: CountingEncoder, tmp_path: Path
) -> None:
    first = KeptVectors(encoder, tmp_path / "models").encode(EXAMPLES)
    encoder.asked.clear()

    second = KeptVectors(encoder, tmp_path / "models").encode([*EXAMPLES, "a new one"])

    assert encoder.asked == ["a new one"]
    assert np.array_equal(second[:-1], first)


def test_what_a_person_writes_is_not_kept(encoder: CountingEncoder, tmp_path: Path) -> None:
    KeptVectors(encoder, tmp_path).encode(["my own words"])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn"], ids=["empty", "torn"])
def test_a_file_that_cannot_be_read_is_made_anew(
    encoder: CountingEncoder, tmp_path: Path, content: bytes
) -> None:
    made = KeptVectors(encoder, tmp_path).encode(EXAMPLES)
    [file] = tmp_path.iterdir()
    file.write_bytes(content)

    again = KeptVectors(encoder, tmp_path).encode(EXAMPLES)

    assert np.array_equal(again, made)
    assert file.stat().st_size > len(content)


def test_a_folder_that_cannot_be_written_costs_only_time(
    encoder: CountingEncoder, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    vectors = KeptVectors(encoder, tmp_path / "file" / "models").encode(EXAMPLES)

    assert len(vectors) == BULK
