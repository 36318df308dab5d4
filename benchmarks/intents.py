"""How well the assistant's classifier tells intents apart, and knows what is none of them.

The classifier is the one that finds the tool a message means. It is taught an intent as it is a
tool: by examples and by what describes it, here the words of its name. Nothing is chosen for a set,
and nothing is learned from what is asked.

    OMP_NUM_THREADS=1 python benchmarks/intents.py --data ../data/intents

The folder holds `hint3/*_train.csv`, `banking77/train.csv` and `clinc150/data_full_train_val.json`,
as published. Prints a JSON object a set, with more about it; the last line sums up:

- `hint3_sofmattress`, `hint3_curekart`: real questions to two firms, in five parts, each asked of
  what the other four teach. All questions to the other two firms are out of scope, although some
  of them ask the same ("where is my order?").
- `clinc150`: the validation part asked of the training part, with the 100 sentences out of scope.
- `banking77_10shot`: ten examples an intent, 3,000 other sentences asked; the mean of three draws.
- `classify_ms_p50`: one sentence among 77 intents with ten examples each, its vector included.
- `train_s`: these 77 intents learned, without the vectors, which an index keeps; the median of
  the draws. The line of the set has `train_with_vectors_s` too.

The first three are accuracies in scope where four of five sentences out of scope are refused: a
sentence counts that finds its intent and is surer of it than 80 % of the others are of anything.
`accuracy` refuses nothing.
"""

import argparse
import csv
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opsbot.conversation.local.classifier import UNSURE, Classifier
from opsbot.conversation.local.understand import Encoder
from opsbot.retrieval.encoder import MiniLmEncoder

FILES = (
    "hint3/sofmattress_train.csv",
    "hint3/curekart_train.csv",
    "hint3/powerplay11_train.csv",
    "banking77/train.csv",
    "clinc150/data_full_train_val.json",
)
IN_SCOPE = ("hint3_sofmattress", "hint3_curekart", "clinc150")
FIRMS = ("sofmattress", "curekart", "powerplay11")
PARTS = 5
SHOTS = 10
DRAWS = 3
REFUSED = 0.8
"""Share of the sentences out of scope that are to be refused."""
ASKED = 3000
"""Sentences asked a draw of BANKING77."""
TIMED = 300
SEED = 7

Pair = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """What became of some sentences."""

    right: Sequence[bool]
    """Whether the best class was the intent; false for all out of scope."""
    fits: Sequence[float]
    """How well it fitted."""
    sure: Sequence[bool]
    """Whether the assistant would have taken it."""


def learn(pairs: Sequence[Pair], encoder: Encoder) -> Classifier:
    """Return a classifier that knows intents by these examples and the words of their names."""
    intents = sorted({intent for _, intent in pairs})
    said = [*pairs, *((intent.lower().replace("_", " "), intent) for intent in intents)]
    texts = [text for text, _ in said]
    return Classifier(texts, [intent for _, intent in said], encoder.encode(texts))


def ask(classifier: Classifier, pairs: Sequence[Pair], encoder: Encoder) -> Asked:
    """Ask for the intent of each sentence."""
    vectors = encoder.encode([text for text, _ in pairs])
    rankings = [
        classifier.rank([text], vector[None])
        for (text, _), vector in zip(pairs, vectors, strict=True)
    ]
    best = [(one, one.best) for one in rankings]
    return Asked(
        [label == intent for (_, label), (_, intent) in zip(best, pairs, strict=True)],
        [one.fits[label] for one, label in best],
        [one.confidence(label) >= UNSURE for one, label in best],
    )


def in_scope(own: Asked, foreign: Asked) -> float:
    """Return the accuracy in scope where `REFUSED` of what is foreign is refused."""
    least = np.quantile(foreign.fits, REFUSED, method="higher")
    return float(np.mean(np.array(own.right) & (np.array(own.fits) > least)))


def summed_up(name: str, runs: Sequence[tuple[Asked, Asked]]) -> dict[str, object]:
    """Return the figures of a set, as means over its runs."""
    weights = [len(own.right) for own, _ in runs]

    def mean(figures: Sequence[float]) -> float:
        return round(float(np.average(figures, weights=weights)), 4)

    return {
        "set": name,
        "in_scope_at_80": mean([in_scope(own, foreign) for own, foreign in runs]),
        "accuracy": mean([float(np.mean(own.right)) for own, _ in runs]),
        "sure_in_scope": mean([float(np.mean(own.sure)) for own, _ in runs]),
        "refused_out_of_scope": mean([1 - float(np.mean(foreign.sure)) for _, foreign in runs]),
    }


