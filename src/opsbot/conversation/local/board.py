"""What a turn has in hand: tasks to do, words to say, questions to ask."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsbot.conversation.local import wording
from opsbot.conversation.local.declarations import HANDOFF, UNSHARED
from opsbot.conversation.local.fill import Asks
from opsbot.conversation.local.frame import Frame, Task
from opsbot.conversation.local.understand import Understanding


@dataclass
class Question:
    """A question for the end of the turn, and the task it belongs to."""

    task: Task
    asks: Asks


@dataclass
class Board:
    """The state of a turn that its parts share."""

    mind: Understanding
    frame: Frame
    queue: list[Task]
    """What is still to do, in order."""
    said: list[str]
    """The reply so far, a paragraph each."""
    questions: list[Question] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)
    """Marks of the calls that were made."""

    def say(self, words: str) -> None:
        """Add a paragraph, unless it is there already."""
        if words and words not in self.said:
            self.said.append(words)

    def offer_person(self) -> None:
        """Offer to hand over, if that is possible; a yes then means it."""
        if self.mind.by_role(HANDOFF):
            self.say(wording.OFFER)
            self.frame.offered = True

    def carry_over(self, done: Task, then: Task) -> None:
        """Give the next task the values that the finished one found."""
        source, target = self.mind.tools[done.tool], self.mind.tools[then.tool]
        for argument in target.arguments:
            same = source.of_kind(argument.kind)
            if same and argument.kind not in UNSHARED and same.name in done.arguments:
                then.arguments.setdefault(argument.name, done.arguments[same.name])
        then.asked, then.options = "", []
        # The check before was made without the proof; made again, it can succeed.
        mark = call_mark(then.tool, then.arguments)
        self.made = [made for made in self.made if made != mark]


def call_mark(tool: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """Return what makes two calls the same."""
    return tool, json.dumps(arguments, sort_keys=True, default=str)
