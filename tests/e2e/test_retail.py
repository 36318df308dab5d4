"""The benchmark of a whole retail shop, on a shop of two customers."""

import json
from pathlib import Path

import pytest
from retail_converse import converse
from retail_replay import compare, replay
from retail_serve import export, prepare

from tests.factories import NOON
from tests.retail_data import (
    Record,
    task,
    with_blue_changed_to_green,
    write_goals,
    write_shop,
)

pytestmark = pytest.mark.slow

CARD = "iris_hale_1_card"
TO_GREEN = {
    "order_id": "#W1000001", "item_ids": ["7001"], "new_item_ids": ["7002"],
    "payment_method_id": CARD,
}  # fmt: skip
CHANGE = ("modify_pending_order_items", TO_GREEN)


@pytest.fixture
def shop(tmp_path: Path) -> Record:
    """The shop; its data are in `tmp_path`."""
    return write_shop(tmp_path)


def test_a_goal_counts_when_the_records_come_out_as_expected(tmp_path: Path, shop: Record) -> None:
    green = {"#W1000001": with_blue_changed_to_green(shop)}
    twice = task("twice", [CHANGE, CHANGE], green)
    write_goals(
        tmp_path, "mine",
        task("right", [CHANGE], green),
        task("wrong price", [CHANGE], {"#W1000001": green["#W1000001"] | {"payment_history": []}}),
        task("nothing expected", [CHANGE], {}),
        twice,
        twice | {
            "flags": ["gold_write_error"],
            "gold_write_errors": [["modify_pending_order_items", "Error"]],
        },
    )  # fmt: skip

    found = replay(tmp_path, "mine", now=NOON)

    assert found == {
        "goals": 4,
        "match": 1,
        "mismatch": ["wrong price", "nothing expected", "twice"],
        "refusals": {"tasks": 1, "same": 1},
    }


def test_an_address_that_is_so_already_is_neither_refused_nor_changed(
    tmp_path: Path, shop: Record
) -> None:
    same = shop["users"]["iris_hale_1"]["address"]
    order = {"order_id": "#W1000001"}
    goals = [("modify_user_address", same), ("modify_pending_order_address", order | same)]
    other = [("modify_pending_order_address", order | same | {"zip": "99999999"})]
    write_goals(tmp_path, "mine", task("so already", goals, {}), task("no zip", other, {}))

    found = replay(tmp_path, "mine", now=NOON)

    assert (found["goals"], found["mismatch"]) == (2, ["no zip"])


def test_what_nobody_touched_is_written_out_as_it_was_read(tmp_path: Path, shop: Record) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()

    prepare(tmp_path, folder, now=NOON)

    assert compare(export(folder), {kind: shop[kind] for kind in ("users", "orders")}) == []


@pytest.mark.slow
def test_a_recorded_customer_is_answered_and_judged(tmp_path: Path, shop: Record) -> None:
    green = {"#W1000001": with_blue_changed_to_green(shop)}
    write_goals(tmp_path, "tau3_dev_safe", task("tau3_train-1", [CHANGE], green))
    said = {
        "id": "talk-1",
        "tau3_task": 1,
        "user_id": "iris_hale_1",
        "user_turns": [
            "Hello! Please change the mug of my order #W1000001 to the green one.",
            "I do not know my e-mail by heart. I am Iris Hale, zip code 78701.",
            "Yes, that is right, please change the mug.",
            "Thank you, that is all.",
        ],
    }
    (tmp_path / "talks.jsonl").write_text(json.dumps(said) + "\n", encoding="utf-8")

    found = converse(tmp_path, "talks")

    assert found == {
        "tasks": 1, "solved": 1.0, "solved_nontrivial": 1.0, "floor": 0.0,
        "wrong_write_rate": 0.0, "violations": 0, "handoff_rate": 0.0, "turns_median": 4,
    }  # fmt: skip
