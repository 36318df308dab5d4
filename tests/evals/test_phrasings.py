"""How many of our own held-out phrasings reach the right tool, on the shop's real declarations."""

from collections.abc import Mapping, Sequence

import pytest

from opsbot.conversation.local.declarations import read_declaration
from opsbot.conversation.local.reading import read_message
from opsbot.conversation.local.understand import Understanding
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import AnyTool
from tests.evals.phrasings import CUSTOMER
from tests.evals.staff_phrasings import STAFF

pytestmark = pytest.mark.slow

FLOORS = {Audience.CUSTOMER: 0.86, Audience.STAFF: 0.86}
"""What must not be fallen below; the figures themselves are printed."""


@pytest.mark.parametrize(
    ("audience", "phrasings"),
    [(Audience.CUSTOMER, CUSTOMER), (Audience.STAFF, STAFF)],
    ids=["customers", "staff"],
)
def test_held_out_phrasings_reach_their_tools(
    audience: Audience,
    phrasings: Mapping[str, Sequence[str]],
    shop_tools: Mapping[str, AnyTool],
    minilm: MiniLmEncoder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    offered = [tool.schema for tool in shop_tools.values() if tool.audience is audience]
    mind = Understanding([read_declaration(schema) for schema in offered], minilm)

    missed = [
        (text, wanted, chosen)
        for wanted, texts in phrasings.items()
        for text in texts
        if (chosen := _choose(mind, text)) not in wanted.split("|")
    ]

    asked = sum(len(texts) for texts in phrasings.values())
    accuracy = 1 - len(missed) / asked
    with capsys.disabled():
        print(f"\n{audience}: {asked - len(missed)} of {asked} phrasings right, {accuracy:.1%}")  # noqa: T201  (the figure is the point)
    assert accuracy >= FLOORS[audience], missed


def test_no_phrasing_stands_among_the_examples(shop_tools: Mapping[str, AnyTool]) -> None:
    examples = {text.lower() for tool in shop_tools.values() for text in tool.examples}
    asked = {
        text.lower() for part in (CUSTOMER, STAFF) for texts in part.values() for text in texts
    }

    assert not examples & asked


def _choose(mind: Understanding, text: str) -> str:
    chosen = {mind.choose(request) for request in read_message(mind, text)}
    return chosen.pop() if len(chosen) == 1 else ", ".join(sorted(chosen))
