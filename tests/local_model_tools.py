"""Declarations to test the embedded model with: a shop's tools, its staff's, and a workshop's."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.toolkit.arguments import Email, OrderNumber, Postcode

Schema = dict[str, Any]


def parameter(
    kind: str,
    ask: str = "",
    *,
    type_: str = "string",
    pattern: str = "",
    candidates: str = "",
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Schema:
    """Describe a parameter as the toolkit does."""
    described: Schema = {"type": type_}
    if type_ == "array":
        described["items"] = {"type": "string"}
    if labels:
        described["enum"] = list(labels)
    described["x-argument"] = {
        "kind": kind,
        "ask": ask or f"Which {kind} is it?",
        "pattern": pattern,
        "candidates": candidates,
        "labels": dict(labels or {}),
    }
    return described


def declare(
    name: str,
    examples: Sequence[str],
    *,
    effect: str = "read",
    level: int = 0,
    role: str = "",
    required: Mapping[str, Schema] | None = None,
    optional: Mapping[str, Schema] | None = None,
) -> Schema:
    """Declare a tool as `Tool.schema` does."""
    required, optional = required or {}, optional or {}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": name.replace("_", " ").capitalize() + ".",
            "parameters": {
                "type": "object",
                "properties": {**required, **optional},
                "required": list(required),
            },
            "x-tool": {
                "examples": list(examples),
                "effect": effect,
                "level": level,
                "label": name,
                "role": role,
            },
        },
    }


def _from_toolkit(annotated: Any) -> Schema:
    return {"type": "string", **annotated.__metadata__[0].json_schema_extra}


ORDER, EMAIL, POSTCODE = (_from_toolkit(kind) for kind in (OrderNumber, Email, Postcode))
ITEM = parameter("item", "Which product do you mean?")
ORDER_ITEMS = parameter("item", "Which items?", type_="array", candidates="order_status")
REASON = parameter(
    "choice",
    "Why do you send it back?",
    labels={
        "damaged": ["damaged", "broken", "cracked", "arrived in pieces"],
        "not_as_described": ["not as described", "looks different", "wrong colour"],
        "changed_mind": ["changed my mind", "do not like it", "no longer need it", "too big"],
        "wrong_item": ["wrong item", "you sent something else"],
    },
)
PROBLEM = parameter(
    "choice",
    "What went wrong?",
    labels={
        "damaged": ["damaged", "broken", "cracked", "shattered", "defective"],
        "missing": ["missing", "incomplete", "not in the box"],
        "wrong": ["wrong item", "not what I ordered"],
        "not_received": ["never arrived", "not received", "lost"],
    },
)

SHOP = [
    declare(
        "order_status",
        [
            "What is the status of my order?",
            "Has order #1001 shipped yet?",
            "What is happening with my order?",
            "Is my order paid and packed?",
            "Where is my order?",
            "Show me order 1002",
            "What did I order in #1003?",
        ],
        level=1,
        required={"order_number": ORDER},
    ),
    declare(
        "track_shipment",
        [
            "Where is my parcel?",
            "When will my order arrive?",
            "Track order #1001",
            "Which carrier brings my package?",
            "Can I get the tracking number?",
            "My parcel has not moved for days",
        ],
        level=1,
        required={"order_number": ORDER},
    ),
    declare(
        "my_orders",
        [
            "Show my orders",
            "What have I ordered so far?",
            "List my recent orders",
            "Which orders do I have open?",
            "My order history, please",
        ],
        level=2,
        role="list",
    ),
    declare(
        "availability",
        [
            "Is the Halo lamp in stock?",
            "Do you have the Kiln mug in moss?",
            "When will the tote bag be available again?",
            "Can I still buy the year planner?",
            "Are there any black grinders left?",
            "Is this sold out?",
        ],
        required={"item": ITEM},
        optional={"quantity": parameter("quantity", "How many?", type_="integer")},
    ),
    declare(
        "product_facts",
        [
            "How much does the Arc lamp cost?",
            "How heavy is the daypack?",
            "What colours does the Ember lamp come in?",
            "What sizes are there for the travel mug?",
            "Tell me about the Tide grinder",
            "What is the price of a gift card?",
        ],
        required={"item": ITEM},
    ),
    declare(
        "return_options",
        [
            "Can I return my order?",
            "Is it still possible to send back order #1001?",
            "Until when can I return this?",
            "What would I get back if I return the lamp?",
            "Am I still within the return window?",
        ],
        level=1,
        required={"order_number": ORDER},
        optional={"items": ORDER_ITEMS},
    ),
    declare(
        "request_return",
        [
            "I want to return my order",
            "Send back the mug from order #1001",
            "Start a return for the lamp",
            "I would like to return both cups",
            "Please open a return",
        ],
        effect="write",
        level=2,
        required={"order_number": ORDER, "items": ORDER_ITEMS, "reason": REASON},
    ),
    declare(
        "cancel_order",
        [
            "Cancel my order",
            "Please cancel order #1001",
            "I do not want my order any more",
            "Stop my order before it ships",
            "I ordered by mistake, cancel it",
        ],
        effect="write",
        level=2,
        required={"order_number": ORDER},
    ),
    declare(
        "change_address",
        [
            "Change the delivery address of my order",
            "Send order #1001 to another address",
            "I have moved, please deliver to my new address",
            "The shipping address on my order is wrong",
            "Can you update where my order goes?",
        ],
        effect="write",
        level=3,
        required={
            "order_number": ORDER,
            "address": parameter("address", "What is the new address, with postcode and town?"),
        },
    ),
    declare(
        "report_problem",
        [
            "My order arrived damaged",
            "An item is missing from my parcel",
            "You sent me the wrong thing",
            "The mug came broken",
            "I never received my package",
        ],
        effect="write",
        level=1,
        required={
            "order_number": ORDER,
            "problem": PROBLEM,
            "description": parameter("text", "What exactly happened?"),
        },
    ),
    declare(
        "contact_person",
        [
            "I want to talk to a person",
            "Can I speak with somebody from the shop?",
            "Please have someone call me",
            "I want to make a complaint to a human",
            "Get me a real person",
        ],
        role="handoff",
        required={"summary": parameter("text", "What should I tell them?")},
    ),
    declare(
        "verify_order",
        [
            "My order number is #1001 and my e-mail is a@example.com",
            "Here is my postcode",
            "I can prove that the order is mine",
            "Verify my order",
            "My e-mail address is kim@example.com",
        ],
        role="proof",
        required={"order_number": ORDER},
        optional={"email": EMAIL, "postcode": POSTCODE},
    ),
    declare(
        "search_articles",
        [
            "How do I clean the grinder?",
            "What is your return policy?",
            "My lamp flickers, what can I do?",
            "How long does delivery take?",
            "Is the mug dishwasher safe?",
            "Which payment methods do you accept?",
            "What does shipping to Austria cost?",
        ],
        role="knowledge",
        required={"question": parameter("text", "What would you like to know?")},
    ),
]

METRIC = parameter(
    "choice",
    "Which figure?",
    labels={
        "revenue": ["revenue", "sales", "turnover"],
        "return_rate": ["return rate", "share of returns"],
        "otif": ["otif", "on time in full", "delivered on time"],
        "orders": ["number of orders", "how many orders"],
        "first_pass_yield": ["first pass yield", "yield"],
        "nps": ["nps", "promoter score"],
    },
)
BY = parameter(
    "choice",
    "Split by what?",
    labels={
        "month": ["month", "monthly"],
        "carrier": ["carrier"],
        "category": ["category", "product group"],
        "country": ["country"],
    },
)
PERIOD = parameter(
    "choice",
    "For which period?",
    labels={
        "last_30_days": ["last 30 days", "past 30 days"],
        "last_month": ["last month", "previous month"],
        "last_90_days": ["last 90 days", "last three months", "last quarter"],
        "last_year": ["last year", "past year", "last twelve months"],
    },
)

STAFF = [
    declare(
        "late_orders",
        [
            "Which orders are late?",
            "Show orders that will miss their ship date",
            "What is overdue in dispatch?",
            "List delayed shipments",
            "Which orders are behind schedule today?",
        ],
    ),
    declare(
        "order_at_a_glance",
        [
            "Show me order #1001",
            "What is going on with order 1002?",
            "Why has #1003 not gone out?",
            "Everything about order #1004",
            "Who placed order 1005?",
        ],
        required={"order_number": ORDER},
    ),
    declare(
        "stock_by_item",
        [
            "How many Halo lamps do we have in stock?",
            "Stock of the Kiln mug",
            "How much of LL-MUG-01 is on hand?",
            "What is available of the tote bag?",
            "Inventory of notebooks",
        ],
        optional={"item": ITEM},
    ),
    declare(
        "runs_out",
        [
            "What runs out soon?",
            "Which items will be out of stock in the next weeks?",
            "What do we have to reorder?",
            "Show items below their reorder point",
            "What should we buy this week?",
        ],
        optional={"days": parameter("number", "Within how many days?", type_="integer")},
    ),
    declare(
        "returns_by_reason",
        [
            "Why do people return things?",
            "Returns by reason",
            "What are the most common return reasons?",
            "Show reasons for returns of the tote bag",
            "Top return reasons last month",
        ],
        optional={"period": PERIOD},
    ),
    declare(
        "query_metric",
        [
            "What was our revenue last month?",
            "Show the return rate by category",
            "How was OTIF in the last 90 days?",
            "Sales by month",
            "What is our NPS?",
            "First pass yield of the past year",
        ],
        required={"metric": METRIC},
        optional={"by": BY, "period": PERIOD},
    ),
    declare(
        "search_staff_articles",
        [
            "How do we pack ceramics?",
            "What is the goodwill limit for refunds?",
            "How do I grade a returned lamp?",
            "What temperature does the kiln need?",
            "How many pieces do I inspect in a lot of 500?",
        ],
        role="knowledge",
        required={"question": parameter("text", "What would you like to know?")},
    ),
]

WORKSHOP = [
    declare(
        "book_service",
        [
            "Book a service for my bike",
            "I would like an appointment for an inspection",
            "My brakes need fixing, when can I come?",
            "Can I bring my bicycle in on Monday?",
            "Reserve a slot in the workshop",
        ],
        effect="write",
        required={
            "service": parameter(
                "choice",
                "Which service would you like?",
                labels={
                    "inspection": ["inspection", "check-up", "full service"],
                    "brakes": ["brakes", "brake pads", "braking"],
                    "tyre": ["tyre", "flat tire", "puncture", "tube"],
                },
            ),
            "day": parameter("period", "On which day?", pattern=r"\b(\w+day)\b"),
        },
    ),
    declare(
        "part_price",
        [
            "What does a chain cost?",
            "Price of a bottom bracket",
            "How much is a new saddle?",
            "What do you charge for a derailleur?",
            "Cost of brake pads for a Shimano hub",
        ],
        required={"part": parameter("part", "Which part?")},
    ),
    declare(
        "repair_status",
        [
            "Is my bike ready?",
            "How far is repair R-204?",
            "Status of ticket R-118",
            "When can I pick up my bicycle?",
            "Have you finished my wheel?",
        ],
        required={
            "ticket": parameter(
                "ticket", "What is the number of the repair, like R-204?", pattern=r"\b(R-\d{3})\b"
            )
        },
    ),
    declare(
        "ask_mechanic",
        [
            "I want to talk to a mechanic",
            "Can somebody call me about my bike?",
            "Put me through to the workshop",
            "Let me speak to a human",
            "I need a person",
        ],
        role="handoff",
        required={"summary": parameter("text", "What is it about?")},
    ),
    declare(
        "search_guides",
        [
            "How do I oil a chain?",
            "What tyre pressure is right?",
            "Why does my gear skip?",
            "What is your warranty on repairs?",
            "How often should I service an e-bike?",
        ],
        role="knowledge",
        required={"question": parameter("text", "What would you like to know?")},
    ),
]
