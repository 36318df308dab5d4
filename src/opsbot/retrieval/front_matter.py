"""What an article's front matter or sidecar says about it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from opsbot.errors import InvalidInputError
from opsbot.retrieval.models import Audience

_AUDIENCE = re.compile(r"^\s*audience\s*:\s*['\"]?([^'\"\s#]*)", re.MULTILINE)
FENCE = "---"
LONGEST_FRONT_MATTER = 20_000
"""Characters; the parser of YAML is slow, and nobody has so much to say."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class FrontMatter(BaseModel):
    """Title, audience and the rest, as a person writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=200)
    audience: Audience
    product: Annotated[list[str], BeforeValidator(_listed)] = []
    model: str = Field(default="", max_length=60, pattern=r"^[^/]*$")
    """Of the product; empty: the article is for all of them."""
    revision: str = Field(default="", max_length=60, pattern=r"^[^/]*$")
    """Such as "SW 3.1"; empty: for all of them."""
    language: str = Field(default="", pattern=r"^(?:[a-z]{2}(-[A-Z]{2})?)?$")
    """Empty: it is told from the text."""
    updated: date | None = None
    safety: bool = False

    @property
    def scope(self) -> list[str]:
        """The item numbers it is about, each with the model and the revision behind a slash."""
        return [f"{key}/{self.model}/{self.revision}".rstrip("/") for key in self.product]


def split_front_matter(path: str, text: str) -> tuple[str, str] | None:
    """Part a Markdown file into its front matter and its body; None when it has none.

    Raises:
        InvalidInputError: its end is missing, or far away.
    """
    if text.partition("\n")[0].strip() != FENCE:
        return None
    lines = text[:LONGEST_FRONT_MATTER].split("\n")
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == FENCE:
            front = "\n".join(lines[1:number])
            return front, text[len(lines[0]) + len(front) + len(line) + 3 :]
    raise InvalidInputError(f"{path}: the front matter has no end; close it with a line {FENCE}.")


def is_broken_only_in_its_head(path: str, text: str, audience: str) -> bool:
    """Tell whether a Markdown file fails by its front matter alone, and was not meant for others.

    Whoever writes into the fields may break them for a moment; the text below them is not at
    fault. Only where what can be read of them names another audience, the old text must go.

    Args:
        path: of the file.
        text: of the file.
        audience: whom its last good version was for.
    """
    named = _AUDIENCE.search(text[:LONGEST_FRONT_MATTER])
    if named is not None and named[1] != audience:
        return False
    try:
        parts = split_front_matter(path, text)
        if parts is not None:
            read_front_matter(path, parts[0])
    except InvalidInputError:
        return True
    return False


def read_front_matter(path: str, text: str) -> FrontMatter:
    """Return the front matter written in YAML.

    Raises:
        InvalidInputError: it is not YAML, or a field is missing, unknown or wrong; the text names
            `path` and the field.
    """
    return make_front_matter(path, read_yaml_mapping(path, text))


def make_front_matter(path: str, fields: Mapping[str, object]) -> FrontMatter:
    """Return the front matter of these fields.

    Raises:
        InvalidInputError: a field is missing, unknown or wrong; the text names `path` and the
            field.
    """
    try:
        return FrontMatter.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"{path}: {_explain(name, first['type'], first['msg'])}") from error


def read_yaml_mapping(path: str, text: str) -> dict[str, Any]:
    """Return the names and values of a YAML text.

    Raises:
        InvalidInputError: it is not YAML, or not a mapping; the text names `path` and the line.
    """
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InvalidInputError(f"{path}: the YAML is broken{place}: {problem}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"{path}: the YAML holds a value nobody can read: {error}."
        ) from error
    if not isinstance(fields, dict):
        raise InvalidInputError(
            f"{path}: the YAML must be names and values, such as `title: Halo`."
        )
    return {str(name): value for name, value in fields.items()}


def _explain(name: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"the field `{name}` is missing."
    if kind == "extra_forbidden":
        known = ", ".join(FrontMatter.model_fields)
        return f"the field `{name}` is not known; the fields are {known}."
    return f"the field `{name}` is wrong: {message}."
