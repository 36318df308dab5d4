"""Find what words say of an argument: by its form, by its meaning, by what is left over."""

import re
from typing import Any

from opsbot.conversation.local.addresses import find_address, tidy_address
from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import stem
from opsbot.conversation.local.declarations import NUMBERS, ArgumentSpec, ToolSpec
from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.language import ASKING_STEMS
from opsbot.conversation.local.patterns import BARE_NAME, BARE_POSTCODE, LATEST, OLDEST
from opsbot.conversation.local.requests import asks_something, strip_courtesy
from opsbot.conversation.local.understand import Understanding
from opsbot.conversation.local.values import find_labels, find_values, number_in
from opsbot.conversation.local.vocabulary import noun_of

MEANS = 0.55
"""Cosine from which words mean a choice that they do not name."""
MEANS_TOLD = 0.5
"""The same for a clause that only tells something."""
MEANS_ASKED = 0.35
"""The same for the answer to a question of ours."""
_CLEAR = 0.06
"""By how much it must lead the next choice."""
_PARTS = re.compile(r"[,;:.!?()\n]+|\s[-–]\s|\b(?:because|since)\b", re.IGNORECASE)  # noqa: RUF001
_CAUSE = re.compile(
    r":\s|\b(?:because(?: of)?|since|due to|(?:the )?reason(?: is|:)?)(?!\w)|\b(?=until\b)",
    re.IGNORECASE,
)
"""What sets a reason off from the request it is given with; "until" is part of it."""
_BESIDE = re.compile(r"[,;.!?()\n]+|\s[-–]\s")  # noqa: RUF001
_NUMBERED = re.compile(
    r"(?:\border|\bnumber|\bno\.?|#)\W*(?:number|no\.?|is|was)?\W*$", re.IGNORECASE
)
"""What comes before the number of a record: "order 4329" holds no postcode."""
_FEW_WORDS = 3
_LEAST_BESIDE = 2
"""Words with content that make a remark of what a comma alone sets off."""
TRAILING = re.compile(
    r"(?:[\s,.]*\b(?:please|thanks?|thank you|instead|now|asap|if (?:possible|you can)|for me)\b)+"
    r"[\s.!?]*$",
    re.IGNORECASE,
)
"""What comes after a value and is no part of it."""


