"""Does search know when nothing fits? Questions of other sets, and of articles that were removed.

Run: python benchmarks/unanswerable.py --data DIR [--queries 250] [--seeds 2] [--set NAME]

DIR holds one folder per set with `corpus.jsonl` (id, title, text), `queries.jsonl` (id, text) and
`qrels.tsv`. Each set becomes an index of its own, whose threshold is calibrated by the ingest; no
question of a set plays a part in that. Then each index is asked

- its own questions and those of every other set;
- with a random half of its articles removed: the questions that lost all their articles (the
  orphans), and the others. Some orphans can still be answered, because another article says the
  same; `refused_no_twin` leaves out those whose removed articles are nearly repeated by another.

The last line is one JSON object:
    own_answered              share of its own questions that each set answers
    foreign                   for each ordered pair "index<-questions": refused, auroc
    halved                    for each set: others answered, orphans refused, auroc
    threshold                 of each index, whole
    curve                     for each set: refused foreign and orphaned questions when so many of
                              the own and of the others are answered
    foreign_refused_min, own_answered_min, orphans_refused_mean, others_answered_mean
    calibration_s             the longest calibration
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from opsbot.db import Base, Database
from opsbot.migrations.schema import import_records
from opsbot.retrieval.calibration import calibrate
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import RetrievalSettings

LOOKED_AT = 14
"""Hits that an answer is chosen from; it is given when one of them is good enough."""
TWIN = 0.8
"""Cosine from which another article says nearly the same."""
NONE = float("nan")
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
LEVELS = (0.7, 0.8, 0.85, 0.9, 0.95, 0.98)

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What is asked, and which articles answer it."""

    text: str
    articles: frozenset[str]


@dataclass(frozen=True)
class TestSet:
    """Articles and questions of one kind."""

    name: str
    articles: Mapping[str, tuple[str, str]]
    """Title and text by id."""
    questions: Sequence[Question]


@dataclass(frozen=True)
class Asked:
    """The best confidence for each question, and the threshold it is held against."""

    threshold: float
    best: Mapping[str, Figures]
    """By the set that the questions come from."""


