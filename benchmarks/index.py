"""How fast the index is built and searched, and what it costs to hold it.

Run: python benchmarks/index.py [--passages 10000,100000] [--data DIR] [--questions 200]
           [--embedded 1500]

Articles are grown from the sample shop's own, and from the corpora below DIR (see `growing.py`).
Some passages are embedded by the real encoder, to measure it; the others are given vectors that are
made from those at random, because embedding 100,000 takes an hour. All else is the product's own.

The last line is one JSON object:
    encoder_passages_per_s    the encoder alone: texts, titles and word pieces of some new passages
    ingest_passages_per_s     the whole ingest of the same passages, from files to committed rows
    ingest_share              the second as a share of the first
    sizes                     for each size:
        passages, store_passages_per_s         how many; stored a second with made-up vectors
        unchanged_passages_per_s               of a second ingest that finds nothing changed
        query_ms_p50, query_ms_p95             as a customer waits; the encoder is included
        query_cpu_ms_p50, query_cpu_ms_p95     processor time of the thread
        filtered_ms_p50, filtered_cpu_ms_p50   with a product and a language
        scan_cpu_ms_p50                        without a filter, before Chroma has caught up
        shelf_s, start_s, rss_mb               to load the shelf; `opsbot serve` to its first 200
                                               and, after its first searches, its memory
    growth, growth_cpu        p50 at the largest size over p50 at the smallest
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from growing import Grower, StandIn, read_passages, read_source
from rich.progress import Progress, track
from sqlalchemy import func, select

from opsbot.content import content_root
from opsbot.db import Database
from opsbot.migrations import upgrade
from opsbot.retrieval.articles import read_article
from opsbot.retrieval.encoder import Encoder, MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import PassageRow
from opsbot.retrieval.passages import cut_article, title_text
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import Sources
from opsbot.settings import RetrievalSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY_S = 900.0
KEY = "0123456789abcdef" * 2
MEGABYTE = 1e6


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", default="10000,100000")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--embedded", type=int, default=1_500)
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.passages.split(",")]
    source = read_source(content_root() / "knowledge", asked.data)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        figures = _measure_ingest(root / "embedded", Grower(source, seed=1), asked.embedded)
        _say(figures)
        texts = list(read_passages(root / "embedded" / "knowledge"))
        encoder = MiniLmEncoder.open(root)
        stand_in = StandIn(encoder, texts[: asked.embedded])
        figures["sizes"] = [
            _measure_size(root / str(size), size, Grower(source, seed=2), stand_in, asked.questions)
            for size in sizes
        ]
    for name in ("query_ms_p50", "query_cpu_ms_p50"):
        first, last = (figures["sizes"][place][name] for place in (0, -1))
        figures["growth" if name == "query_ms_p50" else "growth_cpu"] = round(last / first, 2)
    print(json.dumps(figures))


def _measure_ingest(root: Path, grower: Grower, passages: int) -> dict[str, Any]:
    """Compare the ingest of new passages with the encoder's own speed on them."""
    folder = root / "knowledge"
    grower.write(folder, passages)
    sources = Sources(folder)
    with Sandbox() as sandbox:
        articles = [read_article(sources, path, sandbox.parse) for path in sources.list_paths()]
    titled = [(a.about.title, passage) for a in articles for passage in cut_article(a)]
    texts = [passage.searched_text(title) for title, passage in titled]
    titles = [title_text(title, passage.headings) for title, passage in titled]
    alone = MiniLmEncoder.open(root)
    alone.encode(["to load what is loaded once"])
    began = time.perf_counter()
    alone.encode_pieces(texts)
    alone.encode(titles)
    encoder_s = time.perf_counter() - began
    database, encoder = _open(root), MiniLmEncoder.open(root)
    encoder.encode(["to load what is loaded once"])
    began = time.perf_counter()
    ingest(database, folder, encoder, now=NOW)
    whole_s = time.perf_counter() - began
    database.dispose()
    return {
        "encoder_passages_per_s": round(len(texts) / encoder_s, 1),
        "ingest_passages_per_s": round(len(texts) / whole_s, 1),
        "ingest_share": round(encoder_s / whole_s, 3),
    }


def _measure_size(
    root: Path, size: int, grower: Grower, stand_in: StandIn, questions: int
) -> dict[str, Any]:
    folder = root / "knowledge"
    items = grower.write(folder, size)
    shutil.copytree(content_root() / "knowledge" / "policies", folder / "policies")
    database = _open(root)
    began = time.perf_counter()
    _ingest(database, folder, stand_in, f"{size} passages")
    stored_s = time.perf_counter() - began
    began = time.perf_counter()
    report = ingest(database, folder, stand_in, now=NOW)
    unchanged_s = time.perf_counter() - began
    if report.added or report.changed:
        raise SystemExit("The second ingest found changes where there were none.")
    with database.read() as session:
        count = session.scalar(select(func.count()).select_from(PassageRow)) or 0
    figures = {
        "passages": count,
        "store_passages_per_s": round(count / stored_s),
        "unchanged_passages_per_s": round(count / unchanged_s),
    }
    encoder = MiniLmEncoder.open(root)
    figures |= _measure_queries(database, root, encoder, grower, items, questions)
    database.dispose()
    figures |= _measure_serving(root, grower)
    _say(figures)
    return figures


