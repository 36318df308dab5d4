"""What is kept of the articles: their text, their passages, and the state of the index.

These rows are the truth. Chroma and what a process holds in memory follow from them.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base


class Audience(StrEnum):
    """Who may read an article."""

    PUBLIC = "public"
    STAFF = "staff"


class ArticleStatus(StrEnum):
    """Whether an article may be read."""

    READABLE = "readable"
    UNREADABLE = "unreadable"
    DELETED = "deleted"
    """Its file is gone. The row stays, so that what was once quoted can still be checked."""


LAST_GOOD = "Its last good version is used until it is mended."
"""How the reason of an article ends whose file is broken, and which can still be read."""


class ArticleRow(Base):
    """One file of the knowledge folder."""

    __tablename__ = "articles"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(unique=True)
    """Relative to the knowledge folder, with forward slashes: `manuals/halo.md`."""
    slug: Mapped[str] = mapped_column(index=True)
    """Its name in addresses: `/help/SLUG`."""
    status: Mapped[ArticleStatus]
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why the file, or some of it, cannot be read, in sentences; empty when all of it can."""
    version: Mapped[int] = mapped_column(default=0)
    """Raised when title, text or audience change; 0: it never could be read."""
    title: Mapped[str] = mapped_column(default="")
    audience: Mapped[Audience] = mapped_column(default=Audience.STAFF)
    language: Mapped[str] = mapped_column(default="en")
    products: Mapped[list[str]] = mapped_column(default=list)
    """Item numbers the article is about; empty: about all, or none."""
    safety: Mapped[bool] = mapped_column(default=False)
    format: Mapped[str] = mapped_column(default="")
    """Suffix of the file without its dot."""
    content_hash: Mapped[str]
    """SHA-256 of the file, its sidecar and the reader's version: equal means unchanged."""
    stamp: Mapped[str] = mapped_column(default="")
    """Sizes and times of change of the file and its sidecar, to tell without reading them."""
    updated_on: Mapped[date | None] = mapped_column(Date, default=None)
    text: Mapped[str] = mapped_column(Text, default="")
    """The normalised Markdown that offsets refer to."""
    headings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Its headings in order: `level`, `text`, `anchor`, `start` (offset into the text)."""
    ingested_at: Mapped[datetime]


class ArticleVersionRow(Base):
    """The text an article had at one time: what a quote of that time is checked against."""

    __tablename__ = "article_versions"

    article_id: Mapped[int] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    audience: Mapped[Audience]
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str]
    """SHA-256 of the text."""
    made_at: Mapped[datetime]


class PassageRow(Base):
    """A piece of an article that can answer a question by itself."""

    __tablename__ = "passages"
    # Without it SQLite would give the id of a deleted passage to another one.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    ordinal: Mapped[int]
    """Its place in the article, from 0."""
    headings: Mapped[list[str]]
    """Headings above it, outermost first, without the title."""
    anchor: Mapped[str]
    """Id of the nearest heading; empty above the first one."""
    text: Mapped[str] = mapped_column(Text)
    """What is searched and shown; a piece of a long table repeats the header row."""
    start: Mapped[int]
    end: Mapped[int]
    """Offsets of what it covers, into the article's text."""
    section_start: Mapped[int]
    section_end: Mapped[int]
    """Offsets of the body of the section it belongs to."""
    page: Mapped[int | None]
    """Page of the file it begins on, from 1; unset where there are no pages."""
    safety: Mapped[bool] = mapped_column(default=False)
    """It holds a warning, or its article is one that people's safety depends on."""
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    """Its stems and how often each occurs; see `packing.pack_terms`."""
    content_hash: Mapped[str] = mapped_column(index=True)
    """SHA-256 of title, headings and text: equal means equal vectors and terms."""


class VectorRow(Base):
    """The vectors of one content by one encoder. Those of several encoders stand side by side."""

    __tablename__ = "vectors"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    model_key: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the text; see `packing.pack_vector`."""
    title: Mapped[bytes] = mapped_column(LargeBinary)
    """Of title and headings."""
    pieces: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    """Of the text's word pieces one by one; see `late.pack_states`."""


class IndexChange(Base):
    """A passage that came or went: what the caches follow, without reading all rows again."""

    __tablename__ = "index_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(index=True)
    """The version of the index that it came about with."""
    passage_id: Mapped[int]
    content_hash: Mapped[str]
    added: Mapped[bool]


class IndexState(Base):
    """The one row that tells every process which index it should have."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    index_id: Mapped[str] = mapped_column(default="")
    """Tells this index from others on the same Chroma server."""
    version: Mapped[int]
    """Raised in the same transaction as every change of the passages."""
    followed_from: Mapped[int] = mapped_column(default=0)
    """The oldest version that the changes still lead on from."""
    model_key: Mapped[str]
    """Which encoder made the vectors that are searched."""
    terms_key: Mapped[str] = mapped_column(default="")
    """Which analysis made the terms."""
    threshold: Mapped[float | None]
    """Confidence below which nothing fits; unset until the first calibration."""
    calibration: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the calibration found besides."""
