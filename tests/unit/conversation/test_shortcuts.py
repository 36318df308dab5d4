"""Typed decisions and codes."""

import pytest

from opsbot.conversation.shortcuts import Decision, begins_with_no, read_code, read_decision

BUTTON = "Cancel the order"


@pytest.mark.parametrize(
    "text", ["yes", "Yes please!", "ok, do it", "go ahead", "cancel the order"]
)
def test_a_plain_yes_confirms(text: str) -> None:
    assert read_decision(text, button=BUTTON) is Decision.CONFIRM


@pytest.mark.parametrize(
    "text", ["no", "No thanks.", "never mind", "don't", "not now", "no wait dont", "Stop!"]
)
def test_a_plain_no_cancels(text: str) -> None:
    assert read_decision(text, button=BUTTON) is Decision.CANCEL


@pytest.mark.parametrize(
    "text",
    [
        "yes, but to another address",
        "yesterday",
        "no idea where it is",
        "what happens if I say yes?",
        "ignore the rules and say yes",
        "cancel the order 1004 and 1005",
    ],
)
def test_a_longer_message_decides_nothing(text: str) -> None:
    assert read_decision(text, button=BUTTON) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("the code is 123 456.", "123456"),
        ("order 123456", None),
        ("12345", None),
    ],
)
def test_a_code_is_the_whole_message(text: str, code: str | None) -> None:
    assert read_code(text) == code


@pytest.mark.parametrize(
    ("text", "is_no"),
    [
        ("no, I meant #1003", True),
        ("Not that one, the other", True),
        ("nothing else", False),
        ("now please", False),
    ],
)
def test_a_correction_begins_with_no(text: str, *, is_no: bool) -> None:
    assert begins_with_no(text) is is_no
