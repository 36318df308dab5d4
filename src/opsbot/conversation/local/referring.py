"""Corrections and follow-ups: "no, I meant #1003", "and the grinder?", "in white then"."""

import re

from opsbot.conversation.local.addresses import full_address
from opsbot.conversation.local.choices import content_stems, pick_options
from opsbot.conversation.local.classifier import SURE, stem
from opsbot.conversation.local.declarations import (
    KNOWLEDGE,
    NUMBERS,
    UNSHARED,
    ArgumentSpec,
    ToolSpec,
)
from opsbot.conversation.local.finding import Finder
from opsbot.conversation.local.follow_ups import FOLLOW_ON, LEADING, THE_OTHER, put_in_place
from opsbot.conversation.local.frame import Frame, Task
from opsbot.conversation.local.patterns import (
    CORRECTION,
    FOLLOW_UP,
    IN_PLACE,
    IN_VARIANT,
    NOT_THIS,
    OPENER,
)
from opsbot.conversation.local.requests import asks_something, strip_courtesy
from opsbot.conversation.local.understand import Request, Understanding
from opsbot.conversation.local.values import as_type, find_labels, find_values, is_marked, number_in

_FEW_SAID = 8
"""Words of a message that only gives another number."""
SAYING = frozenset({"said", "say", "meant", "mean", "want", "make", "onli", "just", "instead"})
_FEW = 4
"""Words of content that a follow-up has at most."""


