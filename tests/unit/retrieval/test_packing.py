"""What is packed for a row comes back as it was."""

from collections import Counter

import numpy as np
import pytest

from opsbot.retrieval.packing import (
    pack_terms,
    pack_vector,
    term_key,
    unpack_int8,
    unpack_terms,
    unpack_vector,
)
from opsbot.retrieval.postings import LexicalIndex, Postings, find_best
from opsbot.retrieval.signs import distances, find_likely, signs_of

CHANCE = np.random.default_rng(3)


def draw(count: int, width: int = 384) -> np.ndarray:
    vectors = CHANCE.normal(size=(count, width)).astype(np.float32)
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_a_packed_vector_has_nearly_the_same_cosines() -> None:
    vectors, question = draw(50), draw(1)[0]

    packed = [pack_vector(vector) for vector in vectors]

    values, scales = unpack_int8(packed)
    together = (values.astype(np.float32) @ question) * scales
    singly = np.array([unpack_vector(content) @ question for content in packed])
    assert {len(content) for content in packed} == {388}
    assert np.abs(together - vectors @ question).max() < 0.002
    assert np.allclose(together, singly, atol=1e-6)


def test_a_vector_of_nothing_can_be_packed() -> None:
    assert unpack_vector(pack_vector(np.zeros(8, np.float32))).tolist() == [0] * 8


def test_packed_terms_are_sorted_and_keep_their_counts() -> None:
    terms = unpack_terms(pack_terms({"lamp": 2, "oak": 300}, {"lamp": 1, "guide": 1}))

    assert list(terms["key"]) == sorted(map(term_key, ("lamp", "oak", "guide")))
    [lamp] = terms[terms["key"] == term_key("lamp")]
    [oak] = terms[terms["key"] == term_key("oak")]
    assert (lamp["body"], lamp["head"]) == (2, 1)
    assert oak["body"] == 255


def test_a_term_has_the_same_key_everywhere() -> None:
    assert term_key("lamp") == 7_711_560_049_442_028_586


def make_postings(*texts: str) -> Postings:
    return Postings.build([pack_terms(Counter(text.split()), {}) for text in texts])


def test_joined_postings_are_those_of_all_that_was_kept() -> None:
    first, second = make_postings("lamp oak", "lamp lamp", "mug"), make_postings("oak mug mug")
    kept = [np.array([True, False, True]), np.array([True])]

    joined = Postings.merge([first, second], kept)

    fresh = make_postings("lamp oak", "mug", "oak mug mug")
    assert np.array_equal(joined.keys, fresh.keys)
    assert np.array_equal(joined.starts, fresh.starts)
    assert np.array_equal(joined.everywhere.rows, fresh.everywhere.rows)
    assert np.array_equal(joined.everywhere.body, fresh.everywhere.body)
    assert np.array_equal(joined.lengths, fresh.lengths)


def test_what_was_removed_changes_no_score_of_the_others() -> None:
    part = make_postings("lamp oak", "lamp lamp shade", "mug oak")
    removed = LexicalIndex([part], [np.array([True, False, True])])
    fresh = LexicalIndex([make_postings("lamp oak", "mug oak")], [np.ones(2, np.bool_)])

    scores = removed.scores({"lamp": 1.0, "oak": 0.5})[[0, 2]]

    assert np.allclose(scores, fresh.scores({"lamp": 1.0, "oak": 0.5}))
    assert removed.rarity("lamp") == fresh.rarity("lamp")


@pytest.mark.parametrize("limit", [1, 5, 40, 1000])
def test_the_best_are_found_in_order(limit: int) -> None:
    scores = np.maximum(CHANCE.normal(size=700), 0).astype(np.float32)

    best = find_best(scores, limit)

    order = np.argsort(-scores, kind="stable")[:limit]
    assert best.tolist() == [row for row in order if scores[row] > 0]


def test_signs_count_where_two_vectors_differ() -> None:
    one, other = draw(2, width=100)

    found = distances(signs_of(one[None]), signs_of(other[None]))

    assert found.tolist() == [int(np.sum((one > 0) != (other > 0)))]


def test_signs_of_many_vectors_are_counted_as_those_of_each() -> None:
    vectors, question = draw(20_000, width=64), draw(1, width=64)

    found = distances(signs_of(vectors), signs_of(question))

    assert np.array_equal(found, np.sum((vectors > 0) != (question > 0), axis=1))


def test_the_nearest_are_among_the_likely_ones_within_any_mask() -> None:
    vectors, question = draw(3_000), draw(1)[0]
    vectors[7] = question + 0.5 * vectors[7]
    vectors[8] = question + 0.5 * vectors[8]
    masked = np.ones(3_000, np.bool_)
    masked[7] = False

    every = find_likely([signs_of(vectors)], signs_of(question[None]), None, limit=50)
    some = find_likely([signs_of(vectors)], signs_of(question[None]), masked, limit=50)

    assert {7, 8} <= set(every.tolist())
    assert 8 in some
    assert 7 not in some
    assert 50 <= len(every) < 200
    assert (
        find_likely([signs_of(vectors)], signs_of(question[None]), ~masked & False, limit=5).size
        == 0
    )
