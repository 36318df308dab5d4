"""A mail is more than its question, and an answer is more than its words."""

import pytest

from opsbot.drafts.wording import find_question, plain_subject, to_plain
from opsbot.settings import Settings


@pytest.mark.parametrize(
    ("subject", "text", "question"),
    [
        (
            "Question",
            "Hello,\n\nhow do I clean it?\n\nBest regards\nAda Brandt",
            "how do I clean it?",
        ),
        ("Question", "Hi there\nHow?\nThanks!", "How?"),
        ("Question", "Guten Tag,\nHow?\n\nMit freundlichen Grüßen\nAda", "How?"),
        ("Question", "Hello, how do I clean it?", "Hello, how do I clean it?"),
        ("Tide grinder, black", "How do I clean it?", "Tide grinder, black\n\nHow do I clean it?"),
        ("Re: Tide grinder, black", "How do I clean it?", "How do I clean it?"),
        ("Clean the grinder", "Can I clean the grinder with water?", None),
        ("Tide grinder, black", "x" * 400, None),
        ("How do I clean it?", "", "How do I clean it?"),
        ("", "Hello,", "Hello,"),
        ("", "", ""),
    ],
)
def test_the_question_is_what_is_left_of_a_mail(
    subject: str, text: str, question: str | None
) -> None:
    assert find_question(subject, text) == (text if question is None else question)


@pytest.mark.parametrize("subject", ["Re: Mug", "RE: Fwd: AW: Mug", "Mug", "  re : Mug"])
def test_marks_of_earlier_answers_do_not_pile_up(subject: str) -> None:
    assert plain_subject(subject) == "Mug"


def test_markdown_becomes_plain_text(settings: Settings) -> None:
    markdown = "> Warning: hot.\n\n## Steps\n1. **Unplug** it, see [the manual](/help/lamp) or [us](https://x.example)."

    assert to_plain(markdown, settings) == (
        "Warning: hot.\n\nSteps\n1. Unplug it, see the manual (http://127.0.0.1:8000/help/lamp) "
        "or us (https://x.example)."
    )
