"""Replay of the goals of a retail shop through our own tools and proposals."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from retail_shop import REASONS, Record, export_shop, load_shop, read_shop, write_policies
from rich.progress import track
from sqlalchemy import func, select

from opsbot.commerce.orders import Order
from opsbot.commerce.returns import Return
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.migrations import upgrade
from opsbot.migrations.schema import import_records
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import Policies, load_policies
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result

REFUSED = "gold_write_error"
LEFT_OUT = {"same_item_exchange", REFUSED}
HALF_A_CENT = 0.005
_NO_KNOWLEDGE = cast("Knowledge", None)


@dataclass(frozen=True)
class Stage:
    """What every task starts from."""

    template: Path
    """The loaded shop, as a file that nothing writes to."""
    copy: Database
    """A copy of it for the task at hand. The engine stays, and with it what it has compiled."""
    settings: Settings
    tools: Mapping[str, AnyTool]
    policies: Policies
    before: Record
    now: datetime


def replay(data: Path, split: str, *, now: datetime) -> Record:
    """Replay every task of a split; return the figures."""
    text = (data / f"{split}.goals.jsonl").read_text(encoding="utf-8")
    tasks = [json.loads(line) for line in text.splitlines() if line]
    mismatch, goals, same, refusable = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        stage = _set_up(data, Path(folder), now=now)
        for task in track(tasks, "tasks", transient=True):
            refused, changed = _play(stage, task)
            if LEFT_OUT & set(task["flags"]) == {REFUSED}:
                refusable += 1
                wanted = [tool for tool, _ in task["gold_write_errors"]]
                same += [tool for tool, _ in refused] == wanted
            if LEFT_OUT & set(task["flags"]):
                continue
            goals += 1
            wrong = compare(changed, task["expected_db_diff"])
            if wrong or refused:
                mismatch.append(task["id"])
                print(task["id"], "; ".join([*wrong, *map(str, refused)])[:400])
    return {
        "goals": goals,
        "match": goals - len(mismatch),
        "mismatch": mismatch,
        "refusals": {"tasks": refusable, "same": same},
    }


def make_settings(folder: Path, *, knowledge: Path | None = None) -> Settings:
    """Return settings for a shop whose files are in a folder."""
    return Settings(
        secret_key=SecretStr("a secret for this benchmark alone"),
        data_dir=folder,
        knowledge_dir=knowledge or folder,
        shop_name="Retail",
        time_zone="America/New_York",
        currency="USD",
    )


def _set_up(data: Path, folder: Path, *, now: datetime) -> Stage:
    write_policies(content_root() / "knowledge" / "policies", folder / "policies")
    template = folder / "template.db"
    import_records()
    database = Database(f"sqlite:///{template}")
    upgrade(database)
    with database.write() as session:
        load_shop(session, read_shop(data), now=now)
    with database.read() as session:
        before = export_shop(session)
    database.dispose()
    return Stage(
        template,
        Database(f"sqlite:///{folder / 'task.db'}"),
        make_settings(folder),
        load_tools(content_root() / "tools"),
        load_policies(folder / "policies"),
        before,
        now,
    )


def _play(stage: Stage, task: Record) -> tuple[list[tuple[str, str]], Record]:
    """Do what a task's goals say; return what was refused, and the records that changed."""
    path = stage.template.with_name("task.db")
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    shutil.copy(stage.template, path)
    executor = Executor(
        stage.copy, stage.settings, stage.tools, _NO_KNOWLEDGE, stage.policies,
        runs_per_minute=1_000_000,
    )  # fmt: skip
    refused = []
    try:
        caller = _identify(executor, task, now=stage.now)
        for number, goal in enumerate(task["goals"]):
            name, arguments = call_for(goal)
            try:
                _propose_and_confirm(executor, caller, name, arguments, number, now=stage.now)
            except OpsbotError as error:
                if not _is_so(stage.before, task, goal):
                    refused.append((goal["tool"], str(error)))
        with stage.copy.read() as session:
            after = export_shop(session, [task["user_id"]])
            others = _touched_others(session, task["user_id"])
    finally:
        # Closes the connections; the next task finds another file under the same name.
        stage.copy.dispose()
    changed: Record = {"users": {}, "orders": {}}
    for kind, known in after.items():
        changed[kind] = {k: v for k, v in known.items() if v != stage.before[kind][k]}
    if others:
        changed["orders"]["(somebody else's)"] = {"count": others}
    return refused, changed


