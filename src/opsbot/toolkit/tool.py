"""What a tool is: one typed function, and everything that follows from its declaration."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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

from opsbot.errors import CODES, InvalidInputError
from opsbot.formats import format_day, format_moment, format_money
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.argument_errors import field_of, in_words, refuse_no_text
from opsbot.toolkit.arguments import KEY
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.limits import Limit, read_limit
from opsbot.toolkit.results import Change, Result

if TYPE_CHECKING:
    from opsbot.toolkit.policy import Policies

P = ParamSpec("P")
R = TypeVar("R", Result, Change)

Effect = Literal["read", "write", "irreversible"]
"""`write` can be undone in opsbot; `irreversible` cannot: money, a carrier, a supplier."""
Confirm = Literal["none", "self", "second_person"]
"""Whether a person must confirm what the tool would do, and whether a colleague must agree too."""
Pii = Literal["none", "masked", "full"]
"""Personal data in the result: none, without names and streets, or all of it. Such reads are
audited."""
Role = Literal["", "knowledge", "handoff", "proof", "list", "danger"]
"""What a tool is to the assistant: the search over articles, the way to a person, the proof of an
order, the list of the caller's own records, what answers reports of danger. Most are none."""

CUSTOMERS_CHANGES = ("30/hour", "100/day")
"""How often a customer may ask for one kind of change, where its tool does not say."""
_PROGRAMS = frozenset({"api", "mcp"})
"""Channels without a conversation."""
_PLAIN = frozenset({
    "address", "choice", "code", "condition", "email", "number", "period", "postcode", "quantity",
    "reason", "resolution", "service_level", "span", "text",
})  # fmt: skip
"""Kinds of arguments that name no record; what names one may not be found, or not be clear."""


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
    pii: Pii = "none"
    role: Role = ""
    confirm: Confirm = "none"
    limits: Sequence[Limit] = ()
    """How often one caller may use it, beside the limit for all tools together."""
    errors: frozenset[str] = frozenset()
    """Codes it may end with, beside those that follow from the declaration."""
    grants: Level = Level.ORDER
    """Of a proof: the level it raises a caller to."""
    follow_ups: Sequence[str] = ()
    """What people say to go on with it, right after it was used."""

    def __call__(self, ctx: ToolContext, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; in Python a tool is still only that."""
        return self.function(ctx, *args, **kwargs)

    @property
    def name(self) -> str:
        """The name the model calls it by."""
        return self.function.__name__

    @property
    def writes(self) -> bool:
        """Whether it changes anything: it then makes a proposal."""
        return self.effect != "read"

    @property
    def guards(self) -> bool:
        """Whether its limits protect something, and so must outlive a restart."""
        return self.writes or self.role == "proof"

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code of an error that it may end with: see `opsbot.errors.CODES`."""
        codes = self.errors | {"forbidden", "rate_limited", "unavailable"}
        if self.level:
            codes |= {"not_verified"}
        if self.arguments.model_fields:
            codes |= {"validation"}
        records = {str(extra.get("kind")) for extra in _described(self.arguments)} - _PLAIN
        if records:
            codes |= {"not_found"}
        if records - {"order_number"}:
            codes |= {"ambiguous"}
        if self.writes:
            codes |= {"invalid_state", "policy_denied", "stale", "conflict"}
        if self.confirm == "second_person":
            codes |= {"approval_required"}
        return codes

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
                    "confirm": self.confirm,
                    "label": self.label,
                    "role": self.role,
                    **({"grants": int(self.grants)} if self.role == "proof" else {}),
                    **({"follow_ups": list(self.follow_ups)} if self.follow_ups else {}),
                },
            },
        }

    def offered_to(self, caller: Caller) -> bool:
        """Tell whether a caller may know of this tool. Its level is checked when it runs."""
        if self.audience is not caller.audience:
            return False
        if caller.channel in _PROGRAMS and self.role in {"proof", "handoff"}:
            return False  # they act on a conversation, and programs have none
        return not (caller.is_staff and self.roles and not self.roles & caller.roles)

    def check(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Check what a model filled in.

        Returns:
            The arguments, converted to their types.

        Raises:
            InvalidInputError: they do not fit; the text tells a person which, and why.
        """
        refuse_no_text(arguments)
        try:
            return dict(self.arguments.model_validate(arguments))
        except ValidationError as error:
            raise InvalidInputError(in_words(error), field=field_of(error)) from error


def tool(
    *,
    examples: Sequence[str],
    label: str,
    audience: Audience = Audience.CUSTOMER,
    effect: Effect = "read",
    level: Level = Level.ANONYMOUS,
    roles: Sequence[str] = (),
    pii: Pii | bool = "none",
    role: Role = "",
    confirm: Confirm | None = None,
    limits: Sequence[str] = (),
    errors: Sequence[str] = (),
    grants: Level = Level.ORDER,
    follow_ups: Sequence[str] = (),
) -> Callable[[Callable[Concatenate[ToolContext, P], R]], Tool[P, R]]:
    """Mark a function in tools/ as one the model may call.

    Args:
        examples: at least five questions people ask for it, in their own words.
        label: what the page shows while it runs.
        audience: customers or staff.
        effect: "write" or "irreversible" if it changes anything; it then returns a `Change`.
        level: the identity level a customer needs.
        roles: staff need one of these.
        pii: whether the result holds personal data; true means "full".
        role: what the tool is to the assistant, if it is something special.
        confirm: left out, what changes something is confirmed by who asked for it; "none" does
            it at once, for what harms nobody: words that are kept, mails that are stopped.
        limits: how often one caller may use it, such as `("5/hour", "20/day")`. Left out, a
            customer's change has those of `CUSTOMERS_CHANGES`.
        errors: codes it may end with, beside those that follow from the declaration.
        grants: of a proof, the level it raises a caller to.
        follow_ups: what people say to go on with it; it means this tool only right after its use.

    Raises:
        InvalidInputError: the declaration contradicts itself; the text says how.
    """
    confirmed: Confirm = confirm or ("none" if effect == "read" else "self")
    if effect == "read" and confirmed != "none":
        raise InvalidInputError("A tool that changes nothing needs no confirmation.")
    if effect == "irreversible" and confirmed == "none":
        raise InvalidInputError("What cannot be undone must be confirmed.")
    if not limits and effect != "read" and audience is Audience.CUSTOMER:
        limits = CUSTOMERS_CHANGES
    if unknown := sorted(set(errors) - CODES.keys()):
        raise InvalidInputError(f"There is no error code {unknown[0]}.")

    def wrap(function: Callable[Concatenate[ToolContext, P], R]) -> Tool[P, R]:
        return Tool(
            function,
            audience,
            effect,
            level,
            frozenset(roles),
            tuple(examples),
            label,
            ("full" if pii else "none") if isinstance(pii, bool) else pii,
            role,
            confirmed,
            tuple(read_limit(limit) for limit in limits),
            frozenset(errors),
            grants,
            tuple(follow_ups),
        )

    return wrap


def _described(model: type[BaseModel]) -> list[Mapping[str, Any]]:
    """Return the `x-argument` of each argument, also of one that may be None."""
    fields = model.model_json_schema().get("properties", {}).values()
    shapes = [shape for field in fields for shape in (field, *field.get("anyOf", ()))]
    return [shape[KEY] for shape in shapes if isinstance(shape.get(KEY), dict)]
