"""What the embedded model remembers between turns; it travels in its own messages."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from typing import Any

VERSION = 1
MOST_KNOWN = 6
MOST_OPTIONS = 60
MOST_LISTS = 6


@dataclass(frozen=True)
class Option:
    """One value a person may mean."""

    value: str
    words: str
    """How it reads, and what its description is matched with."""
    also: str = ""
    """More words that describe it and are not shown, such as its state."""
    not_for: tuple[str, ...] = ()
    """Tools it is of no use to."""
    traits: Mapping[str, str] = field(default_factory=dict)
    """What tells it from others of its kind: `{"size": "M"}`."""
    of: Mapping[str, str] = field(default_factory=dict)
    """The traits of the thing it would take the place of."""
    group: str = ""
    """The name of that thing."""
    worth: float = 0
    """What it costs; 0: unknown."""
    parts: tuple[tuple[str, float], ...] = ()
    """Names of the things in it, with what each costs."""


@dataclass
class Task:
    """One request on its way to a tool call."""

    tool: str
    text: str
    """The words that ask for it."""
    arguments: dict[str, Any] = field(default_factory=dict)
    condition: str = ""
    holds: bool = True
    """Whether the condition must be true."""
    asked: str = ""
    """Name of the argument a person was asked for."""
    tries: int = 0
    """How often the answer was of no use."""
    reminded: bool = False
    """Whether the question was come back to once already."""
    instead: str = ""
    """Words to say when this finds nothing."""
    about: list[str] = field(default_factory=list)
    """Stems one of which an answer must hold, when there are `instead` words."""
    soft: bool = False
    """The question need not be answered: something else may be said instead."""
    options: list[Option] = field(default_factory=list)
    """The choices that were shown."""
    lead: str = ""
    """Words to say before its question."""
    then: "Task | None" = None
    """What to go on with once this is done."""


@dataclass
class Frame:
    """Where a conversation stands."""

    open: Task | None = None
    """What waits for an answer."""
    waiting: list[Task] = field(default_factory=list)
    """What comes after that."""
    last: Task | None = None
    """What was done last; follow-ups and corrections refer to it."""
    shown: Task | None = None
    """The change that was shown last."""
    known: dict[str, list[str]] = field(default_factory=dict)
    """For each kind the values spoken of, latest first."""
    lists: dict[str, list[Option]] = field(default_factory=dict)
    """Possible values by list: see `list_key`."""
    stale: bool = False
    """Whether a change was proposed since the lists were read."""
    denied: list[str] = field(default_factory=list)
    """Tools whose lists this caller may not see."""
    offered: bool = False
    """Whether a person was offered and a yes means that."""
    question: str = ""
    """What was asked last, for the person who takes over."""
    interrupted: bool = False
    """Whether a look-up for what waits was stopped, so that a code could be asked for."""

    def remember(self, kind: str, values: Sequence[str]) -> None:
        """Note values that were spoken of, the latest first."""
        kept = [v for v in self.known.get(kind, ()) if v not in values]
        self.known[kind] = [*values, *kept][:MOST_KNOWN]

    def keep_list(self, key: str, options: Sequence[Option]) -> None:
        """Note the possible values of an argument; the oldest list goes."""
        self.lists.pop(key, None)
        self.lists[key] = list(options)[:MOST_OPTIONS]
        for old in list(self.lists)[:-MOST_LISTS]:
            del self.lists[old]

    def as_json(self) -> dict[str, Any]:
        """Return the frame as JSON can hold it."""
        return {"version": VERSION, **asdict(self)}


def read_frame(stored: Any) -> Frame:
    """Return a stored frame; a missing or damaged one is an empty frame."""
    if not isinstance(stored, Mapping) or stored.get("version") != VERSION:
        return Frame()
    try:
        return Frame(
            open=_read_task(stored.get("open")),
            waiting=[task for one in stored.get("waiting", ()) if (task := _read_task(one))],
            last=_read_task(stored.get("last")),
            shown=_read_task(stored.get("shown")),
            known={str(k): [str(v) for v in vs] for k, vs in stored.get("known", {}).items()},
            lists={str(k): _read_options(v) for k, v in stored.get("lists", {}).items()},
            stale=bool(stored.get("stale")),
            denied=[str(name) for name in stored.get("denied", ())],
            offered=bool(stored.get("offered")),
            question=str(stored.get("question", "")),
            interrupted=bool(stored.get("interrupted")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return Frame()


def list_key(tool: str, kind: str, arguments: Mapping[str, Any]) -> str:
    """Name a list of possible values: who makes it, of what, for which arguments."""
    given = ",".join(f"{name}={arguments[name]}" for name in sorted(arguments))
    return f"{tool}:{kind}:{given}"


def _read_task(stored: Any) -> Task | None:
    if not isinstance(stored, Mapping):
        return None
    known = {f.name for f in fields(Task)} - {"options", "then"}
    plain = {name: deepcopy(value) for name, value in stored.items() if name in known}
    return Task(
        **plain,
        options=_read_options(stored.get("options", ())),
        then=_read_task(stored.get("then")),
    )


def _read_options(stored: Any) -> list[Option]:
    return [read_option(one) for one in stored]


def read_option(one: Mapping[str, Any]) -> Option:
    """Read an option; only its value must be there."""
    value = str(one.get("value", ""))
    return Option(
        value,
        str(one.get("words") or value),
        str(one.get("also") or ""),
        tuple(str(name) for name in one.get("not_for") or ()),
        _read_traits(one.get("traits")),
        _read_traits(one.get("of")),
        str(one.get("group") or ""),
        float(one.get("worth") or 0),
        tuple((str(name), float(worth)) for name, worth in one.get("parts") or ()),
    )


def _read_traits(stored: Any) -> dict[str, str]:
    if not isinstance(stored, Mapping):
        return {}
    return {str(name): str(value) for name, value in stored.items()}
