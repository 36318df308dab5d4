"""Grow a large knowledge folder out of a small one: articles that are varied and look real.

Sentences of real articles are put together anew below real headings, their names of products and
their numbers changed. Vectors of all of it would take the encoder an hour, so most passages get
those of some real ones, moved a little at random.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsbot.retrieval.encoder import Encoded, Encoder
from opsbot.retrieval.passages import split_sentences
from opsbot.retrieval.structure import to_plain

PASSAGES_PER_ARTICLE = 6
"""About so many passages come of one article."""
_WORDS_PER_SECTION = 60
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HEADING = re.compile(r"(?m)^#+ (.+)$")
_NAMES = re.compile(r"\b(?:Halo|Ember|Arc|Drift|Lantern|Pebble|Tide|Kiln|Loop|Loom|Lumen)\b")
_NUMBER = re.compile(r"\b\d{1,3}\b")
_SYLLABLES = (
    "al",
    "ber",
    "cor",
    "dun",
    "el",
    "far",
    "gil",
    "hol",
    "jor",
    "kel",
    "lum",
    "mar",
    "nor",
)
_MOVED = 0.6
"""How far a vector is moved: the cosine of two that come of one is about 0.86."""


@dataclass(frozen=True)
class Source:
    """What articles are grown from."""

    sentences: Sequence[str]
    headings: Sequence[str]


def read_source(folder: Path, data: Path | None) -> Source:
    """Return the sentences and headings of the articles in `folder`, and of corpora below `data`.

    Args:
        folder: a knowledge folder; its Markdown files are read.
        data: holds `*/corpus.jsonl` files, an object with `title` and `text` a line.
    """
    texts = [_FRONT_MATTER.sub("", path.read_text()) for path in sorted(folder.rglob("*.md"))]
    for corpus in sorted(data.rglob("corpus.jsonl")) if data is not None else ():
        for line in corpus.read_text().splitlines():
            record = json.loads(line)
            texts.append(f"# {record.get('title') or record['text'][:60]}\n\n{record['text']}")
    headings = [heading for text in texts for heading in _HEADING.findall(text)]
    plain = [to_plain(_HEADING.sub("", text)) for text in texts]
    sentences = {
        text[span.start : span.end].strip()
        for text in plain
        for span in split_sentences(text, 0, len(text))
    }
    fit = sorted(s for s in sentences if 5 <= len(s.split()) <= 40 and "\n" not in s)  # noqa: PLR2004
    return Source(fit, headings)


class Grower:
    """Writes articles, always the same ones for a seed."""

    def __init__(self, source: Source, seed: int) -> None:
        self._source = source
        self._random = random.Random(seed)  # noqa: S311  (nothing secret)
        self._names = [self._name() for _ in range(2_000)]

    def write(self, folder: Path, passages: int) -> list[str]:
        """Write articles of about so many passages; return the item numbers they are about."""
        items = [f"LL-{name[:3].upper()}-{n:03}" for n, name in enumerate(self._names[:200])]
        for number in range(max(1, passages // PASSAGES_PER_ARTICLE)):
            file = folder / f"part-{number // 500:03}" / f"article-{number:06}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._article(number, items))
        return items

    def question(self) -> str:
        """Return a question that shares some words with the articles."""
        words = self._sentence().rstrip(".").split()
        start = self._random.randrange(max(1, len(words) - 9))
        return f"how do I {' '.join(words[start : start + 9])}"

    def _article(self, number: int, items: Sequence[str]) -> str:
        name = self._random.choice(self._names)
        about = f"product: [{self._random.choice(items)}]\n" if number % 3 else ""
        front = (
            f"---\ntitle: {name} {self._random.randrange(100, 999)} guide\n"
            f"audience: {'staff' if number % 10 == 9 else 'public'}\n"  # noqa: PLR2004
            f"language: {'de' if number % 8 == 7 else 'en'}\n{about}---\n\n"  # noqa: PLR2004
        )
        return front + "\n".join(self._section(name) for _ in range(PASSAGES_PER_ARTICLE))

    def _section(self, name: str) -> str:
        heading = _NAMES.sub(name, self._random.choice(self._source.headings))
        sentences, words = list[str](), 0
        while words < _WORDS_PER_SECTION:
            sentences.append(self._sentence(name))
            words += len(sentences[-1].split())
        return f"## {heading}\n\n{' '.join(sentences)}\n"

    def _sentence(self, name: str = "") -> str:
        sentence = _NAMES.sub(
            name or self._random.choice(self._names), self._random.choice(self._source.sentences)
        )
        return _NUMBER.sub(lambda _: str(self._random.randrange(1, 1000)), sentence)

    def _name(self) -> str:
        return "".join(self._random.choices(_SYLLABLES, k=3)).capitalize()


class StandIn:
    """Takes vectors from some real texts and moves them at random, to be quick."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        """Encode these texts with the real encoder; all others are given what comes of them."""
        self.key, self.dimensions = encoder.key, encoder.dimensions
        self._encoded = encoder.encode_pieces(texts)
        self._random = np.random.default_rng(7)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors near to real ones: shape (len(texts), dimensions), each of length 1."""
        chosen = self._random.integers(len(self._encoded), size=len(texts))
        vectors = np.array([self._encoded[place].vector for place in chosen], np.float32)
        noise = self._random.normal(0, _MOVED / np.sqrt(self.dimensions), vectors.shape)
        moved = vectors.reshape(-1, self.dimensions) + noise.astype(np.float32)
        near: NDArray[np.float32] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return near

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        """Return such vectors with the word pieces of real texts."""
        pieces = self._random.integers(len(self._encoded), size=len(texts))
        return [
            Encoded(vector, self._encoded[place].pieces, self._encoded[place].words)
            for vector, place in zip(self.encode(texts), pieces, strict=True)
        ]


def read_passages(folder: Path) -> Iterator[str]:
    """Yield the sections of the articles in a folder as plain texts."""
    for path in sorted(folder.rglob("*.md")):
        for section in re.split(r"(?m)^## ", _FRONT_MATTER.sub("", path.read_text()))[1:]:
            yield to_plain(section)
