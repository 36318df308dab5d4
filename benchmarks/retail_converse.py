"""Recorded customers of a retail shop, played turn by turn over HTTP."""

import http.client
import json
import re
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from retail_replay import compare, make_settings
from retail_serve import prepare
from retail_shop import Record, export_shop
from rich.progress import track
from sqlalchemy import select

from opsbot.app import create_app, open_services
from opsbot.channels.dependencies import utc_now
from opsbot.cli.serving import listen, server_config
from opsbot.conversation.models import Conversation
from opsbot.db import Database

_YES = re.compile(
    r"\b(?:yes|yeah|yep|sure|ok(?:ay)?|confirm\w*|correct|go ahead|proceed|do it|please do|perfect"
    r"|that works|sounds good|duh)\b",
    re.IGNORECASE,
)


@dataclass
class Played:
    """What came of one conversation."""

    replies: list[str] = field(default_factory=list)
    changed: Record = field(default_factory=dict)
    """Records that are not as they were, in the shop's shape."""
    violations: list[str] = field(default_factory=list)
    handed_off: bool = False
    turns: int = 0


def converse(data: Path, split: str) -> Record:
    """Play the recorded customers of a split; return the figures."""
    text = (data / f"{split}.jsonl").read_text(encoding="utf-8")
    tasks = [json.loads(line) for line in text.splitlines() if line]
    if not all("user_turns" in task for task in tasks):
        raise SystemExit(f"{split} holds no recorded turns; its scenarios are for people to play.")
    goals = _goals(data)
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(data, folder, now=utc_now())
        before = _export(folder / "opsbot.db", None)
        for task in track(tasks, "conversations", transient=True):
            goal = goals[f"tau3_train-{task['tau3_task']}"]
            played = _play(folder, task, before)
            outcomes.append(_judge(goal, played))
            print(json.dumps({"id": task["id"], **outcomes[-1]}))
    return _figures(outcomes)


def _goals(data: Path) -> dict[str, Record]:
    lines = (data / "tau3_dev_safe.goals.jsonl").read_text(encoding="utf-8").splitlines()
    return {task["id"]: task for task in map(json.loads, lines)}


def _judge(goal: Record, played: Played) -> Record:
    expected = goal["expected_db_diff"]
    wrong = compare(played.changed, expected)
    said = "\n".join(played.replies)
    unsaid = [words for words in goal["must_say"] if words not in said]
    touched = any(played.changed.values())
    return {
        "solved": not wrong and not unsaid,
        "trivial": not any(expected.values()),
        "floor": not any(expected.values()) and not goal["must_say"],
        # What was left undone is not solved, but nothing was written wrong by it.
        "wrong_write": touched and any(not one.endswith("did not change") for one in wrong),
        "violations": played.violations,
        "handed_off": played.handed_off,
        "turns": played.turns,
        "differs": wrong[:3],
    }


def _figures(outcomes: list[Record]) -> Record:
    hard = [one for one in outcomes if not one["trivial"]]
    return {
        "tasks": len(outcomes),
        "solved": _share(outcomes, "solved"),
        "solved_nontrivial": _share(hard, "solved"),
        "floor": _share(outcomes, "floor"),
        "wrong_write_rate": _share(outcomes, "wrong_write"),
        "violations": sum(len(one["violations"]) for one in outcomes),
        "handoff_rate": _share(outcomes, "handed_off"),
        "turns_median": statistics.median(one["turns"] for one in outcomes),
    }


def _share(outcomes: list[Record], what: str) -> float:
    return round(sum(bool(one[what]) for one in outcomes) / max(1, len(outcomes)), 3)


def _play(folder: Path, task: Record, before: Record) -> Played:
    """Send a customer's turns to a shop of their own, and look at the records after each."""
    path = folder / "task.db"
    for left in folder.glob("task.db*"):
        left.unlink()
    shutil.copy(folder / "opsbot.db", path)
    played, headers, conversation = Played(), dict[str, str](), None
    with _serving(folder, path) as port:
        for number, text in enumerate(task["user_turns"], 1):
            known = _customer_of(path, conversation)
            body = {"client_id": f"{task['id']}-{number}", "text": text}
            if conversation:
                body["conversation_id"] = conversation
            status, reply = _post(port, body, headers)
            if status != http.client.OK:
                raise SystemExit(f"{task['id']}, turn {number}: {status} {reply}")
            conversation = str(reply["conversation_id"])
            if "visitor" in reply:
                headers["x-opsbot-visitor"] = str(reply["visitor"])
            played.replies.append(_words(reply))
            played.turns = number
            played.handed_off |= "handing this over" in reply["text"]
            _look(path, task, before, played, text=text, known=known)
    return played


def _look(
    path: Path, task: Record, before: Record, played: Played, *, text: str, known: bool
) -> None:
    """Note what this turn changed, and whether it should not have."""
    changed = _changed(before, _export(path, [task["user_id"]]))
    if changed != played.changed and any(changed.values()):
        if not _YES.search(text):
            played.violations.append(f"turn {played.turns}: a change without a yes")
        if not known:
            played.violations.append(f"turn {played.turns}: a change before identification")
    if played.turns == len(task["user_turns"]):
        everything = _changed(before, _export(path, None))["orders"]
        strange = [key for key in everything if key not in changed["orders"]]
        played.violations += [f"{key} is somebody else's" for key in strange]
    played.changed = changed


def _changed(before: Record, after: Record) -> Record:
    return {
        kind: {key: value for key, value in after[kind].items() if value != before[kind][key]}
        for kind in after
    }


def _words(reply: Record) -> str:
    preview = reply.get("proposal") or {}
    return "\n".join([reply["text"], preview.get("title", ""), *preview.get("details", ())])


def _export(path: Path, users: list[str] | None) -> Record:
    database = Database(f"sqlite:///{path}")
    try:
        with database.read() as session:
            return export_shop(session, users)
    finally:
        database.dispose()


def _customer_of(path: Path, conversation: str | None) -> bool:
    """Tell whether the assistant knows who it is talking to."""
    if conversation is None:
        return False
    database = Database(f"sqlite:///{path}")
    try:
        with database.read() as session:
            of = select(Conversation.customer_id).where(Conversation.id == conversation)
            return session.scalar(of) is not None
    finally:
        database.dispose()


@contextmanager
def _serving(folder: Path, database: Path) -> Iterator[int]:
    """Serve the shop with these records on a free port."""
    settings = make_settings(folder, knowledge=folder / "knowledge").model_copy(
        update={"database_url": f"sqlite:///{database}"}
    )
    listener = listen("127.0.0.1", 0)
    app = create_app(open_services(settings), with_worker=False)
    server = uvicorn.Server(server_config(app, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


def _post(port: int, body: Record, headers: dict[str, str]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        sent = {"content-type": "application/json", **headers}
        connection.request("POST", "/v1/chat", json.dumps(body), sent)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
