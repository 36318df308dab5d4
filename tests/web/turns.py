"""What the scripted server answers: events as the real one sends them, chosen by the message."""

from collections.abc import Callable, Sequence
from typing import Any

Event = tuple[str, dict[str, Any]]

HALO = "How do I change the light colour of the Halo lamp?"
TRACK = "Where is order #1003?"
CANCEL = "Cancel order #1004"
STOCK = "Add 3 to the stock of the Ember lamp"
RETURNS = "Returns by reason in the last 90 days"

HALO_ANSWER = (
    "Touch the base of the **Halo** [1]:\n\n"
    "1. One touch switches it on.\n"
    "2. Two touches choose the next colour: `2700 K`, `3300 K` or `4000 K` [1].\n"
    "3. Touch and hold dims the light.\n\n"
    "The lamp keeps the last brightness, also after a power cut [2]."
)
HOSTILE = (
    "<img src=x onerror=alert(1)> **bold <b>no</b>** [click](javascript:alert(1)) "
    "[fine](https://example.com/a) <script>alert(2)</script> [9] "
    + "[" * 2000
    + "**" * 1999
    + "\u202egnp.exe"
)
CLAUSE = {
    "id": "orders.cancel",
    "title": "Cancelling",
    "text": "You can cancel an order free of charge until it is packed.",
}


def events_for(text: str, message_id: str) -> list[Event]:
    """Return the events of the reply to `text`."""
    of = {"message_id": message_id}
    builders: dict[str, Callable[[dict[str, Any]], list[Event]]] = {
        HALO: _halo,
        TRACK: _track,
        CANCEL: _cancel,
        RETURNS: _returns,
        STOCK: _stock,
        "hostile": lambda _: _say(of, HOSTILE),
        "product": _product,
        "steps": lambda _: _say(
            of, "1. Unplug it.\n2. Brush it.\n\n[1]", more=[_citation(of, 1, "Clean", "clean", "x")]
        ),
        "another model": lambda _: _replaced(of),
        "expires": lambda _: _proposal(of, "p-expires", title="Change the address of #1005?"),
        "rows": lambda _: _say(of, "| Code | Meaning |\n|---|---|\n| E-07 | burr **not** seated |"),
        "long": lambda _: _say(of, "word " * 3000),
    }
    build = builders.get(text)
    if text == "Talk to a person":
        words = "I have handed this over. A person answers, usually within a day."
        return [
            *_say(of, words)[:-1],
            ("handoff", {"state": "waiting", "text": "A person will answer. Case CS-00007."}),
            ("message_end", {**of, "text": words}),
        ]
    if text == "broken":
        event = {"code": "internal", "text": "Something went wrong on our side.", "retryable": True}
        return [("message_start", {**of, "author": "assistant"}), ("error", event)]
    return build(of) if build else _say(of, f"You wrote: {text}")


def settled(proposal_id: str, state: str, text: str, message_id: str) -> list[Event]:
    """Return the events of a decision. What begins with `u-` can be undone, `back-` undoes it."""
    of = {"message_id": message_id}
    result = {
        "proposal_id": proposal_id,
        "state": state,
        "text": text,
        "can_undo": state == "executed" and proposal_id.startswith("u-"),
        "undone": proposal_id.removeprefix("back-") if proposal_id.startswith("back-") else None,
    }
    return [("action_result", result), *_say(of, text)]


def way_back(proposal_id: str, message_id: str) -> list[Event]:
    """Return the events of a preview of what takes a change back."""
    return _proposal({"message_id": message_id}, f"back-{proposal_id}", title="Take 3 off again?")


def _say(of: dict[str, Any], text: str, *, more: Sequence[Event] = ()) -> list[Event]:
    pieces = [text[at : at + 24] for at in range(0, len(text), 24)]
    return [
        ("message_start", {**of, "author": "assistant"}),
        *(("message_delta", {**of, "text": piece}) for piece in pieces),
        *more,
        ("message_end", {**of, "text": text}),
    ]


def _citation(of: dict[str, Any], n: int, heading: str, anchor: str, quote: str) -> Event:
    url = f"/help/halo-desk-lamp#{anchor}"
    title = "Halo desk lamp manual"
    return (
        "citation",
        {**of, "n": n, "title": title, "heading": heading, "url": url, "quote": quote},
    )


def _halo(of: dict[str, Any]) -> list[Event]:
    heading = "Switch on, dim and change the colour of the light"
    anchor = "switch-on-dim-and-change-the-colour-of-the-light"
    return [
        ("message_start", {**of, "author": "assistant"}),
        ("tool_call", {**of, "name": "search", "label": "Reading articles", "state": "running"}),
        ("tool_call", {**of, "name": "search", "label": "Reading articles", "state": "done"}),
        *_say(of, HALO_ANSWER)[1:-1],
        _citation(of, 1, heading, anchor, "Two touches: next colour: 2700 K, 3300 K, 4000 K"),
        _citation(of, 2, "Set up the lamp", "set-up-the-lamp", "The lamp lights at half."),
        (
            "quick_replies",
            {**of, "choices": ["How do I dim it?", "Where can I buy a spare LED module?"]},
        ),
        ("message_end", {**of, "text": HALO_ANSWER}),
    ]


