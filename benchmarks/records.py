"""What the records cost, and what a kill costs them.

    python benchmarks/records.py import --data DIR [--lines N]
    python benchmarks/records.py queries --database URL
    python benchmarks/records.py kills [--kills 200] [--database URL] [--seed 7]

IMPORT: a year of invoices through the command line.

DIR holds `online_retail.parquet` (needs pyarrow) or `online_retail.csv`: the public data set
"Online Retail" of the UCI repository, 541,909 lines. It is imported into an empty SQLite database
by `opsbot import --format online-retail`, in a process of its own.

The last line is one JSON object:
    lines, seconds, cpu_seconds, rss_mb   of the import; rss_mb is its largest resident memory
    orders, refused_lines                 what was written, and what was not
    refused_without_reason                lines of the reject file that do not say why: must be 0
    cancellations                         documents whose number begins with C
    linked, reported                      of them: returned to an order, only in the reject file
    lost                                  neither: must be 0
    order_ms_p95, stock_ms_p95            one order of a customer with its lines and items; the
                                          stock of one item at every location
    again_seconds, again_changed          the same file once more; changes must be 0

QUERIES: the same two figures on any shop, which is only read; and with them
    order_cpu_ms_p95, stock_cpu_ms_p95    processor time of the thread

KILLS: customers cancel orders over HTTP while the server is killed (SIGKILL) at random moments; it
starts again, and they press until they have an answer. On SQLite, or in a schema of its own on the
PostgreSQL server that URL names. Some press twice at once. A payment provider outside takes the
refunds. A kill is no power cut: it shows nothing about the disk.

The last line is one JSON object:
    kills, cut                      servers killed; requests whose connection broke
    acknowledged                    customers who were told that their order is cancelled
    lost                            of them: without the cancelled order, the refund, the audit row,
                                    the history, the mail or the effect: must be 0
    doubled, torn                   proposals with one of these twice, or with some of them only
    effects, effects_lost, effects_doubled
                                    refunds the provider made; asked for and not made; made twice
    redelivered                     calls for what it had done: what the keys have saved
    other_words, refused            repeated presses that were told something else; refused ones
    audit_problem                   what `verify` says of the chain; empty when it holds
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from kill_run import run_kills

from opsbot.commerce.inventory import levels_of
from opsbot.commerce.orders import Order, find_order
from opsbot.commerce.products import Item
from opsbot.commerce.records import History
from opsbot.connectors.links import LinkKind, SourceLink
from opsbot.db import Database

SEED = 7
QUERIES = 300


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["import", "queries", "kills"])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--lines", type=int, default=0, help="Only so many; 0: all.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", default="", help="A PostgreSQL server; of queries, a shop.")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if arguments.what == "kills":
            outcome = run_kills(arguments.kills, arguments.database, work, arguments.seed)
            print(json.dumps(outcome))
            return
        if arguments.what == "queries":
            database = Database(arguments.database)
            print(json.dumps(_queries(database)))
            database.dispose()
            return
        if arguments.data is None:
            parser.error("import needs --data")
        source = _as_csv(arguments.data, work, arguments.lines)
        print(json.dumps(_measure(source, work)))


def _as_csv(data: Path, work: Path, lines: int) -> Path:
    """Return the data as a CSV file, with as many lines as wanted."""
    target = work / "online_retail.csv"
    given = data / "online_retail.csv" if data.is_dir() else data
    rows = _csv_rows(given) if given.suffix == ".csv" and given.exists() else _parquet_rows(data)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(rows):
            if lines and number > lines:
                break
            writer.writerow(row)
    return target


def _csv_rows(path: Path) -> Any:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def _parquet_rows(data: Path) -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415  (only this benchmark needs it)
    except ImportError:
        sys.exit("Reading the parquet file needs pyarrow: pip install 'opsbot[benchmarks]'.")
    path = data / "online_retail.parquet" if data.is_dir() else data
    file = parquet.ParquetFile(path)
    names = file.schema_arrow.names
    yield names
    for batch in file.iter_batches(20_000):
        for row in batch.to_pylist():
            yield [_cell(row[name]) for name in names]


def _cell(value: Any) -> Any:
    """Write whole floats as the whole numbers they are."""
    if value is None:
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _measure(source: Path, work: Path) -> dict[str, Any]:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("OPSBOT_")},  # noqa: TID251
        "OPSBOT_SECRET_KEY": "benchmark " * 4,
        "OPSBOT_DATA_DIR": str(work),
    }
    _opsbot(environment, work, "migrate")
    rejects = work / "rejects.csv"
    options = ("--format", "online-retail", "--currency", "GBP", "--zone", "Europe/London")
    began, cpu = time.perf_counter(), _children()
    said = _opsbot(environment, work, "import", str(source), *options, "--rejects", str(rejects))
    seconds, used = time.perf_counter() - began, _children()
    sys.stderr.write(said)
    database = Database(f"sqlite:///{work}/opsbot.db")
    figures = {
        "lines": sum(1 for _ in _csv_rows(source)) - 1,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime, 1),
        "rss_mb": round(used.ru_maxrss / 1024),
        **_outcome(database, source, rejects),
        **_queries(database),
    }
    before = _changes(database)
    began = time.perf_counter()
    _opsbot(environment, work, "import", str(source), *options)
    figures["again_seconds"] = round(time.perf_counter() - began, 1)
    figures["again_changed"] = _changes(database) - before
    database.dispose()
    return figures


def _opsbot(environment: dict[str, str], work: Path, *arguments: str) -> str:
    """Run a command; the import ends with 1 when it refused a line."""
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "opsbot", *arguments],
        env=environment,
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1 or done.stderr:
        raise SystemExit(done.stderr or done.stdout)
    return done.stdout


def _children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def _outcome(database: Database, source: Path, rejects: Path) -> dict[str, int]:
    cancellations = {row[0] for row in _csv_rows(source) if row[0].startswith("C")}
    refused = list(_csv_rows(rejects))[1:] if rejects.exists() else []
    reported = {row[1] for row in refused} & cancellations
    with database.read() as session:
        links = sa.select(SourceLink.external_id).where(SourceLink.kind == LinkKind.RETURN)
        linked = {key.partition(":")[0] for key in session.scalars(links)}
        orders = session.scalar(sa.select(sa.func.count(Order.id))) or 0
    return {
        "orders": orders,
        "refused_lines": len(refused),
        "refused_without_reason": sum(not row[2].strip() for row in refused),
        "cancellations": len(cancellations),
        "linked": len(linked),
        "reported": len(reported - linked),
        "lost": len(cancellations - linked - reported),
    }


def _changes(database: Database) -> int:
    """Return a number that every written order, return and change raises."""
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count(History.id))) or 0


def _queries(database: Database) -> dict[str, float]:
    chance = random.Random(SEED)  # noqa: S311  (a measurement must repeat itself)
    with database.read() as session:
        orders = session.execute(sa.select(Order.number, Order.customer_id)).all()
        skus = list(session.scalars(sa.select(Item.sku)))
    picked = [chance.choice(orders) for _ in range(QUERIES)]
    items = [chance.choice(skus) for _ in range(QUERIES)]

    def read_order(place: int) -> None:
        number, customer = picked[place]
        with database.read() as session:
            find_order(session, number, customer_id=customer)

    def read_stock(place: int) -> None:
        with database.read() as session:
            levels_of(session, items[place])

    return {**_p95("order", read_order), **_p95("stock", read_stock)}


def _p95(name: str, ask: Callable[[int], None]) -> dict[str, float]:
    wall, cpu = [], []
    for place in range(QUERIES):
        began, used = time.perf_counter(), time.thread_time()
        ask(place)
        cpu.append((time.thread_time() - used) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    return {
        f"{name}_ms_p95": round(statistics.quantiles(wall, n=20)[18], 2),
        f"{name}_cpu_ms_p95": round(statistics.quantiles(cpu, n=20)[18], 2),
    }


if __name__ == "__main__":
    main()
