"""Kill the ingest at random moments, and see whether anything is lost or doubled.

Run: python benchmarks/crash.py [--kills 20] [--passages 2000] [--seed 7]

A process ingests a folder with the real encoder and follows with Chroma; it is killed (SIGKILL) at
a random moment, some articles are changed and deleted, and the next one begins. At the end one
process may finish, and everything is compared.

The last line is one JSON object:
    kills, passages     how often, and how many passages there are in the end
    torn                articles that were found in pieces after a kill
    lost, doubled       passages that are missing, or there twice, at the end
    differed            sentences of `opsbot ingest --verify` at the end, Chroma included
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from growing import Grower, read_source
from rich.progress import track
from sqlalchemy import select

from opsbot.content import content_root
from opsbot.db import Database
from opsbot.migrations import upgrade
from opsbot.retrieval.articles import read_article
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import ArticleRow, ArticleStatus, PassageRow
from opsbot.retrieval.passages import cut_article
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import Sources
from opsbot.retrieval.verify import verify
from opsbot.settings import RetrievalSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_S = 20.0
"""After so long every process is killed at the latest."""
READY_S = 300.0


def main() -> None:
    """Kill, compare, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--passages", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--child", type=Path, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child is not None:
        _ingest_and_search(asked.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(_run(Path(folder), asked.kills, asked.passages, asked.seed)))


def _run(root: Path, kills: int, passages: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    grower = Grower(read_source(content_root() / "knowledge", None), seed)
    folder = root / "knowledge"
    grower.write(folder, passages)
    database = Database(f"sqlite:///{root}/opsbot.db")
    upgrade(database)
    MiniLmEncoder.open(root)
    torn = 0
    for _ in track(range(kills), "Kills", disable=not sys.stderr.isatty()):
        _kill_one(root, chance.uniform(2, LONGEST_S))
        torn += _count_torn(database, folder)
        _change(folder, chance)
    child = [sys.executable, __file__, "--child", str(root)]
    subprocess.run(child, check=True)  # noqa: S603  (this program)
    wanted, found = _count_passages(database, folder)
    verified = verify(
        database,
        MiniLmEncoder.open(root),
        folder,
        uploads=None,
        data_dir=root,
        chroma_url="",
        now=NOW,
    )
    for sentence in verified.findings + verified.notes:
        print(sentence, file=sys.stderr)
    return {
        "kills": kills,
        "passages": found.total(),
        "torn": torn,
        "lost": (wanted - found).total(),
        "doubled": (found - wanted).total(),
        "differed": len(verified.findings) + len(verified.notes),
    }


def _ingest_and_search(root: Path) -> None:
    """Do what the killed process does: ingest, and let Chroma follow."""
    database, encoder = Database(f"sqlite:///{root}/opsbot.db"), MiniLmEncoder.open(root)
    ingest(database, root / "knowledge", encoder, now=NOW)
    knowledge = Knowledge(database, encoder, root, RetrievalSettings())
    knowledge.search("a question", audience="staff")
    if not knowledge.wait_until_ready(READY_S):
        raise SystemExit("Chroma did not catch up.")
    knowledge.close()


def _kill_one(root: Path, after_s: float) -> None:
    command = [sys.executable, __file__, "--child", str(root)]
    with subprocess.Popen(command) as process:  # noqa: S603  (this program)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < after_s:
            time.sleep(0.01)
        process.kill()


def _change(folder: Path, chance: random.Random) -> None:
    """Change some articles, and delete one."""
    paths = sorted(folder.rglob("*.md"))
    gone, *changed = chance.sample(paths, k=max(2, len(paths) // 20))
    gone.unlink()
    for path in changed:
        sentences = path.read_text().split(". ")
        place = chance.randrange(1, max(2, len(sentences)))  # behind the front matter
        path.write_text(
            ". ".join([*sentences[:place], f"Note {time.time_ns()}", *sentences[place:]])
        )


def _count_torn(database: Database, folder: Path) -> int:
    """Return how many articles are there in pieces only."""
    with database.read() as session, Sandbox() as sandbox:
        rows = session.scalars(
            select(ArticleRow).where(ArticleRow.status == ArticleStatus.READABLE)
        ).all()
        passages = dict[int, list[str]]()
        query = select(PassageRow.article_id, PassageRow.text).order_by(PassageRow.ordinal)
        for article_id, text in session.execute(query):
            passages.setdefault(article_id, []).append(text)
        torn = 0
        for row in rows:
            if (folder / row.path).exists():
                article = read_article(Sources(folder), row.path, sandbox.parse)
                same = article.text == row.text
                cut = [passage.text for passage in cut_article(article)]
                torn += same and passages.get(row.id, []) != cut
    return torn


def _count_passages(database: Database, folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Return the passages that the files make, and those in the database, by path and text."""
    wanted = Counter[str]()
    sources = Sources(folder)
    with Sandbox() as sandbox:
        for path in sources.list_paths():
            for passage in cut_article(read_article(sources, path, sandbox.parse)):
                wanted[f"{path}\0{passage.text}"] += 1
    with database.read() as session:
        query = select(ArticleRow.path, PassageRow.text).join(
            PassageRow, PassageRow.article_id == ArticleRow.id
        )
        found = Counter(f"{path}\0{text}" for path, text in session.execute(query))
    return wanted, found


if __name__ == "__main__":
    main()
