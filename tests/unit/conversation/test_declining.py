"""Words that leave everything as it is, however they are put; and words that ask for more."""

from typing import Any

import pytest

from opsbot.conversation.shortcuts import Decision, Said, read_decision

SHOWN: Any = {
    "button": "Cancel the order",
    "title": "Cancel order #1042?",
    "details": ("2 x Year planner, olive", "You get back €60.90."),
}


@pytest.mark.parametrize(
    "text",
    [
        "No",
        "no thanks, leave it",
        "Hm, I will keep it after all.",
        "ok then leave everything as it is please",
        "Please don't cancel the planner. Thank you!",
        "I said no! Do NOT cancel it.",
        "we'd rather keep the planners",
    ],
)
def test_a_preview_is_dropped_by(text: str) -> None:
    assert read_decision(text, **SHOWN) == Said(Decision.CANCEL)


@pytest.mark.parametrize(
    "text",
    [
        "No, cancel the other one",
        "no, order 1005 please",
        "Do not cancel it, change the address",
        "keep one planner and cancel the other",
        "leave it at the door",
        "Will I keep my points?",
        "No, only one of the two",
    ],
)
def test_what_asks_for_something_else_is_read_on(text: str) -> None:
    assert read_decision(text, **SHOWN) is None
