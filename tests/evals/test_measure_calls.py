"""Questions about measures become the right calls, on the shop's real declarations."""

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from opsbot.conversation.local.model import LocalChatModel
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import AnyTool

CALLS: list[tuple[str, dict[str, Any]]] = [
    (
        "Did we keep our promises in October, per carrier, versus the period before?",
        {"metric": "otif", "period": "in October", "by": "by_carrier", "compare": "true"},
    ),
    ("At which step do orders wait longest?", {"metric": "cycle_time", "by": "by_stage"}),
    ("Where is the bottleneck between order and delivery?", {"metric": "cycle_time"}),
    (
        "Is GLS faster than DHL in Austria?",
        {"metric": "transit_days", "only": {"GLS", "DHL", "Austria"}},
    ),
    (
        "How much is shipping costing us, and in which market is it growing?",
        {"metric": "cost_per_parcel", "by": "by_country", "compare": "true"},
    ),
    ("shipping cost per country", {"metric": "cost_per_parcel", "by": "by_country"}),
    (
        "What has not moved in the last six months?",
        {"metric": "dead_stock", "period": "last six months"},
    ),
    ("Which items are unsold since June?", {"metric": "dead_stock", "by": "by_item"}),
    ("Which channel is most profitable after fees?", {"metric": "channel_margin"}),
    ("first pass yield per month", {"metric": "fpy", "by": "by_month"}),
    ("top 3 categories by revenue", {"metric": "revenue", "top": 3}),
    ("how many customers buy again", {"metric": "repeat_rate"}),
    ("days of inventory for ceramics", {"metric": "dio"}),
    ("stockouts per month this year", {"metric": "stockout_rate", "by": "by_month"}),
    ("What is our refund rate?", {"metric": "refund_rate"}),
]


FLOOR = 0.8
"""What must not be fallen below; the figure itself is printed."""


def test_questions_about_measures_become_the_right_calls(
    shop_tools: Mapping[str, AnyTool],
    minilm: MiniLmEncoder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    offered = [one.schema for one in shop_tools.values() if one.audience is Audience.STAFF]
    model = LocalChatModel(minilm).bind_tools(offered)

    missed = []
    for question, wanted in CALLS:
        answer = model.invoke([HumanMessage(question)])
        assert isinstance(answer, AIMessage)
        if [call["name"] for call in answer.tool_calls] != ["query_metric"] or not _fits(
            answer.tool_calls[0]["args"], wanted
        ):
            missed.append((question, answer.tool_calls or answer.content))

    right = 1 - len(missed) / len(CALLS)
    with capsys.disabled():
        print(f"\nmeasures: {len(CALLS) - len(missed)} of {len(CALLS)} calls right, {right:.1%}")  # noqa: T201  (the figure is the point)
    assert right >= FLOOR, missed


def _fits(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a call has what was asked; of the part, all the names."""
    return all(
        value <= set(str(given.get(name, "")).split())
        if name == "only"
        else given.get(name) == value
        for name, value in wanted.items()
    )
