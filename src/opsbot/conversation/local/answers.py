"""Take a person's answer to a question of ours."""

from typing import Any

from opsbot.conversation.local.choices import pick_options
from opsbot.conversation.local.declarations import NUMBERS, ArgumentSpec
from opsbot.conversation.local.fill import OWN_WORDS
from opsbot.conversation.local.finding import MEANS_ASKED, TRAILING, Finder
from opsbot.conversation.local.frame import Task
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.local.values import as_type, is_marked


def take_answer(mind: Understanding, task: Task, text: str) -> bool:
    """Take the answer to what was asked; tell whether there was one.

    Fills other arguments of the same tool that the answer happens to give.
    """
    finder, tool = Finder(mind), mind.tools[task.tool]
    argument = tool.argument(task.asked)
    if argument is None:
        return False
    values = _read_answer(finder, argument, task, text)
    taken = bool(values)
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


def _read_answer(finder: Finder, argument: ArgumentSpec, task: Task, text: str) -> list[Any]:
    if task.options:
        picked = pick_options(text, task.options, many=argument.many, shown=True)
        if picked and (argument.many or len(picked) == 1):
            return [o.value for o in picked]
        if picked:
            task.options = picked
            return []
    if explicit := finder.explicit(argument, text, answers=True):
        return explicit
    if argument.labels:
        return finder.by_meaning(argument, text, least=MEANS_ASKED)
    free = argument.kind in {"text", "address", "item", "code", ""} or not (
        is_marked(argument)
        or argument.kind in {"quantity", "number", "period"}
        or argument.type in NUMBERS
        or task.options
    )
    return [TRAILING.sub("", text).strip() or text] if free and text.strip() else []
