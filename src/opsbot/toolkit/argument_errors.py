"""What is wrong with an argument, in words for the person who named it.

Pydantic words its errors for programmers; none of its text is passed on.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from opsbot.errors import InvalidInputError

_MOST_CHARACTERS = 40
"""Of a name that a model made up."""
_DEEPEST = 20
"""Lists and objects inside each other; no tool takes more than three."""

_WORDS: Mapping[str, str] = {
    "missing": "I still need {the}.",
    "extra_forbidden": "I have no use for {the}.",
    "string_too_long": "{The} is too long.",
    "string_too_short": "{The} is too short.",
    "too_long": "There are too many {name}.",
    "too_short": "I still need {the}.",
    "greater_than_equal": "{The} must be at least {ge}.",
    "greater_than": "{The} must be more than {gt}.",
    "less_than_equal": "{The} must be at most {le}.",
    "less_than": "{The} must be less than {lt}.",
    "int_parsing": "{The} must be a whole number.",
    "int_type": "{The} must be a whole number.",
    "int_from_float": "{The} must be a whole number.",
    "literal_error": "I do not know that {name}.",
    "enum": "I do not know that {name}.",
}
"""By pydantic's types of errors; limits come from the error's context."""


def in_words(error: ValidationError) -> str:
    """Return one sentence about the first thing that is wrong, naming the argument."""
    first = error.errors(include_url=False, include_input=False)[0]
    name, *inside = first["loc"] or ("arguments",)
    # A name that no tool has is a model's own: to its author it must read as it was written.
    spoken = str(name) if first["type"] == "extra_forbidden" else str(name).replace("_", " ")
    spoken = spoken[:_MOST_CHARACTERS]
    the = (
        f"one of the {spoken}" if any(isinstance(part, int) for part in inside) else f"the {spoken}"
    )
    limits: dict[str, Any] = first.get("ctx", {})
    template = _WORDS.get(first["type"], "I could not read {the}.")
    return template.format_map(
        {**limits, "the": the, "The": the[0].upper() + the[1:], "name": spoken}
    )


def field_of(error: ValidationError) -> str:
    """Return the argument that the first thing wrong is about."""
    first = error.errors(include_url=False, include_input=False)[0]
    return str((*first["loc"], "")[0])[:_MOST_CHARACTERS]


def refuse_no_text(value: object, *, depth: int = 0) -> None:
    """Refuse what no database keeps as text, NUL and lone surrogates, and what is nested deeply.

    Raises:
        InvalidInputError: there is some of it in a value or a key.
    """
    if depth > _DEEPEST:
        raise InvalidInputError("I could not read that: too many things are inside each other.")
    if isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            refuse_no_text(part, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            refuse_no_text(part, depth=depth + 1)
    elif isinstance(value, str) and (
        "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
    ):
        raise InvalidInputError("I could not read that: it has characters in it that are no text.")
