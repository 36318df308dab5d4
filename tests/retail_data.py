"""A retail shop of two customers in the shape that `benchmarks/retail.py` reads."""

import copy
import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_ADDRESS = {
    "address1": "5 Mill Lane", "address2": "", "city": "Austin", "country": "USA",
    "state": "TX", "zip": "78701",
}  # fmt: skip
_MUGS = {"7001": ("blue", 12.5), "7002": ("green", 14.0), "7003": ("red", 12.5)}
_MUG = "9001"


def write_shop(folder: Path) -> Record:
    """Write the shop as `db.json`, and return it."""
    shop: Record = {
        "products": {_MUG: _product()},
        "users": {
            "iris_hale_1": _user("iris_hale_1", "Iris", "Hale", ["#W1000001", "#W1000002"]),
            "otto_vane_2": _user("otto_vane_2", "Otto", "Vane", ["#W1000003", "#W1000004"]),
        },
        "orders": {
            "#W1000001": _order("#W1000001", "iris_hale_1", "pending", "7001"),
            "#W1000002": _order("#W1000002", "iris_hale_1", "delivered", "7003", "5550001"),
            "#W1000003": _order("#W1000003", "otto_vane_2", "cancelled", "7002", "5550002"),
            "#W1000004": _order("#W1000004", "otto_vane_2", "processed", "7002", "5550003"),
        },
    }
    (folder / "db.json").write_text(json.dumps(shop), encoding="utf-8")
    return shop


def write_goals(folder: Path, split: str, *tasks: Record) -> None:
    """Write the tasks of a split."""
    lines = "".join(f"{json.dumps(task)}\n" for task in tasks)
    (folder / f"{split}.goals.jsonl").write_text(lines, encoding="utf-8")


def task(name: str, goals: list[tuple[str, Record]], expected: Record, **more: Any) -> Record:
    """Return a task of Iris: what she wants, and how the orders shall be afterwards."""
    return {
        "id": name,
        "user_id": "iris_hale_1",
        "identity": {"first_name": "Iris", "last_name": "Hale", "zip": "78701"},
        "goals": [{"tool": tool, "arguments": arguments} for tool, arguments in goals],
        "must_say": [],
        "expected_db_diff": {"orders": expected},
        "gold_write_errors": [],
        "flags": [],
    } | more


def with_blue_changed_to_green(shop: Record) -> Record:
    """Return Iris' pending order as it is once her blue mug is a green one, at 1.50 more."""
    order: Record = copy.deepcopy(shop["orders"]["#W1000001"])
    order["items"] = [_item("7002")]
    order["payment_history"].append(_paid("payment", 1.5, "iris_hale_1_card"))
    return order | {"status": "pending (item modified)"}


def _product() -> Record:
    variants = {
        number: {"item_id": number, "options": {"color": color}, "available": True, "price": price}
        for number, (color, price) in _MUGS.items()
    }
    return {"name": "Mug", "product_id": _MUG, "variants": variants}


def _user(key: str, first: str, last: str, orders: list[str]) -> Record:
    card = {
        "source": "credit_card", "id": f"{key}_card", "brand": "visa", "last_four": "4242"
    }  # fmt: skip
    return {
        "user_id": key,
        "name": {"first_name": first, "last_name": last},
        "address": _ADDRESS,
        "email": f"{first.lower()}@example.com",
        "payment_methods": {card["id"]: card},
        "orders": orders,
    }


def _order(number: str, user: str, status: str, item: str, tracking: str = "") -> Record:
    price = _MUGS[item][1]
    history = [_paid("payment", price, f"{user}_card")]
    if status == "cancelled":
        history.append(_paid("refund", price, f"{user}_card"))
    return {
        "order_id": number,
        "user_id": user,
        "address": _ADDRESS,
        "items": [_item(item)],
        "status": status,
        "fulfillments": [{"tracking_id": [tracking], "item_ids": [item]}] if tracking else [],
        "payment_history": history,
    }


def _item(number: str) -> Record:
    color, price = _MUGS[number]
    return {
        "name": "Mug", "product_id": _MUG, "item_id": number, "price": price,
        "options": {"color": color},
    }  # fmt: skip


def _paid(kind: str, amount: float, method: str) -> Record:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method}
