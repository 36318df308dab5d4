"""How a turn begins: is the message an answer, a correction, a follow-up or something new?"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from opsbot.conversation.local import wording
from opsbot.conversation.local.classifier import SURE
from opsbot.conversation.local.declarations import (
    HANDOFF,
    KNOWLEDGE,
    PROOF,
    UNSHARED,
)
from opsbot.conversation.local.finding import Finder
from opsbot.conversation.local.follow_ups import (
    named_thing,
)
from opsbot.conversation.local.frame import Frame, Task
from opsbot.conversation.local.language import BYE, THANKS, UPSET, is_foreign
from opsbot.conversation.local.open_question import Meant, OpenQuestion
from opsbot.conversation.local.patterns import (
    ABANDON,
    ACCEPTS,
    AFFIRM,
    CODE,
    DENY,
    GENERAL,
    HAZARD,
    IT,
    ONE,
    UNKNOWN,
)
from opsbot.conversation.local.reading import read_message
from opsbot.conversation.local.referring import Referrer
from opsbot.conversation.local.requests import split_message
from opsbot.conversation.local.understand import Request, Understanding
from opsbot.conversation.local.values import find_values, is_marked

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
        self._read: tuple[tuple[str, frozenset[str]], list[Request]] | None = None

    def open(self) -> Opening:
        """Return what to do in this turn."""
        if not re.search(r"\w", self._message):
            return Opening(said=[wording.not_understood(list(self._mind.tools.values()))])
        self._frame.interrupted = False
        if self._frame.stale:
            self._frame.lists, self._frame.stale = {}, False
        self._note_values()
        if dangerous := self._danger():
            return dangerous
        if self._frame.open is None and is_foreign(self._message):
            return self._foreign()
        match = ABANDON.match(self._message)
        if match and not self._names_choice():
            return self._abandon(self._message[match.end() :])
        if self._frame.open is not None and self._frame.open.tool in self._mind.tools:
            return self._answer_offer() or self._continue_open(self._frame.open)
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
        """Return what the message asks for; it is read once."""
        known = frozenset(k for k, vs in self._frame.known.items() if vs and k not in UNSHARED)
        if self._read is None or self._read[0] != (self._message, known):
            after = self._frame.last.tool if self._frame.last else ""
            requests = read_message(self._mind, self._message, spoken_of=known, after=after)
            self._read = (self._message, known), requests
        return self._read[1]

    def _continue_open(self, task: Task) -> Opening:
        """The message follows a question of ours: an answer, or something else."""
        requests = self._requests()
        meant = OpenQuestion(self._mind, self._frame, self._message, task, requests).read()
        if isinstance(meant, Task):
            self._frame.open = None
            return Opening(tasks=[meant])
        if meant is Meant.WITHOUT:
            return self._without(task, requests)
        if meant is Meant.ANEW:
            self._frame.open = None
            return self._start(requests)
        if meant is Meant.AGAIN:
            return Opening(ask_again=True)
        if meant is Meant.ASIDE:
            return self._aside(task, requests)
        return self._no_answer(task)

    def _aside(self, task: Task, requests: list[Request]) -> Opening:
        """Serve what was said instead; only to a change we come back, and only once."""
        dropped = task.soft or task.reminded or not self._mind.changes(task)
        if dropped or (DENY.match(self._message) and task.tries):
            self._frame.open = None
            opening = self._answer_short() or self._refer_back() or self._start(requests)
            if self._chain(opening, task):
                return opening
            if self._mind.changes(task) and not any(self._mind.changes(t) for t in opening.tasks):
                # What was begun stays at hand for an answer that comes later.
                self._frame.open = replace(task, soft=True)
            return opening
        if all(r.label in {BYE, THANKS} for r in requests):
            self._frame.open = replace(task, soft=True)
            return self._start(requests)
        opening = self._start(requests)
        if self._chain(opening, task):
            self._frame.open = None
            return opening
        if any(self._mind.tools[t.tool].role == HANDOFF for t in opening.tasks):
            self._frame.open = None
        else:
            opening.ask_again = task.reminded = True
        return opening

    def _without(self, task: Task, requests: list[Request]) -> Opening:
        """Do what needs none of what was asked for: "I have no order, I only ask …"."""
        self._frame.open = None
        asked = self._mind.tools[task.tool].argument(task.asked)
        kind = asked.kind if asked else ""
        others = [r for r in requests if not (r.is_small_talk or self._needs(r.label, kind))]
        if others:
            return self._start(others)
        names = self._mind.rank(task.text).probabilities
        name = next((n for n in names if n in self._mind.tools and not self._needs(n, kind)), "")
        if not name:
            return Opening(said=[wording.not_understood(list(self._mind.tools.values()))])
        return Opening(tasks=[Task(name, task.text)])

    def _needs(self, name: str, kind: str) -> bool:
        """Tell whether a tool needs a value of a kind, or proves one."""
        tool = self._mind.tools.get(name)
        if tool is None:
            return True
        return tool.role == PROOF or any(a.required and a.kind == kind for a in tool.arguments)

    def _chain(self, opening: Opening, task: Task) -> bool:
        """Let what was begun follow a proof that the message starts; tell whether it does."""
        proving = next((t for t in opening.tasks if self._proves(t) and t.then is None), None)
        if proving is None:
            return False
        proving.then = task.then if self._proves(task) else replace(task, asked="", options=[])
        return True

    def _proves(self, task: Task) -> bool:
        return self._mind.tools[task.tool].role == PROOF

    def _no_answer(self, task: Task) -> Opening:
        if DENY.match(self._message) and not task.options:
            return self._abandon("")
        task.tries += 1
        if task.tries == 1 and self._may_list(task):
            self._frame.open = None
            return Opening(tasks=[replace(task, asked="", options=[])])
        if (UNKNOWN.search(self._message) and not task.options) or task.tries >= MOST_TRIES:
            self._frame.open = replace(task, soft=True) if self._mind.changes(task) else None
            self._frame.offered = True
            self._frame.question = task.text
            return Opening(said=[wording.WITHOUT_IT])
        return Opening(ask_again=True)

    def _answer_offer(self) -> Opening | None:
        """A yes or no after we offered a person means that, not the question before."""
        short = AFFIRM.match(self._message) or DENY.match(self._message)
        task = self._frame.open
        if task is None or not (task.soft and self._frame.offered and short):
            return None
        self._frame.open = None
        return self._answer_short()

    def _may_list(self, task: Task) -> bool:
        """Tell whether the possible values can be read for who does not know theirs."""
        argument = self._mind.tools[task.tool].argument(task.asked)
        lister = argument.candidates if argument is not None else ""
        return bool(lister) and lister not in self._frame.denied and not task.options

    def _answer_short(self) -> Opening | None:
        """Yes, no and a code mean what came before."""
        frame = self._frame
        if CODE.match(self._message) and frame.last is not None:
            return Opening(tasks=[replace(frame.last)])
        if AFFIRM.match(self._message):
            return self._affirm()
        if frame.offered and self._takes_offer():
            return self._hand_off(self._message)
        if DENY.match(self._message):
            frame.offered, frame.waiting = False, []
            return Opening(said=[wording.NOTHING_ELSE])
        return None

    def _affirm(self) -> Opening:
        frame = self._frame
        if frame.waiting:
            tasks, frame.waiting = frame.waiting, []
            return Opening(tasks=tasks)
        if frame.offered and self._mind.by_role(HANDOFF):
            return self._hand_off(frame.question or self._message)
        return Opening(said=[wording.GO_ON])

    def _takes_offer(self) -> bool:
        """Tell whether a longer yes means the person we offered: "yes, pass my question on"."""
        if not ACCEPTS.match(self._message) or re.search(r"[?\d]", self._message):
            return False
        requests = self._requests()
        return len(requests) == 1 and requests[0].confidence < SURE

    def _hand_off(self, reason: str) -> Opening:
        handoff = self._mind.by_role(HANDOFF)
        self._frame.offered = False
        return Opening(tasks=[Task(handoff.name, reason)] if handoff else [])

    def _refer_back(self) -> Opening | None:
        """Corrections and follow-ups change what was done last: "no, I meant #1003"."""
        task = Referrer(self._mind, self._frame, self._message).refer_back(self._requests())
        return Opening(tasks=[task]) if task else None

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
            if self._mind.tools.get(tool) and self._mind.forbids(tool, request.text):
                opening.said.append(wording.LEFT)
                continue
            if not tool:
                opening.said.append(wording.not_understood(list(self._mind.tools.values())))
                continue
            shared = (
                request.condition and sum(r.condition == request.condition for r in requests) > 1
            )
            if self._mind.tools[tool].writes or shared:
                kept = self._same_things(tool, request.text)
                task = Task(tool, request.text, kept, request.condition, request.holds)
            elif request.goes_on and self._frame.last and self._frame.last.tool == tool:
                task = Task(tool, request.text, self._kept_of(self._frame.last))
            else:
                task = Task(tool, self._with_thing(self._whole(request), tool, opening.tasks))
            opening.tasks.append(task)
        return opening

    def _kept_of(self, last: Task) -> dict[str, Any]:
        """Return the arguments of what goes on, without what was said in words."""
        said = {a.name for a in self._mind.tools[last.tool].arguments if a.kind == "text"}
        return {name: value for name, value in last.arguments.items() if name not in said}

    def _same_things(self, name: str, text: str) -> dict[str, Any]:
        """Return the record and things of the change that was just shown, for "the silver one".

        Only where the words choose another variant for them: they say "one" and name no record.
        """
        last, tool = self._frame.shown, self._mind.tools[name]
        if last is None or last.tool not in self._mind.tools or not ONE.search(text):
            return {}
        before = self._mind.tools[last.tool]
        chosen = [a for a in before.arguments if a.many and a.candidates]
        alike = before.writes and before.kinds == tool.kinds and len(chosen) > 1
        if not alike or self._mind.vocabulary.kinds_in(text):
            return {}
        things = chosen[0].name
        return {
            a.name: last.arguments[a.name]
            for a in before.arguments
            if a.name in last.arguments and (is_marked(a) or a.name == things)
        }

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
