"""Fill the arguments of a tool call from words, from what was said before, or by asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opsbot.conversation.local import wording
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
from opsbot.conversation.local.patterns import (
    ADDRESS_OF,
    BOTH,
    EVERY,
    KEPT,
    PRONOUN,
    WHOLE_ONE,
)
from opsbot.conversation.local.places import pick_address
from opsbot.conversation.local.quantities import counts, leaves_some, means_one
from opsbot.conversation.local.requests import asks_something, strip_courtesy
from opsbot.conversation.local.traits import (
    before_change,
    by_worth_of_parts,
    has_all,
    narrow,
    pick_variants,
    words_about,
)
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.local.values import as_type, find_labels, is_marked

_TWO = 2
MOST_SHOWN = 8
"""Variants to choose from in one question."""
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
        for declared in sorted(tool.arguments, key=_order):
            argument = self._called_for(declared, task, tool)
            if argument is None or argument.name in task.arguments or argument.name in several:
                continue
            found = self._look_for(argument, task, tool)
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
                if self._others_hang_on(argument, tool, task):
                    return Ready(_spread(task.arguments, several))
        proofs = [a for a in tool.arguments if not a.required]
        if tool.role == PROOF and proofs and not any(a.name in task.arguments for a in proofs):
            return Asks(proofs[0], others=proofs[1:])
        return Ready(_spread(task.arguments, several))

    def _called_for(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> ArgumentSpec | None:
        """Return an argument as these words need it; None: they leave it alone."""
        if argument.when is not None:
            return replace(argument, required=True) if argument.when.search(task.text) else None
        counts_parts = argument.kind == "quantity" and any(a.when for a in tool.arguments)
        return None if counts_parts and not self._things(task, tool) else argument

    def _others_hang_on(self, argument: ArgumentSpec, tool: ToolSpec, task: Task) -> bool:
        """Tell whether other arguments are chosen from a list of each of several values."""
        open_ones = (
            a for a in tool.arguments if a.name not in task.arguments and a is not argument
        )
        listers = (self._mind.tools.get(a.candidates) for a in open_ones)
        return any(lister is not None and lister.of_kind(argument.kind) for lister in listers)

    def _look_for(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> list[Any] | NeedsList | Asks:
        """Find a value; the number of the record is no postcode: "where is 1004?"."""
        found = self._find(argument, task, tool)
        if argument.kind != "postcode" or not isinstance(found, list):
            return found
        taken = {str(value).lstrip("#") for value in task.arguments.values()}
        return [one for one in found if str(one) not in taken]

    def _find(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> list[Any] | NeedsList | Asks:
        things = self._things(task, tool) if argument.kind == "quantity" else []
        explicit = self._finder.explicit(argument, task.text, answers=_proves(argument, tool))
        if len(explicit) > 1 and argument.candidates and tool.of_kind("address"):
            explicit = explicit[:1]  # the others say where the address is taken from
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
            is_address = argument.kind == "address"
            choose = self._choose_address if is_address else self._choose_candidate
            return choose(argument, task, tool)
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
        return self._finder.explicit(argument, task.text) if counts(task.text, things) else []

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
        lister = self._mind.tools[argument.candidates]
        given = self._lister_arguments(lister, task, tool)
        options = self._known_list(lister, argument, given)
        # What hangs on another value, as the items of an order do, may be another order's.
        hangs = any(a.required for a in lister.arguments)
        # What is changed to is named in words of the request: "Then PayPal please."
        closely = hangs or (tool.writes and not is_marked(argument))
        described = self._finder.describes(tool, task.text, closely=closely) or bool(
            options and pick_options(task.text, options, many=True, shown=False)
        )
        known = self._frame.known.get(argument.kind, [])
        unfit = {o.value.lstrip("#") for o in options or () if tool.name in o.not_for}
        known = [value for value in known if value.lstrip("#") not in unfit]
        if known and not hangs and (not described or points_back(argument, task.text)):
            return known[:1]
        if not (argument.required or described or self._means_all(argument, task.text)):
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
        fitting = [o for o in options if tool.name not in o.not_for] or options
        if any(option.of for option in options):
            return self._pick_variants(argument, task, fitting)
        every = self._means_all(argument, task.text)
        # What the tool is of no use to is meant where only that is described; the tool says why.
        picked = self._described(argument, task, tool, fitting, every=every) or self._described(
            argument, task, tool, options, every=False
        )
        if not picked and PRONOUN.search(task.text):
            picked = self._named_before(argument, tool, options)
        if BOTH.search(task.text) and not argument.many and len(picked) > _TWO:
            spoken_of = [o for o in picked if o.value in self._frame.known.get(argument.kind, [])]
            picked = spoken_of if len(spoken_of) == _TWO else picked
            every = len(picked) == _TWO
        if len(picked) > 1 and not (every or argument.many):
            picked = self._tell_apart(argument, task, picked)
        several = argument.many and len(picked) > 1 and not every
        if several and means_one(task.text, [option.value for option in picked]):
            return Asks(argument, picked)
        if picked and (argument.many or len(picked) == 1 or every):
            return [o.value for o in picked]
        if not picked and (known := self._known_among(argument, fitting)):
            return known
        if not argument.required:
            return []
        return [fitting[0].value] if len(fitting) == 1 else Asks(argument, picked or fitting)

    def _named_before(
        self, argument: ArgumentSpec, tool: ToolSpec, options: list[Option]
    ) -> list[Option]:
        """Return what the request before named, for "change it": "will the kettle work?"."""
        last = self._frame.last
        before = self._mind.tools.get(last.tool) if last else None
        if last is None or before is None or before.of_kind(argument.kind):
            return []
        text = " ".join((last.text, *map(str, last.arguments.values())))
        return self._described(argument, Task(tool.name, text), tool, options, every=False)

    def _described(
        self,
        argument: ArgumentSpec,
        task: Task,
        tool: ToolSpec,
        options: list[Option],
        *,
        every: bool,
    ) -> list[Option]:
        ignore = self._mind.vocabulary.common_words[tool.name]
        one = not argument.many
        many = argument.many or every
        texts = [KEPT.sub(" ", task.text) if argument.when else task.text]
        if self._others_hang_on(argument, tool, task):
            texts.insert(0, before_change(task.text))
        for text in texts:
            if picked := pick_options(
                text,
                options,
                many=many,
                shown=False,
                ignore=ignore,
                whole=one,
                dated=one,
                rest=argument.when is not None,
            ):
                return narrow(text, picked) if argument.many and not every else picked
        return []

    def _tell_apart(self, argument: ArgumentSpec, task: Task, picked: list[Option]) -> list[Option]:
        """Choose among records that fit alike: by what is in them, by what was spoken of."""
        picked = by_worth_of_parts(task.text, picked)
        known = self._known_among(argument, picked)
        return [o for o in picked if o.value in known] or picked

    def _choose_address(
        self, argument: ArgumentSpec, task: Task, tool: ToolSpec
    ) -> list[Any] | NeedsList | Asks:
        """Return the address that words give, or the known one they refer to."""
        if named := self._finder.address(task.text):
            return [named]
        if not ADDRESS_OF.search(task.text):
            return Asks(argument) if argument.required else []
        lister = self._mind.tools[argument.candidates]
        options = self._known_list(lister, argument, {})
        if options is None:
            return NeedsList(lister.name, argument.kind, {})
        last = self._frame.known.get(argument.kind, [])
        fitting = pick_address(task.text, options, last=last, target=task.arguments)
        return [fitting] if fitting else Asks(argument, options[:MOST_SHOWN])

    def _means_all(self, argument: ArgumentSpec, text: str) -> bool:
        """Tell whether words mean all of a list: "the whole order" is all of one order."""
        one = WHOLE_ONE.search(text) is not None and not argument.many
        text = WHOLE_ONE.sub(" ", text) if one else text
        return EVERY.search(text) is not None

    def _pick_variants(
        self, argument: ArgumentSpec, task: Task, options: list[Option]
    ) -> list[Any] | Asks:
        """Return what takes the place of each thing, in their order."""
        groups: dict[str, list[Option]] = {}
        for option in options:
            groups.setdefault(option.group, []).append(option)
        chosen: list[Any] = []
        for name, variants in groups.items():
            text = words_about(task.text, name, groups)
            last = words_about(self._message, name, groups) if self._message in task.text else ""
            fitting = pick_variants(text, variants, latest=last)
            whole = bool(fitting) and has_all(text, variants, fitting[0], latest=last)
            if len(fitting) == 1 and whole:
                chosen.append(fitting[0].value)
                continue
            task.lead = wording.NONE_LIKE_IT if fitting and not whole else ""
            return Asks(argument, (fitting or variants)[:MOST_SHOWN])
        return chosen if argument.many else chosen[:1]

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
        beside = self._finder.told_beside(tool, argument, text) if tool.role != HANDOFF else ""
        if beside and tool.writes:
            return [beside]
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


def _proves(argument: ArgumentSpec, tool: ToolSpec) -> bool:
    """Tell whether a bare value will do: who proves who they are writes little else."""
    return tool.role == PROOF and not argument.required and argument.kind in {"name", "postcode"}


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
