"""What people say of tools: what the understanding is trained with."""

from collections.abc import Iterator, Sequence

from opsbot.conversation.local.declarations import HANDOFF, KNOWLEDGE, ToolSpec
from opsbot.conversation.local.language import KNOWLEDGE_EXAMPLES, PERSON_EXAMPLES, SMALL_TALK

ROLE_EXAMPLES = {KNOWLEDGE: KNOWLEDGE_EXAMPLES, HANDOFF: PERSON_EXAMPLES}
"""What is said of tools with a role in every conversation, beside their own examples."""

GOES_ON = "+"
"""Ends the class of what people say to go on with a tool."""
_MOST_PHRASES = 2
"""Phrases of each choice that count as examples."""


def said_of_all(tools: Sequence[ToolSpec]) -> Iterator[tuple[str, str]]:
    """Yield what people say, small talk included, with the class it belongs to."""
    for tool in tools:
        yield from ((text, tool.name) for text in _said_of(tool))
        yield from ((text, f"{tool.name}{GOES_ON}") for text in tool.follow_ups)
        yield from ((text, tool.name) for text in ROLE_EXAMPLES.get(tool.role, ()))
    for label, texts in SMALL_TALK.items():
        yield from ((text, label) for text in texts)


def _said_of(tool: ToolSpec) -> Iterator[str]:
    """Yield what a tool is asked for with: its examples, its description, its choices."""
    yield from tool.examples
    if tool.description:
        yield tool.description.split("\n", 1)[0]
    for argument in tool.arguments:
        if argument.required:
            for phrases in argument.labels.values():
                yield from list(phrases)[:_MOST_PHRASES]
