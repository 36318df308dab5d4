"""How a turn begins: is the message an answer, a correction, a follow-up or something new?"""

import re
from dataclasses import dataclass, field, replace

from opsbot.conversation.local import wording
from opsbot.conversation.local.answers import take_answer
from opsbot.conversation.local.choices import content_stems, pick_options
from opsbot.conversation.local.classifier import SURE, UNSURE
from opsbot.conversation.local.declarations import (
    HANDOFF,
    KNOWLEDGE,
    PROOF,
    UNSHARED,
    ArgumentSpec,
    ToolSpec,
)
from opsbot.conversation.local.finding import Finder
from opsbot.conversation.local.follow_ups import (
    FOLLOW_ON,
    LEADING,
    THE_OTHER,
    named_thing,
    put_in_place,
)
from opsbot.conversation.local.frame import Frame, Task
from opsbot.conversation.local.language import UPSET, is_foreign
from opsbot.conversation.local.patterns import (
    ABANDON,
    AFFIRM,
    CODE,
    CORRECTION,
    DENY,
    FOLLOW_UP,
    GENERAL,
    HAZARD,
    IN_PLACE,
    IN_VARIANT,
    IT,
    OPENER,
    QUESTION,
    UNKNOWN,
)
from opsbot.conversation.local.requests import asks_something, split_message
from opsbot.conversation.local.understand import Request, Understanding
from opsbot.conversation.local.values import find_labels, find_values, is_marked

MOST_TRIES = 2
_SHORT = 7
_LONGEST_QUESTION = 500


