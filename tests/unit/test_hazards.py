"""Harm that is reported is told from harm that is asked about."""

import pytest

from opsbot.hazards import tells_of_harm


@pytest.mark.parametrize(
    "text",
    [
        "Smoke came out of the lamp when I plugged it in",
        "the battery is swollen",
        "the back of it looks kind of swollen?? what now",
        "My lantern has a bulging battery, what now?",
        "I got an electric shock from the switch!",
        "it smells burnt. Is that normal?",
        "My son cut himself? No, the shard cut my hand and it is bleeding",
        "The grinder is smoking",
        "My Ember lamp smells burnt",
        "There is a burning smell from my Ember lamp",
        "the lamp smells like something burning",
        "The cable of my lamp is damaged, can I still use it?",
        "it came with a frayed power cord",
        "I can see smoke, help",
        "My daughter is in hospital after this",
    ],
)
def test_a_report_of_harm_is_noticed(text: str) -> None:
    assert tells_of_harm(text)


@pytest.mark.parametrize(
    "text",
    [
        "What should I do if the battery is swollen?",
        "Does the lamp smoke?",
        "Can the lamp catch fire or explode?",
        "my lamp flickers",
        "If it starts smoking I will call you.",
        "the burning question is when it ships",
        "I want to return the smoked oak lamp",
        "The ink bleeds through the paper",
        "Please deliver it to the hospital on Mill Road",
        "I was shocked by the price",
        "Please cut my order to two mugs",
        "Is this dangerous?",
        "how long is the cable of the lamp",
    ],
)
def test_a_question_about_harm_is_only_a_question(text: str) -> None:
    assert not tells_of_harm(text)
