"""Several processes share one Chroma server, and it may go away."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.db import Database
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.verify import verify
from opsbot.settings import RetrievalSettings
from tests.quick_encoder import QuickEncoder
from tests.retrieval_fixtures import NOON, write_three_articles

pytestmark = pytest.mark.slow
START_S = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a Chroma server, and its process."""
    chroma = str(Path(sys.executable).with_name("chroma"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [chroma, "run", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603  (the program that comes with the library)
        [*command, "--path", str(tmp_path / "server")], stdout=subprocess.DEVNULL
    ) as process:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}", process
        process.kill()
    shutil.rmtree(tmp_path / "server", ignore_errors=True)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("The Chroma server does not start.")


def open_knowledge(database: Database, data: Path, url: str) -> Knowledge:
    settings = RetrievalSettings(chroma_from=0)
    return Knowledge(database, QuickEncoder(), data, settings, chroma_url=url)


def ask(knowledge: Knowledge) -> list[tuple[int, float]]:
    hits = knowledge.search("How do I change the LED module?", audience="staff", top_k=20)
    return [(hit.passage_id, round(hit.score, 3)) for hit in hits]


def test_processes_share_a_server_and_outlive_it(
    database: Database,
    folder: Path,
    tmp_path: Path,
    server: tuple[str, subprocess.Popen[bytes]],
) -> None:
    url, process = server
    write_three_articles(folder)
    ingest(database, folder, QuickEncoder(), now=NOON)
    one, other = (open_knowledge(database, tmp_path / name, url) for name in ("one", "other"))
    scanned = ask(one), ask(other)
    assert one.wait_until_ready(60)
    assert other.wait_until_ready(60)
    assert (ask(one), ask(other)) == scanned
    assert not (tmp_path / "one" / "chroma").exists()

    (folder / "manuals/lamp.md").unlink()
    ingest(database, folder, QuickEncoder(), now=NOON)
    changed = ask(one), ask(other)
    assert one.wait_until_ready(60)
    assert other.wait_until_ready(60)
    assert (ask(one), ask(other)) == changed
    assert changed[0] == changed[1] != scanned[0]
    found = verify(
        database,
        QuickEncoder(),
        folder,
        uploads=None,
        data_dir=tmp_path,
        chroma_url=url,
        now=NOON,
    )
    assert (found.findings, found.notes) == ((), ())

    process.kill()
    process.wait()
    assert (ask(one), ask(other)) == changed
    one.close()
    other.close()
