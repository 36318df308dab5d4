"""What the file of one conversation says; `docs/evaluation.md` describes every key.

Values are read as they are written: `yes` and `1004` are words, nothing is taken for a truth value.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NOTHING = "nothing"
"""Of what must not be there: no source, no proposal, no tool."""
CONFIRM, CANCEL = "confirm", "cancel"
ANONYMOUS = "anonymous"
_STAFF = "staff "
_LENGTH = re.compile(r"(\d{1,4}) (second|minute|hour|day)s?")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_length(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _LENGTH.fullmatch(value.strip())
    if found is None:
        raise ValueError("write a length of time like `20 minutes` or `2 days`")
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _as_moment(value: object) -> object:
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ValueError("write a day and a time like `2026-11-20 12:00`") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_named(value: object) -> object:
    """Read `name` and `{name: {argument: value}}` as the same thing."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, Mapping) and len(value) == 1:
        [(name, arguments)] = value.items()
        return {"name": name, "arguments": arguments or {}}
    raise ValueError("write the name of a tool, or `name: {argument: value}`")


def _as_rows(value: object) -> object:
    return [value or {}] if isinstance(value, Mapping | str) else value


def _as_turn(value: object) -> object:
    return {"say": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=4_000)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WantedCall(_Strict):
    """A tool that must be called, with these arguments among its own."""

    name: str
    arguments: dict[str, Any] = {}


WantedCalls = Annotated[
    tuple[Annotated[WantedCall, BeforeValidator(_as_named)], ...], BeforeValidator(_as_list)
]


class Expected(_Strict):
    """What is expected of one reply, or of all replies together."""

    tools: WantedCalls = ()
    """Called, in this order; others may be called as well. `nothing`: no tool is."""
    tools_not: Texts = ()
    says: Texts = ()
    """All of them, in capitals or not."""
    says_any: Texts = ()
    """At least one of them."""
    says_not: Texts = ()
    sources: Texts = ()
    """Articles that are cited, by file or title, with `#heading` or without. `nothing`: none is."""
    proposes: str = ""
    """Words of the preview that is shown, or the tool that proposes. `nothing`: none is shown."""
    refuses: str = ""
    """The clause that forbids it, or the code of the error; nothing may be proposed."""
    hands_over: bool | None = None
    """Whether a person takes over."""


class Turn(Expected):
    """One message or press of a button, and what is expected of the reply."""

    after: Annotated[timedelta, BeforeValidator(_as_length)] = timedelta(seconds=20)
    """Time that goes by first."""
    say: str = Field(default="", max_length=32_000)
    """`{code}` stands for the one-time code that was mailed last."""
    press: str = ""
    """`confirm` or `cancel`: a preview's buttons; else the words of a quick reply."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> "Turn":
        if bool(self.say.strip()) == bool(self.press.strip()):
            raise ValueError("a turn needs `say` or `press`, and not both")
        return self


class Script(Expected):
    """One conversation. Expectations at this level are about all its replies together."""

    about: Text
    """What it shows, in one line."""
    speaker: str = ANONYMOUS
    """`anonymous`, a customer's e-mail address, or `staff` and an e-mail address."""
    as_of: Annotated[datetime | None, BeforeValidator(_as_moment)] = None
    """When it begins; None: the command's own time."""
    turns: Annotated[
        tuple[Annotated[Turn, BeforeValidator(_as_turn)], ...], Field(min_length=1, max_length=60)
    ]
    records: dict[str, Annotated[tuple[dict[str, Any], ...], BeforeValidator(_as_rows)]] = {}
    """How records are afterwards, and which are new. No other record may have changed."""

    @model_validator(mode="after")
    def _check(self) -> "Script":
        if self.speaker != ANONYMOUS and "@" not in self.speaker:
            raise ValueError("speaker is `anonymous`, an e-mail address, or `staff` and an address")
        return self

    @property
    def customer(self) -> str:
        """The e-mail address of the customer who speaks; empty: nobody we know, or staff."""
        known = self.speaker != ANONYMOUS and not self.speaker.startswith(_STAFF)
        return self.speaker if known else ""

    @property
    def staff(self) -> str:
        """The e-mail address of the member of staff who speaks; empty: a customer does."""
        return self.speaker.removeprefix(_STAFF) if self.speaker.startswith(_STAFF) else ""

    @property
    def expects_person(self) -> bool:
        """Whether a person is to take over, at some point or at all."""
        return any(part.hands_over for part in (self, *self.turns))