@dataclass
class Opening:
    """What a turn sets out to do."""

    tasks: list[Task] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Words that need no tool."""
    choices: list[str] = field(default_factory=list)
    """Short answers to those words."""
    ask_again: bool = False
    """The open question was not answered and stands."""


class Opener:
    """Reads the person's message in the light of the frame, which it brings up to date."""

    def __init__(self, mind: Understanding, frame: Frame, message: str) -> None:
        self._mind = mind
        self._frame = frame
        self._message = message
        self._finder = Finder(mind)

    def open(self) -> Opening:
        """Return what to do in this turn."""
        if not re.search(r"\w", self._message):
            return Opening(said=[wording.not_understood(list(self._mind.tools.values()))])
        self._note_values()
        if dangerous := self._danger():
            return dangerous
        if self._frame.open is None and is_foreign(self._message):
            return self._foreign()
        match = ABANDON.match(self._message)
        if match and not self._names_choice():
            return self._abandon(self._message[match.end() :])
        if self._frame.open is not None and self._frame.open.tool in self._mind.tools:
            return self._continue_open(self._frame.open)
        self._frame.open = None
        return self._answer_short() or self._refer_back() or self._start(self._requests())

    def _names_choice(self) -> bool:
        """Tell whether the words are one of the choices we asked for: "I changed my mind"."""
        task = self._frame.open
        if task is None or task.tool not in self._mind.tools:
            return False
        argument = self._mind.tools[task.tool].argument(task.asked)
        if argument is None or not argument.labels:
            return False
        return bool(self._finder.explicit(argument, self._message, answers=True))

    def _note_values(self) -> None:
        """Keep the numbers that records are known by: a step aside must not lose them."""
        for argument in self._mind.vocabulary.marked:
            if argument.kind in UNSHARED or argument.kind in {"email", "postcode", "code"}:
                continue
            if found := find_values(argument, self._message):
                self._frame.remember(argument.kind, [one.value for one in found])

    def _danger(self) -> Opening | None:
        """Bring in a person at once when somebody reports harm, smoke or fire."""
        handoff = self._mind.by_role(HANDOFF)
        if handoff is None or not HAZARD.search(self._message):
            return None
        for clause in split_message(self._message, self._mind.vocabulary.verbs):
            general = clause.asks and GENERAL.search(clause.text)
            if HAZARD.search(clause.text) and not (clause.condition or general):
                self._frame.open, self._frame.waiting = None, []
                self._frame.question = self._message[:_LONGEST_QUESTION]
                return Opening([Task(handoff.name, self._message)], [wording.SAFETY])
        return None

    def _foreign(self) -> Opening:
        """Answer in English; a number still tells which record to read."""
        self._frame.question = self._message[:_LONGEST_QUESTION]
        opening = Opening(said=[wording.ENGLISH])
        present = self._mind.vocabulary.kinds_in(self._message)
        listers = {a.candidates for tool in self._mind.tools.values() for a in tool.arguments}
        for tool in self._mind.tools.values():
            needed = [a for a in tool.arguments if a.required]
            plain = not (tool.writes or tool.role) and tool.name in listers
            if plain and needed and all(a.kind in present and is_marked(a) for a in needed):
                opening.tasks.append(Task(tool.name, self._message))
                break
        if self._mind.by_role(HANDOFF) is not None:
            self._frame.offered = True
            opening.said[0] += f" {wording.OFFER}"
            opening.choices.append(wording.PERSON_PLEASE)
        return opening

    def _abandon(self, rest: str) -> Opening:
        self._frame.open, self._frame.waiting, self._frame.offered = None, [], False
        rest = (
            re.sub(r"^[^.!?;,]*?[.!?;,]\s*", "", rest).strip()
            if re.search(r"[.!?;,]", rest)
            else ""
        )
        if " " not in rest:
            return Opening(said=[wording.LEFT])
        self._message = rest
        return self._start(self._requests())

    def _requests(self) -> list[Request]:
        known = frozenset(k for k in self._frame.known if k not in UNSHARED)
        return self._mind.read(self._message, spoken_of=known)

    def _continue_open(self, task: Task) -> Opening:
        """The message follows a question of ours: an answer, or something else."""
        requests = self._requests()
        first = requests[0]
        short = len(self._message.split()) <= _SHORT
        question = first.asks and QUESTION.match(self._message) is not None
        elsewhere = first.label != task.tool and (
            first.confidence >= SURE or question or (task.soft and not short)
        )
        if changed := self._restated(task):
            self._frame.open = None
            return Opening(tasks=[changed])
        before = dict(task.arguments)
        # After a value that was not found, a question is a question and no other value.
        asks_anew = task.soft and first.asks and not self._is_exact(task)
        answers = not asks_anew and take_answer(self._mind, task, self._message)
        exact = answers and self._is_exact(task)
        plain = not question and (not first.asks or (exact and short))
        if answers and (not elsewhere or plain):
            self._frame.open = None
            return Opening(tasks=[replace(task, asked="", options=[], soft=False)])
        task.arguments = before
        if first.label == task.tool and not task.options and first.confidence >= SURE and task.soft:
            self._frame.open = None
            return self._start(requests)
        moves_on = not answers and self._is_new_request(first, task)
        if elsewhere or moves_on or (task.soft and (first.asks or not answers)):
            return self._aside(task, requests)
        return self._no_answer(task)

    def _is_new_request(self, request: Request, task: Task) -> bool:
        """Tell whether words that answer nothing ask for something else."""
        if request.label == task.tool or UNKNOWN.search(self._message):
            return False
        likely = request.confidence >= UNSURE and not request.is_small_talk
        return likely and (request.asks or not self._mind.changes(task))

    def _restated(self, task: Task) -> Task | None:
        """Return the task with a value that was given already, if the message is only that."""
        tool = self._mind.tools[task.tool]
        asked = tool.argument(task.asked)
        if tool.role == PROOF or content_stems(self._mind.vocabulary.without_values(self._message)):
            return None
        for argument in tool.arguments:
            found = find_values(argument, self._message) if is_marked(argument) else []
            other = asked is None or argument.kind != asked.kind
            if found and other and argument.name in task.arguments and not task.soft:
                kept = task.arguments | {argument.name: found[0].value}
                return replace(task, arguments=kept, asked="", options=[])
        return None

    def _is_exact(self, task: Task) -> bool:
        argument = self._mind.tools[task.tool].argument(task.asked)
        return argument is not None and bool(task.options or is_marked(argument) or argument.labels)

    def _aside(self, task: Task, requests: list[Request]) -> Opening:
        """Serve what was said instead; only to a change we come back, and only once."""
        dropped = task.soft or task.reminded or not self._mind.changes(task)
        if dropped or (DENY.match(self._message) and task.tries):
            self._frame.open = None
            return self._answer_short() or self._refer_back() or self._start(requests)
        opening = self._start(requests)
        if any(self._mind.tools[t.tool].role == HANDOFF for t in opening.tasks):
            self._frame.open = None
        else:
            opening.ask_again = task.reminded = True
        return opening

    def _no_answer(self, task: Task) -> Opening:
        if DENY.match(self._message) and not task.options:
            return self._abandon("")
        task.tries += 1
        if UNKNOWN.search(self._message) or task.tries >= MOST_TRIES:
            self._frame.open, self._frame.offered = None, True
            self._frame.question = task.text
            return Opening(said=[wording.WITHOUT_IT])
        return Opening(ask_again=True)

    def _answer_short(self) -> Opening | None:
        """Yes, no and a code mean what came before."""
        frame = self._frame
        if CODE.match(self._message) and frame.last is not None:
            return Opening(tasks=[replace(frame.last)])
        if AFFIRM.match(self._message):
            if frame.waiting:
                tasks, frame.waiting = frame.waiting, []
                return Opening(tasks=tasks)
            handoff = self._mind.by_role(HANDOFF)
            if frame.offered and handoff:
                frame.offered = False
                return Opening(tasks=[Task(handoff.name, frame.question or self._message)])
            return Opening(said=[wording.GO_ON])
        if DENY.match(self._message):
            frame.offered, frame.waiting = False, []
            return Opening(said=[wording.NOTHING_ELSE])
        return None

    def _refer_back(self) -> Opening | None:
        """Corrections and follow-ups change what was done last: "no, I meant #1003"."""
        last = self._frame.last
        if last is None or last.tool not in self._mind.tools:
            return None
        corrects = CORRECTION.search(self._message) is not None
        follows = FOLLOW_UP.match(self._message)
        rest = self._message[follows.end() :] if follows else self._message
        requests = self._requests()
        if follows and (other := self._another_record(last)):
            return Opening(tasks=[other])
        sure = requests[0].confidence >= SURE and requests[0].label != last.tool
        if follows and len(requests) == 1 and (taken := self._same_of_another(last, requests[0])):
            return Opening(tasks=[taken])
        bare = len(content_stems(self._mind.vocabulary.mask(rest))) <= _SHORT - 3
        if len(requests) > 1 or not (corrects or follows) or not bare:
            return None
        says_what = asks_something(rest, self._mind.vocabulary.verbs)
        if sure and (says_what or corrects) and not (corrects and self._only_values(rest)):
            return None
        changed = self._change(last, rest)
        return Opening(tasks=[changed]) if changed else None

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
        if not words or len(words) > _SHORT - 3 or OPENER.match(rest):
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

    def _only_values(self, text: str) -> bool:
        words = content_stems(CORRECTION.sub(" ", self._mind.vocabulary.without_values(text)))
        return len(words) <= 1

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
            if not named:  # "and the price?" asks, and names nothing
                return None
            if IN_PLACE.match(self._message):
                named = f"{self._without_variant(tool, last)} {named}"
            task.arguments[free.name] = named
        return task

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

    def _start(self, requests: list[Request]) -> Opening:
        """Begin new requests."""
        opening = Opening()
        self._frame.offered = False
        self._frame.question = self._message[:_LONGEST_QUESTION]
        for request in requests:
            tool = self._mind.choose(request)
            if tool.startswith("~"):
                opening.said.append(self._small_talk(request, opening))
                continue
            if not tool:
                opening.said.append(wording.not_understood(list(self._mind.tools.values())))
                continue
            shared = (
                request.condition and sum(r.condition == request.condition for r in requests) > 1
            )
            if self._mind.tools[tool].writes or shared:
                task = Task(tool, request.text, {}, request.condition, request.holds)
            else:
                task = Task(tool, self._with_thing(self._whole(request), tool, opening.tasks))
            opening.tasks.append(task)
        return opening

    def _with_thing(self, text: str, tool: str, before: list[Task]) -> str:
        """Put "the grinder" for the "it" of a question for the articles, if one was named."""
        if self._mind.tools[tool].role != KNOWLEDGE or not before or not IT.search(text):
            return text
        named = next((thing for task in before if (thing := named_thing(task.text))), "")
        return IT.sub(f"the {named}", text, count=1) if named else text

    def _whole(self, request: Request) -> str:
        """A condition belongs to the words of a question: "is it open if it rains?"."""
        if not request.condition:
            return request.text
        return f"{request.text.rstrip(' .?!')} if {request.condition}?"

    def _small_talk(self, request: Request, opening: Opening) -> str:
        words = wording.small_talk(request.label, list(self._mind.tools.values()))
        if request.label == UPSET and self._mind.by_role(HANDOFF):
            self._frame.offered = True
            words = f"{wording.UPSET_WORDS} {wording.OFFER}"
            opening.choices.append(wording.PERSON_PLEASE)
        return words
