"""Questions about plans and suppliers become the right calls, on the shop's real declarations."""

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from opsbot.conversation.local.model import LocalChatModel
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import AnyTool

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "How many walnut lamps will we sell in the next five weeks?",
        "forecast_demand",
        {"item": "walnut lamps", "days": "five weeks"},
    ),
    ("Give me a forecast for the Kiln mug", "forecast_demand", {"item": "Kiln mug"}),
    (
        "What safety stock for 98 % on the travel mug?",
        "safety_stock",
        {"item": "travel mug", "service_level": 98},
    ),
    ("Which of our purchase orders are late?", "purchase_orders", {"which": "late"}),
    (
        "open purchase orders at Osaka Kettle Works",
        "purchase_orders",
        {"supplier": "Osaka Kettle Works", "which": "open"},
    ),
    ("Which supplier gets worse?", "supplier_scorecard", {}),
    (
        "supplier scorecard for Tecelagem Ribeira this year",
        "supplier_scorecard",
        {"supplier": "Tecelagem Ribeira", "period": "this year"},
    ),
]


@pytest.mark.parametrize(("question", "tool", "arguments"), CALLS, ids=[call[0] for call in CALLS])
def test_a_planner_s_question_becomes_one_call(
    question: str,
    tool: str,
    arguments: Mapping[str, Any],
    shop_tools: Mapping[str, AnyTool],
    minilm: MiniLmEncoder,
) -> None:
    offered = [one.schema for one in shop_tools.values() if one.audience is Audience.STAFF]

    answer = LocalChatModel(minilm).bind_tools(offered).invoke([HumanMessage(question)])

    assert isinstance(answer, AIMessage)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [(tool, arguments)]