def _measure_queries(
    database: Database,
    root: Path,
    encoder: Encoder,
    grower: Grower,
    items: Sequence[str],
    questions: int,
) -> dict[str, Any]:
    knowledge = Knowledge(database, encoder, root, RetrievalSettings())
    encoder.encode(["to load what is loaded once"])
    began = time.perf_counter()
    knowledge.search(grower.question(), audience="customer")
    shelf_s = time.perf_counter() - began

    def plain() -> None:
        knowledge.search(grower.question(), audience="customer")

    numbers = iter(range(10**9))

    def filtered() -> None:
        item = items[next(numbers) % len(items)]
        knowledge.search(grower.question(), audience="customer", products=[item], language="en")

    scan = _repeat(plain, questions, "Scans")
    if not knowledge.wait_until_ready(READY_S):
        raise SystemExit("Chroma did not catch up.")
    asked, narrow = _repeat(plain, questions, "Searches"), _repeat(filtered, questions, "Filtered")
    knowledge.close()
    return {
        "shelf_s": round(shelf_s, 2),
        "query_ms_p50": _part(asked, 0, 50),
        "query_ms_p95": _part(asked, 0, 95),
        "query_cpu_ms_p50": _part(asked, 1, 50),
        "query_cpu_ms_p95": _part(asked, 1, 95),
        "filtered_ms_p50": _part(narrow, 0, 50),
        "filtered_cpu_ms_p50": _part(narrow, 1, 50),
        "scan_cpu_ms_p50": _part(scan, 1, 50),
    }


def _measure_serving(root: Path, grower: Grower) -> dict[str, Any]:
    """Start `opsbot serve` on the base, search in its help centre, and look at its memory."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPSBOT_")}  # noqa: TID251
    environment |= {
        "OPSBOT_SECRET_KEY": KEY,
        "OPSBOT_DATA_DIR": str(root),
        "OPSBOT_KNOWLEDGE_DIR": str(root / "knowledge"),
        "OPSBOT_LOG_LEVEL": "error",
    }
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, "-m", "opsbot", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _get(port, "/healthz"):
            if process.poll() is not None or time.perf_counter() - began > READY_S:
                raise SystemExit("The server does not start.")
            time.sleep(0.02)
        start_s = time.perf_counter() - began
        for _ in range(20):
            _get(port, f"/help?q={urllib.parse.quote(grower.question())}")
        _wait_until_idle(process.pid)
        return {"start_s": round(start_s, 2), "rss_mb": round(_rss_mb(process.pid))}
    finally:
        process.terminate()
        process.wait(timeout=60)


def _say(figures: dict[str, Any]) -> None:
    print(figures, file=sys.stderr)


def _open(root: Path) -> Database:
    root.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{root}/opsbot.db")
    upgrade(database)
    return database


def _ingest(database: Database, folder: Path, encoder: Encoder, what: str) -> None:
    with _progress(what) as step:
        ingest(database, folder, encoder, now=NOW, progress=lambda n, total, _: step(n, total))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    with Progress(disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _repeat(work: Callable[[], None], times: int, what: str) -> list[tuple[float, float]]:
    """Return the milliseconds of each run, by the clock and of this thread's processor."""
    found = []
    for _ in track(range(times), what, disable=not sys.stderr.isatty()):
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        found.append(((time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3))
    return found


def _part(times: Sequence[tuple[float, float]], which: int, percent: int) -> float:
    cuts = statistics.quantiles([pair[which] for pair in times], n=100)
    return round(cuts[percent - 1], 2)


def _get(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except OSError:
        return False
    finally:
        connection.close()
    return response.status == http.client.OK


def _wait_until_idle(pid: int) -> None:
    """Wait until what was started in the background is done."""
    before, idle = _cpu_s(pid), 0
    while idle < 3:  # noqa: PLR2004  (seconds without work)
        time.sleep(1)
        used, before = _cpu_s(pid) - before, _cpu_s(pid)
        idle = idle + 1 if used < 0.1 else 0  # noqa: PLR2004


def _cpu_s(pid: int) -> float:
    minutes, _, seconds = _ps(pid, "cputimes").strip().rpartition(":")
    return float(minutes or 0) * 60 + float(seconds)


def _rss_mb(pid: int) -> float:
    """Return the resident memory of a process, in megabytes (10^6 bytes)."""
    return int(_ps(pid, "rss")) * 1024 / MEGABYTE


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603


if __name__ == "__main__":
    main()
