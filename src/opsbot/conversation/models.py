"""What a conversation keeps: messages, tool calls, and the events a client may ask for again."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base
from opsbot.toolkit.caller import Audience


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ASSISTANT = "assistant"


class TurnState(StrEnum):
    """Whether a message has been answered."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Conversation(Base):
    """One matter with one person, over one channel."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Opaque and random."""
    audience: Mapped[Audience]
    channel: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    """Who may read it: `customer:12`, `staff:3`, `visitor:<hash>`."""
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """Known from a token, a proof or a code."""
    level: Mapped[int] = mapped_column(default=0)
    """Highest identity level proved in this conversation; a fresh code counts until it ends."""
    proved_order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    fresh_until: Mapped[datetime | None]
    """Until when a one-time code counts as fresh."""
    last_event: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Message(Base):
    """One message of a person, or one reply."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("owner", "client_id"),
        Index("ix_messages_conversation_sent", "conversation_id", "sent_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    position: Mapped[int]
    """Order within the conversation, from 1."""
    author: Mapped[Author]
    text: Mapped[str]
    sent_at: Mapped[datetime]
    owner: Mapped[str | None]
    client_id: Mapped[str | None]
    """The sender's own id of the message; sending it again returns the first answer."""
    caller: Mapped[dict[str, Any] | None]
    """Who sent it, so that an interrupted turn can be run again."""
    event_before: Mapped[int] = mapped_column(default=0)
    """Number of the conversation's last event when the message came."""
    turn: Mapped[TurnState | None]
    attempt: Mapped[int] = mapped_column(default=0)
    """Raised by each run of the turn; an older run may not write any more."""
    in_reply_to: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), unique=True)
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of a reply: citations, cards, table, chart, proposal, quick_replies."""
    frame: Mapped[dict[str, Any] | None]
    """What the embedded model carries from turn to turn."""
    trace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of a reply: model, index and policy version, milliseconds, dropped sentences."""


class TurnInputs(Base):
    """What a reply was made from, beside the conversation: with it the turn can be replayed."""

    __tablename__ = "turn_inputs"

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    """The reply."""
    at: Mapped[datetime]
    """The time it was in the turn."""
    caller: Mapped[dict[str, Any]]
    """Who was asking, with what they had proved before."""
    answers: Mapped[list[dict[str, Any]]]
    """What the turn asked of the shop and was told, in order; see `conversation.access`."""
    written: Mapped[list[dict[str, Any]]]
    """Messages of a language model from outside; the embedded one is asked again."""


class ToolCall(Base):
    """One call of one tool in one turn."""

    __tablename__ = "tool_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    """The message whose turn it belongs to."""
    attempt: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    outcome: Mapped[dict[str, Any]]
    """What the model was told."""
    error: Mapped[str | None]
    """Code of the error, if it failed."""
    milliseconds: Mapped[int]


class Event(Base):
    """One event of a conversation's stream; a client that lost the line asks for the rest."""

    __tablename__ = "events"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
