"""How well, and how fast, articles are found: through ingest and search as the product runs them.

Run: OMP_NUM_THREADS=1 python benchmarks/retrieval.py --data DIR [--peer NAME] [--queries N]
     [--set NAME]

DIR holds one folder per set with `corpus.jsonl` (id, title, text), `queries.jsonl` (id, text) and
`qrels.tsv` (question, article, score), or is such a folder. Each article becomes a file of its own.
There is one line of JSON for each set:
    ndcg10, mrr10, recall5, recall20   of the articles, each placed where its best passage is
    query_ms_p50, query_ms_p95         from the question to the hits, encoder included, by the clock
    query_cpu_ms_p50                   the same as processor time of all threads
    passages_per_s                     of the whole ingest, by the clock
    rss_mb                             resident memory after the questions
    config                             what the figures depend on

With --peer the line also holds `peer`: the same figures of that library, in the same process, over
the same passages and with the same weights, set up as its documentation says. No vector of a
question is remembered from one to the next.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from peers import PEERS
from rich.progress import track
from sqlalchemy import select

from opsbot.db import Base, Database
from opsbot.migrations.schema import import_records
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import ArticleRow, PassageRow
from opsbot.retrieval.passages import MAX_WORDS, Passage
from opsbot.retrieval.structure import Span
from opsbot.retrieval.weights import find_model_folder
from opsbot.settings import RetrievalSettings

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
FOUND = 50
"""Passages asked for, so that ten articles are among them."""
WARM_UP = 5
SEED = 7
LONGEST_TITLE = 200

Search = Callable[[str], Sequence[str]]
"""From a question to the ids of articles, best first, each as often as it has passages."""


@dataclass(frozen=True)
class TestSet:
    """Articles, and questions with the articles that answer them."""

    name: str
    articles: Mapping[str, tuple[str, str]]
    """Title and text by id."""
    questions: Sequence[tuple[str, Mapping[str, float]]]
    """Each with what the articles are worth that answer it."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", choices=sorted(PEERS))
    parser.add_argument("--queries", type=int, help="most questions of each set; unset: all")
    parser.add_argument("--set", help="measure this one alone")
    options = parser.parse_args()
    folders = sorted(file.parent for file in options.data.glob("**/corpus.jsonl"))
    folders = [folder for folder in folders if options.set in {None, folder.name}]
    if not folders:
        parser.error(f"--data: {options.data} holds no such set; see the text of --help.")
    warnings.simplefilter("ignore")  # the peers' own affair
    import_records()
    with tempfile.TemporaryDirectory() as scratch:
        encoder = MiniLmEncoder.open(Path(scratch))
        for folder in folders:
            tested = read_set(folder, options.queries)
            print(json.dumps(measure(tested, encoder, Path(scratch), options.peer)), flush=True)


