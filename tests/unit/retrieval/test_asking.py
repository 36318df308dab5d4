"""What a question asks for, and what is taken out of it before it is kept."""

import pytest

from opsbot.retrieval.asking import asking_sentences, split_question, wants_number, wants_steps
from opsbot.texts import mask_personal


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "how do I clean it and how long is the warranty?",
            ["how do I clean it", "how long is the warranty?"],
        ),
        (
            "What does shipping cost, and can I pay with PayPal?",
            ["What does shipping cost", "can I pay with PayPal?"],
        ),
        (
            "Is it in stock? And when would it arrive?",
            ["Is it in stock?", "when would it arrive?"],
        ),
        ("can I wash and iron the tote?", ["can I wash and iron the tote?"]),
        ("does it come in black and white", ["does it come in black and white"]),
        ("what is it and why?", ["what is it and why?"]),
        ("my lamp flickers and hums", ["my lamp flickers and hums"]),
        ("", [""]),
    ],
)
def test_a_message_is_split_where_it_asks_another_thing(question: str, parts: list[str]) -> None:
    assert split_question(question) == parts


def test_what_ends_with_a_question_mark_is_found_in_a_long_message() -> None:
    message = "My lamp is new. It stood in the rain. Can I still use it? Thank you."

    assert asking_sentences(message) == ["Can I still use it?"]
    assert asking_sentences("Can I use it?") == []


@pytest.mark.parametrize(
    ("question", "steps", "number"),
    [
        ("how do I clean it", True, False),
        ("the lamp hums", True, False),
        ("and how often should I do it?", False, True),
        ("which temperature does the kiln reach", False, True),
        ("who pays the customs", False, False),
    ],
)
def test_the_form_of_the_answer_follows_from_the_question(
    question: str, *, steps: bool, number: bool
) -> None:
    assert (wants_steps(question), wants_number(question)) == (steps, number)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("write to ada@example.com please", "write to [e-mail] please"),
        ("call +49 (30) 123 45-67 today", "call [number] today"),
        ("card 4111 1111 1111 1111", "card [number]"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [account]"),
        ("where is order #1004", "where is [order]"),
        ("order number 1004 is late", "[order] is late"),
        ("I live in SW1A 1AA", "I live in [postcode]"),
        ("I live in 12051 Berlin", "I live in [number] Berlin"),
        ("E-17 on LL-GRD-02 with SW 3.1", "E-17 on LL-GRD-02 with SW 3.1"),
        ("2700 K, 1,850 mm, 30000 hours", "2700 K, 1,850 mm, 30000 hours"),
        ("sample size of 200 for EUR 4,000", "sample size of 200 for EUR 4,000"),
    ],
)
def test_personal_data_is_masked_and_the_matter_stays(said: str, kept: str) -> None:
    assert mask_personal(said) == kept
