"""What Shopify's webhooks tell of returns that are handled there, in our words.

Each topic tells a part: who asks for what, that it was let go ahead, what was taken out of it, how
it ended. Kept together and put in the order in which they happened, they tell how it stands; so
they may come twice and in any order.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from opsbot.commerce.returns import ReturnReason
from opsbot.connectors.payloads import Json, list_of, need, part_of, text_of
from opsbot.connectors.values import read_count, read_optional
from opsbot.errors import InvalidInputError

_GID = re.compile(r"gid://shopify/\w+/(\d+)\Z", re.ASCII)


class Standing(StrEnum):
    """How a return stands at its source."""

    REQUESTED = "requested"
    OPEN = "open"
    DECLINED = "declined"
    CANCELED = "canceled"
    CLOSED = "closed"


PROCESSED = "returns/process"
"""The shop has looked at what came, and dealt with it: by a refund, or by other goods."""
TOPICS: Mapping[str, Standing | None] = {
    "returns/request": Standing.REQUESTED,
    "returns/approve": Standing.OPEN,
    "returns/reopen": Standing.OPEN,
    "returns/decline": Standing.DECLINED,
    "returns/cancel": Standing.CANCELED,
    "returns/close": Standing.CLOSED,
    "returns/update": None,
    PROCESSED: None,
}
"""What each topic says of a return whose own words do not; None: nothing."""
_STEPS: Mapping[Standing | None, int] = {step: place for place, step in enumerate(Standing)}
_REASONS: Mapping[str, ReturnReason] = {
    "color": ReturnReason.SIZE_OR_STYLE,
    "style": ReturnReason.SIZE_OR_STYLE,
    "size_too_large": ReturnReason.SIZE_OR_STYLE,
    "size_too_small": ReturnReason.SIZE_OR_STYLE,
    "defective": ReturnReason.DEFECTIVE,
    "not_as_described": ReturnReason.NOT_AS_DESCRIBED,
    "unwanted": ReturnReason.CHANGED_MIND,
    "wrong_item": ReturnReason.WRONG_ITEM,
}


@dataclass(frozen=True)
class Asked:
    """Units of one line of the order that are to come back."""

    line_id: str
    """The source's id of the order's line."""
    quantity: int
    reason: str | None = None


@dataclass(frozen=True)
class ReturnReport:
    """What one delivery says of a return."""

    at: datetime
    """When it happened."""
    standing: Standing | None
    listed: Mapping[str, Asked] | None = None
    """All of it, by the source's ids of the return's lines; None: it does not list them."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """Units that were taken out."""
    note: str = ""
    """Why it was declined."""
    processed: bool = False
    """The shop has dealt with what came of it."""


@dataclass(frozen=True)
class Reported:
    """How a return stands after all that was told of it."""

    standing: Standing | None = None
    units: tuple[Asked, ...] = ()
    note: str = ""
    processed: bool = False


def id_of_return(data: Json) -> str:
    """Return the source's id of the return that a delivery is about.

    Raises:
        InvalidInputError: it names none.
    """
    return text_of(data, "id") or _id_in(data)


def order_of_return(data: Json) -> str:
    """Return the source's id of the order, or nothing where only the return is named."""
    return text_of(part_of(data, "order"), "id") or text_of(data, "order_id")


def read_report(topic: str, data: Json, *, at: datetime) -> ReturnReport:
    """Return what a delivery of `returns/*` says.

    Args:
        topic: one of `TOPICS`.
        data: what it carries.
        at: when it happened.

    Raises:
        InvalidInputError: it lacks a part; the text says which.
    """
    word = text_of(data, "status").lower()
    standing = Standing(word) if word in set(Standing) else TOPICS[topic]
    listed: dict[str, Asked] | None = None
    # What was processed tells how much of each line, and not which lines there are.
    if isinstance(data.get("return_line_items"), list) and topic != PROCESSED:
        listed = {need(one, "id"): _asked(one) for one in list_of(data, "return_line_items")}
    removals = list_of(part_of(data, "return_line_items"), "removals")
    decline = part_of(data, "decline")
    words = text_of(decline, "note") or text_of(decline, "reason").replace("_", " ").lower()
    return ReturnReport(
        at=at,
        standing=standing,
        listed=listed,
        removed={_id_in(one): read_count(need(one, "delta").lstrip("-")) for one in removals},
        note=read_optional(words, "The note") or "",
        processed=topic == PROCESSED,
    )


def _asked(one: Json) -> Asked:
    line = part_of(part_of(one, "fulfillment_line_item"), "line_item")
    reason = _REASONS.get(text_of(one, "return_reason").lower())
    return Asked(need(line, "id"), read_count(need(one, "quantity")), reason)


def _id_in(data: Json) -> str:
    found = _GID.match(text_of(data, "admin_graphql_api_id"))
    if found is None:
        raise InvalidInputError("It does not say which return it is about.")
    return found[1]


def fold(reports: Iterable[ReturnReport]) -> Reported:
    """Return how a return stands after reports that came in any order, and perhaps twice."""
    standing, note, listed_at = None, "", None
    listed: Mapping[str, Asked] = {}
    known = sorted(reports, key=lambda one: (one.at, _STEPS.get(one.standing, -1)))
    for one in known:
        standing = one.standing or standing
        note = one.note or note
        if one.listed is not None:
            listed, listed_at = one.listed, one.at
    left = {key: asked.quantity for key, asked in listed.items()}
    for one in known:
        for key, removed in one.removed.items():
            if key in left and (listed_at is None or one.at > listed_at):
                left[key] -= removed
    units = tuple(
        Asked(asked.line_id, left[key], asked.reason)
        for key, asked in listed.items()
        if left[key] > 0
    )
    return Reported(standing, units, note, any(one.processed for one in known))


def dump_report(report: ReturnReport) -> dict[str, Any]:
    """Return a report as plain values."""
    return asdict(report) | {"at": report.at.isoformat()}


def load_report(values: Mapping[str, Any]) -> ReturnReport:
    """Return the report that `dump_report` kept."""
    listed = values["listed"]
    return ReturnReport(
        at=datetime.fromisoformat(values["at"]),
        standing=Standing(values["standing"]) if values["standing"] else None,
        listed=None if listed is None else {key: Asked(**one) for key, one in listed.items()},
        removed=values["removed"],
        note=values["note"],
        processed=values.get("processed", False),
    )
