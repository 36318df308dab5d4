"""What a message means that follows a question of ours."""

import re
from dataclasses import replace
from enum import Enum, auto

from opsbot.conversation.local.answers import take_answer
from opsbot.conversation.local.choices import content_stems, pick_options
from opsbot.conversation.local.classifier import SURE, UNSURE
from opsbot.conversation.local.declarations import PROOF, ArgumentSpec
from opsbot.conversation.local.finding import Finder, says_none, says_other
from opsbot.conversation.local.frame import Frame, Option, Task
from opsbot.conversation.local.patterns import QUESTION, UNKNOWN
from opsbot.conversation.local.understand import Request, Understanding
from opsbot.conversation.local.values import find_values, is_marked

_SHORT = 7
"""Words of a short answer at most."""


class Meant(Enum):
    """What a message is that answers nothing."""

    ANEW = auto()
    """The same wish about other things: it begins again."""
    AGAIN = auto()
    """It adds to the wish; the question stands."""
    ASIDE = auto()
    """It asks for something else."""
    WITHOUT = auto()
    """There is none of what was asked for: something else was meant."""
    NOTHING = auto()
    """It does not help."""


class OpenQuestion:
    """A question of ours, and the message that follows it."""

    def __init__(
        self,
        mind: Understanding,
        frame: Frame,
        message: str,
        task: Task,
        requests: list[Request],
    ) -> None:
        """`requests` are those of the message, read by itself."""
        self._mind = mind
        self._frame = frame
        self._message = message
        self._task = task
        self._tool = mind.tools[task.tool]
        self._asked = self._tool.argument(task.asked)
        self._requests = requests
        self._finder = Finder(mind)

    def read(self) -> Task | Meant:
        """Return the task to go on with, or what the message is instead."""
        changed = (
            self._restated()
            or self._about_another()
            or self._of_another_record()
            or self._proving()
        )
        none = self._asked is not None and says_none(self._asked.kind, self._message)
        if changed is not None or none:
            return changed or Meant.WITHOUT
        task, first = self._task, self._requests[0]
        before, words = dict(task.arguments), task.text
        # After a value that was not found, a question is a question and no other value.
        asks_anew = task.soft and first.asks and not self._is_exact()
        answers = not asks_anew and take_answer(self._mind, task, self._message)
        elsewhere = self._is_elsewhere(first)
        if answers and (not elsewhere or self._is_plain(first)):
            return replace(task, asked="", options=[], soft=False)
        task.arguments = before
        if self._begins_anew(first):
            return Meant.ANEW
        if not answers and self._repeats_wish():
            return Meant.AGAIN
        moves_on = not answers and self._is_new_request(first)
        if not (elsewhere or moves_on or (task.soft and (first.asks or not answers))):
            return Meant.NOTHING
        task.text = words
        return Meant.ASIDE

    def _is_elsewhere(self, first: Request) -> bool:
        """Tell whether the message seems to ask for another thing."""
        task = self._task
        short = len(self._message.split()) <= _SHORT
        told_late = task.soft and not short and not task.options
        sure = first.confidence >= SURE or self._is_question(first)
        return first.label != task.tool and (sure or told_late)

    def _is_question(self, first: Request) -> bool:
        return first.asks and QUESTION.match(self._message) is not None

    def _is_plain(self, first: Request) -> bool:
        """Tell whether an answer is one, whatever else the words may sound like."""
        if self._is_question(first):
            return False
        exact = self._is_exact()
        address = exact and self._asked is not None and self._asked.kind == "address"
        short = exact and len(self._message.split()) <= _SHORT
        return not first.asks or short or address

    def _begins_anew(self, first: Request) -> bool:
        """Tell whether the wish is made again: about other things, or after a wrong value."""
        task = self._task
        if first.label != task.tool or self._tool.role == PROOF:
            return False
        variants = any(option.of for option in task.options)
        if first.asks and first.confidence >= UNSURE and variants:
            return True
        return not task.options and first.confidence >= SURE and task.soft

    def _about_another(self) -> Task | None:
        """Return the task for another record, such as an order, that the message names by number.

        What was chosen from the lists of the record before goes with it.
        """
        task = self._task
        for argument in () if self._tool.role == PROOF else self._tool.arguments:
            before = task.arguments.get(argument.name)
            if before is None or not is_marked(argument) or argument.name == task.asked:
                continue
            found = [f.value for f in find_values(argument, self._message)]
            if not argument.candidates or len(found) != 1:
                continue
            if found[0].lstrip("#") != str(before).lstrip("#"):
                text = f"{task.text}\n{self._message}"
                return Task(task.tool, text, {argument.name: found[0]}, then=task.then)
        return None

    def _of_another_record(self) -> Task | None:
        """Return the task for another record, when the one chosen has nothing that is named.

        "Which item of the order?" "The kettle" means the order with the kettle.
        """
        asked, task = self._asked, self._task
        lister = self._mind.tools.get(asked.candidates) if asked else None
        if lister is None or not task.options:
            return None
        if pick_options(self._message, task.options, many=True, shown=True):
            return None
        for argument in self._tool.arguments:
            chosen = str(task.arguments.get(argument.name, "")).lstrip("#")
            one = is_marked(argument) and argument.candidates and not argument.many
            if not chosen or not one or lister.of_kind(argument.kind) is None:
                continue
            others = [o for o in self._listed(argument) if o.value.lstrip("#") != chosen]
            meant = pick_options(self._message, others, many=False, shown=False)
            if not meant and not says_other(argument.kind, self._message):
                continue
            known = self._frame.known.get(argument.kind, [])
            self._frame.known[argument.kind] = [v for v in known if v.lstrip("#") != chosen]
            given = {argument.name: meant[0].value} if len(meant) == 1 else {}
            text = re.sub(rf"#?\b{re.escape(chosen)}\b", "", task.text)
            return Task(task.tool, f"{text}\n{self._message}", given, then=task.then)
        return None

    def _listed(self, argument: ArgumentSpec) -> list[Option]:
        """Return the values of an argument that were read last."""
        start = f"{argument.candidates}:{argument.kind}:"
        lists = [known for key, known in self._frame.lists.items() if key.startswith(start)]
        return lists[-1] if lists else []

    def _proving(self) -> Task | None:
        """Return the proof that an answer holds: it comes first, then what was asked."""
        if self._tool.role == PROOF:
            return None
        for request in self._requests:
            tool = self._mind.tools.get(request.label)
            if tool is None or tool.role != PROOF or request.confidence < UNSURE:
                continue
            proofs = (a for a in tool.arguments if not a.required and is_marked(a))
            if any(find_values(a, self._message) for a in proofs):
                kept = replace(self._task, asked="", options=[], soft=False)
                return Task(tool.name, self._message, then=kept)
        return None

    def _is_new_request(self, request: Request) -> bool:
        """Tell whether words that answer nothing ask for something else."""
        if request.label == self._task.tool or UNKNOWN.search(self._message):
            return False
        likely = request.confidence >= UNSURE and not request.is_small_talk
        return likely and (request.asks or not self._mind.changes(self._task))

    def _restated(self) -> Task | None:
        """Return the task with a value that was given already, if the message is only that."""
        tool, task, asked = self._tool, self._task, self._asked
        if tool.role == PROOF or content_stems(self._mind.vocabulary.without_values(self._message)):
            return None
        for argument in tool.arguments:
            found = find_values(argument, self._message) if is_marked(argument) else []
            other = asked is None or argument.kind != asked.kind
            if found and other and argument.name in task.arguments and not task.soft:
                kept = task.arguments | {argument.name: found[0].value}
                return replace(task, arguments=kept, asked="", options=[])
        return None

    def _repeats_wish(self) -> bool:
        """Tell whether words repeat what waits for the proof; what they add to it is kept."""
        wish = self._task.then
        if wish is None or not any(r.label == wish.tool and r.asks for r in self._requests):
            return False
        wish.text = f"{wish.text}\n{self._message}"
        return True

    def _is_exact(self) -> bool:
        argument = self._asked
        if argument is not None and argument.kind == "address":
            return bool(self._finder.address(self._message))
        return argument is not None and bool(
            self._task.options or is_marked(argument) or argument.labels
        )