def measure_firms(folder: Path, encoder: Encoder) -> Iterator[dict[str, object]]:
    """Yield the figures of each firm, cross-validated."""
    said = {firm: _read(folder / f"{firm}_train.csv", "sentence", "label") for firm in FIRMS}
    for firm, pairs in said.items():
        foreign = [(text, "") for other in FIRMS if other != firm for text, _ in said[other]]
        places, runs = _parts(pairs), []
        for part in range(PARTS):
            taught = [pair for pair, place in zip(pairs, places, strict=True) if place != part]
            asked = [pair for pair, place in zip(pairs, places, strict=True) if place == part]
            mind = learn(taught, encoder)
            runs.append((ask(mind, asked, encoder), ask(mind, foreign, encoder)))
        yield summed_up(f"hint3_{firm}", runs)


def measure_clinc(path: Path, encoder: Encoder) -> dict[str, object]:
    """Return the figures of CLINC150."""
    read = json.loads(path.read_text(encoding="utf-8"))
    started = time.perf_counter()
    mind = learn([(text, intent) for text, intent in read["train"]], encoder)
    trained = time.perf_counter() - started
    own = ask(mind, [(text, intent) for text, intent in read["val"]], encoder)
    foreign = ask(mind, [(text, "") for text, _ in read["oos_val"]], encoder)
    return summed_up("clinc150", [(own, foreign)]) | {"train_with_vectors_s": round(trained, 1)}


def measure_banking(path: Path, model: Path) -> dict[str, object]:
    """Return the figures of BANKING77 with few examples, and the times."""
    by_intent: defaultdict[str, list[str]] = defaultdict(list)
    for text, intent in dict.fromkeys(_read(path, "text", "category")):
        by_intent[intent].append(text)
    accuracies, trained, trained_whole, took = [], [], [], list[float]()
    for draw in range(DRAWS):
        chance = random.Random(SEED + draw)  # noqa: S311  (a sample, not a secret)
        taught, asked = list[Pair](), list[Pair]()
        for intent, texts in sorted(by_intent.items()):
            mixed = chance.sample(texts, len(texts))
            taught += [(text, intent) for text in mixed[:SHOTS]]
            asked += [(text, intent) for text in mixed[SHOTS:]]
        fresh = MiniLmEncoder.open(model)  # it remembers nothing yet
        trained_whole.append(_time(learn, taught, fresh))
        trained.append(_time(learn, taught, fresh))
        mind = learn(taught, fresh)
        asked = chance.sample(asked, min(ASKED, len(asked)))
        for text, _ in asked[:TIMED]:
            took.append(_time(_classify, mind, fresh, text))
        accuracies.append(float(np.mean(ask(mind, asked, fresh).right)))
    return {
        "set": "banking77_10shot",
        "accuracy": round(statistics.mean(accuracies), 4),
        "draws": [round(accuracy, 4) for accuracy in accuracies],
        "classify_ms_p50": round(statistics.median(took) * 1000, 2),
        "train_s": round(statistics.median(trained), 3),
        "train_with_vectors_s": round(statistics.median(trained_whole), 3),
    }


def main() -> None:
    """Measure every set and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder of public intent sets")
    parser.add_argument("--model-dir", type=Path, help="where the encoder's graph is kept")
    options = parser.parse_args()
    if missing := [name for name in FILES if not (options.data / name).exists()]:
        parser.error(f"--data: {options.data} lacks {missing[0]}; see the text of --help.")
    with tempfile.TemporaryDirectory() as scratch:
        model = options.model_dir or Path(scratch)
        encoder = MiniLmEncoder.open(model)
        figures = {str(one["set"]): one for one in _measure_all(options.data, encoder, model)}
    few = figures["banking77_10shot"]
    found = {name: figures[name]["in_scope_at_80"] for name in IN_SCOPE}
    found |= {"banking77_10shot": few["accuracy"]}
    print(json.dumps(found | {name: few[name] for name in ("classify_ms_p50", "train_s")}))


def _measure_all(folder: Path, encoder: MiniLmEncoder, model: Path) -> Iterator[dict[str, object]]:
    """Yield the figures of each set, and print them as they come."""
    banking, clinc = folder / "banking77/train.csv", folder / "clinc150/data_full_train_val.json"
    for figures in (
        measure_firms(folder / "hint3", encoder),
        (measure_banking(path, model) for path in [banking]),
        (measure_clinc(path, encoder) for path in [clinc]),
    ):
        for one in figures:
            print(json.dumps(one), flush=True)
            yield one


def _parts(pairs: Sequence[Pair]) -> list[int]:
    """Return the part of each sentence; each intent is spread over all parts."""
    mixed = list(range(len(pairs)))
    random.Random(SEED).shuffle(mixed)  # noqa: S311  (a sample, not a secret)
    places = [0] * len(pairs)
    for turn, place in enumerate(sorted(mixed, key=lambda place: pairs[place][1])):
        places[place] = turn % PARTS
    return places


def _read(path: Path, text: str, label: str) -> list[Pair]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def _classify(mind: Classifier, encoder: Encoder, text: str) -> None:
    mind.rank([text], encoder.encode([text]))


def _time(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
