"""One turn, step by step: what to call next, what to ask, what to say.

A turn is a pure function of the frame, the message and the results so far, so it is played again
from its start for every step; nothing is kept between the steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsbot.conversation.local import wording
from opsbot.conversation.local.board import Board, Question, call_mark
from opsbot.conversation.local.conditions import judge
from opsbot.conversation.local.declarations import HANDOFF, PROOF, UNSHARED
from opsbot.conversation.local.fill import Asks, Filler, NeedsList, Ready
from opsbot.conversation.local.frame import Frame, Task, list_key
from opsbot.conversation.local.opening import Opener
from opsbot.conversation.local.outcomes import Outcome, read_outcome
from opsbot.conversation.local.recovery import take_error
from opsbot.conversation.local.requests import asks_to_know, tidy
from opsbot.conversation.local.second import mentions, quoted_words, second_opinion
from opsbot.conversation.local.understand import Understanding

MOST_CALLS = 6
MOST_DENIED = 5
_ACCOUNT = 2
"""The identity level at which all that a customer owns may be seen."""


@dataclass(frozen=True)
class Call:
    """A tool call, and the words to say before it."""

    tool: str
    arguments: Mapping[str, Any]
    words: str = ""


@dataclass(frozen=True)
class Say:
    """The words that end the turn."""

    words: str
    choices: Sequence[str] = ()
    """Short answers a person may tap."""


@dataclass
class _Waiting:
    """Why a call was made."""

    purpose: str
    task: Task
    step: NeedsList | None = None


class Turn:
    """The state of one turn."""

    def __init__(self, mind: Understanding, frame: Frame, message: str) -> None:
        self._mind = mind
        message = tidy(message)
        opening = Opener(mind, frame, message).open()
        self._filler = Filler(mind, frame, message)
        self._board = Board(mind, frame, opening.tasks, opening.said)
        self._several = len(opening.tasks) > 1
        self._ask_again, self._choices = opening.ask_again, opening.choices
        self._later: list[Task] = []
        self._waiting: _Waiting | None = None
        self._held: Question | None = None
        self._put_off: list[Task] = []
        """What waited before a look-up."""
        self._stopped = ""
        self._denial = ""
        """What a tool said of who may see its list."""
        self._judged: dict[str, bool | None] = {}

    @property
    def frame(self) -> Frame:
        """Where the conversation stands after what was done so far."""
        return self._board.frame

    def next_action(self) -> Call | Say:
        """Return the next step."""
        while self._board.queue and not self._stopped:
            task = self._next_task()
            if self._mind.tools[task.tool].writes and self._board.questions:
                self._later.append(task)
                continue
            if proving := self._prove_first(task):
                task = proving
            step = self._filler.fill(task)
            action: Call | None = None
            if isinstance(step, NeedsList):
                self._board.queue.insert(0, task)
                action = self._call(step.tool, step.arguments, _Waiting("list", task, step))
            elif isinstance(step, Asks):
                self._ask(task, step)
            else:
                action = self._run(task, step)
            if action is not None:
                return action
        return self._finish()

    def told(self, name: str, arguments: Mapping[str, Any], content: str) -> None:
        """Take in what came of a call."""
        outcome = read_outcome(content)
        for kind, options in outcome.lists.items():
            self._board.frame.keep_list(list_key(name, kind, arguments), options)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.purpose == "list":
            self._board.frame.waiting, self._board.frame.interrupted = self._put_off, False
        if waiting is None:  # another model made this call; its words still count
            self._board.say(outcome.say or outcome.text)
            return
        if waiting.purpose == "list" and waiting.step is not None:
            self._take_list(waiting.step, outcome)
        elif waiting.purpose == "condition":
            self._take_condition(waiting.task, outcome)
        elif outcome.code:
            second = second_opinion(self._board, waiting.task, outcome)
            take_error(self._board, waiting.task, outcome)
            if second is not None:
                self._hold_back(second)
        else:
            self._take_result(waiting.task, outcome)

    def _next_task(self) -> Task:
        """Reads come first: a change ends the turn. What hangs on a condition keeps its place."""
        first = next((t for t in self._board.queue if self._is_plain_read(t)), self._board.queue[0])
        self._board.queue.remove(first)
        return first

    def _prove_first(self, task: Task) -> Task | None:
        """Return the proof that a task needs, where an account can be opened by one.

        A proof is only offered to who is not known yet. Who is asked for nothing else first can
        have what they own looked up instead of being asked for its number.
        """
        tool = self._mind.tools[task.tool]
        proof = self._mind.proof_for(tool.level)
        if proof is None or proof.grants < _ACCOUNT or not tool.level or tool.role == PROOF:
            return None
        if any(made[0] == proof.name for made in self._board.made):
            return None
        return Task(proof.name, task.text, lead=wording.WHO, then=task)

    def _is_plain_read(self, task: Task) -> bool:
        return not (self._mind.tools[task.tool].writes or task.condition)

    def _run(self, task: Task, step: Ready) -> Call | None:
        if len(step.calls) > 1:
            self._board.queue[:0] = [replace(task, arguments=dict(call)) for call in step.calls]
            return None
        task.arguments = step.calls[0]
        if task.condition:
            return self._check_condition(task)
        tool = self._mind.tools[task.tool]
        words = ""
        if tool.writes:
            self._board.frame.stale = True  # what is listed may change with it
            self._board.frame.waiting = [*self._board.queue, *self._later]
            self._board.frame.open = None
            words = "\n\n".join(
                [*self._board.said, wording.announce(self._board.frame.waiting)]
            ).strip()
            words = f"{words}\n\n" if words else ""
        self._board.frame.last = replace(task, asked="", options=[], then=None, condition="")
        if tool.writes:
            self._board.frame.shown = self._board.frame.last
        self._note_values(task)
        return self._call(task.tool, task.arguments, _Waiting("run", task), words)

    def _call(
        self, tool: str, arguments: Mapping[str, Any], waiting: _Waiting, words: str = ""
    ) -> Call | None:
        mark = call_mark(tool, arguments)
        if mark in self._board.made or len(self._board.made) >= MOST_CALLS:
            self._stopped = wording.STUCK if mark in self._board.made else wording.TOO_LONG
            return None
        self._board.made.append(mark)
        self._waiting = waiting
        if waiting.purpose == "list":
            frame = self._board.frame
            self._put_off, frame.interrupted = frame.waiting, True
            frame.waiting = [*self._board.queue, *self._later]
        return Call(tool, dict(arguments), words)

    def _note_values(self, task: Task) -> None:
        for argument in self._mind.tools[task.tool].arguments:
            value = task.arguments.get(argument.name)
            shared = argument.kind not in UNSHARED or argument.kind == "address"
            if value is not None and shared:
                values = value if isinstance(value, list) else [value]
                self._board.frame.remember(argument.kind, [str(v) for v in values])

    # What came of calls

    def _take_result(self, task: Task, outcome: Outcome) -> None:
        tool = self._mind.tools[task.tool]
        if (second := second_opinion(self._board, task, outcome)) is not None:
            second.instead = outcome.say
            self._board.queue.insert(0, second)
            return
        if task.instead:
            self._take_second(task, outcome)
            return
        if outcome.unknown and self._several and not asks_to_know(task.text):
            return  # a remark beside what was asked needs no answer
        then = task.then or (self._first_look(task) if tool.role == PROOF else None)
        if not (then and tool.role == PROOF):
            self._board.say(outcome.say)
        if tool.role == PROOF:
            self._board.frame.denied, self._board.frame.lists = [], {}
            # What was refused before may be asked for again.
            self._board.made = [made for made in self._board.made if made[0] == tool.name]
        if outcome.unknown and self._mind.by_role(HANDOFF):
            self._board.frame.offered = True
        if then is not None:
            self._board.carry_over(task, then)
            self._board.queue.insert(0, then)

    def _first_look(self, proof: Task) -> Task | None:
        """Return the look at the record that was proved, where nothing else was asked for."""
        if self._several:
            return None
        listers = {a.candidates for tool in self._mind.tools.values() for a in tool.arguments}
        proved = self._mind.tools[proof.tool]
        for tool in self._mind.tools.values():
            needed = [a for a in tool.arguments if a.required]
            plain = tool.name in listers and not (tool.writes or tool.role)
            if plain and needed and all(proved.of_kind(a.kind) for a in needed):
                return Task(tool.name, proof.text)
        return None

    def _hold_back(self, second: Task) -> None:
        """Ask the articles first; what the error had us say or ask is kept for the case."""
        board = self._board
        if board.questions:
            self._held = board.questions.pop()
            second.instead = self._held.asks.argument.ask
        elif board.said:
            second.instead = board.said.pop()
        if second.instead:
            board.queue.insert(0, second)

    def _take_second(self, task: Task, outcome: Outcome) -> None:
        """Take what the articles say, or what was held back when that misses the point."""
        held, self._held = self._held, None
        if outcome.unknown or not mentions(quoted_words(outcome), task.about):
            if held is not None:
                self._board.questions.append(held)
            else:
                self._board.say(task.instead)
            return
        self._board.frame.open = None
        self._board.say(outcome.say)

    def _take_list(self, step: NeedsList, outcome: Outcome) -> None:
        if outcome.code == "not_verified":
            self._denial = outcome.text
            self._board.frame.denied = [*self._board.frame.denied, step.tool][-MOST_DENIED:]
        if step.kind not in outcome.lists:
            self._board.frame.keep_list(list_key(step.tool, step.kind, step.arguments), [])

    def _take_condition(self, task: Task, outcome: Outcome) -> None:
        if outcome.code:
            task.condition = ""
            take_error(self._board, task, outcome)
            return
        self._board.say(outcome.say)
        self._judged[task.condition] = judge(task.condition, outcome.facts, outcome.say)
        self._decide_condition(task)

    def _decide_condition(self, task: Task) -> None:
        """Go on with a task, or leave it, now that its condition is judged."""
        condition, holds = task.condition, self._judged[task.condition]
        task.condition = ""
        if holds is None:
            self._board.say(wording.unclear(condition))
        elif holds is not task.holds:
            if not any(other.condition == condition for other in self._board.queue):
                self._board.say(
                    wording.not_done(condition if task.holds else f"unless {condition}")
                )
            return
        self._board.queue.insert(0, task)

    def _check_condition(self, task: Task) -> Call | None:
        """Read what a condition speaks of before the change it guards."""
        if task.condition in self._judged:
            self._decide_condition(task)
            return None
        target = self._mind.tools[task.tool]
        shared = {
            a.kind for a in target.arguments if a.kind not in UNSHARED and a.name in task.arguments
        }
        ranking = self._mind.rank(f"is it true that {task.condition}?", spoken_of=frozenset(shared))
        for name in ranking.probabilities:
            tool = self._mind.tools.get(name)
            if tool is None or tool.writes or tool.role or not shared & tool.kinds:
                continue
            probe = Task(name, task.condition)
            self._board.carry_over(task, probe)
            if all(a.name in probe.arguments for a in tool.arguments if a.required):
                return self._call(name, probe.arguments, _Waiting("condition", task))
        self._board.say(wording.unclear(task.condition))
        task.condition = ""
        self._board.queue.insert(0, task)
        return None

    # The end of the turn

    def _ask(self, task: Task, asks: Asks) -> None:
        """Keep a question for the end of the turn.

        Where the list of possible values is closed to this caller, a value alone would not do
        either: the proof is asked for at once.
        """
        lister = self._mind.tools.get(asks.argument.candidates)
        closed = lister is not None and lister.name in self._board.frame.denied
        proof = self._mind.proof_for(self._mind.tools[task.tool].level)
        if closed and proof is not None and self._mind.tools[task.tool].role != PROOF:
            proving = Task(proof.name, task.text, lead=self._denial, then=task)
            step = self._filler.fill(proving)
            if isinstance(step, Ready):
                self._board.queue.insert(0, proving)
                return
            if isinstance(step, Asks):
                task, asks = proving, step
        self._note_values(task)
        self._board.questions.append(Question(task, asks))

    def _finish(self) -> Say:
        choices = list(self._choices)
        if self._stopped:
            self._board.say(self._stopped)
            self._board.offer_person()
            self._board.frame.open = None
        elif self._board.questions:
            first, *rest = self._board.questions
            self._board.frame.open = replace(
                first.task,
                asked=first.asks.argument.name,
                options=first.asks.options or first.task.options,
            )
            self._board.frame.waiting = [*(q.task for q in rest), *self._later]
            self._board.say(first.task.lead)
            asks = first.asks
            if not (first.task.lead and first.task.lead != wording.WHO and asks.others):
                self._board.say(
                    wording.question(asks.argument, asks.options, asks.others, asks.also)
                )
            choices = wording.choices(asks.argument, self._board.frame.open.options)
        elif self._ask_again and self._board.frame.open is not None:
            choices = self._repeat_question(self._board.frame.open)
        return Say("\n\n".join(self._board.said) or wording.NOTHING_MORE, choices)

    def _repeat_question(self, task: Task) -> list[str]:
        argument = self._mind.tools[task.tool].argument(task.asked)
        if argument is None:
            return []
        ask = wording.question(argument, task.options)
        self._board.say(wording.back_to(ask) if self._board.said else wording.again(ask))
        return wording.choices(argument, task.options)
