"""What anybody may send is made safe to keep, in little time."""

from collections.abc import Callable
from time import perf_counter

import pytest

from opsbot import texts
from opsbot.mail import text as mail_text
from opsbot.texts import compose

MARKS = "a" + "\u0315\u0300" * 65_000


@pytest.mark.parametrize("clean", [texts.clean_text, mail_text.clean_text], ids=["any", "mail"])
@pytest.mark.parametrize(
    "text", [MARKS, "a" + "\u0f73\u0315" * 65_000], ids=["marks", "hidden marks"]
)
def test_a_letter_under_a_pile_of_marks_is_read_at_once(
    clean: Callable[..., str], text: str
) -> None:
    start = perf_counter()

    cleaned = clean(text, limit=200_000)

    assert perf_counter() - start < 2
    assert len(cleaned) <= 61


def test_letters_with_marks_are_composed_and_keep_them_all() -> None:
    assert compose("Gru\u0308\u00df") == "Gr\u00fc\u00df"
    assert compose("o\u0323\u0302" * 1000) == "\u1ed9" * 1000
    assert compose("e" + "\u0315" * 30) == "e" + "\u0315" * 30
