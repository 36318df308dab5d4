"""A yes or no is quoted only for the question that it answers."""

import pytest

from opsbot.retrieval.yes_no import skip_yes_no

HOURS = "Is the store open at the same hours?"
OPEN = "No. The store in Berlin is open on Saturday."


@pytest.mark.parametrize(
    "question",
    [
        "is the shop in Berlin open on Saturday?",
        "When is the store open?",
        "Is the store closed on Sundays?",
    ],
)
def test_the_no_to_another_question_is_left_out(question: str) -> None:
    assert (
        OPEN[skip_yes_no(question, HOURS, OPEN, "en") :]
        == "The store in Berlin is open on Saturday."
    )


@pytest.mark.parametrize(
    "question", [HOURS, "is the store open at the same hours", "Same opening hours in the store?"]
)
def test_the_no_to_the_same_question_is_said(question: str) -> None:
    assert skip_yes_no(question, HOURS, OPEN, "en") == 0


@pytest.mark.parametrize(
    "text", ["Yes, until we begin to pack it.", "Nobody is there.", "No.", "Yes. "]
)
def test_what_says_more_or_nothing_else_stays(text: str) -> None:
    assert skip_yes_no("Where is it?", HOURS, text, "en") == 0


def test_other_languages_are_heeded() -> None:
    text = "Nein. Der Laden ist samstags offen."

    assert skip_yes_no("Wann kommt mein Paket?", "Gelten im Laden andere Zeiten?", text, "de") == 6
