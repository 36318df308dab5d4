"""What is kept of the articles: their text, their passages, and the state of the index.

These rows are the truth. Chroma and the word index are caches that are built from them.
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
    """Whether the file of an article could be read."""

    READABLE = "readable"
    UNREADABLE = "unreadable"


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
    """Why the file cannot be read, as one sentence; empty when it can."""
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
    updated_on: Mapped[date | None] = mapped_column(Date, default=None)
    text: Mapped[str] = mapped_column(Text, default="")
    """The normalised Markdown that offsets refer to."""
    headings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Its headings in order: `level`, `text`, `anchor`, `start` (offset into the text)."""
    ingested_at: Mapped[datetime]


class PassageRow(Base):
    """A piece of an article that can answer a question by itself."""

    __tablename__ = "passages"

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
    content_hash: Mapped[str] = mapped_column(index=True)
    """SHA-256 of title, headings and text: equal means equal vectors."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """The text's vector: little-endian float32 of length 1."""
    title_vector: Mapped[bytes] = mapped_column(LargeBinary)
    """The vector of title and headings, in the same form."""


class IndexState(Base):
    """The one row that tells every process which index it should have."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    """Raised in the same transaction as every change of the passages."""
    model_key: Mapped[str]
    """Which encoder made the vectors."""
    threshold: Mapped[float | None]
    """Confidence below which nothing fits; unset until the first calibration."""
