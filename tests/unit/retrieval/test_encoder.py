"""Vectors: the same every time, and those of the reference."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from opsbot.errors import UnavailableError
from opsbot.retrieval.encoder import MODEL_KEY, MiniLmEncoder, VectorCache
from opsbot.retrieval.late import WIDTH
from opsbot.retrieval.weights import find_model_folder, read_known

TEXTS = [
    "How do I change the LED module?",
    "E-17",
    "Wipe the oak arm with a dry cloth.",
    "Wie lange dauert der Versand nach Österreich?",
    "",
    "| Espresso | 8 to 12 | 150 seconds |",
    "my lamp flickers 😟",
    "Mains voltage can kill. Only a qualified electrician may connect this lamp.",
    "a",
    "Return within 30 days of delivery. " * 80,
    "EUR 14.90",
    "the the the the",
]


def test_vectors_have_length_one(encoder: MiniLmEncoder) -> None:
    vectors = encoder.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_make_no_vectors(encoder: MiniLmEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_a_text_has_the_same_vector_alone_and_among_others(tmp_path: Path) -> None:
    together = MiniLmEncoder.open(tmp_path).encode(TEXTS)
    fresh = MiniLmEncoder.open(tmp_path)

    alone = np.vstack([fresh.encode([text]) for text in TEXTS])

    assert np.array_equal(alone, together)


def test_each_word_piece_knows_its_word_and_marks_have_none(encoder: MiniLmEncoder) -> None:
    [encoded] = encoder.encode_pieces(["Halo's dimmer: E-17!"])

    assert encoded.words == ("Halo", "s", "dimmer", "dimmer", "E", "17")
    assert len(encoded.pieces) == len(encoded.words) * WIDTH


@pytest.mark.parametrize("text", ["", "?!"], ids=["empty", "marks"])
def test_a_text_without_words_has_one_piece(encoder: MiniLmEncoder, text: str) -> None:
    [encoded] = encoder.encode_pieces([text])

    assert len(encoded.pieces) == WIDTH


def test_the_vector_beside_the_pieces_is_the_same(tmp_path: Path) -> None:
    pieces = MiniLmEncoder.open(tmp_path).encode_pieces(TEXTS)
    vectors = MiniLmEncoder.open(tmp_path).encode(TEXTS)

    assert np.array_equal([encoded.vector for encoded in pieces], vectors)


def test_what_is_remembered_stays_within_its_bytes() -> None:
    cache = VectorCache(10_000)

    for number in range(1_000):
        cache.keep({f"question {number}": np.zeros(384, np.float32)})

    assert 5_000 < cache.size <= 10_000
    assert list(cache.find(["question 0", "question 999"])) == ["question 999"]


def test_what_was_asked_last_is_remembered_longest() -> None:
    cache = VectorCache(10_000)
    cache.keep({"often": np.zeros(384, np.float32)})

    for number in range(1_000):
        cache.find(["often"])
        cache.keep({f"question {number}": np.zeros(384, np.float32)})

    assert "often" in cache.find(["often"])


def test_many_threads_get_the_vectors_of_one(tmp_path: Path, encoder: MiniLmEncoder) -> None:
    expected = encoder.encode(TEXTS)
    fresh = MiniLmEncoder.open(tmp_path)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: fresh.encode(TEXTS), range(8)))

    assert all(np.array_equal(result, expected) for result in results)


def test_a_broken_graph_is_built_again(tmp_path: Path) -> None:
    graph = tmp_path / "models" / f"{MODEL_KEY}.onnx"
    graph.parent.mkdir()
    graph.write_bytes(b"half a graph")

    vectors = MiniLmEncoder.open(tmp_path).encode(["a lamp"])

    assert vectors.shape == (1, 384)
    assert [path.name for path in graph.parent.iterdir()] == [graph.name]


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")

    with pytest.raises(UnavailableError, match="data/models cannot be written"):
        MiniLmEncoder.open(tmp_path / "data")


def test_weights_that_are_not_the_known_ones_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"other weights")

    with pytest.raises(UnavailableError, match="is not the embedding model"):
        read_known(weights, "0" * 64)


MANY_LONG_TEXTS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from opsbot.retrieval.encoder import MiniLmEncoder

def resident_mb():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000

encoder = MiniLmEncoder.open(Path(sys.argv[1]))
encoder.encode(["warm " * 800])
before = resident_mb()
with ThreadPoolExecutor(16) as pool:
    list(pool.map(encoder.encode, ([f"{n} lamp " * 800] for n in range(64))))
print(resident_mb() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells memory on Linux alone")
def test_long_texts_from_many_threads_leave_little_memory_behind(tmp_path: Path) -> None:
    MiniLmEncoder.open(tmp_path)

    ran = subprocess.run(  # noqa: S603  (our own script)
        [sys.executable, "-c", MANY_LONG_TEXTS, str(tmp_path)],
        capture_output=True,
        check=True,
        text=True,
    )

    assert float(ran.stdout) < 150


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_vectors_are_those_of_sentence_transformers(encoder: MiniLmEncoder) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  (it imports torch)

    reference = SentenceTransformer(str(find_model_folder()), device="cpu")
    expected = reference.encode(TEXTS, normalize_embeddings=True)

    cosines = np.sum(encoder.encode(TEXTS) * expected, axis=1)

    # int8 weights: near, and near enough that the order of texts stays.
    assert cosines.min() > 0.96
    assert cosines.mean() > 0.985