@dataclass(frozen=True)
class Result:
    """What one index told of all questions."""

    name: str
    threshold: float
    calibration_s: float
    own: Figures
    foreign: Mapping[str, Figures]
    halves: Sequence[Asked]

    def pairs(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yield how the questions of each other set fare."""
        for name, best in self.foreign.items():
            refused = share(best < self.threshold)
            yield f"{self.name}<-{name}", {"refused": refused, "auroc": auroc(self.own, best)}

    def halved(self) -> dict[str, float]:
        """Return how the questions fare with half of the articles, on average."""
        others = [share(half.best["others"] >= half.threshold) for half in self.halves]
        figures = {
            "refused": [share(half.best["orphans"] < half.threshold) for half in self.halves],
            "refused_no_twin": [share(half.best["apart"] < half.threshold) for half in self.halves],
            "auroc": [auroc(half.best["others"], half.best["orphans"]) for half in self.halves],
            "auroc_no_twin": [
                auroc(half.best["others"], half.best["apart"]) for half in self.halves
            ],
            "threshold": [half.threshold for half in self.halves],
        }
        return {"answered": mean(others)} | {name: mean(some) for name, some in figures.items()}

    def curves(self) -> dict[str, dict[str, float]]:
        """Return which share is refused when so many of the others are answered."""
        return {
            "foreign": curve(self.own, np.concatenate([np.empty(0), *self.foreign.values()])),
            "halved": curve(
                *(
                    np.concatenate([half.best[group] for half in self.halves])
                    for group in ("others", "orphans")
                )
            ),
        }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=250, help="most questions of each set")
    parser.add_argument("--seeds", type=int, default=2, help="halves of each set")
    parser.add_argument("--set", help="ask this index alone")
    options = parser.parse_args()
    folders = sorted(file.parent for file in options.data.glob("**/corpus.jsonl"))
    if not folders:
        parser.error(f"--data: {options.data} holds no set; see the text of --help.")
    sets = [read_set(folder, options.queries) for folder in folders]
    import_records()
    with tempfile.TemporaryDirectory() as scratch, _progress() as progress:
        encoder = MiniLmEncoder.open(Path(scratch))
        chosen = [one for one in sets if options.set in {None, one.name}]
        task = progress.add_task("Indexes", total=len(chosen))
        results = []
        for one in chosen:
            bench = Bench(one, encoder, Path(scratch) / one.name)
            results.append(bench.measure(sets, seeds=options.seeds))
            progress.advance(task)
    # JSON has no word for a figure that there is not but null.
    print(json.dumps(summarise(results)).replace("NaN", "null"))


def _progress() -> Progress:
    return Progress(disable=not sys.stderr.isatty(), transient=True)


def read_set(folder: Path, most: int) -> TestSet:
    """Read a set; of its questions `most` at random."""
    articles = {row["id"]: (row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")}
    answers: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, article, score = line.split("\t")
        if float(score) > 0 and article in articles:
            answers.setdefault(question, set()).add(article)
    questions = [
        Question(row["text"], frozenset(answers[row["id"]]))
        for row in _rows(folder / "queries.jsonl")
        if row["id"] in answers
    ]
    random.Random(7).shuffle(questions)  # noqa: S311  (a sample, not a secret)
    return TestSet(folder.name, articles, questions[:most])


class Bench:
    """One set as an index of its own."""

    def __init__(self, tested: TestSet, encoder: MiniLmEncoder, folder: Path) -> None:
        self._set, self._encoder, self._folder = tested, encoder, folder
        self._files = {id_: f"{number:05d}.md" for number, id_ in enumerate(tested.articles)}

    def measure(self, sets: Sequence[TestSet], *, seeds: int) -> Result:
        """Ask the whole index and its halves."""
        whole = self._folder / "whole"
        self._write(whole / "knowledge")
        asked, seconds = self._ask(whole, sets)
        own = asked.best[self._set.name]
        halves = [self._halve(seed) for seed in range(seeds)]
        foreign = {name: best for name, best in asked.best.items() if name != self._set.name}
        return Result(self._set.name, asked.threshold, seconds, own, foreign, halves)

    def _halve(self, seed: int) -> Asked:
        """Remove a random half of the articles and ask."""
        half = self._folder / f"half{seed}"
        shutil.copytree(self._folder / "whole", half)
        chance = random.Random(seed)  # noqa: S311  (a sample, not a secret)
        ids = sorted(self._set.articles)
        gone = frozenset(chance.sample(ids, len(ids) // 2))
        for id_ in gone:
            (half / "knowledge" / self._files[id_]).unlink()
        others = [q for q in self._set.questions if q.articles - gone]
        orphans = [q for q in self._set.questions if not q.articles - gone]
        twins = self._twins(gone)
        apart = [q for q in orphans if not q.articles & twins]
        groups = {"others": others, "orphans": orphans, "apart": apart}
        asked, _ = self._ask(
            half, [TestSet(name, {}, questions) for name, questions in groups.items()]
        )
        return asked

    def _twins(self, gone: frozenset[str]) -> frozenset[str]:
        """Return those of the removed articles that one of the rest nearly repeats."""
        ids = sorted(self._set.articles)
        removed = np.array([id_ in gone for id_ in ids])
        near = np.zeros(int(removed.sum()))
        for texts in (
            [self._set.articles[id_][0] for id_ in ids],
            [". ".join(self._set.articles[id_]) for id_ in ids],
        ):
            vectors = self._encoder.encode(texts)
            near = np.maximum(near, (vectors[removed] @ vectors[~removed].T).max(axis=1))
        names = np.array(ids)[removed][near >= TWIN]
        return frozenset(map(str, names))

    def _write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        for id_, (title, text) in self._set.articles.items():
            front = f"---\ntitle: {json.dumps(title)}\naudience: public\n---\n\n"
            (folder / self._files[id_]).write_text(front + text, encoding="utf-8")

    def _ask(self, folder: Path, sets: Sequence[TestSet]) -> tuple[Asked, float]:
        """Ingest the folder; return the best confidences, and how long the calibration takes."""
        database = Database(f"sqlite:///{folder}/opsbot.db")
        Base.metadata.create_all(database.engine)
        ingest(database, folder / "knowledge", self._encoder, now=TODAY)
        started = time.perf_counter()
        calibrate(database, self._encoder)
        seconds = time.perf_counter() - started
        knowledge = Knowledge(database, self._encoder, folder, RetrievalSettings())
        best = {
            one.name: np.array([_best(knowledge, question.text) for question in one.questions])
            for one in sets
        }
        asked = Asked(knowledge.threshold, best)
        knowledge.close()
        database.dispose()
        return asked, seconds


def summarise(results: Sequence[Result]) -> dict[str, object]:
    """Return the figures of all indexes as one object."""
    own = {result.name: share(result.own >= result.threshold) for result in results}
    foreign = {pair: found for result in results for pair, found in result.pairs()}
    halved = {result.name: result.halved() for result in results}
    return {
        "own_answered": own,
        "foreign": foreign,
        "halved": halved,
        "threshold": {result.name: round(result.threshold, 3) for result in results},
        "curve": {result.name: result.curves() for result in results},
        "foreign_refused_min": min((f["refused"] for f in foreign.values()), default=None),
        "own_answered_min": min(own.values()),
        "orphans_refused_mean": mean([half["refused"] for half in halved.values()]),
        "others_answered_mean": mean([half["answered"] for half in halved.values()]),
        "calibration_s": round(max(result.calibration_s for result in results), 2),
    }


def auroc(known: Figures, unknown: Figures) -> float:
    """Return how likely a question with an answer scores above one without; nan for none."""
    if not len(known) or not len(unknown):
        return NONE
    above = known[:, None] > unknown[None, :]
    level = known[:, None] == unknown[None, :]
    return round(float(above.mean() + level.mean() / 2), 4)


def curve(known: Figures, unknown: Figures) -> dict[str, float]:
    """Return for some shares of answered questions which share of the others is refused."""
    return {str(level): share(unknown < np.quantile(known, 1 - level)) for level in LEVELS}


def share(told: NDArray[np.bool_]) -> float:
    """Return which share is true; nan for none."""
    return round(float(told.mean()), 4) if len(told) else NONE


def mean(figures: Sequence[float]) -> float:
    """Return the mean; nan for none."""
    return round(float(np.mean(figures)), 4) if figures else NONE


def _best(knowledge: Knowledge, question: str) -> float:
    hits = knowledge.search(question, audience="customer", top_k=LOOKED_AT)
    return max((hit.confidence for hit in hits), default=0.0)


def _rows(file: Path) -> list[dict[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


if __name__ == "__main__":
    main()
