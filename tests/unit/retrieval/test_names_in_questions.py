"""The first word of a product's name, where no article uses it alone."""

import pytest

from opsbot.retrieval.names import NameBook, Named
from opsbot.retrieval.scope import find_scope

NOVA, ORBIT, TRAVEL = "LL-KET-01", "LL-KET-02", "LL-MUG-01"
BOOK = NameBook(
    products={
        NOVA: Named(NOVA, "Nova kettle", "", "kettle"),
        ORBIT: Named(ORBIT, "Orbit kettle", "", "kettle"),
        TRAVEL: Named(TRAVEL, "Travel mug", "", "mug"),
    },
    keys={number: frozenset({number}) for number in (NOVA, ORBIT, TRAVEL)},
    phrases={
        ("nova", "kettle"): frozenset({NOVA}),
        ("orbit", "kettle"): frozenset({ORBIT}),
        ("travel", "mug"): frozenset({TRAVEL}),
    },
    firsts={
        "nova": frozenset({NOVA}),
        "orbit": frozenset({ORBIT}),
        "travel": frozenset({TRAVEL}),
    },
    nouns={"kettle": frozenset({NOVA, ORBIT}), "mug": frozenset({TRAVEL})},
)
BEFORE = ["How long is the warranty of the Nova kettle?"]


def is_word(word: str) -> bool:
    return word.lower() in {"travel", "descale", "warranty"}


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("and for the orbit?", ORBIT),
        ("And the Orbit", ORBIT),
        ("How often must I descale the Orbti kettle?", ORBIT),
        ("and for the Orbti kettle?", ORBIT),
        ("and how do I clean it?", NOVA),
    ],
)
def test_a_follow_up_that_names_another_product_is_about_that_one(
    question: str, named: str
) -> None:
    scope = find_scope(BOOK, question, before=BEFORE, is_word=is_word)

    assert scope.named == {named}
    assert scope.rivals == {NOVA, ORBIT} - {named}


@pytest.mark.parametrize(
    "question",
    ["Can I travel by train?", "Is a long travel time usual?", "Do you ship it?"],
)
def test_the_first_word_of_a_name_may_be_a_common_one(question: str) -> None:
    assert find_scope(BOOK, question, is_word=is_word).named == frozenset()
