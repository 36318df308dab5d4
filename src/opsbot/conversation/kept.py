"""Answers of the shop as they are kept with a turn, so that it can be replayed."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from opsbot.conversation.warrant import Past
from opsbot.errors import NotVerifiedError, OpsbotError
from opsbot.retrieval.hits import Hit
from opsbot.toolkit.proposals import Confirmation, Preview
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import show_error

Kept = dict[str, Any]
"""Plain values, as JSON holds them."""


class KeptError(OpsbotError):
    """An error that a tool ended with then."""

    def __init__(self, code: str, text: str, details: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.code = code
        self._details = dict(details)

    def details(self) -> dict[str, Any]:
        """Return what was told beside code and text."""
        return self._details


def dump_outcome(outcome: Result | Preview) -> Kept:
    """Return what a tool found, or what it would change."""
    if isinstance(outcome, Result):
        return {"result": _results().dump_python(outcome, mode="json")}
    return {"preview": dump_preview(outcome)}


def load_outcome(kept: Kept) -> Result | Preview:
    """Return what `dump_outcome` kept."""
    if "result" in kept:
        return _results().validate_python(kept["result"])
    return load_preview(kept["preview"])


def dump_preview(preview: Preview) -> Kept:
    """Return a preview as plain values."""
    plain: Kept = _previews().dump_python(preview, mode="json")
    return plain


def load_preview(kept: Kept) -> Preview:
    """Return what `dump_preview` kept."""
    return _previews().validate_python(kept)


def dump_confirmation(confirmation: Confirmation) -> Kept:
    """Return what came of a yes as plain values."""
    plain: Kept = _confirmations().dump_python(confirmation, mode="json")
    return plain


def load_confirmation(kept: Kept) -> Confirmation:
    """Return what `dump_confirmation` kept."""
    return _confirmations().validate_python(kept)


def dump_hits(hits: list[Hit]) -> list[Any]:
    """Return passages as plain values."""
    return [list(hit) for hit in hits]


def load_hits(kept: list[Any]) -> list[Hit]:
    """Return what `dump_hits` kept."""
    return _hits().validate_python(kept)


def dump_error(error: OpsbotError) -> Kept:
    """Return an error as plain values."""
    return show_error(error)


def load_error(kept: Kept) -> OpsbotError:
    """Return what `dump_error` kept."""
    details = {key: value for key, value in kept.items() if key not in {"code", "text"}}
    if kept["code"] == NotVerifiedError.code:
        return NotVerifiedError(kept["text"], level=details["level"])
    return KeptError(kept["code"], kept["text"], details)


def dump_past(past: Past) -> Kept:
    """Return what happened before as plain values."""
    plain: Kept = _pasts().dump_python(past, mode="json")
    return plain


def load_past(kept: Kept) -> Past:
    """Return what `dump_past` kept."""
    return _pasts().validate_python(kept)


@lru_cache(maxsize=1)
def _pasts() -> TypeAdapter[Past]:
    return TypeAdapter(Past)


@lru_cache(maxsize=1)
def _results() -> TypeAdapter[Result]:
    return TypeAdapter(Result)


@lru_cache(maxsize=1)
def _previews() -> TypeAdapter[Preview]:
    return TypeAdapter(Preview)


@lru_cache(maxsize=1)
def _confirmations() -> TypeAdapter[Confirmation]:
    return TypeAdapter(Confirmation)


@lru_cache(maxsize=1)
def _hits() -> TypeAdapter[list[Hit]]:
    return TypeAdapter(list[Hit])