def _identify(executor: Executor, task: Record, *, now: datetime) -> Caller:
    known = task["identity"]
    visitor = Caller(Audience.CUSTOMER, "widget", visitor="visitor")
    name = f"{known['first_name']} {known['last_name']}"
    found = executor.run(
        visitor,
        "verify_customer",
        {"name": name, "postcode": known["zip"]},
        now=now,
        conversation_id="talk",
    )
    if not isinstance(found, Result) or found.proves_customer_id is None:
        raise SystemExit(f"{name} was not identified.")
    return Caller(
        Audience.CUSTOMER,
        "widget",
        Level.SIGNED_IN,
        customer_id=found.proves_customer_id,
        visitor="visitor",
    )


def _propose_and_confirm(
    executor: Executor,
    caller: Caller,
    name: str,
    arguments: Record,
    number: int,
    *,
    now: datetime,
) -> None:
    preview = executor.run(caller, name, arguments, now=now, conversation_id=f"talk-{number}")
    if not isinstance(preview, Preview):
        raise SystemExit(f"{name} made no proposal.")
    done = executor.confirm(caller, preview.id, now=now)
    if done.result is None:
        raise SystemExit(f"{name} was confirmed, but not done: {done.preview.say}")


def call_for(goal: Record) -> tuple[str, Record]:
    """Return our tool for a goal of the shop, and its arguments."""
    given = goal["arguments"]
    order = {"order_number": given.get("order_id", "")}
    pays = {"payment_method": given.get("payment_method_id")}
    items = {"items": given.get("item_ids")}
    new = {"new_items": given.get("new_item_ids")}
    back = {"reason": "changed_mind", "refund_to": given.get("payment_method_id")}
    address = {"address": address_text(given)} if "address1" in given else {}
    why = {"reason": REASONS[given["reason"]]} if "reason" in given else {}
    known = {
        "cancel_pending_order": ("cancel_order", order | why),
        "modify_pending_order_items": ("change_items", order | items | new | pays),
        "exchange_delivered_order_items": ("exchange_items", order | items | new | pays),
        "return_delivered_order_items": ("request_return", order | items | back),
        "modify_pending_order_payment": ("change_payment", order | pays),
        "modify_pending_order_address": ("change_address", order | address),
        "modify_user_address": ("change_my_address", address),
    }
    return known[str(goal["tool"])]


def address_text(given: Record) -> str:
    """Return an address as a customer would write it."""
    street = [part for part in (given["address1"], given["address2"]) if part]
    return ", ".join([*street, given["city"], f"{given['state']} {given['zip']}", given["country"]])


def _is_so(before: Record, task: Record, goal: Record) -> bool:
    """Tell whether an address shall become what it is: we say so, and change nothing.

    The shop of the data writes the same address again, and calls it done.
    """
    given = goal["arguments"]
    if "address1" not in given:
        return False
    kind, key = ("orders", given["order_id"]) if "order_id" in given else ("users", task["user_id"])
    address = before[kind][key]["address"]
    return all(address.get(part) == given[part] for part in address)


def _touched_others(session: Any, user: str) -> int:
    """Return how many records of other customers were changed."""
    mine = select(Order.id).join(Order.customer).where(Order.customer.has(external_id=user))
    orders = session.scalar(
        select(func.count()).select_from(Order).where(Order.version > 1, Order.id.not_in(mine))
    )
    returns = session.scalar(
        select(func.count()).select_from(Return).where(Return.order_id.not_in(mine))
    )
    return int(orders or 0) + int(returns or 0)


def compare(changed: Record, expected: Record) -> list[str]:
    """Return in what the changed records differ from the expected ones; empty: in nothing."""
    wrong = []
    for kind in ("orders", "users"):
        got, wanted = changed.get(kind, {}), expected.get(kind, {})
        wrong += [f"{key} changed" for key in got if key not in wanted]
        wrong += [f"{key} did not change" for key in wanted if key not in got]
        for key in got.keys() & wanted.keys():
            wrong += [f"{key}.{what}" for what in _differences(got[key], wanted[key])]
    return wrong


def _differences(got: Record, wanted: Record) -> list[str]:
    left_out = {"user_id"} if "user_id" not in got else set()
    keys = (got.keys() | wanted.keys()) - left_out
    return [
        f"{key}: {got.get(key)!r} for {wanted.get(key)!r}"
        for key in sorted(keys)
        if not alike(_plain(got.get(key)), _plain(wanted.get(key)))
    ]


def _plain(value: object) -> object:
    """Leave out entries of nothing: the shop writes a refund of 0.00 for a change that is free."""
    if isinstance(value, list):
        return [v for v in value if not (isinstance(v, dict) and v.get("amount") == 0)]
    return value


def alike(one: object, other: object) -> bool:
    """Tell whether two values are the same: amounts to half a cent, lists in any order."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= HALF_A_CENT
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        left = list(other)
        for value in one:
            same = next((n for n, o in enumerate(left) if alike(value, o)), None)
            if same is None:
                return False
            left.pop(same)
        return not left
    return one == other