def _track(of: dict[str, Any]) -> list[Event]:
    label = "Looking up order #1003"
    order = {
        "number": "#1003",
        "state": "Shipped",
        "steps": [
            {"label": "Paid", "state": "done"},
            {"label": "Packed", "state": "done"},
            {"label": "On its way", "state": "current"},
            {"label": "Delivered", "state": "todo"},
        ],
        "rows": [{"title": "Tide electric grinder, white", "quantity": 1, "amount": "€189.00"}],
        "total": "€193.90",
        "as_of": "20 November 2026, 13:00",
    }
    shipment = {
        "carrier": "DHL",
        "tracking_number": "00340434161094000001",
        "tracking_url": "https://carrier.example/00340434161094000001",
        "state": "In transit",
        "eta": "22 November 2026",
        "events": [
            {"at": "19 November, 18:12", "text": "Picked up", "place": "Berlin"},
            {"at": "20 November, 06:40", "text": "In transit", "place": "Leipzig"},
        ],
    }
    text = "Order **#1003** is on its way with DHL. It is expected on **22 November 2026**."
    cards: list[Event] = [
        ("card", {**of, "kind": "order", "body": order}),
        ("card", {**of, "kind": "shipment", "body": shipment}),
    ]
    start, *rest = _say(of, text, more=cards)
    return [
        start,
        ("tool_call", {**of, "name": "track", "label": label, "state": "running"}),
        ("tool_call", {**of, "name": "track", "label": label, "state": "done"}),
        *rest,
    ]


def _product(of: dict[str, Any]) -> list[Event]:
    product = {
        "sku": "LL-LMP-02-SGE",
        "title": "Ember bedside lamp, sage",
        "price": "€79.00",
        "availability": "In stock",
    }
    returned = {
        "number": "RMA-00010",
        "state": "Approved",
        "steps": [
            {"label": "Approved", "state": "current"},
            {"label": "Received", "state": "todo"},
            {"label": "Refunded", "state": "todo"},
        ],
        "refund": "€24.00",
        "deadline": "4 December 2026",
    }
    table = {
        "caption": "Your orders",
        "columns": [
            {"key": "number", "label": "Order", "numeric": False},
            {"key": "total", "label": "Total", "numeric": True},
        ],
        "rows": [["#1003", "€193.90"], ["#1004", "€101.90"]],
    }
    more: list[Event] = [
        ("card", {**of, "kind": "product", "body": product}),
        ("card", {**of, "kind": "return", "body": returned}),
        ("table", {**of, **table}),
    ]
    return _say(of, "The Ember is in stock in sage.", more=more)


def _proposal(
    of: dict[str, Any], proposal_id: str, *, title: str, expires_at: str = "2099-01-01T12:00:00Z"
) -> list[Event]:
    preview = {
        "proposal_id": proposal_id,
        "title": title,
        "details": [
            "Ember bedside lamp, sage, and A5 notebook, dotted",
            "€101.90 goes back to your PayPal account within 3 days",
        ],
        "button": "Cancel the order",
        "expires_at": expires_at,
        "clause": CLAUSE,
    }
    words = "Please check the details below."
    return _say(of, words, more=[("action_proposal", {**of, **preview})])


def _cancel(of: dict[str, Any]) -> list[Event]:
    return _proposal(of, f"p-{of['message_id']}", title="Cancel order #1004?")


def _stock(of: dict[str, Any]) -> list[Event]:
    return _proposal(of, f"u-{of['message_id']}", title="Add 3 to the stock?")


def _replaced(of: dict[str, Any]) -> list[Event]:
    other = {"message_id": f"{of['message_id']}-b"}
    start = ("message_start", {**other, "author": "assistant", "replaces": of["message_id"]})
    return [*_say(of, "A half sentence that")[:-1], start, *_say(other, "The whole answer.")[1:]]


def _returns(of: dict[str, Any]) -> list[Event]:
    rows = [["Damaged", 14], ["Changed mind", 11], ["Wrong item", 6], ["=1+1", 2]]
    table = {
        "caption": "Returns by reason, 22 August to 20 November 2026",
        "columns": [
            {"key": "reason", "label": "Reason", "numeric": False},
            {"key": "returns", "label": "Returns", "numeric": True},
        ],
        "rows": rows,
    }
    # Bars that lie: their labels are long.
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": [{"x": x, "y": y, "series": "Returns"} for x, y in rows]},
        "mark": {"type": "bar"},
        "height": {"step": 24},
        "encoding": {
            "y": {"field": "x", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "y", "type": "quantitative", "title": "Returns"},
            "tooltip": [
                {"field": "x", "type": "nominal", "title": "Reason"},
                {"field": "y", "type": "quantitative", "title": "Returns"},
            ],
        },
    }
    summary = "Bar chart: damaged leads with 14 of 33 returns."
    text = "**33 items** came back in the last 90 days. Damage is the most frequent reason (14)."
    chart = {"title": "Returns by reason", "summary": summary, "spec": spec}
    more: list[Event] = [
        ("table", {**of, **table}),
        ("chart", {**of, **chart}),
        ("quick_replies", {**of, "choices": ["Which products came back damaged?"]}),
    ]
    start, *rest = _say(of, text, more=more)
    call = {**of, "name": "query_metric", "label": "Counting returns by reason"}
    return [
        start,
        ("tool_call", {**call, "state": "running"}),
        ("tool_call", {**call, "state": "done"}),
        *rest,
    ]
