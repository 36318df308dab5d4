"""Reading what webhooks carry: JSON that promises nothing."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from opsbot.connectors.values import (
    UNKNOWN_COUNTRY,
    read_country,
    read_moment,
    read_money,
    read_optional,
)
from opsbot.errors import InvalidInputError

Json = Mapping[str, Any]


def parse(body: bytes) -> Json:
    """Return the object that a body holds.

    Raises:
        InvalidInputError: it is not JSON, or not an object.
    """
    try:
        found = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The body is not JSON.") from error
    if not isinstance(found, dict):
        raise InvalidInputError("The body is not a JSON object.")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def text_of(data: Json, name: str) -> str:
    """Return a text or number as text; empty when there is none.

    Raises:
        InvalidInputError: it is text that no database can keep.
    """
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if "\0" in text or (not text.isascii() and _has_surrogate(text)):
        raise InvalidInputError(f"Its {name} is not valid text.")
    return text


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def need(data: Json, name: str) -> str:
    """Return a text that must be there.

    Raises:
        InvalidInputError: it is not.
    """
    value = text_of(data, name)
    if not value:
        raise InvalidInputError(f"It has no {name}.")
    return value


def part_of(data: Json, name: str) -> Json:
    """Return an object inside; an empty one when there is none."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def list_of(data: Json, name: str) -> list[Json]:
    """Return a list of objects inside; an empty one when there is none."""
    value = data.get(name)
    found: Sequence[Any] = value if isinstance(value, list) else ()
    return [one for one in found if isinstance(one, dict)]


def money_of(data: Json, name: str, currency: str) -> int:
    """Return an amount in minor units; 0 when there is none."""
    return read_money(text_of(data, name) or "0", currency, decimal=".")


def moment_of(data: Json, name: str) -> datetime | None:
    """Return a moment, in UTC when it has no offset; None when there is none."""
    text = text_of(data, name)
    return read_moment(text, "UTC") if text else None


def need_moment(data: Json, *names: str) -> datetime:
    """Return the first of these moments that is there.

    Raises:
        InvalidInputError: there is none.
    """
    for name in names:
        if (moment := moment_of(data, name)) is not None:
            return moment
    raise InvalidInputError(f"It has no {names[0]}.")


def address_of(data: Json, names: Mapping[str, str]) -> dict[str, str | None]:
    """Return an address in our words.

    Args:
        data: the source's address.
        names: our parts to the source's.
    """
    parts = {
        ours: read_optional(text_of(data, theirs), f"The {ours.replace('_', ' ')}")
        for ours, theirs in names.items()
    }
    return parts | {"country": read_country(parts.get("country") or UNKNOWN_COUNTRY)}
