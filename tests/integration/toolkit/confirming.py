"""Confirm one proposal from many threads of a process of its own.

Run: python -m tests.integration.toolkit.confirming DATABASE_URL DATA_DIR PROPOSAL CUSTOMER COUNT

It prints `ready`, waits for a line, and then prints a JSON list of [state, words].
"""

import json
import sys
import threading
from pathlib import Path

from pydantic import SecretStr

from opsbot.content import content_root
from opsbot.db import Database
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies
from tests.factories import NOON
from tests.shop_fixtures import NO_KNOWLEDGE


def main() -> None:
    """Press as often as asked, all at once."""
    url, data_dir, proposal_id, customer, count = sys.argv[1:]
    settings = Settings(
        _env_file=None, secret_key=SecretStr("0123456789abcdef" * 2), data_dir=Path(data_dir)
    )
    tools = load_tools(content_root() / "tools")
    policies = load_policies(content_root() / "knowledge" / "policies")
    executor = Executor(Database(url), settings, tools, NO_KNOWLEDGE, policies)
    caller = Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=int(customer))
    print("ready", flush=True)  # noqa: T201  (to the test)
    sys.stdin.readline()
    print(json.dumps(press(executor, caller, proposal_id, int(count))), flush=True)  # noqa: T201


def press(
    executor: Executor, caller: Caller, proposal_id: str, count: int
) -> list[tuple[str, str]]:
    """Confirm from so many threads at once; return state and words of each."""
    start, outcomes = threading.Barrier(count), list[tuple[str, str]]()

    def confirm() -> None:
        start.wait()
        outcome = executor.confirm(caller, proposal_id, now=NOON)
        outcomes.append((str(outcome.preview.state), outcome.result.say if outcome.result else ""))

    threads = [threading.Thread(target=confirm) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    main()