class Finder:
    """Looks for values in words. It keeps nothing."""

    def __init__(self, mind: Understanding) -> None:
        self._mind = mind
        self._words = mind.vocabulary

    def explicit(self, argument: ArgumentSpec, text: str, *, answers: bool = False) -> list[Any]:
        """Return what a text names by itself. `answers`: the text answers for this argument."""
        if found := find_values(argument, text):
            return [f.value for f in found]
        if argument.labels:
            labels = find_labels(argument, text)
            return labels if argument.many else labels[:1]
        if argument.kind == "name" and answers and (name := BARE_NAME.search(text)):
            return [name[1]]
        if argument.kind == "postcode" and answers:
            codes = BARE_POSTCODE.finditer(text)
            return [m[0].strip() for m in codes if not _NUMBERED.search(text, 0, m.start())]
        # A number that has a form of its own is not just any number, except as an answer.
        few = len(text.split()) <= _FEW_WORDS  # "redeem 50"
        bare = answers or argument.pattern is None or few
        if bare and (argument.kind in {"quantity", "number"} or argument.type in NUMBERS):
            number = number_in(text, taken=self._taken(argument, text), ones=answers)
            return [] if number is None else [number]
        return []

    def _taken(self, argument: ArgumentSpec, text: str) -> list[tuple[int, int]]:
        """Return the places of numbers that mean something else, such as an order."""
        return [
            found.span
            for other in self._words.marked
            if other.kind != argument.kind
            for found in find_values(other, text)
        ]

    def by_meaning(self, argument: ArgumentSpec, text: str, *, least: float = MEANS) -> list[Any]:
        """Return the allowed value whose phrases are nearest to a text, if one clearly is.

        Words without content, such as "yes", mean none of them.
        """
        if not content_stems(self._words.without_values(text)):
            return []
        phrases = [(p, v) for v, ps in argument.labels.items() for p in (*ps, v.replace("_", " "))]
        vectors = self._mind.encoder.encode([text, *(p for p, _ in phrases)])
        cosines = vectors[1:] @ vectors[0]
        best: dict[str, float] = {}
        for (_, value), cosine in zip(phrases, cosines, strict=True):
            best[value] = max(best.get(value, -1.0), float(cosine))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        clear = _CLEAR if least == MEANS else _CLEAR / 3
        leads = len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= clear
        return [ranked[0][0]] if ranked and ranked[0][1] >= least and leads else []

    def describes(self, tool: ToolSpec, text: str, *, closely: bool = False) -> bool:
        """Tell whether the words may describe a thing beyond naming what is asked.

        Args:
            tool: what is asked.
            text: the words.
            closely: count words too that some example happens to have, such as "mug".
        """
        text = self._words.without_values(strip_courtesy(text))
        if LATEST.search(text) or OLDEST.search(text):
            return True
        frame = self._words.frame_words[tool.name] | ASKING_STEMS | self._words.verbs
        return bool(content_stems(text, frame if closely else self._words.common_words[tool.name]))

    def address(self, text: str) -> str:
        """Return what follows "to" or a colon, if it looks like a street with a number."""
        blank = text
        for other in self._words.marked:
            for found in find_values(other, text):
                start, end = found.span
                blank = f"{blank[:start]}{' ' * (end - start)}{blank[end:]}"
        return tidy_address(TRAILING.sub("", find_address(text, blank)))

    def told_beside(self, tool: ToolSpec, asked: ArgumentSpec, text: str) -> str:
        """Return the words that a request is given with, without the request; empty: none.

        "Hold #1004, the address is unclear" says why, in words that any request has.
        """
        head, *_ = _BESIDE.split(text, maxsplit=1)
        cause = _CAUSE.search(text)
        by_comma = cause is None or cause.start() > len(head)
        if cause is not None and not by_comma:
            head, told = text[: cause.start()], text[cause.end() :]
        else:
            told = text[len(head) :]
        told = TRAILING.sub("", told).strip(" ,;.!?()-–\n")  # noqa: RUF001
        verbs = self._words.verbs
        if not asks_something(head, verbs) or (by_comma and asks_something(told, verbs)):
            return ""
        others = [one for one in tool.arguments if one is not asked and by_comma]
        if any(self.explicit(one, told) and not self.explicit(one, head) for one in others):
            return ""
        words = content_stems(self._words.without_values(told))
        return told if len(words) >= (_LEAST_BESIDE if by_comma else 1) else ""

    def name_thing(self, tool: ToolSpec, text: str) -> str:
        """Return the words of a text that name a thing, without those that ask about it."""
        text = self._without_choices(tool, text)
        bare = strip_courtesy(self._words.without_values(text, kinds=tool.kinds))
        words = re.findall(r"[\w'’-]+", bare)  # noqa: RUF001
        own_name = {stem(word) for word in tool.name.split("_")}
        frame_words = self._words.frame_words[tool.name] | ASKING_STEMS | own_name
        kept = [w for w in words if content_stems(w, frame_words) or re.search(r"[^\W\d].*\d", w)]
        return " ".join(kept)

    def _without_choices(self, tool: ToolSpec, text: str) -> str:
        """Leave out the words that other arguments of the tool take: periods, choices."""
        for argument in tool.arguments:
            for found in reversed(find_values(argument, text)):
                text = f"{text[: found.span[0]]} {text[found.span[1] :]}"
            for value in find_labels(argument, text):
                for phrase in (*argument.labels[value], value.replace("_", " ")):
                    # A single word may name a thing as well: "damaged lamps".
                    if " " in phrase:
                        text = re.sub(rf"\b{re.escape(phrase)}\b", " ", text, flags=re.IGNORECASE)
        return text


def told_parts(text: str) -> list[str]:
    """Return the parts of a text that commas and "because" set off."""
    return [part for part in _PARTS.split(text) if part.strip()]


def label_options(argument: ArgumentSpec) -> list[Option]:
    """Return the allowed values with the first phrase that means each."""
    return [
        Option(value, next(iter(phrases), value.replace("_", " ")))
        for value, phrases in argument.labels.items()
    ]


def says_other(kind: str, text: str) -> bool:
    """Tell whether a text says that it is about another one of a kind: "not that order"."""
    noun = re.escape(noun_of(kind))
    form = (
        rf"\b(?:not|wrong|another|different|other)\s+(?:(?:in|of|from)\s+)?"
        rf"(?:(?:that|this|the|my)\s+)?{noun}\b"
    )
    return re.search(form, text, re.IGNORECASE) is not None


def says_none(kind: str, text: str) -> bool:
    """Tell whether a text says that there is none of a kind: "I have no order", "not an order"."""
    noun = rf"{re.escape(noun_of(kind))}\b(?!\s+(?:number|no\b|id\b|confirmation))"
    forms = (
        rf"^\W*no {noun}",
        rf"\b(?:have|got|placed|made)\s+no\s+{noun}",
        rf"\bnot\s+(?:(?:about|for)\s+)?an?\s+{noun}",
        rf"(?:\bnot|n't|\bnever)\s+(?:yet\s+)?(?:have|placed|made|got)\s+an?\s+{noun}",
    )
    return any(re.search(form, text, re.IGNORECASE) for form in forms)


def points_back(argument: ArgumentSpec, text: str) -> bool:
    """Tell whether a text says "that order" of the kind of thing an argument takes."""
    noun = re.escape(noun_of(argument.kind))
    return re.search(rf"\b(?:that|this|the same)\s+{noun}\b", text, re.IGNORECASE) is not None
