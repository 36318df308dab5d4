"""What counts as a yes to a preview."""

import pytest

from opsbot.conversation.agreement import Agreement, read_agreement

SHOWN = (
    "Exchange the items",
    "Exchange items of order #1004?",
    "Kiln mug, moss becomes Kiln mug, ink: same price.",
    "It costs €2.00 more, charged to your PayPal.",
)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes, that's perfect. Please go ahead and proceed with the exchange.",
        "Ah, got it! Thank you for explaining. Yes, let's go ahead.",
        "Yes, please proceed with swapping the mug for the ink one. Thank you!",
        "Okay, go ahead with the ink version.",
        "Sounds good, charge my PayPal",
        "Perfect.",
        "Great, go ahead!",
        "Perfect, that's right",
    ],
)
def test_words_that_agree_or_repeat_what_is_shown_say_yes(text: str) -> None:
    assert read_agreement(text, SHOWN) == Agreement()


@pytest.mark.parametrize(
    "text",
    [
        "Yes, but the navy one",
        "Yes, exchange the tote",
        "yes, order #1005",
        "Great, thank you!",
        "Great! Thank you for your help.",
        "Perfect! Thanks.",
        "Wonderful",
        "Yes, please check my other orders first",
        "Yes, please check",
        "Yes. Great, send it to Berlin too.",
        "Yes. Thank you, and make it two.",
        "Yes, cancel it",
        "Thank you for your help. That's all.",
        "yes, is it free",
        "Yes. How much is it?",
        "Only if it is free. Yes.",
        "Yes, not the ink one",
        "",
    ],
)
def test_other_words_are_no_yes(text: str) -> None:
    assert read_agreement(text, SHOWN) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (
            "Yes, go ahead. Now, I also need another lamp.",
            "Now, I also need another lamp.",
        ),
        (
            "Yes please. And what is the status of order #1002?",
            "And what is the status of order #1002?",
        ),
    ],
)
def test_what_follows_a_yes_and_begins_something_else_is_left_over(text: str, rest: str) -> None:
    assert read_agreement(text, SHOWN) == Agreement(rest)


def test_a_wish_before_the_yes_is_no_yes() -> None:
    assert read_agreement("I also need a lamp. Yes.", SHOWN) is None


def test_repeating_how_it_was_agrees_to_nothing() -> None:
    shown = (
        "Change the address",
        "Send order #1004 to another address?",
        "New address: Sonnenallee 5, 12047 Berlin",
        "Instead of: Lindengasse 3, 10115 Berlin",
    )

    assert read_agreement("Yes, send it to Sonnenallee 5", shown) == Agreement()
    assert read_agreement("Yes, send it to Lindengasse 3", shown) is None
    assert read_agreement("Yes, to the original address please", shown) is None
    assert read_agreement("Yes, change it", ("Cancel the order", "Cancel order #1004?")) is None
