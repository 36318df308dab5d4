"""The words of a set of tools: what names a thing, what asks about it, what is neither."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from opsbot.conversation.local.classifier import stem, stems
from opsbot.conversation.local.declarations import ArgumentSpec, ToolSpec
from opsbot.conversation.local.language import COMMANDS, STOP_WORDS
from opsbot.conversation.local.values import find_values, is_marked

_LONGEST = 600
THING = "item"
"""What stands for the name of any thing."""
_WORD = re.compile(r"[\w']+|[.,!?]")
_FRAME_SHARE = 3
"""A word in a third of a tool's examples frames its questions."""


class Vocabulary:
    """What the declarations of a set of tools tell about words."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = tuple(tools)

    @cached_property
    def verbs(self) -> frozenset[str]:
        """Stems of the verbs that begin an order, learned from the examples."""
        first = set()
        for tool in self._tools:
            names = {stem(word) for word in tool.name.split("_")[:1] if word not in STOP_WORDS}
            for text in tool.examples:
                words = re.findall(r"[a-z']+", text.lower())
                if len(words) > 1 and words[0] not in STOP_WORDS:
                    first.add(stem(words[0]))
            first |= names
        return frozenset(first | COMMANDS)

    @cached_property
    def common_words(self) -> Mapping[str, frozenset[str]]:
        """For each tool the stems of its examples."""
        return {
            tool.name: frozenset(
                s for text in (*tool.examples, *tool.follow_ups) for s in stems(text)
            )
            for tool in self._tools
        }

    @cached_property
    def frame_words(self) -> Mapping[str, frozenset[str]]:
        """For each tool the stems that frame its questions: those in many of its examples."""
        frames = {}
        for tool in self._tools:
            counts = Counter(s for text in tool.examples for s in set(stems(text)))
            least = max(2, len(tool.examples) / _FRAME_SHARE)
            frames[tool.name] = frozenset(s for s, count in counts.items() if count >= least)
        return frames

    @cached_property
    def marked(self) -> Sequence[ArgumentSpec]:
        """One argument for each kind of value that a pattern finds; mail addresses first."""
        kinds: dict[tuple[str, str], ArgumentSpec] = {}
        for tool in self._tools:
            for argument in tool.arguments:
                if is_marked(argument):
                    pattern = argument.pattern.pattern if argument.pattern else ""
                    kinds.setdefault((argument.kind, pattern), argument)
        return sorted(kinds.values(), key=lambda a: a.kind not in {"email", "postcode"})

    def without_values(self, text: str, *, kinds: frozenset[str] | None = None) -> str:
        """Leave out order numbers and the like; of kinds beside these, words without a digit stay.

        A country is a value of its own to a tool that takes one, and part of a name to others.
        """
        for argument in self.marked:
            for found in reversed(find_values(argument, text)):
                other = kinds is not None and argument.kind not in kinds
                if other and not re.search(r"\d", found.value):
                    continue
                text = f"{text[: found.span[0]]} {text[found.span[1] :]}"
        return text

    def mask(self, text: str) -> str:
        """Put "my order" for "#1004": which order it is does not tell what is asked."""
        text = text[: 2 * _LONGEST]
        for argument in self.marked:
            for found in reversed(find_values(argument, text)):
                start, end = found.span
                text = f"{text[:start]}my {noun_of(argument.kind)}{text[end:]}"
        return text[:_LONGEST]

    @cached_property
    def _known(self) -> frozenset[str]:
        """Stems that some example has, or every text."""
        every = (stem(word) for word in STOP_WORDS)
        return frozenset().union(every, *self.common_words.values())

    def plain(self, text: str) -> str:
        """Put "item" for the words that no example has: names of things, their colours and sizes.

        "I'd like to exchange some wireless earbuds" asks for the same as with a lamp in it.
        """
        kept: list[str] = []
        for word in _WORD.findall(text):
            known = stem(word.lower()) in self._known
            if known or not kept or kept[-1] != THING:
                kept.append(word if known else THING)
        return " ".join(kept)

    def kinds_in(self, text: str) -> frozenset[str]:
        """Return the kinds of values with a pattern that a text names."""
        return frozenset(argument.kind for argument in self.marked if find_values(argument, text))


def noun_of(kind: str) -> str:
    """Return what a kind of value names: "order" for `order_number`."""
    return re.sub(r"_(?:number|no|id|code)$", "", kind).replace("_", " ")
