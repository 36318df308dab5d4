"""Search by words."""

from collections import Counter

import pytest

from opsbot.retrieval.lexical import codes_of, question_terms, to_stems
from opsbot.retrieval.postings import LexicalIndex


def make_index(*texts: str) -> LexicalIndex:
    return LexicalIndex({number: Counter(to_stems(text)) for number, text in enumerate(texts)})


@pytest.mark.parametrize("question", ["What is E17?", "what about e-17", "error 17"])
def test_an_identifier_is_found_however_it_is_written(question: str) -> None:
    index = make_index("E-17: control board fault", "E-04: burrs blocked", "the lamp hums")

    [first, *_] = index.search(question_terms(question), limit=3)

    assert first == 0


def test_words_that_make_it_a_question_are_not_searched() -> None:
    assert set(question_terms("How can I clean the burrs?")) == {"clean", "burr"}


def test_a_synonym_finds_but_counts_less_than_the_word_itself() -> None:
    index = make_index("your parcel is here", "the package is here", "the cable")

    found = index.search(question_terms("where is my package"), limit=3)

    assert list(found) == [1, 0]


def test_how_heavy_asks_for_the_weight() -> None:
    assert set(question_terms("How heavy is the lamp?")) == {"weight", "weigh", "lamp"}


def test_a_passage_without_any_of_the_words_is_not_found() -> None:
    assert make_index("a lamp").search(question_terms("grinder"), limit=3) == {}


def test_an_empty_index_finds_nothing() -> None:
    assert LexicalIndex({}).search(question_terms("lamp"), limit=3) == {}


def test_one_common_word_covers_less_of_a_question_than_two_rare_ones() -> None:
    index = make_index("delivery time", "grind settings of espresso", "delivery price")

    one = index.coverage(question_terms("what time is it"), 0)
    two = index.coverage(question_terms("grind setting espresso"), 1)

    assert 0 < one < two < 1


def test_thousands_and_currencies_are_read_alike() -> None:
    assert to_stems("EUR 1,500") == to_stems("€1500")


@pytest.mark.parametrize(
    "question", ["What is E2?", "e 2 on the grinder", "error 2", "E-02", "e02"]
)
def test_a_code_is_found_with_and_without_its_zero(question: str) -> None:
    index = make_index("E-12: sensor fault", "E-02: grounds cup missing", "E-20: motor hot")

    [first, *_] = index.search(question_terms(question), limit=3)

    assert first == 1


def test_codes_are_read_as_letters_and_a_number() -> None:
    assert codes_of("E-02 or e 2") == {("e", "2")}
    assert codes_of("error 2") >= {("", "2")}


def test_a_name_in_camel_case_is_found_by_its_words() -> None:
    index = make_index("GrinderMotorHot", "the motor is a part")

    [first, *_] = index.search(question_terms("my grinder's motor is hot"), limit=2)

    assert first == 0
    assert "grindermotorhot" in to_stems("GrinderMotorHot")


def test_a_figure_is_not_found_by_its_digits() -> None:
    assert to_stems("12.5 kg") == ["12.5", "kg"]
