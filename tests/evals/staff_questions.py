"""Thirty questions that staff really ask, and what a right answer calls.

Each has the question, the tools that would do, and arguments that the call must have. A name is
right when it holds the words of the wanted one; other values must be equal. No rows: the answer is
a table all the same unless `rows` is false.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One question."""

    words: str
    tools: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rows: bool = True
    """Whether the answer has a table with rows."""
    about: str = ""
    """What the question before it asked, where it goes on with that."""


THIRTY = (
    Asked("Which orders will miss their ship date today?", ("late_orders", "order_queue")),
    Asked("Why is #1042 still not out?", ("order_overview",), {"order_number": "1042"}),
    Asked(
        "How was OTIF last month against the month before, by carrier?",
        ("query_metric",),
        {"metric": "otif", "by": "by_carrier", "compare": True, "period": "last month"},
    ),
    Asked("Where do orders get stuck?", ("query_metric",), {"metric": "cycle_time"}),
    Asked("Which parcels have had no scan for a week?", ("late_shipments",), {"days": 7}),
    Asked(
        "Is DHL slower to Austria than GLS?",
        ("query_metric",),
        {"metric": "transit_days", "only": "DHL GLS Austria"},
    ),
    Asked(
        "What is shipping costing us per order and where does it grow?",
        ("query_metric",),
        {"metric": "cost_per_parcel", "compare": True},
    ),
    Asked("Which box should #1051 go in?", ("advise_packaging",), {"order_number": "1051"}),
    Asked("What runs out in the next three weeks?", ("runs_out", "replenishment"), {"days": 21}),
    Asked(
        "How many walnut lamps will we sell before Christmas?",
        ("forecast_demand",),
        {"item": "walnut lamps"},
    ),
    Asked(
        "How sure is that forecast?",
        ("forecast_demand",),
        {"item": "walnut lamps"},
        about="How many walnut lamps will we sell before Christmas?",
    ),
    Asked(
        "What safety stock for 98 % on the ceramic mug?",
        ("safety_stock",),
        {"item": "mug", "service_level": 98},
    ),
    Asked(
        "What should we order from Kiln & Co this week?",
        ("replenishment", "draft_purchase_order"),
        {"supplier": "Kiln & Co"},
    ),
    Asked(
        "Which purchase orders are late and what do they block?",
        ("purchase_orders",),
        {"which": "late"},
    ),
    Asked("Which supplier is getting worse?", ("supplier_scorecard",)),
    Asked(
        "Can we promise 300 notebooks by 12 December?",
        ("can_we_make",),
        {"item": "notebooks", "quantity": 300, "by": "12 December"},
    ),
    Asked(
        "Is the laser cutter overloaded next week?",
        ("capacity",),
        {"center": "laser cutter"},
    ),
    Asked("What if we take the museum order of 500?", ("capacity",), {"quantity": 500}),
    Asked("Should we make or buy the bases?", ("can_we_make",), {"item": "bases"}),
    Asked(
        "How many pieces must I check in a lot of 1,000?",
        ("inspection_plan",),
        {"lot_size": 1000},
    ),
    Asked("What are the top defects this quarter?", ("quality",), {"period": "this quarter"}),
    Asked("Batch L-0231 has bad glue: who got it?", ("trace_lot",), {"lot": "231"}),
    Asked("Where is our money stuck in stock?", ("inventory_health",)),
    Asked(
        "What have we not sold for half a year?",
        ("query_metric", "inventory_health"),
        {"metric": "dead_stock"},
    ),
    Asked(
        "Which channel earns most after fees and returns?",
        ("query_metric",),
        {"metric": "channel_margin"},
    ),
    Asked(
        "Can we sell the lantern in Norway and what does it need?",
        ("market_readiness",),
        {"country": "Norway"},
    ),
    Asked(
        "Why are people returning the tote bag?",
        ("returns_by_reason",),
        {"item": "tote bag"},
    ),
    Asked("How is our NPS and is the change real?", ("survey_results", "query_metric")),
    Asked(
        "What do customers complain about since the new packaging?",
        ("feedback_topics",),
    ),
    Asked("What did customers ask that our manuals do not answer?", ("knowledge_gaps",)),
)
ALSO = (
    Asked("What needs my attention this morning?", ("daily_brief",)),
    Asked(
        "Draft a reply to Ana about her late parcel",
        ("draft_reply",),
        {"about": "Ana"},
        rows=False,
    ),
)
