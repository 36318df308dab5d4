"""What a process keeps in memory of one version of the index: words, and who may read what."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from opsbot.retrieval.lexical import to_stems
from opsbot.retrieval.models import Audience
from opsbot.retrieval.postings import LexicalIndex
from opsbot.retrieval.rows import read_state, read_texts
from opsbot.retrieval.structure import to_plain

Reader = Literal["customer", "staff"]
"""Who asks."""

AUDIENCES: Mapping[Reader, tuple[Audience, ...]] = {
    "customer": (Audience.PUBLIC,),
    "staff": (Audience.PUBLIC, Audience.STAFF),
}
"""Whose passages each reader may see."""


@dataclass(frozen=True)
class Shelf:
    """One version of the index."""

    version: int
    threshold: float | None
    words: Mapping[Reader, LexicalIndex]
    """One word index per reader, so that not even a score tells of what they may not read."""
    products: Mapping[int, frozenset[str]]
    """Item numbers that a passage is about; a passage about none is missing."""


def load_shelf(session: Session) -> Shelf:
    """Build the shelf of the index as the session sees it."""
    state = read_state(session)
    counts: dict[Audience, dict[int, Counter[str]]] = {audience: {} for audience in Audience}
    products = dict[int, frozenset[str]]()
    for passage in read_texts(session):
        counts[passage.audience][passage.id] = Counter(to_stems(to_plain(passage.text)))
        if passage.products:
            products[passage.id] = frozenset(passage.products)
    words = {
        reader: LexicalIndex({id_: count for a in audiences for id_, count in counts[a].items()})
        for reader, audiences in AUDIENCES.items()
    }
    if state is None:
        return Shelf(0, None, words, products)
    return Shelf(state.version, state.threshold, words, products)
