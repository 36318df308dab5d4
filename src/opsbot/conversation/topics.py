"""Which tools a model from outside is offered: few, chosen by what the conversation is about."""

from collections.abc import Sequence

from opsbot.conversation.gloss import in_english
from opsbot.conversation.local.declarations import ToolSpec
from opsbot.conversation.local.requests import split_message
from opsbot.conversation.local.understand import Understanding

MOST = 15
"""Tools that a model from outside is offered at once."""
_MESSAGES = 4
"""The last messages that tell what the conversation is about."""
_FADES = 0.6
"""What a message counts for, beside the one after it."""


def choose_tools(mind: Understanding, said: Sequence[str], *, most: int = MOST) -> list[str]:
    """Return the names of the tools to offer, sorted.

    Those with a role (the articles, the way to a person, the proofs) are always among them. The
    others are those that fit the person's last messages best, each with the tool that lists the
    values it takes.

    Args:
        mind: knows the tools that this person may use.
        said: the person's own messages, oldest first.
        most: tools to offer.
    """
    chosen = [tool.name for tool in mind.tools.values() if tool.role][:most]
    for name in _by_topic(mind, said):
        wanted = [one for one in (name, *_sources(mind, mind.tools[name])) if one not in chosen]
        if len(chosen) + len(wanted) <= most:
            chosen += wanted
    return sorted(chosen)


def _by_topic(mind: Understanding, said: Sequence[str]) -> list[str]:
    scores = dict.fromkeys(mind.tools, 0.0)
    weight = 1.0
    for text in reversed(said[-_MESSAGES:]):
        for clause in split_message(in_english(text), mind.vocabulary.verbs):
            ranked = mind.rank(clause.text).probabilities
            for name in scores:
                scores[name] = max(scores[name], weight * ranked.get(name, 0.0))
        weight *= _FADES
    return sorted(scores, key=lambda name: (-scores[name], name))


def _sources(mind: Understanding, tool: ToolSpec) -> list[str]:
    """Return the tools that list the values a tool takes."""
    listing = (a.candidates for a in tool.arguments if a.required and a.candidates)
    return list(dict.fromkeys(name for name in listing if name in mind.tools))
