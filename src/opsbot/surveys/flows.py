"""What a survey asks, written in `web/surveys/*.yaml`.

The id of a flow's version is made from its content: an invitation keeps the version it was sent
with, so answers to two wordings are never mixed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from opsbot.errors import InvalidInputError
from opsbot.yamls import load_yaml

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = frozenset({"shop", "product", "order", "name", "link", "stop_link"})
"""What a text may name in braces. The links are for the mail's text alone."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Line = Annotated[str, Field(min_length=1, max_length=300)]


class QuestionKind(StrEnum):
    """How a question is answered."""

    NPS = "nps"
    """A whole number from 0 to 10."""
    CSAT = "csat"
    """A whole number from 1 to 5."""
    CES = "ces"
    """A whole number from 1 to 7."""
    TEXT = "text"

    @property
    def scale(self) -> range | None:
        """The numbers that can be chosen; None for words."""
        ranges = {self.NPS: range(11), self.CSAT: range(1, 6), self.CES: range(1, 8)}
        return ranges.get(self)

    def is_low(self, score: int) -> bool:
        """Tell whether somebody with this score should hear from a person."""
        lowest = {self.NPS: 6, self.CSAT: 2, self.CES: 3}
        return score <= lowest.get(self, -1)


class About(StrEnum):
    """What a survey is about, and what its feedback is filed under."""

    ORDER = "order"
    PRODUCT = "product"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Strict):
    """One question."""

    id: Word
    kind: QuestionKind
    text: Line
    help: str = Field(default="", max_length=300)
    required: bool = False
    low: str = Field(default="", max_length=60)
    """Words at the lower end of a scale."""
    high: str = Field(default="", max_length=60)
    max_length: int = Field(default=2_000, ge=1, le=5_000)
    """Most characters of a text."""


class Timing(_Strict):
    """When an invitation is due. All in days after the delivery of the order."""

    after_days: int = Field(ge=0, le=365)
    within_days: int = Field(ge=1, le=365)
    """So long it stays due; an older order is not asked about any more."""
    expires_days: int = Field(ge=1, le=90)
    """Days after the invitation in which it can be answered."""


class Invite(_Strict):
    """The mail that invites."""

    subject: Line
    text: str = Field(min_length=1, max_length=4_000)


class Flow(_Strict):
    """One survey."""

    id: Word
    title: Line
    language: str = Field(pattern=r"^[a-z]{2}$")
    about: About
    priority: int = Field(ge=0, le=100)
    """Of several that are due for one customer, the one with the highest is sent."""
    timing: Timing
    invite: Invite
    intro: str = Field(default="", max_length=600)
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=20)]
    thanks: Line

    @model_validator(mode="after")
    def _check(self) -> "Flow":
        ids = [question.id for question in self.questions]
        if len(set(ids)) != len(ids):
            raise ValueError("two questions have the same id")
        if self.questions[0].kind.scale is None:
            raise ValueError("the first question must be a nps, csat or ces question")
        unknown = sorted(set(_named_fields(self.model_dump(mode="json"))) - _FIELDS)
        if unknown:
            raise ValueError(f"{{{unknown[0]}}} is not known; use {', '.join(sorted(_FIELDS))}")
        for link in ("{link}", "{stop_link}"):
            if link not in self.invite.text:
                raise ValueError(f"invite.text must contain {link}")
        return self

    @cached_property
    def version(self) -> str:
        """The first characters of the hash of everything the flow says."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def lead(self) -> Question:
        """The question whose score the survey is known by."""
        return self.questions[0]


def load_flows(folder: Path) -> dict[str, Flow]:
    """Return the surveys of a folder by id; empty when there are none.

    Raises:
        InvalidInputError: a file is wrong; the text names the file and the field.
    """
    flows: dict[str, Flow] = {}
    for path in sorted(folder.glob("*.yaml")):
        flow = _load_flow(path)
        if flow.id != path.stem:
            raise InvalidInputError(f"{path.name}: id must be {path.stem}, like the file's name.")
        flows[flow.id] = flow
    return flows


def fill_fields(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of `{shop}`, `{product}` and the like; once, so none is re-read."""
    return _FIELD.sub(lambda match: values.get(match.group(1), match.group(0)), text)


def _load_flow(path: Path) -> Flow:
    try:
        return Flow.model_validate(load_yaml(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = f"{path.name}: {place}: {first['msg'].removeprefix('Value error, ')}."
        raise InvalidInputError(message) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise InvalidInputError(f"{path.name}: this is not YAML: {words}.") from error


def _named_fields(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _FIELD.findall(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _named_fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_fields(inner)
