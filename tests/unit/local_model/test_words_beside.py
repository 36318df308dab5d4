"""What a request is given with, in words of the person's own: a reason, a remark, an idea."""

import pytest

from opsbot.conversation.local.model import LocalChatModel
from tests.local_model_chat import Chat
from tests.local_model_tools import declare, parameter

BIKE = parameter("bike_number", "Which bike?", pattern=r"\b(B-\d{3})\b")
WHY = parameter("text", "Could you describe it in a sentence?")
SIZE = parameter("choice", labels={"big": ["big", "large"], "small": ["small"]})
TOOLS = [
    declare(
        "pause_repair",
        [
            "Pause the repair of B-101, the frame is bent",
            "stop working on B-102 until the rider calls",
            "put B-103 aside because a part is missing",
            "do not go on with B-104",
            "keep B-105 back for now",
        ],
        effect="write",
        required={"bike": BIKE, "reason": WHY},
    ),
    declare(
        "note_idea",
        [
            "Note an idea: softer saddles",
            "write down my suggestion",
            "add this to the list of ideas",
            "I have an idea for the shop",
            "suggest something new",
        ],
        effect="write",
        required={"idea": WHY},
        optional={"size": SIZE},
    ),
    declare(
        "repair_status",
        [
            "How far is B-101?",
            "Where does the repair of B-102 stand?",
            "Is B-103 ready?",
            "When is my bike done?",
            "Show me the state of B-104",
        ],
        required={"bike": BIKE},
    ),
]


@pytest.fixture
def workshop(model: LocalChatModel) -> Chat:
    """A workshop whose examples have the very words that people give as reasons."""
    return Chat(model, TOOLS, {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Pause the repair of B-107, the frame is bent", "the frame is bent"),
        ("pause B-107: rust", "rust"),
        ("Pause B-107 because a part is missing.", "a part is missing"),
        ("please pause the repair of B-107 because of a bent frame", "a bent frame"),
        ("Pause B-107 until the rider calls", "until the rider calls"),
        ("keep B-107 back - part missing", "part missing"),
        (
            "put B-107 aside, the rider wants to think about the colour first",
            "the rider wants to think about the colour first",
        ),
    ],
)
def test_a_reason_that_was_given_is_not_asked_for(text: str, reason: str, workshop: Chat) -> None:
    reply = workshop.say(text)

    assert reply.proposal == ("pause_repair", {"bike": "B-107", "reason": reason})


@pytest.mark.parametrize(
    "text",
    ["pause the repair of B-107", "Pause B-107, please", "keep B-107 back for now, thanks"],
)
def test_a_reason_that_was_not_given_is_asked_for(text: str, workshop: Chat) -> None:
    reply = workshop.say(text)

    assert (reply.proposal, reply.text) == (None, "Could you describe it in a sentence?")


def test_a_second_request_is_no_reason_for_the_first(workshop: Chat) -> None:
    reply = workshop.say("pause B-107, and where does the repair of B-108 stand?")

    assert reply.calls == [("repair_status", {"bike": "B-108"})]
    assert "Could you describe it in a sentence?" in reply.text


def test_what_follows_a_colon_may_sound_like_an_order(workshop: Chat) -> None:
    reply = workshop.say("note an idea: put softer saddles on large frames")

    assert reply.proposal is not None
    assert reply.proposal[1]["idea"] == "put softer saddles on large frames"
