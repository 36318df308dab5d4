"""More examples: the same question about another thing.

"Is the Halo lamp in stock?" and "What does the mug cost?" tell which question belongs to which
tool, but also, wrongly, that lamps are asked for stock and mugs for prices. So the things that
tools of one kind of argument are asked about change places. What a tool is only sometimes asked
about, the items of an order to cancel, stays where it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.declarations import UNSHARED, ToolSpec
from opsbot.conversation.local.language import ASKING_STEMS
from opsbot.conversation.local.values import is_marked
from opsbot.conversation.local.vocabulary import Vocabulary

_LONGEST_NAME = 4
"""Words of a name at most."""
_SHORTEST_REST = 2
"""Words that must be left to ask something."""
_WORD = re.compile(r"[\w'’-]+")  # noqa: RUF001


@dataclass(frozen=True)
class Swap:
    """An example about another thing."""

    text: str
    label: str
    """Name of its tool."""
    of: str
    """The example it was made of."""


def swap_names(words: Vocabulary, tools: Sequence[ToolSpec]) -> Iterator[Swap]:
    """Yield examples with another tool's thing in place of their own."""
    kinds = {
        argument.kind
        for tool in tools
        for argument in tool.arguments
        if argument.kind not in UNSHARED and not is_marked(argument)
    }
    for kind in sorted(kinds):
        named = [
            (tool.name, text, span)
            for tool in sorted(tools, key=lambda tool: tool.name)
            if any(a.kind == kind and a.when is None for a in tool.arguments)
            for text in tool.examples
            if (span := _name_span(words, tool, text))
        ]
        for place, (label, text, (start, end)) in enumerate(named):
            others = [(t, s) for name, t, s in named if name != label]
            if others:
                other, (a, b) = others[(place * 7) % len(others)]
                yield Swap(f"{text[:start]}{other[a:b]}{text[end:]}", label, text)


def _name_span(words: Vocabulary, tool: ToolSpec, text: str) -> tuple[int, int] | None:
    """Return where the longest run of words that name something stands."""
    ignore = words.frame_words[tool.name] | ASKING_STEMS
    runs: list[list[re.Match[str]]] = [[]]
    for match in _WORD.finditer(text):
        if content_stems(match[0], ignore):
            runs[-1].append(match)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    left = len(_WORD.findall(text)) - len(longest)
    if not longest or len(longest) > _LONGEST_NAME or left < _SHORTEST_REST:
        return None
    return longest[0].start(), longest[-1].end()
