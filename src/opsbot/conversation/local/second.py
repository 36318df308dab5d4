"""When a record does not answer what was asked, the articles may."""

from collections.abc import Mapping, Sequence

from opsbot.conversation.local.board import Board
from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import stems
from opsbot.conversation.local.declarations import KNOWLEDGE, ToolSpec
from opsbot.conversation.local.frame import Task
from opsbot.conversation.local.language import ASKING_STEMS
from opsbot.conversation.local.outcomes import Outcome
from opsbot.conversation.local.patterns import OFFERS
from opsbot.conversation.local.requests import strip_courtesy
from opsbot.conversation.local.values import is_marked, same_word

UNMATCHED = "unmatched"
"""The fact with the words of an argument that a tool could make nothing of."""


def second_opinion(board: Board, task: Task, outcome: Outcome) -> Task | None:
    """Return the question for the articles when a read tool missed words of the request.

    It did when nothing is called by those words, when several things are and the request says
    more than their names, or when it tells which words it made nothing of.
    """
    knowledge, tool = board.mind.by_role(KNOWLEDGE), board.mind.tools[task.tool]
    if knowledge is None or tool.writes or tool.role or task.instead or not _names_freely(tool):
        return None
    known = board.mind.vocabulary.common_words[tool.name]
    if outcome.code and OFFERS.match(strip_courtesy(task.text)):
        return None  # "do you have coffee beans?" is answered: we do not
    if outcome.code == "not_found":
        missed = content_stems(task.text)
    elif outcome.code == "ambiguous":
        named = {s for words in outcome.candidates for s in stems(words)}
        missed = content_stems(task.text, known | named | ASKING_STEMS)
    elif not outcome.code and isinstance(outcome.facts.get(UNMATCHED), list):
        words = " ".join(str(word) for word in outcome.facts[UNMATCHED])
        missed = content_stems(words, known | ASKING_STEMS)
    else:
        return None
    return Task(knowledge.name, task.text, about=missed) if missed else None


def quoted_words(outcome: Outcome) -> str:
    """Return what the articles say, with the headings it stands under."""
    passages = outcome.facts.get("passages")
    listed = passages if isinstance(passages, list) else []
    headings = [
        f"{one.get('title', '')} {one.get('heading', '')}"
        for one in listed
        if isinstance(one, Mapping) and f"[{one.get('n')}]" in outcome.say
    ]
    return " ".join((outcome.say, *headings))


def mentions(text: str, about: Sequence[str]) -> bool:
    """Tell whether a text has one of the stems, slips aside."""
    return any(same_word(one, other) for one in set(stems(text)) for other in about)


def _names_freely(tool: ToolSpec) -> bool:
    """Tell whether a tool takes the name of a thing in anybody's words."""
    return any(a.kind == "item" and not a.candidates and not is_marked(a) for a in tool.arguments)
