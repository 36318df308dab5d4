"""What the tools of the sample shop answer in tests: three orders of one signed-in customer."""

from collections.abc import Mapping
from typing import Any

from tests.local_model_chat import Answer, Told

ORDERS: dict[str, dict[str, Any]] = {
    "1004": {
        "words": "Ember bedside lamp, sage",
        "state": "packed",
        "items": ["Ember bedside lamp, sage"],
    },
    "1003": {
        "words": "Kiln mug, moss; Kiln mug, ink; A5 notebook, dotted",
        "state": "shipped",
        "items": ["Kiln mug, moss", "Kiln mug, ink", "A5 notebook, dotted"],
    },
    "1001": {
        "words": "Pebble hand grinder, steel",
        "state": "delivered",
        "items": ["Pebble hand grinder, steel"],
    },
}


def _number(arguments: Mapping[str, Any]) -> str:
    return str(arguments["order_number"]).lstrip("#")


def _not_found(number: str) -> Told:
    return {"error": {"code": "not_found", "text": f"I could not find order #{number}."}}


def order_status(arguments: Mapping[str, Any]) -> Told:
    number = _number(arguments)
    if number not in ORDERS:
        return _not_found(number)
    order = ORDERS[number]
    items = [{"value": item, "words": item} for item in order["items"]]
    return {
        "say": f"Order #{number} is {order['state']}.",
        "facts": {"state": order["state"], "candidates": {"item": items}},
    }


def my_orders(arguments: Mapping[str, Any]) -> Told:
    numbers = [{"value": f"#{number}", "words": order["words"]} for number, order in ORDERS.items()]
    return {"say": "You have three orders.", "facts": {"candidates": {"order_number": numbers}}}


def track_shipment(arguments: Mapping[str, Any]) -> Told:
    number = _number(arguments)
    if number not in ORDERS:
        return _not_found(number)
    return {"say": f"The parcel of #{number} is on its way.", "facts": {"order": number}}


def search_articles(arguments: Mapping[str, Any]) -> Told:
    question = str(arguments["question"])
    if "moon" in question:
        return {
            "say": "Our articles do not answer that. Shall I ask a person?",
            "facts": {},
            "known": False,
        }
    return {"say": f"The article says so [1]. ({question})", "facts": {}, "known": True}


SIGNED_IN: dict[str, Answer] = {
    "order_status": order_status,
    "my_orders": my_orders,
    "track_shipment": track_shipment,
    "search_articles": search_articles,
}


def _refuse(level: int, text: str) -> Told:
    return {"error": {"code": "not_verified", "text": text, "level": level}}


class Visitor:
    """A stranger who may prove one order."""

    def __init__(self) -> None:
        self.proved = ""

    def answers(self) -> dict[str, Answer]:
        """Return the answers this visitor gets."""
        return {
            "order_status": self._guard(order_status),
            "track_shipment": self._guard(track_shipment),
            "my_orders": lambda _: _refuse(2, "Please sign in to see your orders."),
            "cancel_order": lambda _: _refuse(2, "Please sign in to cancel an order."),
            "search_articles": search_articles,
            "verify_order": self.verify_order,
        }

    def verify_order(self, arguments: Mapping[str, Any]) -> Told:
        right = arguments.get("email") == "kim@example.com" or arguments.get("postcode") == "10115"
        if not right or _number(arguments) not in ORDERS:
            return {
                "error": {"code": "not_found", "text": "That does not match any order of ours."}
            }
        self.proved = _number(arguments)
        return {"say": "Thank you, I have found your order.", "facts": {}}

    def _guard(self, answer: Answer) -> Answer:
        def guarded(arguments: Mapping[str, Any]) -> Told:
            if _number(arguments) != self.proved:
                return _refuse(1, "First I need to see that the order is yours.")
            return answer(arguments)

        return guarded
