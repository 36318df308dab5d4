"""Only the new words of a mail count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.mail.quotes import strip_quotes

OLD = "your order has left.\n\nThe shop"

ENDINGS = {
    "on, wrote": f"On Mon, 2 Nov 2026 at 10:00, Shop <hello@shop.example> wrote:\n> {OLD}",
    "on, broken line": f"On Mon, 2 Nov 2026 at 10:00, Shop\n<hello@shop.example>\nwrote:\n{OLD}",
    "German": f"Am 02.11.2026 um 10:00 schrieb Shop <hello@shop.example>:\n> {OLD}",
    "French": f"Le lun. 2 nov. 2026, Shop a écrit :\n{OLD}",
    "Outlook": f"From: Shop\nSent: Monday\nTo: Ada\nSubject: Your order\n\n{OLD}",
    "Outlook, German": f"Von: Shop\nGesendet: Montag\nAn: Ada\nBetreff: Hallo\n\n{OLD}",
    "original message": f"-----Original Message-----\n{OLD}",
    "line": f"________________________________\n{OLD}",
    "signature": "-- \nAda Brandt\nTorstraße 12",
    "phone": "Sent from my phone",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_what_stands_below_the_new_words_is_cut_off(ending: str) -> None:
    assert strip_quotes(f"Where is my order?\n\nThank you\n\n{ending}") == (
        "Where is my order?\n\nThank you"
    )


def test_answers_between_quoted_lines_are_kept() -> None:
    text = "> Which colour?\nMoss, please.\n> Which size?\nThe large one."

    assert strip_quotes(text) == "Moss, please.\nThe large one."


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I ordered a mug.\nIt has not come.",
        "From: what is it made?",
        "I am writing about order 1001:\nwhere is it?",
        "The lamp is on:\nis that normal?",
    ],
)
def test_sentences_that_look_like_the_start_of_a_quote_stay(text: str) -> None:
    assert strip_quotes(text) == text


def test_a_mail_of_nothing_but_quotes_is_kept_whole() -> None:
    assert strip_quotes("> Where is my order?") == "> Where is my order?"


@given(st.text(alphabet="On wrote:>-_\n", max_size=400))
def test_nothing_is_invented(text: str) -> None:
    kept = strip_quotes(text)

    assert all(line.rstrip() in text for line in kept.split("\n"))
