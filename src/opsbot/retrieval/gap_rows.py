"""What is kept of questions that no article answers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base
from opsbot.retrieval.models import Audience


class GapState(StrEnum):
    """open → answered or dismissed; an answered gap that is asked in vain again is open again."""

    OPEN = "open"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


class GapRow(Base):
    """Questions of one meaning that the articles did not answer."""

    __tablename__ = "gaps"
    __table_args__ = (
        Index("ix_gaps_audience_language", "audience", "language"),
        Index("ix_gaps_state_last_seen", "state", "last_seen"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    """The words that were asked first, without personal data."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the question: little-endian float32 of length 1."""
    model_key: Mapped[str]
    """Which encoder made the vector."""
    language: Mapped[str]
    audience: Mapped[Audience]
    """Who asked: customers (public) or staff, whose questions also search the staff's articles."""
    count: Mapped[int]
    """How often it was asked in vain."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    state: Mapped[GapState] = mapped_column(default=GapState.OPEN)
    examples: Mapped[list[str]]
    """A few of the ways it was put, the last ones, without personal data."""
    index_version: Mapped[int]
    """The index that had no answer when it was last asked."""
    decided_by: Mapped[str] = mapped_column(default="")
    """`staff:3`, or `articles` when a later ingest answered it; empty while it is open."""
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
