"""What a process keeps in memory of the index: who may read what, its words and its vectors.

A shelf does not change. What comes after it shares its segments: an edit adds a small segment and
strikes out the passages that went, so that it costs the same in a base of any size.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from opsbot.retrieval.models import Audience
from opsbot.retrieval.packing import Vectors
from opsbot.retrieval.postings import LexicalIndex, Mask, Postings, Rows, Scores
from opsbot.retrieval.signs import Signs, find_likely, signs_of

Reader = Literal["customer", "staff"]
"""Who asks."""

AUDIENCES: Mapping[Reader, tuple[Audience, ...]] = {
    "customer": (Audience.PUBLIC,),
    "staff": (Audience.PUBLIC, Audience.STAFF),
}
"""Whose passages each reader may see."""

_FALLBACK = "en"
"""Searched for readers in whose language there is nothing."""
_LIKELY = 800
"""Passages that are compared exactly: 99.6 % of the ten nearest were among them, or more."""


@dataclass(frozen=True)
class Packed:
    """Vectors as int8, each with its scale, and their signs."""

    values: NDArray[np.int8]
    """Shape (passages, dimensions)."""
    scales: Vectors
    signs: Signs

    @classmethod
    def make(cls, values: NDArray[np.int8], scales: Vectors) -> "Packed":
        """Take values and scales as `packing.unpack_int8` gives them."""
        return cls(values, scales, signs_of(values))

    def cosines(self, vector: Vectors, rows: Rows) -> Scores:
        """Return the cosine of these rows with a vector of length 1."""
        found: Scores = (self._floats(rows) @ vector) * self.scales[rows]
        return found

    def compare(self, vector: Vectors, rows: Rows) -> tuple[Scores, Vectors]:
        """Return the cosine of these rows with a vector of length 1, and their own vectors."""
        values, scales = self._floats(rows), self.scales[rows]
        return (values @ vector) * scales, values * scales[:, None]

    def _floats(self, rows: Rows) -> Vectors:
        return self.values.take(rows, axis=0).astype(np.float32)


@dataclass(frozen=True)
class Segment:
    """Passages of one audience that were loaded together, in the order of their ids."""

    audience: Audience
    ids: NDArray[np.int64]
    languages: tuple[str, ...]
    language: NDArray[np.uint8]
    """Of each passage, as a place among the languages."""
    products: Mapping[str, Rows]
    """The rows about each item number."""
    general: Mask
    """Whether a passage is about no product in particular."""
    text: Packed
    title: Packed
    """Of title and headings."""
    postings: Postings

    def __len__(self) -> int:
        return len(self.ids)

    def nearer(self, vector: Vectors, rows: Rows) -> Scores:
        """Return the cosine of the text or the title with a vector, whichever is nearer."""
        return np.maximum(self.text.cosines(vector, rows), self.title.cosines(vector, rows))


@dataclass(frozen=True)
class Shelf:
    """One version of the index."""

    version: int
    model_key: str
    threshold: float | None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    alive: tuple[Mask, ...] = ()
    """Which passages of each segment have not been removed since."""
    _views: dict[Reader, "View"] = field(default_factory=dict, init=False, repr=False)

    def view(self, reader: Reader) -> "View":
        """Return what this reader may see of it."""
        if (view := self._views.get(reader)) is None:
            mine = [
                (segment, alive)
                for segment, alive in zip(self.segments, self.alive, strict=True)
                if segment.audience in AUDIENCES[reader]
            ]
            view = self._views[reader] = View([s for s, _ in mine], [alive for _, alive in mine])
        return view


class View:
    """The passages that one reader may see, numbered over all segments.

    Nothing of the others plays a part, so that not even a score tells of them.
    """

    def __init__(self, segments: Sequence[Segment], alive: Sequence[Mask]) -> None:
        self._segments, self._alive = segments, alive
        self._starts = np.cumsum([0, *map(len, segments)])
        self.words = LexicalIndex([segment.postings for segment in segments], alive)
        self.ids: Rows = np.concatenate([np.empty(0, np.int64), *(s.ids for s in segments)])
        """The id of the passage in each row."""

    def __len__(self) -> int:
        """Return how many passages it has."""
        return len(self.words)

    def languages(self, wanted: str = "") -> tuple[str, ...]:
        """Return which languages to search for a reader of `wanted`: that, or English, or all."""
        for choice in (wanted, _FALLBACK) if wanted else ():
            if fitting := [name for name in self._spoken if _primary(name) == _primary(choice)]:
                return tuple(fitting)
        return self._spoken

    @cached_property
    def _spoken(self) -> tuple[str, ...]:
        spoken = {
            name
            for segment, alive in zip(self._segments, self._alive, strict=True)
            for place, name in enumerate(segment.languages)
            if np.any(alive & (segment.language == place))
        }
        return tuple(sorted(spoken))

    def choose(
        self,
        products: Collection[str] = (),
        languages: Collection[str] = (),
        *,
        without: Collection[str] = (),
        but: Collection[str] = (),
    ) -> Mask:
        """Return which rows to search.

        Args:
            products: item numbers; only passages about one of them, or about none in particular.
            languages: only passages in one of them; none: in any.
            without: item numbers; no passage about one of them, unless it is also about one of
                `but`.
            but: see `without`.
        """
        chosen = np.concatenate([np.empty(0, np.bool_), *self._alive])
        for segment, start in zip(self._segments, self._starts, strict=False):
            own = chosen[start : start + len(segment)]
            if products:
                own &= segment.general | _about(segment, products)
            if without:
                own &= ~_about(segment, without) | _about(segment, but)
            if languages and not set(segment.languages) <= set(languages):
                places = [i for i, name in enumerate(segment.languages) if name in languages]
                own &= np.isin(segment.language, places)
        return chosen

    def nearest(self, vector: Vectors, chosen: Mask, *, limit: int) -> Rows:
        """Return the rows whose text or title lies nearest to a vector, among those chosen."""
        asked, likely, near = signs_of(vector[None]), [], []
        for segment, start, mask in zip(
            self._segments, self._starts, self._split(chosen), strict=False
        ):
            if len(segment) <= _LIKELY:
                found = np.flatnonzero(mask)
            else:
                both = [segment.text.signs, segment.title.signs]
                found = find_likely(both, asked, mask, limit=_LIKELY)
            likely.append(found + start)
            near.append(segment.nearer(vector, found))
        rows = np.concatenate([np.empty(0, np.int64), *likely])
        cosines = np.concatenate([np.empty(0, np.float32), *near])
        order = np.argsort(-cosines, kind="stable")[:limit]
        best: Rows = rows[order]
        return best

    def cosines(self, vector: Vectors, rows: Rows) -> tuple[Scores, Scores]:
        """Return the cosines of the texts, and of the titles, with a vector of length 1."""
        text, title = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
        for segment, start in zip(self._segments, self._starts, strict=False):
            mine = np.flatnonzero((rows >= start) & (rows < start + len(segment)))
            if len(mine):
                text[mine] = segment.text.cosines(vector, rows[mine] - start)
                title[mine] = segment.title.cosines(vector, rows[mine] - start)
        return text, title

    def compare(self, vector: Vectors, rows: Rows) -> tuple[Scores, Scores, Vectors]:
        """Compare rows with a vector of length 1.

        Args:
            vector: to compare with.
            rows: at least one, in order.

        Returns:
            The cosines of the texts, those of the titles, and the vectors of the titles.
        """
        text, title, titles = [], [], []
        parts = np.split(rows, np.searchsorted(rows, self._starts[1:-1]))
        for segment, start, own in zip(self._segments, self._starts, parts, strict=False):
            if len(own):
                text.append(segment.text.cosines(vector, own - start))
                cosines, vectors = segment.title.compare(vector, own - start)
                title.append(cosines)
                titles.append(vectors)
        return np.concatenate(text), np.concatenate(title), np.concatenate(titles)

    def find_rows(self, ids: Collection[int]) -> Rows:
        """Return the rows of these passages, as far as they are here and alive."""
        wanted = np.array(sorted(ids), np.int64)
        found = [np.empty(0, np.int64)]
        for segment, alive, start in zip(self._segments, self._alive, self._starts, strict=False):
            places = np.searchsorted(segment.ids, wanted)
            places[places == len(segment)] = 0
            rows = places[segment.ids[places] == wanted]
            found.append(rows[alive[rows]] + start)
        return np.concatenate(found)

    def about(self, products: Collection[str]) -> Scores:
        """Return for each row 1 when it is about a product, -1 about others alone, else 0."""
        found = np.zeros(len(self.ids), np.float32)
        for segment, start in zip(self._segments, self._starts, strict=False):
            own = found[start : start + len(segment)]
            own -= ~segment.general
            for rows in (segment.products.get(name) for name in products):
                if rows is not None:
                    own[rows] = 1
        return found

    def _split(self, mask: Mask) -> list[Mask]:
        return np.split(mask, self._starts[1:-1])


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def _about(segment: Segment, products: Collection[str]) -> Mask:
    mask = np.zeros(len(segment), np.bool_)
    for name in products:
        if (rows := segment.products.get(name)) is not None:
            mask[rows] = True
    return mask
