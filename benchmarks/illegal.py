"""Make random illegal calls against the sample shop, and see whether one gets through.

Run: python benchmarks/illegal.py [--calls 10000] [--postgres URL] [--seed 7]

The calls come by the executor, by HTTP and by MCP: wrong owner, proof, level, role, state,
arguments (negative, huge, unknown, missing, of wrong types, no text, nested), proposals of others,
stale, expired, dropped, executed and tampered ones, forged tokens, bodies that are no calls. Half
of them run on SQLite; with --postgres (a server's URL) the other half on PostgreSQL.

The last line is one JSON object:
    calls               how many were made
    succeeded           calls that were let through, and rows of the shop's records that differ
    server_errors       answers of 500 or above, exceptions, and errors in the log
    outside_error_set   codes that are not of the closed set, or that the tool does not declare
    seconds             CPU seconds of this process for the calls
"""

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from fastapi.testclient import TestClient
from illegal_calls import Tally, attack, contents, differences, told
from illegal_world import make_world
from pydantic import SecretStr
from rich.progress import Progress
from sqlalchemy.engine import make_url

from opsbot.app import create_app, open_services
from opsbot.db import Database
from opsbot.demo.load import load_demo
from opsbot.migrations import upgrade
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.settings import Settings
from opsbot.toolkit.loading import load_tools

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class ErrorCounter(logging.Handler):
    """Counts what the log calls an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(f"{record.name}: {record.getMessage()} {record.exc_info or ''}"[:300])


def main() -> None:
    """Attack, compare, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL server.")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    total, seconds = Tally(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        urls = [f"sqlite:///{folder}/opsbot.db", *([asked.postgres] if asked.postgres else [])]
        for number, url in enumerate(urls):
            share = asked.calls // len(urls) + (asked.calls % len(urls) if number == 0 else 0)
            with open_database(url) as database:
                tally, used = run(database, Path(folder), share, asked.seed + number)
            print(f"{database.engine.dialect.name}: {share} calls")
            print("\n".join(told(tally)))
            seconds += used
            total.calls += tally.calls
            total.succeeded += tally.succeeded
            total.server_errors += tally.server_errors
            total.outside_error_set += tally.outside_error_set
    print(
        json.dumps(
            {
                "calls": total.calls,
                "succeeded": total.succeeded,
                "server_errors": total.server_errors,
                "outside_error_set": total.outside_error_set,
                "seconds": round(seconds, 1),
            }
        )
    )


def run(database: Database, folder: Path, calls: int, seed: int) -> tuple[Tally, float]:
    """Load the shop, make the calls, and compare the records."""
    settings = Settings(secret_key=SecretStr("0123456789abcdef" * 2), data_dir=folder)
    upgrade(database)
    load_demo(database, now=NOW)
    ingest(database, settings.knowledge_dir, MiniLmEncoder.open(folder), now=NOW)
    moment = [NOW]
    services = open_services(settings, clock=lambda: moment[0], database=database)
    app = create_app(services, with_worker=False, with_warm_up=False)
    tools = load_tools(settings.tools_dir)
    tally, log = Tally(), ErrorCounter()
    with TestClient(app, raise_server_exceptions=False) as client, Progress() as progress:
        world = make_world(services, client, moment, tools, seed)
        before = contents(database)
        logging.getLogger().addHandler(log)
        task = progress.add_task("Illegal calls", total=calls)
        began = time.process_time()
        attack(world, calls, tally, lambda: progress.advance(task))
        used = time.process_time() - began
        logging.getLogger().removeHandler(log)
        tally.succeeded += differences(before, contents(database))
    tally.server_errors += len(log.lines)
    tally.examples += log.lines[:5]
    return tally, used


@contextmanager
def open_database(url: str, schema: str = "illegal_calls") -> Iterator[Database]:
    """Open a database; on a server, a schema of its own that is dropped afterwards."""
    if url.startswith("sqlite"):
        database = Database(url)
        yield database
        database.dispose()
        return
    server = sa.create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with server.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    own = make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    database = Database(own.render_as_string(hide_password=False))
    try:
        yield database
    finally:
        database.dispose()
        with server.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        server.dispose()


if __name__ == "__main__":
    main()
