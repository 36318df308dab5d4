"""The server that `records.py kills` kills: the real routes and ledger, without the articles."""

import logging
import random
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import uvicorn
from pydantic import SecretStr

from opsbot.app import create_app
from opsbot.channels.services import Services
from opsbot.commerce.effects import deliver_effects
from opsbot.content import content_root
from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell
from opsbot.conversation.service import ConversationService
from opsbot.db import Database
from opsbot.errors import OpsbotError
from opsbot.migrations.schema import import_records
from opsbot.settings import Settings
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies

KEY = "0123456789abcdef" * 2
NOTHING = cast("Any", None)
"""For parts that no confirmation needs: articles, models, drafts."""
EVERY_S = 0.05
"""Seconds between two looks for effects to deliver."""


class Provider:
    """A payment provider that outlives the server: a folder, one file for each refund it made.

    It knows a key again, as real ones do. Between doing and answering it takes its time, so that
    a kill may fall between the two.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("done", "making"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def deliver(self, operation: str, payload: Mapping[str, Any], key: str) -> str:
        """Do it unless the key is known; every call is counted."""
        with (self._folder / "calls.log").open("a", encoding="utf-8") as calls:
            calls.write(f"{key}\n")
        # It is killed with the server, and a real one is not: what it did must be whole or not at
        # all, so the file gets its name once it is written.
        making = self._folder / "making" / secrets.token_hex(8)
        making.write_text(f"{payload['order']}\t{payload['amount_minor']}\n", "utf-8")
        with suppress(FileExistsError):
            (self._folder / "done" / key.replace(":", "-")).hardlink_to(making)
        time.sleep(random.uniform(0, 0.02))  # noqa: S311  (nothing secret)
        return key


def make_settings(data_dir: Path) -> Settings:
    """Return the settings of the killed shop."""
    return Settings(_env_file=None, secret_key=SecretStr(KEY), data_dir=data_dir)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)  # noqa: TID251  (an edge: the benchmark's own clock)


def make_executor(database: Database, settings: Settings) -> Executor:
    """Return an executor over the shipped tools and policies."""
    import_records()
    tools = load_tools(content_root() / "tools")
    policies = load_policies(content_root() / "knowledge" / "policies")
    return Executor(database, settings, tools, NOTHING, policies, runs_per_minute=1_000_000)


def serve(url: str, data_dir: str, port: int) -> None:
    """Serve until somebody kills the process."""
    logging.disable(logging.CRITICAL)
    settings, database = make_settings(Path(data_dir)), Database(url)
    executor = make_executor(database, settings)
    bell = Bell()
    decisions = Decisions(database, executor, bell, clock=utc_now, new_id=str)
    talk = ConversationService(database, NOTHING, decisions, bell, NOTHING, str)
    provider = Provider(Path(data_dir) / "provider")
    services = Services(
        settings,
        database,
        {"": provider},
        NOTHING,
        NOTHING,
        NOTHING,
        executor,
        talk,
        NOTHING,
        utc_now,
    )
    threading.Thread(target=_deliver, args=(database, provider), daemon=True).start()
    app = create_app(services, with_worker=False, with_warm_up=False)
    uvicorn.run(app, port=port, log_level="critical")


def _deliver(database: Database, provider: Provider) -> None:
    while True:
        try:
            deliver_effects(database, {"": provider}, now=utc_now())
        except OpsbotError:
            logging.getLogger(__name__).exception("the effects were not delivered")
        time.sleep(EVERY_S)
