"""What a search returns."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
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
    rows = {row.id: row for row in session.execute(_hits_query(), wanted)}
    return [_make_hit(rows[id_], score) for id_, score in scores.items() if id_ in rows]


@cache
def _hits_query() -> Select[Any]:
    # Made once: building it costs as much as running it.
    length = PassageRow.section_end - PassageRow.section_start
    section = func.substr(ArticleRow.text, PassageRow.section_start + 1, length).label("section")
    return (
        select(
            PassageRow.id,
            PassageRow.headings,
            PassageRow.anchor,
            PassageRow.text,
            PassageRow.start,
            PassageRow.end,
            PassageRow.section_start,
            section,
            PassageRow.page,
            PassageRow.safety,
            ArticleRow.path,
            ArticleRow.slug,
            ArticleRow.version,
            ArticleRow.title,
            ArticleRow.language,
            ArticleRow.products,
        )
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .where(
            PassageRow.id.in_(bindparam("ids", expanding=True)),
            ArticleRow.audience.in_(bindparam("audiences", expanding=True)),
            ArticleRow.status == ArticleStatus.READABLE,
        )
    )


def _make_hit(row: object, score: Score) -> Hit:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001  (public in SQLAlchemy)
    return Hit(
        passage_id=values.pop("id"),
        headings=tuple(values.pop("headings")),
        products=tuple(values.pop("products")),
        url=article_url(values["slug"], values["anchor"]),
        score=score.fused,
        cosine=score.cosine,
        confidence=score.confidence,
        **values,
    )


def article_url(slug: str, anchor: str = "") -> str:
    """Return the address of an article's page in the help centre, or of a heading on it."""
    return f"/help/{slug}#{anchor}" if anchor else f"/help/{slug}"
