"""Fill the arguments of a tool call from words, from what was said before, or by asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opsbot.conversation.local.choices import content_stems, pick_options
from opsbot.conversation.local.declarations import (
    HANDOFF,
    KNOWLEDGE,
    PROOF,
    UNSHARED,
    ArgumentSpec,
    ToolSpec,
)
from opsbot.conversation.local.finding import (
    MEANS_TOLD,
    Finder,
    label_options,
    points_back,
    told_parts,
)
from opsbot.conversation.local.frame import Frame, Option, Task, list_key
from opsbot.conversation.local.patterns import EVERY, PRONOUN
from opsbot.conversation.local.quantities import leaves_some, means_one
from opsbot.conversation.local.requests import asks_something, strip_courtesy
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.local.values import as_type, find_labels, is_marked

OWN_WORDS = 3
"""So many words beyond those of the request tell something."""


@dataclass(frozen=True)
class Ready:
    """All that is needed is there."""

    calls: list[dict[str, Any]]
    """Arguments of one call, or of several when a person named several things."""


@dataclass(frozen=True)
class NeedsList:
    """Possible values must be read first."""

    tool: str
    kind: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Asks:
    """A person must say it."""

    argument: ArgumentSpec
    options: list[Option] = field(default_factory=list)
    others: Sequence[ArgumentSpec] = ()
    """Arguments that would do in its place."""
    also: Sequence[ArgumentSpec] = ()
    """Arguments one of which is needed as well."""


Step = Ready | NeedsList | Asks


class Filler:
    """Fills arguments in one turn."""

    def __init__(self, mind: Understanding, frame: Frame, message: str) -> None:
        self._mind = mind
        self._finder = Finder(mind)
        self._frame = frame
        self._message = message

    def fill(self, task: Task) -> Step:
        """Fill what words and memory give into `task.arguments`, and say what is next."""
        tool = self._mind.tools[task.tool]
        several: dict[str, list[Any]] = {}
        # What a person must give first may tell which values another argument can have.
        for argument in sorted(tool.arguments, key=_order):
            if argument.name in task.arguments or argument.name in several:
                continue
            found = self._find(argument, task, tool)
            if isinstance(found, Asks) and tool.role == PROOF:
                return self._ask_proof(found, tool, task)
            if isinstance(found, (NeedsList, Asks)):
                return found
            if not found:
                continue
            if argument.many:
                task.arguments[argument.name] = [as_type(argument, v) for v in found]
            elif len(found) == 1:
                task.arguments[argument.name] = as_type(argument, found[0])
            else:
                several[argument.name] = [as_type(argument, v) for v in found]
        proofs = [a for a in tool.arguments if not a.required]
        if tool.role == PROOF and proofs and not any(a.name in task.arguments for a in proofs):
            return Asks(proofs[0], others=proofs[1:])
        return Ready(_spread(task.arguments, several))

    def _find(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> list[Any] | NeedsList | Asks:
        things = self._things(task, tool) if argument.kind == "quantity" else []
        explicit = self._finder.explicit(argument, task.text)
        if explicit or things:
            return self._count(argument, task, things) if things else explicit
        if argument.kind == "text":
            return self._free_text(argument, task, tool)
        shared = is_marked(argument) or argument.kind == "period"
        if shared and (explicit := self._finder.explicit(argument, self._message)):
            return explicit
        if argument.labels:
            return self._choose_label(argument, task)
        if argument.candidates in self._mind.tools:
            return self._choose_candidate(argument, task, tool)
        found = self._name(argument, task, tool)
        return found or (Asks(argument) if argument.required else [])

    def _things(self, task: Task, tool: ToolSpec) -> list[str]:
        """Return the things of a list that a task is about already."""
        lists = (a for a in tool.arguments if a.many and a.candidates and a.name in task.arguments)
        return [str(value) for a in lists for value in task.arguments[a.name]]

    def _count(self, argument: ArgumentSpec, task: Task, things: Sequence[str]) -> list[Any] | Asks:
        """Return how many pieces of the one thing are meant; nothing: all there are."""
        if len(things) > 1:
            return []
        if leaves_some(task.text):
            return Asks(argument)
        if means_one(task.text, things):
            return [1]
        return self._finder.explicit(argument, task.text)

    def _name(self, argument: ArgumentSpec, task: Task, tool: ToolSpec) -> list[Any]:
        """Return the words that name a thing, or what was spoken of before."""
        named = ""
        if argument.kind == "address":
            named = self._finder.address(task.text)
        elif argument.kind not in UNSHARED and not is_marked(argument):
            named = self._finder.name_thing(tool, task.text)
        if named:
            return [named]
        spoken_of = argument.required or PRONOUN.search(task.text) is not None
        if argument.kind in UNSHARED or not spoken_of:
            return []
        return list(self._frame.known.get(argument.kind, ())[:1])

    def _choose_label(self, argument: ArgumentSpec, task: Task) -> list[Any] | Asks:
        if labels := find_labels(argument, self._message):
            return labels if argument.many else labels[:1]
        if not argument.required:
            return []
        verbs = self._mind.vocabulary.verbs
        for part in told_parts(task.text):
            told = not asks_something(part, verbs)
            if told and (meant := self._finder.by_meaning(argument, part, least=MEANS_TOLD)):
                return meant
        return self._finder.by_meaning(argument, task.text) or Asks(
            argument, label_options(argument)
        )

    def _choose_candidate(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> list[Any] | NeedsList | Asks:
        described = self._finder.describes(tool, task.text)
        lister = self._mind.tools[argument.candidates]
        given = self._lister_arguments(lister, task, tool)
        options = self._known_list(lister, argument, given)
        # What hangs on another value, as the items of an order do, may be another order's.
        hangs = any(a.required for a in lister.arguments)
        described = self._finder.describes(tool, task.text, closely=hangs) or bool(
            options and pick_options(task.text, options, many=True, shown=False)
        )
        known = self._frame.known.get(argument.kind, [])
        if known and not hangs and (not described or points_back(argument, task.text)):
            return known[:1]
        if not (argument.required or described or EVERY.search(task.text)):
            return []
        if options is None:
            assert given is not None  # noqa: S101  (a list is only missing when it can be read)
            return NeedsList(lister.name, argument.kind, given)
        return self._pick(argument, task, tool, options)

    def _known_list(
        self, lister: ToolSpec, argument: ArgumentSpec, given: dict[str, Any] | None
    ) -> list[Option] | None:
        """Return the possible values; empty when they cannot be read, None when not read yet."""
        if lister.name in self._frame.denied or given is None:
            return []
        return self._frame.lists.get(list_key(lister.name, argument.kind, given))

    def _pick(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec, options: list[Option]
    ) -> list[Any] | Asks:
        ignore = self._mind.vocabulary.common_words[tool.name]
        picked = pick_options(task.text, options, many=True, shown=False, ignore=ignore)
        every = EVERY.search(task.text) is not None
        if argument.many and len(picked) > 1 and not every:
            several = means_one(task.text, [option.value for option in picked])
            if several:
                return Asks(argument, picked)
        if picked and (argument.many or len(picked) == 1 or every):
            return [o.value for o in picked]
        if not picked and (known := self._known_among(argument, options)):
            return known
        if not argument.required:
            return []
        if len(options) == 1:
            return [options[0].value]
        return Asks(argument, picked or options)

    def _known_among(self, argument: ArgumentSpec, options: list[Option]) -> list[str]:
        """Return the value spoken of last, if it can be meant here."""
        known = self._frame.known.get(argument.kind, [])
        values = {option.value.lstrip("#") for option in options}
        return [value for value in known[:1] if not options or value.lstrip("#") in values]

    def _ask_proof(self, asks: Asks, tool: ToolSpec, task: Task) -> Asks:
        """Ask for the number and for what proves it at once."""
        proofs = [a for a in tool.arguments if not a.required]
        given = any(a.name in task.arguments or self._finder.explicit(a, task.text) for a in proofs)
        return asks if given else replace(asks, also=proofs)

    def _lister_arguments(
        self, lister: ToolSpec, task: Task, tool: ToolSpec
    ) -> dict[str, Any] | None:
        """Return arguments for the tool that lists values, or None when one is missing."""
        given: dict[str, Any] = {}
        for wanted in lister.arguments:
            same = tool.argument(wanted.name) or tool.of_kind(wanted.kind)
            if same is not None and wanted.kind not in UNSHARED and same.name in task.arguments:
                given[wanted.name] = task.arguments[same.name]
            elif wanted.required:
                return None
        return given

    def _free_text(self, argument: ArgumentSpec, task: Task, tool: ToolSpec) -> list[Any] | Asks:
        text = strip_courtesy(task.text).strip()
        if tool.role == KNOWLEDGE and argument.required:
            return [text]
        own = content_stems(
            self._mind.vocabulary.mask(task.text), self._mind.vocabulary.common_words[tool.name]
        )
        tells = len(own) >= OWN_WORDS
        if tool.role == HANDOFF and (argument.required or tells):
            before = self._frame.question
            return [text if tells or not before else before]
        if tells and (tool.writes or argument.required):
            return [text]
        return Asks(argument) if argument.required else []


def _order(argument: ArgumentSpec) -> tuple[bool, bool, int]:
    """What a value is found by: patterns first, then lists that may hang on those, then choices."""
    labels = 2 if argument.labels else 3
    return not is_marked(argument), not argument.required, 1 if argument.candidates else labels


def _spread(
    arguments: Mapping[str, Any], several: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Return one set of arguments for each of several values."""
    calls = [dict(arguments)]
    for name, values in several.items():
        calls = [{**call, name: value} for call in calls for value in values]
    return calls
