"""Comparing word by word."""

import numpy as np
import pytest

from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.late import (
    WIDTH,
    Vectors,
    late_scores,
    nearest_pieces,
    pack_states,
    unpack_states,
)


def make_states(number: int, seed: int, width: int = 384) -> Vectors:
    states = np.random.default_rng(seed).standard_normal((number, width)).astype(np.float32)
    unit: Vectors = states / np.linalg.norm(states, axis=1, keepdims=True)
    return unit


def weigh(*weights: float) -> Vectors:
    return np.array(weights, np.float32)


@pytest.mark.parametrize("width", [384, 768])
def test_packed_states_keep_their_likeness(width: int) -> None:
    states = make_states(40, seed=1, width=width)
    near = states + 0.5 * make_states(40, seed=2, width=width)

    packed, other = unpack_states(pack_states(states)), unpack_states(pack_states(near))

    assert packed.shape == (40, WIDTH)
    assert np.allclose(np.linalg.norm(packed, axis=1), 1, atol=0.02)
    cosines = packed @ other.T
    assert np.array_equal(cosines.argmax(axis=1), np.arange(40))
    assert cosines.diagonal().mean() == pytest.approx(1 / np.sqrt(1.25), abs=0.03)


def test_a_passage_that_holds_the_pieces_is_nearest_wherever_they_stand() -> None:
    asked = make_states(3, seed=3)
    holds = np.vstack([make_states(20, seed=4), asked[::-1], make_states(5, seed=5)])
    others = [make_states(1, seed=6), make_states(60, seed=7)]

    passages = [pack_states(states) for states in (others[0], holds, others[1])]
    scores = late_scores(weigh(1, 1, 1), nearest_pieces(pack_states(asked), passages))

    assert scores[1] == pytest.approx(1, abs=0.02)
    assert scores.argmax() == 1
    assert max(scores[0], scores[2]) < 0.5


def test_the_pieces_that_tell_more_count_more() -> None:
    asked = make_states(2, seed=8)
    passages = [pack_states(asked[:1]), pack_states(asked[1:])]
    nearest = nearest_pieces(pack_states(asked), passages)

    first, second = late_scores(weigh(5, 1), nearest), late_scores(weigh(1, 5), nearest)

    assert first[0] > first[1]
    assert second[1] > second[0]


def test_without_passages_there_are_no_scores() -> None:
    nearest = nearest_pieces(pack_states(make_states(2, seed=9)), [])

    assert late_scores(weigh(1, 1), nearest).shape == (0,)


def test_a_passage_without_pieces_is_near_to_nothing_and_moves_no_other() -> None:
    asked = make_states(2, seed=10)
    packed = pack_states(asked)

    alone = nearest_pieces(packed, [packed])
    beside = nearest_pieces(packed, [b"", packed, b""])

    assert np.array_equal(beside[:, 1], alone[:, 0])
    assert not beside[:, [0, 2]].any()
    assert alone.min() > 0.9


def test_a_sentence_inside_a_long_passage_is_found_by_its_words(encoder: MiniLmEncoder) -> None:
    filler = "The lamp comes in oak and walnut. Its cable is two metres long. It folds flat. " * 3
    texts = [f"{filler}Descale the grinder every month. {filler}", filler]
    [question, *passages] = encoder.encode_pieces(["descale the grinder", *texts])
    weights = weigh(*[1] * len(question.words))

    nearest = nearest_pieces(question.pieces, [passage.pieces for passage in passages])
    scores = late_scores(weights, nearest)

    assert scores[0] > scores[1] + 0.2
