"""What a search returns."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from opsbot.retrieval.models import ArticleRow, ArticleStatus, Audience, PassageRow


@dataclass(frozen=True)
class Score:
    """How well a passage fits a question."""

    fused: float
    """Cosine plus the weighted share of the best word match: what hits are ordered by."""
    cosine: float
    """Likeness in meaning: of the text, or of title and headings if that is nearer."""
    confidence: float
    """How sure it is that the passage is about the question; compared with the threshold."""


@dataclass(frozen=True)
class Hit:
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
    session: Session, scores: dict[int, Score], audiences: Iterable[Audience]
) -> list[Hit]:
    """Return the hits for these passages in the order of `scores`, as far as they still exist.

    The audience is checked again, on the rows.
    """
    wanted = {"ids": list(scores), "audiences": list(audiences)}
    found = session.connection().execute(_hits_query(), wanted).all()
    rows = {row[0]: row for row in found}
    return [_make_hit(rows[id_], score) for id_, score in scores.items() if id_ in rows]


@cache
def _hits_query() -> Select[Any]:
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
            passages.id.in_(bindparam("ids", expanding=True)),
            articles.audience.in_(bindparam("audiences", expanding=True)),
            articles.status == ArticleStatus.READABLE,
        )
    )


def _make_hit(row: Sequence[Any], score: Score) -> Hit:
    id_, path, slug, version, title, headings, anchor, text, start, end, section, *rest = row
    section_start, page, safety, language, products = rest
    return Hit(
        passage_id=id_,
        path=path,
        slug=slug,
        version=version,
        title=title,
        headings=_read_list(headings),
        anchor=anchor,
        url=article_url(slug, anchor),
        text=text,
        start=start,
        end=end,
        section=section,
        section_start=section_start,
        page=page,
        safety=safety,
        language=language,
        products=_read_list(products),
        score=score.fused,
        cosine=score.cosine,
        confidence=score.confidence,
    )


@lru_cache(maxsize=2_000)
def _read_list(content: str) -> tuple[str, ...]:
    return tuple(json.loads(content))


def article_url(slug: str, anchor: str = "") -> str:
    """Return the address of an article's page in the help centre, or of a heading on it."""
    return f"/help/{slug}#{anchor}" if anchor else f"/help/{slug}"
