"""What a search returns."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, cast, func, or_, select
from sqlalchemy.engine import Connection

from opsbot.retrieval.id_lists import id_parameters, id_values, room_for
from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, PassageRow
from opsbot.retrieval.rows import split_batches


class Score(NamedTuple):
    """How well a passage fits a question."""

    fused: float
    """Cosine plus the weighted share of the best word match: what hits are ordered by."""
    cosine: float
    """Likeness in meaning: of the text, or of title and headings if that is nearer."""
    confidence: float
    """How sure it is that the passage is about the question; compared with the threshold."""


class Hit(NamedTuple):
    """A passage that may answer a question."""

    passage_id: int
    path: str
    """File of the article, such as `manuals/halo-desk-lamp.md`."""
    slug: str
    """Name of the article in addresses."""
    version: int
    """Version of the article's text that the offsets refer to."""
    title: str
    headings: tuple[str, ...]
    """Headings above the passage, outermost first, without the title."""
    anchor: str
    url: str
    """Page of the help centre: `/help/SLUG#ANCHOR`."""
    text: str
    """Markdown; a piece of a long table repeats the header row."""
    start: int
    end: int
    """Offsets of the passage into the article's text."""
    section: str
    """Body of the section the passage belongs to, as it stands in the article's text."""
    section_start: int
    """Offset of the section's body into the article's text."""
    page: int | None
    """Page of the file that the passage begins on, where the file has pages."""
    safety: bool
    """The passage holds a warning, or its article is one that people's safety depends on."""
    language: str
    products: tuple[str, ...]
    """Item numbers the article is about; empty: about all, or none."""
    score: float
    """Fused score; see `Score`."""
    cosine: float
    confidence: float

    @property
    def heading(self) -> str:
        """The nearest heading, or the title above the first one."""
        return self.headings[-1] if self.headings else self.title


def read_hits(
    connection: Connection, scores: Mapping[int, Score], audiences: Collection[Audience]
) -> list[Hit]:
    """Return the hits for these passages in the order of `scores`, as far as they still exist.

    The audience is checked again, on the rows.
    """
    rows = dict[int, Sequence[Any]]()
    for ids in split_batches(list(scores)):
        room = room_for(ids)
        query = _hits_query(room, tuple(audiences))
        for row in connection.execute(query, id_values(ids, room)).all():
            rows[row[0]] = row
    return [_make_hit(rows[id_], score) for id_, score in scores.items() if id_ in rows]


@cache
def _hits_query(room: int, audiences: Collection[Audience]) -> Select[Any]:
    # Past the ORM, and made once: building it costs as much as running it. Lists are read as text,
    # because most of them are the same.
    passages, articles = PassageRow.__table__.c, ArticleRow.__table__.c
    length = passages.section_end - passages.section_start
    return (
        select(
            passages.id,
            articles.path,
            articles.slug,
            articles.version,
            articles.title,
            cast(passages.headings, Text),
            passages.anchor,
            passages.text,
            passages.start,
            passages.end,
            func.substr(articles.text, passages.section_start + 1, length),
            passages.section_start,
            passages.page,
            passages.safety,
            articles.language,
            cast(articles.products, Text),
        )
        .join_from(PassageRow.__table__, ArticleRow.__table__, articles.id == passages.article_id)
        .where(
            passages.id.in_(id_parameters(room)),
            or_(*(articles.audience == audience for audience in audiences)),
            articles.status == ArticleStatus.READABLE,
        )
    )


def _make_hit(row: Sequence[Any], score: Score) -> Hit:
    # In the order of the fields: by their names it would take twice the time.
    id_, path, slug, version, title, headings, anchor, text, start, end, section, *rest = row
    section_start, page, safety, language, products = rest
    return Hit(
        id_,
        path,
        slug,
        version,
        title,
        _read_list(headings),
        anchor,
        article_url(slug, anchor),
        text,
        start,
        end,
        section,
        section_start,
        page,
        safety,
        language,
        _read_list(products),
        score.fused,
        score.cosine,
        score.confidence,
    )


@lru_cache(maxsize=2_000)
def _read_list(content: str) -> tuple[str, ...]:
    return tuple(json.loads(content))


def article_url(slug: str, anchor: str = "") -> str:
    """Return the address of an article's page in the help centre, or of a heading on it."""
    return f"/help/{slug}#{anchor}" if anchor else f"/help/{slug}"
