"""Search by words."""

import numpy as np
import pytest

from opsbot.retrieval.lexical import codes_of, question_terms, to_stems
from opsbot.retrieval.packing import count_terms
from opsbot.retrieval.postings import LexicalIndex, Postings, find_best


def make_index(*texts: str) -> LexicalIndex:
    postings = Postings.build([count_terms(to_stems(text), []) for text in texts])
    return LexicalIndex([postings], [np.ones(len(texts), np.bool_)])


def search(index: LexicalIndex, question: str) -> list[int]:
    return [int(row) for row in find_best(index.scores(question_terms(question)), 3)]


@pytest.mark.parametrize("question", ["What is E17?", "what about e-17", "error 17"])
def test_an_identifier_is_found_however_it_is_written(question: str) -> None:
    index = make_index("E-17: control board fault", "E-04: burrs blocked", "the lamp hums")

    [first, *_] = search(index, question)

    assert first == 0


def test_words_that_make_it_a_question_are_not_searched() -> None:
    assert set(question_terms("How can I clean the burrs?")) == {"clean", "burr"}


def test_a_synonym_finds_but_counts_less_than_the_word_itself() -> None:
    index = make_index("your parcel is here", "the package is here", "the cable")

    assert search(index, "where is my package") == [1, 0]


def test_how_heavy_asks_for_the_weight() -> None:
    assert set(question_terms("How heavy is the lamp?")) == {"weight", "weigh", "lamp"}


def test_a_passage_without_any_of_the_words_is_not_found() -> None:
    assert search(make_index("a lamp"), "grinder") == []


def test_an_empty_index_finds_nothing() -> None:
    assert search(make_index(), "lamp") == []
    assert search(LexicalIndex([], []), "lamp") == []


def test_one_common_word_covers_less_of_a_question_than_two_rare_ones() -> None:
    index = make_index("delivery time", "grind settings of espresso", "delivery price")

    one = index.coverage(question_terms("what time is it"), np.array([0]))[0]
    two = index.coverage(question_terms("grind setting espresso"), np.array([1]))[0]

    assert 0 < one < two < 1


def test_thousands_and_currencies_are_read_alike() -> None:
    assert to_stems("EUR 1,500") == to_stems("€1500")


@pytest.mark.parametrize(
    "question", ["What is E2?", "e 2 on the grinder", "error 2", "E-02", "e02"]
)
def test_a_code_is_found_with_and_without_its_zero(question: str) -> None:
    index = make_index("E-12: sensor fault", "E-02: grounds cup missing", "E-20: motor hot")

    [first, *_] = search(index, question)

    assert first == 1


def test_codes_are_read_as_letters_and_a_number() -> None:
    assert codes_of("E-02 or e 2") == {("e", "2")}
    assert codes_of("error 2") >= {("", "2")}


def test_a_name_in_camel_case_is_found_by_its_words() -> None:
    index = make_index("GrinderMotorHot", "the motor is a part")

    [first, *_] = search(index, "my grinder's motor is hot")

    assert first == 0
    assert "grindermotorhot" in to_stems("GrinderMotorHot")


def test_a_figure_is_not_found_by_its_digits() -> None:
    assert to_stems("12.5 kg") == ["12.5", "kg"]


def test_words_are_brought_to_their_stems_by_the_rules_of_their_language() -> None:
    assert to_stems("Häuser Lampen", "de") == to_stems("Haus Lampe", "de")
    assert to_stems("Häuser Lampen") != to_stems("Haus Lampe")
    assert set(question_terms("Wie reinige ich die Lampen?", "de")) == {"reinig", "lamp"}
    assert question_terms("Wie heißt E 17?", "de-AT").keys() >= {"e17", "17"}


def test_what_is_remembered_of_a_stem_changes_nothing() -> None:
    index = make_index("descale the grinder", "oak lamp", "lamp shade")

    first = [(index.rarity(term), index.has(term)) for term in ("lamp", "oak", "mug")]
    for number in range(6_000):
        index.rarity(f"stem{number}")
    again = [(index.rarity(term), index.has(term)) for term in ("lamp", "oak", "mug")]

    assert first == again
    assert [has for _, has in again] == [True, True, False]
    assert again[2][0] > again[1][0] > again[0][0]
