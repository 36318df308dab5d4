"""Other embedding models: the packaged weights as one of them, which ONNX runs elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from opsbot.errors import UnavailableError
from opsbot.retrieval.encoder import Encoder, MiniLmEncoder
from opsbot.retrieval.encoders import open_encoder, reopen_encoder
from opsbot.retrieval.late import unpack_states
from opsbot.retrieval.sentence_models import SentenceEncoder
from opsbot.retrieval.weights import find_model_folder

TEXTS = [
    "Halo's dimmer: E-17!",
    "Wipe the oak arm with a dry cloth.",
    "?!",
    "Return within 30 days of delivery. " * 80,
]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return open_encoder(str(find_model_folder()), tmp_path_factory.mktemp("unused"))


def test_vectors_agree_with_the_packaged_encoder(other: Encoder, encoder: MiniLmEncoder) -> None:
    vectors = other.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), other.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.sum(vectors * encoder.encode(TEXTS), axis=1).min() > 0.96


def test_pieces_agree_with_the_packaged_encoder(other: Encoder, encoder: MiniLmEncoder) -> None:
    for one, packaged in zip(other.encode_pieces(TEXTS), encoder.encode_pieces(TEXTS), strict=True):
        assert one.words == packaged.words
        likeness = unpack_states(one.pieces) * unpack_states(packaged.pieces)
        assert likeness.sum(axis=1).mean() > 0.95
        assert one.vector @ packaged.vector > 0.96


def test_its_key_tells_it_from_others_and_opens_it_again(other: Encoder, tmp_path: Path) -> None:
    again = reopen_encoder(other.key, tmp_path)

    assert isinstance(again, SentenceEncoder)
    assert again.key == other.key


def test_other_weights_under_the_same_name_are_not_taken_for_it(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be opened"):
        reopen_encoder(f"sentence-transformers:{find_model_folder()}@{'0' * 16}", tmp_path)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="nowhere cannot be loaded"):
        open_encoder(str(tmp_path / "nowhere"), tmp_path)
