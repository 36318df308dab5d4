"""How well messages are routed: accuracy and rejection on public intent sets.

Each intent becomes a tool whose examples are ten sentences of the training half; the other half
is asked. Where a set has sentences out of scope, they should be sure of no tool.

    python benchmarks/routing.py --data ../data/intents

The folder holds `hint3/*_train.csv`, `banking77/train.csv`, `clinc150/data_full_train_val.json`
and `bitext/*Training*.csv`, as published. Prints a JSON object a line; the last is the mean.
"""

import argparse
import csv
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsbot.conversation.local.classifier import UNSURE
from opsbot.conversation.local.declarations import ToolSpec
from opsbot.conversation.local.understand import Encoder, Understanding
from opsbot.retrieval.encoder import MiniLmEncoder

SHOTS = 10
MOST_ASKED = 1500
SEED = 7

Pair = tuple[str, str]


@dataclass(frozen=True)
class IntentSet:
    """Sentences with their intents."""

    name: str
    train: Sequence[Pair]
    test: Sequence[Pair]
    foreign: Sequence[str] = ()
    """Sentences of no intent."""


def read_sets(folder: Path) -> Iterator[IntentSet]:
    """Yield the sets that the folder holds."""
    for path in sorted(folder.glob("hint3/*_train.csv")):
        yield _halve(path.stem.removesuffix("_train"), path, "sentence", "label")
    for path in sorted(folder.glob("banking77/train.csv")):
        yield _halve("banking77", path, "text", "category")
    for path in sorted(folder.glob("bitext/*Training*.csv")):
        yield _halve("bitext", path, "utterance", "intent")
    for path in sorted(folder.glob("clinc150/data_full_train_val.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        train, test = ([(t, i) for t, i in read[part]] for part in ("train", "val"))
        yield IntentSet("clinc150", train, test, [text for text, _ in read["oos_val"]])


def measure(one: IntentSet, encoder: Encoder) -> dict[str, object]:
    """Return the figures of one set."""
    chance = random.Random(SEED)  # noqa: S311  (a sample, not a secret)
    by_intent: defaultdict[str, list[str]] = defaultdict(list)
    for text, intent in one.train:
        by_intent[intent].append(text)
    tools = [
        ToolSpec(name, "", chance.sample(texts, min(SHOTS, len(texts))), False, 0, "", ())  # noqa: FBT003
        for name, texts in sorted(by_intent.items())
    ]
    mind = Understanding(tools, encoder)
    asked = [pair for pair in one.test if pair[1] in mind.tools]
    asked = chance.sample(asked, min(MOST_ASKED, len(asked)))
    right, sure, took = 0, 0, []
    for text, intent in asked:
        started = time.perf_counter()
        ranking = mind.rank(text)
        took.append(time.perf_counter() - started)
        right += ranking.best == intent
        sure += ranking.confidence(ranking.best) >= UNSURE
    refused = 0
    for text in one.foreign:
        ranking = mind.rank(text)
        refused += ranking.confidence(ranking.best) < UNSURE
    return {
        "set": one.name,
        "accuracy": round(right / len(asked), 4),
        "oos_recall": round(refused / len(one.foreign), 4) if one.foreign else None,
        "in_scope_recall": round(sure / len(asked), 4),
        "ms_p50": round(statistics.median(took) * 1000, 2),
    }


def main() -> None:
    """Measure every set in the folder and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder of public intent sets")
    parser.add_argument("--model-dir", type=Path, help="where the encoder's graph is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        encoder = MiniLmEncoder.open(options.model_dir or Path(scratch))
        figures = [measure(one, encoder) for one in read_sets(options.data)]
    if not figures:
        parser.error(f"--data: {options.data} holds no intent set; see the text of --help.")
    for figure in figures:
        print(json.dumps(figure))
    accuracies = [float(str(figure["accuracy"])) for figure in figures]
    last = next((f for f in reversed(figures) if f["oos_recall"] is not None), figures[-1])
    mean = round(statistics.mean(accuracies), 4)
    print(json.dumps({**last, "set": "all", "accuracy": mean}))


def _halve(name: str, path: Path, text: str, label: str) -> IntentSet:
    with path.open(encoding="utf-8", newline="") as file:
        pairs = [(row[text], row[label]) for row in csv.DictReader(file)]
    random.Random(SEED).shuffle(pairs)  # noqa: S311  (a sample, not a secret)
    half = len(pairs) // 2
    return IntentSet(name, pairs[:half], pairs[half:])


if __name__ == "__main__":
    main()