class Referrer:
    """Reads a message as a change of what was done last."""

    def __init__(self, mind: Understanding, frame: Frame, message: str) -> None:
        self._mind = mind
        self._frame = frame
        self._message = message
        self._finder = Finder(mind)

    def refer_back(self, requests: list[Request]) -> Task | None:
        """Corrections and follow-ups change what was done last: "no, I meant #1003"."""
        last = self._frame.last
        if last is None or last.tool not in self._mind.tools:
            return None
        return (
            self._detail_of_shown(last, requests)
            or self._address_of_shown(last, requests)
            or self._number_of_shown(last)
            or self._corrected(last, requests)
        )

    def _corrected(self, last: Task, requests: list[Request]) -> Task | None:
        corrects = CORRECTION.search(self._message) is not None
        follows = FOLLOW_UP.match(self._message)
        rest = self._message[follows.end() :] if follows else self._message
        if follows and (other := self._another_record(last)):
            return other
        sure = requests[0].confidence >= SURE and requests[0].label != last.tool
        if follows and len(requests) == 1 and (taken := self._same_of_another(last, requests[0])):
            return taken
        bare = len(content_stems(self._mind.vocabulary.mask(rest))) <= _FEW
        # "Wait, should it not cost more?" asks before the yes.
        wonders = corrects and "?" in self._message and self._mind.changes(last)
        if len(requests) > 1 or not (corrects or follows) or not bare or wonders:
            return None
        says_what = asks_something(rest, self._mind.vocabulary.verbs)
        if sure and (says_what or corrects) and not self._only_values(rest, corrects=corrects):
            return None
        return self._change(last, rest)

    def _detail_of_shown(self, last: Task, requests: list[Request]) -> Task | None:
        """Return the change that waits for a yes with a detail that words add: "it is opened".

        Only what nobody said before, and nothing that surely asks for another change.
        """
        tool, first = self._mind.tools[last.tool], requests[0]
        own = self._mind.tools.get(first.label)
        other = own is not None and own.writes and own is not tool and first.confidence >= SURE
        if self._frame.shown != last or other or len(requests) > 1:
            return None
        if self._mind.vocabulary.kinds_in(self._message):
            return None
        for argument in tool.arguments:
            if argument.when is not None and argument.when.search(self._message):
                # "Just the mug": other things of the same record than those that were shown.
                kept = {n: v for n, v in last.arguments.items() if n != argument.name}
                return Task(last.tool, self._message, kept)
            if argument.required or argument.name in last.arguments:
                continue
            found = find_labels(argument, self._message)
            if len(found) == 1:
                return Task(last.tool, self._message, last.arguments | {argument.name: found[0]})
        return None

    def _address_of_shown(self, last: Task, requests: list[Request]) -> Task | None:
        """Return the change that waits for a yes with the address that words give in its place."""
        argument = self._mind.tools[last.tool].of_kind("address")
        if self._frame.shown != last or argument is None or len(requests) > 1:
            return None
        own = self._mind.tools.get(requests[0].label)
        if own is not None and own.name != last.tool and requests[0].confidence >= SURE:
            return None
        given = self._finder.address(self._message) or full_address(self._message)
        if not given or not re.search(r"\d", given):
            return None
        return Task(last.tool, self._message, last.arguments | {argument.name: given})

    def _number_of_shown(self, last: Task) -> Task | None:
        """Return the change that waits for a yes with another number: "no, 50"."""
        numbers = [a for a in self._mind.tools[last.tool].arguments if a.type in NUMBERS]
        short = len(self._message.split()) <= _FEW_SAID
        if self._frame.shown != last or len(numbers) != 1 or not short or "?" in self._message:
            return None
        if self._mind.vocabulary.kinds_in(self._message) - {numbers[0].kind}:
            return None
        number = number_in(NOT_THIS.sub(" ", self._message))
        if number is None or len(content_stems(self._message, self._words_of(last))) > 1:
            return None
        given = as_type(numbers[0], number)
        return Task(last.tool, self._message, last.arguments | {numbers[0].name: given})

    def _words_of(self, last: Task) -> frozenset[str]:
        """Return the stems that only ask for the last change again."""
        return self._mind.vocabulary.common_words[last.tool] | SAYING

    def _another_record(self, last: Task) -> Task | None:
        """Return the last request for "the other one": what was spoken of before, or ask."""
        if not THE_OTHER.match(FOLLOW_ON.sub("", self._message)):
            return None
        for argument in self._mind.tools[last.tool].arguments:
            value = str(last.arguments.get(argument.name, ""))
            if value and argument.required and argument.candidates and not argument.many:
                known = self._frame.known.get(argument.kind, [])
                bare = value.lstrip("#")
                self._frame.known[argument.kind] = [v for v in known if v.lstrip("#") != bare]
                return Task(last.tool, last.text.replace(bare, ""))
        return None

    def _same_of_another(self, last: Task, request: Request) -> Task | None:
        """Return the last request about another thing, when words name only that: "and the X?"."""
        rest = FOLLOW_ON.sub("", self._message)
        tool, target = self._mind.tools[last.tool], self._mind.tools.get(request.label)
        words = content_stems(self._mind.vocabulary.without_values(rest))
        if not words or len(words) > _FEW or OPENER.match(rest):
            return None
        if self._mind.vocabulary.kinds_in(rest):
            return None
        names_thing = target is not None and self._names_only(target, rest)
        if tool.role == KNOWLEDGE:
            own = request.label == last.tool and request.confidence >= SURE
            if names_thing or not (own or request.confidence >= SURE) or LEADING.match(rest):
                asked = tool.of_kind("text")
                before = str(last.arguments.get(asked.name, last.text)) if asked else last.text
                return Task(last.tool, put_in_place(before, rest))
            return None
        named = self._finder.name_thing(tool, rest)
        free = next((a for a in tool.arguments if a.kind == "item" and not a.candidates), None)
        if free is None or not named or not names_thing or IN_PLACE.match(self._message):
            return None
        return Task(last.tool, last.text, last.arguments | {free.name: named})

    def _names_only(self, tool: ToolSpec, text: str) -> bool:
        """Tell whether a text names a thing that a tool takes, and asks nothing of it."""
        takes = any(
            a.kind not in UNSHARED and not is_marked(a) and not a.labels for a in tool.arguments
        )
        named = self._finder.name_thing(tool, text)
        return takes and content_stems(named) == content_stems(text)

    def _only_values(self, text: str, *, corrects: bool) -> bool:
        """Tell whether a text only names values: "#1004?", or "no, I meant order 1004"."""
        words = content_stems(CORRECTION.sub(" ", self._mind.vocabulary.without_values(text)))
        return len(words) <= int(corrects)

    def _change(self, last: Task, text: str) -> Task | None:
        """Return the last task with the values that a text names in place of its own."""
        tool = self._mind.tools[last.tool]
        task = Task(last.tool, text, dict(last.arguments))
        changed = False
        for argument in tool.arguments:
            values = [f.value for f in find_values(argument, text)] or find_labels(argument, text)
            if values:
                task.arguments[argument.name] = values if argument.many else values[0]
                changed = True
        if changed:
            return task
        free = next(
            (
                a
                for a in tool.arguments
                if (a.name in last.arguments or a.candidates)
                and not is_marked(a)
                and not a.labels
                and a.kind not in {"", "choice", "quantity", "number", "text"}
            ),
            None,
        )
        if free is None or not content_stems(text):
            return None
        if free.candidates:
            task.arguments.pop(free.name, None)
            self._drop_unfit(tool, task, free, text)
        else:
            named = self._finder.name_thing(tool, text)
            # "and the price?" asks and "just replace it" orders: neither names a thing.
            if not named or self._orders(text):
                return None
            if IN_PLACE.match(self._message):
                named = f"{self._without_variant(tool, last)} {named}"
            task.arguments[free.name] = named
        return task

    def _orders(self, text: str) -> bool:
        """Tell whether a text begins with a verb: it wants something done."""
        words = strip_courtesy(text).split()
        first = next((w for w in words if w.lower() not in {"please", "just", "kindly"}), "")
        return stem(first.lower().strip(",.!?")) in self._mind.vocabulary.verbs

    def _drop_unfit(self, tool: ToolSpec, task: Task, free: ArgumentSpec, text: str) -> None:
        """Forget the record, such as an order, whose list does not have what is named now."""
        start = f"{free.candidates}:{free.kind}:"
        lists = [known for key, known in self._frame.lists.items() if key.startswith(start)]
        if lists and not pick_options(text, lists[-1], many=True, shown=False):
            for argument in tool.arguments:
                if argument.candidates:
                    task.arguments.pop(argument.name, None)

    def _without_variant(self, tool: ToolSpec, last: Task) -> str:
        """Return what was named before without its "in sage": another variant takes its place."""
        return self._finder.name_thing(tool, IN_VARIANT.sub(" ", last.text))
