"""What people write into a survey of the sample shop."""

from collections.abc import Mapping, Sequence
from random import Random

from opsbot.surveys.flows import About, Flow, QuestionKind

_DELIVERY: Mapping[str, Sequence[str]] = {
    "good": (
        "Came a day earlier than promised.",
        "Very well packed, nothing rattled.",
        "Lovely paper filling instead of plastic, thank you.",
        "The driver rang and waited. All good.",
        "Quick, and I could follow the parcel all the way.",
        "Everything in one box and well labelled.",
        "Arrived on the day you said.",
    ),
    "late": (
        "It came four days later than promised, and nobody told me.",
        "I had to ask twice where my parcel was.",
        "The tracking did not change for a week.",
        "Too late for the birthday it was meant for.",
        "The date in the shop was not the date it came.",
    ),
    "bad": (
        "The box was crushed on one side.",
        "One mug had a chip at the rim.",
        "Far too much packaging for such a small thing.",
        "Left in the rain in front of the door.",
        "The parcel shop is half an hour from here.",
        "An item was missing and came a week later.",
    ),
}

_PRODUCT: Mapping[str, Mapping[str, Sequence[str]]] = {
    "good": {
        "lamps": (
            "The light is warm and the dimmer does not hum.",
            "Looks better than in the pictures.",
            "Easy to set up, and the joint stays where I put it.",
        ),
        "ceramics": (
            "My favourite mug by now. The glaze is beautiful.",
            "Feels good in the hand and survives the dishwasher.",
            "Every piece is a little different, which I like.",
        ),
        "coffee": (
            "The grind is even and it is quick to clean.",
            "Solid and quiet. Worth the price.",
            "Good coffee every morning.",
        ),
        "": (
            "Very well made.",
            "Exactly as described.",
            "I have ordered a second one as a present.",
            "Good material, and it gets nicer with use.",
            "You can see that somebody thought about it.",
        ),
    },
    "middling": {
        "lamps": ("A little less bright than I expected.", "The cable could be longer."),
        "ceramics": ("The colour is darker than on the website.",),
        "coffee": ("Takes some practice; the manual could say more.",),
        "": (
            "Good, but a little expensive.",
            "Nice, though delivery took long.",
            "The instructions are hard to follow.",
            "Fine. Not sure that I would buy it again.",
        ),
    },
    "bad": {
        "lamps": ("The dimmer flickers at the lowest step.", "The shade arrived with a dent."),
        "ceramics": ("The handle broke after two weeks.", "The glaze has fine cracks."),
        "coffee": ("The crank is loose already.", "Grinds unevenly on the coarse settings."),
        "": (
            "Smaller than it looks in the pictures.",
            "The colour is not the one I ordered.",
            "It fell apart after a few weeks.",
            "Two mails to support until somebody answered.",
        ),
    },
}


def write_comment(random: Random, flow: Flow, score: int, category: str, *, punctual: bool) -> str:
    """Return what somebody writes who gave this score.

    Args:
        random: chooses among the sentences.
        flow: what was asked.
        score: the answer to its first question.
        category: of the product.
        punctual: whether the order came in time.
    """
    tone = _tone(flow.lead.kind, score)
    if flow.about is About.ORDER:
        if tone == "good":
            return random.choice(_DELIVERY["good"])
        return random.choice(_DELIVERY["bad" if punctual else "late"])
    sentences = _PRODUCT[tone]
    return random.choice((*sentences.get(category, ()), *sentences[""]))


def _tone(kind: QuestionKind, score: int) -> str:
    if kind.is_low(score):
        return "bad"
    scale = kind.scale or range(1)
    return "good" if score >= scale[-2] else "middling"
