"""What a tool is: one typed function, and everything that follows from its declaration."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeVar,
    get_type_hints,
)
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from sqlalchemy.orm import Session

from opsbot.errors import InvalidInputError
from opsbot.formats import format_day, format_moment, format_money
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.argument_errors import in_words
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.results import Change, Result

if TYPE_CHECKING:
    from opsbot.toolkit.policy import Policies

P = ParamSpec("P")
R = TypeVar("R", Result, Change)

Effect = Literal["read", "write"]
Role = Literal["", "knowledge", "handoff", "proof", "list"]
"""What a tool is to the assistant: the search over articles, the way to a person, the proof of an
order, the list of the caller's own records. Most are none of these."""


@dataclass(frozen=True)
class ToolContext:
    """What a tool is given and the model never sees or chooses."""

    session: Session
    caller: Caller
    now: datetime
    settings: Settings
    knowledge: Knowledge
    policies: "Policies"
    conversation_id: str | None = None
    question: str = ""
    """The caller's own words in this turn."""
    context: str = ""
    """The last answer and question, for searching."""

    def money(self, minor: int, currency: str) -> str:
        """Return an amount of minor units as words."""
        return format_money(minor, currency, locale=self.caller.locale)

    @property
    def today(self) -> date:
        """The day it is in the shop's time zone."""
        return self.local_day(self.now)

    def local_day(self, moment: datetime) -> date:
        """Return the day of a moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.settings.time_zone)).date()

    def day(self, moment: datetime | date) -> str:
        """Return a day as words; of a moment, the day in the shop's time zone."""
        return format_day(moment, zone=self.settings.time_zone, locale=self.caller.locale)

    def moment(self, moment: datetime) -> str:
        """Return a day and time in the shop's time zone as words."""
        return format_moment(moment, zone=self.settings.time_zone, locale=self.caller.locale)


@dataclass(frozen=True)
class Tool(Generic[P, R]):
    """A function the model may call."""

    function: Callable[Concatenate[ToolContext, P], R]
    audience: Audience
    effect: Effect
    level: Level
    """The identity level a customer needs."""
    roles: frozenset[str]
    """Staff need one of these; empty: any staff."""
    examples: Sequence[str]
    """Questions this tool answers, as people ask them."""
    label: str
    """What the page shows while it runs: "Looking up the order"."""
    pii: bool = field(default=False)
    """Whether the result holds personal data; such reads are audited."""
    role: Role = ""

    def __call__(self, ctx: ToolContext, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; in Python a tool is still only that."""
        return self.function(ctx, *args, **kwargs)

    @property
    def name(self) -> str:
        """The name the model calls it by."""
        return self.function.__name__

    @cached_property
    def description(self) -> str:
        """What the model reads before choosing it."""
        return inspect.getdoc(self.function) or ""

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The arguments the model fills in: everything but the context."""
        _context, *parameters = inspect.signature(self.function).parameters.values()
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {
            p.name: (hints[p.name], ... if p.default is p.empty else p.default) for p in parameters
        }
        config = ConfigDict(extra="forbid", str_strip_whitespace=True)
        return create_model(self.name, __config__=config, **fields)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The declaration as JSON, in the shape LangChain binds, with our own keys added.

        Beside name, description and parameters, `x-tool` holds examples, effect and label, and
        each parameter its `x-argument` (see `opsbot.toolkit.arguments`).
        """
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": parameters,
                "x-tool": {
                    "examples": list(self.examples),
                    "effect": self.effect,
                    "level": int(self.level),
                    "label": self.label,
                    "role": self.role,
                },
            },
        }

    def offered_to(self, caller: Caller) -> bool:
        """Tell whether a caller may know of this tool. Its level is checked when it runs."""
        if self.audience is not caller.audience:
            return False
        return not (caller.is_staff and self.roles and not self.roles & caller.roles)

    def check(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Check what a model filled in.

        Returns:
            The arguments, converted to their types.

        Raises:
            InvalidInputError: they do not fit; the text tells a person which, and why.
        """
        _refuse_no_text(arguments)
        try:
            return dict(self.arguments.model_validate(arguments))
        except ValidationError as error:
            raise InvalidInputError(in_words(error)) from error


def tool(
    *,
    examples: Sequence[str],
    label: str,
    audience: Audience = Audience.CUSTOMER,
    effect: Effect = "read",
    level: Level = Level.ANONYMOUS,
    roles: Sequence[str] = (),
    pii: bool = False,
    role: Role = "",
) -> Callable[[Callable[Concatenate[ToolContext, P], R]], Tool[P, R]]:
    """Mark a function in tools/ as one the model may call.

    Args:
        examples: at least five questions people ask for it, in their own words.
        label: what the page shows while it runs.
        audience: customers or staff.
        effect: "write" if it changes anything; it then returns a `Change`.
        level: the identity level a customer needs.
        roles: staff need one of these.
        pii: the result holds personal data.
        role: what the tool is to the assistant, if it is something special.
    """

    def wrap(function: Callable[Concatenate[ToolContext, P], R]) -> Tool[P, R]:
        return Tool(
            function, audience, effect, level, frozenset(roles), tuple(examples), label, pii, role
        )

    return wrap


def _refuse_no_text(value: object) -> None:
    """Refuse what no database keeps as text: NUL and lone surrogates."""
    if isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            _refuse_no_text(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_no_text(part)
    elif isinstance(value, str) and (
        "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
    ):
        raise InvalidInputError("I could not read that: it has characters in it that are no text.")
