"""What a channel gets back to render."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from opsbot.conversation.models import Message
from opsbot.conversation.proof.quotes import Proof
from opsbot.retrieval.hits import Hit
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Card, Chart, Result, Table


@dataclass(frozen=True)
class Reply:
    """One answer, whole."""

    conversation_id: str
    message_id: str
    text: str
    citations: Sequence[Mapping[str, Any]]
    """`n`, `title`, `heading`, `url`, `quote`, `article` each."""
    cards: Sequence[Mapping[str, Any]]
    table: Mapping[str, Any] | None
    chart: Mapping[str, Any] | None
    """A `Chart` as plain values; the channel draws it over the table."""
    proposal: Mapping[str, Any] | None
    quick_replies: Sequence[str]
    proofs: Sequence[Mapping[str, Any]] = ()
    """Of each sentence that rests on an article: `text_start`, `text_end` into the text, `article`,
    `version`, `start`, `end` into that version's text, `quote`, `language`."""


@dataclass
class Body:
    """What a reply carries beside its text, collected while the turn runs."""

    hits: list[Hit] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    table: Table | None = None
    chart: Chart | None = None
    preview: Preview | None = None
    quick_replies: list[str] = field(default_factory=list)

    def take(self, result: Result) -> None:
        """Add what one tool found. The last table wins, with its own chart."""
        self.hits.extend(result.hits)
        self.cards.extend(result.cards)
        if result.table is not None:
            self.table, self.chart = result.table, result.chart
        self.quick_replies = list(result.quick_replies) or self.quick_replies

    def stored(
        self, citations: Sequence[Mapping[str, Any]], proofs: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Return it as plain values, as the message row keeps it."""
        return {
            "citations": [dict(citation) for citation in citations],
            "proofs": [dict(proof) for proof in proofs],
            "cards": [asdict(card) for card in self.cards],
            "table": asdict(self.table) if self.table else None,
            "chart": asdict(self.chart) if self.chart else None,
            "proposal": describe_preview(self.preview) if self.preview else None,
            "quick_replies": self.quick_replies,
        }


def describe_preview(preview: Preview) -> dict[str, Any]:
    """Return a preview as the plain values a page draws."""
    return {
        "proposal_id": preview.id,
        "title": preview.title,
        "details": list(preview.details),
        "button": preview.button,
        "expires_at": preview.expires_at.isoformat(),
        "state": str(preview.state),
        "clause": asdict(preview.clause) if preview.clause else None,
        "approval": asdict(preview.approval) if preview.approval else None,
        "can_undo": preview.can_undo,
    }


def describe_hit(number: int, hit: Hit) -> dict[str, Any]:
    """Return a passage as the plain values of a citation."""
    return {
        "n": number,
        "title": hit.title,
        "heading": hit.heading,
        "url": hit.url,
        "quote": hit.text,
        "article": hit.path,
    }


def describe_proof(start: int, sentence: str, proof: Proof) -> dict[str, Any]:
    """Return what the sentence at `start` of a reply rests on, as plain values."""
    return {"text_start": start, "text_end": start + len(sentence), **asdict(proof)}


def read_proofs(body: Mapping[str, Any]) -> list[tuple[int, int, Proof]]:
    """Return the proofs that a message's body holds, each with its sentence's place in the text."""
    return [
        (
            proof["text_start"],
            proof["text_end"],
            Proof(**{k: v for k, v in proof.items() if not k.startswith("text_")}),
        )
        for proof in body.get("proofs", ())
    ]


def read_reply(message: Message) -> Reply:
    """Return the reply a stored message holds."""
    body = message.body
    return Reply(
        conversation_id=message.conversation_id,
        message_id=message.id,
        text=message.text,
        citations=body.get("citations", []),
        cards=body.get("cards", []),
        table=body.get("table"),
        chart=body.get("chart"),
        proposal=body.get("proposal"),
        quick_replies=body.get("quick_replies", []),
        proofs=body.get("proofs", []),
    )
