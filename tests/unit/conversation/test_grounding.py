"""Sentences are checked against what was found."""

import pytest

from opsbot.conversation.grounding import Evidence, Grounding, find_deed, find_figure

EVIDENCE = Evidence(
    texts=["where is order 1003?"],
    reports=[
        "Order #1003 was shipped on 12 November 2026. Refund €1,019.10. Error E-07. Cancelled."
    ],
    sources=2,
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Order #1003 is on its way.",
        "It left on 12 November 2026.",
        "You get €1,019.10 back.",
        "You get 1019.10 back [1].",
        "E-07 means a jam.",
        "It has been cancelled.",
        "1. Open the lid.",
    ],
)
def test_a_sentence_whose_figures_were_found_may_be_said(sentence: str) -> None:
    assert find_figure(sentence, EVIDENCE) is None
    assert find_deed(sentence, EVIDENCE) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Order #1004 is on its way.",
        "You have 365 days.",
        "You get €10 back.",
        "E-09 means a jam.",
        "I have refunded your order.",
        "Your address has been changed.",
    ],
)
def test_a_sentence_with_a_figure_or_deed_from_nowhere_may_not(sentence: str) -> None:
    assert find_figure(sentence, EVIDENCE) or find_deed(sentence, EVIDENCE)


def test_only_the_failing_sentence_of_a_stream_is_dropped() -> None:
    grounding = Grounding(EVIDENCE)

    pieces = [
        p.text
        for word in ["It", "left.", "You", "have", "365", "days.", "Bye", "[1]", "[7]."]
        for p in grounding.feed(word + " ")
    ]
    pieces += [p.text for p in grounding.finish()]

    assert "".join(pieces).split() == ["It", "left.", "Bye", "[1]", "."]
    assert len(grounding.dropped) == 1