def read_set(folder: Path, most: int | None) -> TestSet:
    """Read a set, with `most` of its questions that have an answer, taken at random."""
    articles = {row["id"]: (row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")}
    answers: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, article, score = line.split("\t")
        if float(score) > 0:
            answers.setdefault(question, {})[article] = float(score)
    asked = [row for row in _rows(folder / "queries.jsonl") if row["id"] in answers]
    if most is not None and most < len(asked):
        asked = random.Random(SEED).sample(asked, most)  # noqa: S311  (a sample, not a secret)
    return TestSet(folder.name, articles, [(row["text"], answers[row["id"]]) for row in asked])


def measure(
    tested: TestSet, encoder: MiniLmEncoder, scratch: Path, peer: str | None
) -> dict[str, object]:
    """Return the figures of one set."""
    folder = scratch / tested.name
    ids = _write(tested, folder / "knowledge")
    database = Database(f"sqlite:///{folder}/opsbot.db")
    Base.metadata.create_all(database.engine)
    began = time.perf_counter()
    ingest(database, folder / "knowledge", encoder, now=TODAY)
    seconds = time.perf_counter() - began
    settings = RetrievalSettings()
    with _open(database, encoder, folder, settings) as knowledge:

        def search(question: str) -> list[str]:
            hits = knowledge.search(question, audience="customer", top_k=FOUND)
            return [ids[hit.path] for hit in hits]

        figures = {"set": tested.name} | _ask(tested, search)
        passages = _read_passages(database)
        figures["passages_per_s"] = round(len(passages) / seconds, 1)
        figures["rss_mb"] = _rss_mb()
        figures["config"] = {
            "model": encoder.key,
            "passage_words": MAX_WORDS,
            "lexical_weight": settings.lexical_weight,
            "passages": len(passages),
            "articles": len(tested.articles),
            "questions": len(tested.questions),
        }
        if peer is not None:
            figures["peer"] = _measure_peer(tested, peer, passages, ids)
    database.dispose()
    return figures


def _write(tested: TestSet, folder: Path) -> dict[str, str]:
    """Write the articles as files; return their ids by path."""
    folder.mkdir(parents=True)
    ids = dict[str, str]()
    for number, (id_, (title, text)) in enumerate(tested.articles.items()):
        path = f"{number:06d}.md"
        front = f"title: {json.dumps(title[:LONGEST_TITLE] or id_)}\naudience: public\n"
        body = text if text.strip() else title
        (folder / path).write_text(f"---\n{front}---\n\n{body}\n", encoding="utf-8")
        ids[path] = id_
    return ids


@contextmanager
def _open(
    database: Database, encoder: MiniLmEncoder, folder: Path, settings: RetrievalSettings
) -> Iterator[Knowledge]:
    """Open the index, warm: Chroma holds it, and so does memory."""
    knowledge = Knowledge(database, encoder, folder, settings)
    knowledge.search("warm up", audience="customer")
    knowledge.wait_until_ready(60)
    yield knowledge
    knowledge.close()


def _ask(tested: TestSet, search: Search) -> dict[str, object]:
    """Ask all questions; return how well they were answered, and how fast."""
    for question, _ in tested.questions[:WARM_UP]:
        search(question)
    found, took, used = [], [], []
    progress = track(tested.questions, tested.name, transient=True, disable=not sys.stderr.isatty())
    for question, worth in progress:
        clock, processor = time.perf_counter(), time.process_time()
        ranked = search(question)
        took.append(time.perf_counter() - clock)
        used.append(time.process_time() - processor)
        found.append(judge(list(dict.fromkeys(ranked)), worth))
    names = ("ndcg10", "mrr10", "recall5", "recall20")
    means = np.mean(found, axis=0)
    figures: dict[str, object] = {
        name: round(float(mean), 4) for name, mean in zip(names, means, strict=True)
    }
    figures["query_ms_p50"] = round(float(np.percentile(took, 50)) * 1000, 2)
    figures["query_ms_p95"] = round(float(np.percentile(took, 95)) * 1000, 2)
    figures["query_cpu_ms_p50"] = round(float(np.percentile(used, 50)) * 1000, 2)
    return figures


def judge(ranked: Sequence[str], worth: Mapping[str, float]) -> tuple[float, float, float, float]:
    """Return nDCG@10, reciprocal rank@10, recall@5 and recall@20 of articles, best first."""
    gains = [worth.get(article, 0.0) for article in ranked]
    ideal = _discounted(sorted(worth.values(), reverse=True))
    first = next((place for place, gain in enumerate(gains[:10], start=1) if gain), None)
    recalls = (sum(gain > 0 for gain in gains[:top]) / len(worth) for top in (5, 20))
    return (_discounted(gains) / ideal, 1 / first if first else 0.0, *recalls)  # type: ignore[return-value]


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / float(np.log2(place + 2)) for place, gain in enumerate(gains[:10]))


def _read_passages(database: Database) -> list[tuple[str, str]]:
    """Return path and searched text of each passage."""
    query = select(ArticleRow.path, ArticleRow.title, PassageRow.headings, PassageRow.text)
    nowhere = Span(0, 0)
    with database.read() as session:
        rows = session.execute(
            query.join(PassageRow, PassageRow.article_id == ArticleRow.id).order_by(PassageRow.id)
        ).all()
    return [
        (path, Passage(tuple(headings), "", text, nowhere, nowhere, "").searched_text(title))
        for path, title, headings, text in rows
    ]


def _measure_peer(
    tested: TestSet, name: str, passages: Sequence[tuple[str, str]], ids: Mapping[str, str]
) -> dict[str, object]:
    began = time.perf_counter()
    peer = PEERS[name]([text for _, text in passages], find_model_folder())
    seconds = time.perf_counter() - began
    figures = _ask(tested, lambda q: [ids[passages[n][0]] for n in peer.search(q)])
    figures |= {"passages_per_s": round(len(passages) / seconds, 1), "rss_mb": _rss_mb()}
    return {"name": name} | figures


def _rss_mb() -> float:
    """Return the resident memory of this process, in megabytes (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) * 1024 / 1e6)
    return 0.0


def _rows(file: Path) -> list[dict[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


if __name__ == "__main__":
    main()
