"""Classes are told apart by vectors, words and pieces of words; what fits none is known."""

import numpy as np
import pytest

from opsbot.conversation.local import classifier as module
from opsbot.conversation.local.classifier import UNSURE, Classifier
from opsbot.conversation.local.likeness import TermIndex, pieces
from opsbot.retrieval.encoder import MiniLmEncoder

SAID = {
    "order": ["where is my order", "track my parcel", "has it shipped", "when will it arrive"],
    "refund": ["I want my money back", "refund me", "give me a refund please", "pay it back"],
    "size": ["which size fits me", "is it large", "how wide is it", "what are the dimensions"],
}


def _train(encoder: MiniLmEncoder) -> Classifier:
    said = [(text, label) for label, texts in SAID.items() for text in texts]
    texts = [text for text, _ in said]
    return Classifier(texts, [label for _, label in said], encoder.encode(texts))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("did my order leave already", "order"),
        ("please refnud the money", "refund"),
        ("tell me how large that is", "size"),
    ],
    ids=["other words", "a typing error", "another form"],
)
def test_a_new_sentence_finds_its_class(minilm: MiniLmEncoder, text: str, label: str) -> None:
    ranking = _train(minilm).rank([text], minilm.encode([text]))

    assert ranking.best == label
    assert ranking.confidence(label) >= UNSURE


def test_what_belongs_nowhere_fits_nothing(minilm: MiniLmEncoder) -> None:
    foreign = "the capital of Peru is Lima"
    ranking = _train(minilm).rank([foreign], minilm.encode([foreign]))

    assert ranking.confidence(ranking.best) < UNSURE


def test_half_of_the_examples_stand_for_nearly_all(
    minilm: MiniLmEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LANDMARKS", 6)
    mind = _train(minilm)

    right = [
        mind.rank([text], minilm.encode([text])).best == label
        for label, texts in SAID.items()
        for text in texts
    ]

    assert sum(right) >= len(right) - 2


def test_bias_moves_what_is_meant(minilm: MiniLmEncoder) -> None:
    text = "where is my order"
    ranking = _train(minilm).rank([text], minilm.encode([text]), {"size": 2.0})

    assert ranking.best == "size"


def test_a_text_is_most_like_itself_and_not_like_what_shares_nothing() -> None:
    index = TermIndex(["delivery delayed", "red lamp", ""], pieces)

    alike = index.compare("delivery delayed")

    assert alike == pytest.approx(np.array([1, 0, 0]), abs=0.05)
    assert index.compare("delivry delaid")[0] > index.compare("red lamp")[0]
    assert not index.compare("").any()
