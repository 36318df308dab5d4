"""Take a person's answer to a question of ours."""

import re
from typing import Any

from opsbot.conversation.local.addresses import full_address, tidy_address
from opsbot.conversation.local.choices import pick_options
from opsbot.conversation.local.declarations import NUMBERS, ArgumentSpec
from opsbot.conversation.local.fill import OWN_WORDS
from opsbot.conversation.local.finding import MEANS_ASKED, TRAILING, Finder
from opsbot.conversation.local.frame import Task
from opsbot.conversation.local.traits import named_traits
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.local.values import as_type, is_marked

_PLACE = re.compile(r"\d.*[^\W\d_]|[^\W\d_].*\d", re.DOTALL)
"""What an address has: a number and words."""


def take_answer(mind: Understanding, task: Task, text: str) -> bool:
    """Take the answer to what was asked; tell whether there was one.

    Fills other arguments of the same tool that the answer happens to give.
    """
    finder, tool = Finder(mind), mind.tools[task.tool]
    argument = tool.argument(task.asked)
    if argument is None:
        return False
    values = _read_answer(finder, argument, task, text)
    taken = bool(values) or bool(named_traits(text, [o for o in task.options if o.of]))
    if values:
        one = as_type(argument, values[0])
        many = [as_type(argument, v) for v in values]
        task.arguments[argument.name] = many if argument.many else one
    for other in tool.arguments:
        marked = is_marked(other) or other.labels
        if other.name == argument.name or other.name in task.arguments or not marked:
            continue
        if taken and other.kind == argument.kind:
            continue
        more = finder.explicit(other, text, answers=other.kind == "postcode")
        more = [m for m in more if m not in values]
        if more:
            task.arguments[other.name] = [*more] if other.many else as_type(other, more[0])
            taken = True
    if not taken or len(text.split()) > OWN_WORDS:
        task.text = f"{task.text}\n{text}"  # it may tell what is filled later
    return taken


def _read_variant(task: Task, text: str) -> list[Any]:
    """Return the variant that is pointed at; what is described is looked for among all."""
    pointed = pick_options(text, task.options, many=False, shown=True, described=False)
    described = named_traits(text, task.options)
    if len(pointed) == 1 and all(pointed[0].traits.get(k) in vs for k, vs in described.items()):
        return [pointed[0].value]
    return []


def _read_answer(finder: Finder, argument: ArgumentSpec, task: Task, text: str) -> list[Any]:
    if argument.kind == "address" and (given := full_address(text)):
        return [tidy_address(TRAILING.sub("", given))]
    if task.options and (picked := _read_choice(argument, task, text)) is not None:
        return picked
    if explicit := finder.explicit(argument, text, answers=True):
        return explicit
    if argument.labels:
        return finder.by_meaning(argument, text, least=MEANS_ASKED)
    if argument.kind == "address":
        return _read_address(finder, text)
    return _read_free(argument, task, text)


def _read_choice(argument: ArgumentSpec, task: Task, text: str) -> list[Any] | None:
    """Return what was chosen of the options shown; None: the words may still hold a value."""
    if any(option.of for option in task.options):
        return _read_variant(task, text)
    picked = pick_options(text, task.options, many=argument.many, shown=True)
    if picked and (argument.many or len(picked) == 1):
        return [o.value for o in picked]
    if picked:
        task.options = picked
        return []
    return None


def _read_address(finder: Finder, text: str) -> list[Any]:
    bare = TRAILING.sub("", text).strip() if _PLACE.search(text) else ""
    given = finder.address(text) or full_address(text) or tidy_address(bare)
    return [given] if given else []


def _read_free(argument: ArgumentSpec, task: Task, text: str) -> list[Any]:
    if argument.candidates and task.options:
        return []  # it is one of those, or of another record
    free = argument.kind in {"text", "item", "code", ""} or not (
        is_marked(argument)
        or argument.kind in {"quantity", "number", "period"}
        or argument.type in NUMBERS
        or task.options
    )
    return [TRAILING.sub("", text).strip() or text] if free and text.strip() else []
