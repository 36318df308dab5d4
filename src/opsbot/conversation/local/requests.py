"""Cut a message into the requests it holds, before anything is known about tools."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import islice

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import mood, stem
from opsbot.conversation.local.patterns import (
    CONDITION,
    COURTESY,
    GREETING,
    JOINT,
    OPENER,
    OTHERWISE,
    WHETHER,
)

MOST_CLAUSES = 12
"""What a message holds beyond this many clauses stays together in the last one."""
MOST_JOINTS = 60
"""Commas and words like "and" of a sentence that are looked at; the rest stays together."""
SIDE = 200
"""Characters looked at on either side of a joint: the form of a request shows early."""

_LEAST_TOLD = 4
"""Words a statement needs to stand before "and" and a request."""
_VERB_GOES_ON = frozenset(
    {"to", "not", "been", "be", "being", "was", "were", "is", "are", "has", "have", "had"}
)
_PHRASE = 3
"""Words from which a question mark makes a question of what follows "and"."""
_WHICH = re.compile(r"(?:which|what|who|whose|where|why|when|how)\b", re.IGNORECASE)
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_JOINTS = re.compile(r"[,;](?: ?[,;])+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')]*\s+|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:no|nr|str|st|approx|mr|mrs|ms|dr|e\.g|i\.e|ca|tel)|\b\w)\.$", re.IGNORECASE
)
_FIRST_WORD = re.compile(
    r"^\W*(?:(?:and|also|then|so|but|plus|please|kindly|just)\W+)*(\w+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Clause:
    """A part of a message."""

    text: str
    asks: bool
    """Whether its form is that of a question, an order or a wish."""
    condition: str = ""
    """What must hold: "it has not shipped". Empty: nothing."""
    holds: bool = True
    """Whether the condition must be true (if) or false (unless, otherwise)."""


def tidy(message: str) -> str:
    """Return a message with single blanks, straight quotes, no empty lines or commas in a row.

    The patterns count on this: runs of blanks cost them time that grows with the square.
    """
    straight = message.replace("\u2019", "'").replace("\u2018", "'")
    lines = (_BLANKS.sub(" ", line).strip() for line in straight.splitlines())
    return _EMPTY_JOINTS.sub(",", "\n".join(line for line in lines if line))


def asks_to_know(text: str) -> bool:
    """Tell whether a text is a question by its form."""
    return "?" in text or mood(strip_courtesy(text)).startswith("<asks")


def split_message(message: str, verbs: Collection[str]) -> list[Clause]:
    """Cut a message into clauses, in order; together they hold all of its words.

    Args:
        message: what a person wrote.
        verbs: stems that begin an order, such as "cancel".
    """
    clauses: list[Clause] = []
    for sentence in split_sentences(tidy(message)):
        if len(clauses) > 2 * MOST_CLAUSES:
            clauses[-1] = replace(clauses[-1], text=f"{clauses[-1].text} {sentence}")
            continue
        parts = _split_joined(sentence, verbs)
        for part in parts:
            clauses.append(_make_clause(part, verbs, clauses))
    if len(clauses) > MOST_CLAUSES:
        rest = " ".join(clause.text for clause in clauses[MOST_CLAUSES - 1 :])
        clauses = [*clauses[: MOST_CLAUSES - 1], Clause(rest, asks=True)]
    return clauses


def split_sentences(message: str) -> list[str]:
    """Return the sentences and lines of a text; abbreviations do not end one."""
    sentences: list[str] = []
    for piece in _SENTENCE_END.split(message.strip()):
        if not piece.strip():
            continue
        if sentences and _ABBREVIATION.search(sentences[-1][-10:]):
            sentences[-1] = f"{sentences[-1]} {piece}"
        else:
            sentences.append(piece.strip())
    return sentences


def asks_something(text: str, verbs: Collection[str], *, mark: bool = True) -> bool:
    """Tell whether a text has the form of a question, an order or a wish.

    Args:
        text: the words.
        verbs: stems that begin an order.
        mark: whether a question mark alone is enough.
    """
    bare = strip_courtesy(text)
    if (mark and bare.rstrip().endswith("?")) or OPENER.match(bare):
        return True
    first = _FIRST_WORD.match(bare)
    return first is not None and stem(first[1].lower()) in verbs


def strip_courtesy(text: str) -> str:
    """Return a text without the greeting or thanks it begins with, unless that is all."""
    bare = GREETING.sub("", text, count=1)
    bare = COURTESY.sub("", bare, count=1) if len(bare.split()) > 1 else bare
    return bare if bare.strip(" .!?,") else text


def _split_joined(sentence: str, verbs: Collection[str]) -> list[str]:
    """Split at "and", "also", commas — where what follows is a request of its own."""
    parts, start = [], 0
    for joint in islice(JOINT.finditer(sentence), MOST_JOINTS):
        before = sentence[start : joint.start()][:SIDE]
        after = _beginning(sentence[joint.end() :])
        comma_alone = not re.search(r"[a-z]", joint[0], re.IGNORECASE)
        if OTHERWISE.match(after):
            parts.append(sentence[start : joint.start()])
            start = joint.end()
            continue
        if CONDITION.match(before.lstrip()) and "," not in before:
            continue  # "If it has not shipped, cancel it" is one request
        marked = len(after.split()) >= _PHRASE and not OPENER.match(strip_courtesy(before))
        if not asks_something(after, verbs, mark=marked):
            continue
        if len(after.split()) == 1 and _WHICH.match(strip_courtesy(before)):
            continue  # "Which one earns most after fees and returns?" names two things
        if not content_stems(before):
            continue  # "Could you also …"
        if comma_alone and " " not in strip_courtesy(before).strip():
            continue
        if not asks_something(before, verbs) and len(before.split()) < _LEAST_TOLD:
            continue
        parts.append(sentence[start : joint.start()])
        start = joint.end()
    parts.append(sentence[start:])
    return [part.strip() for part in parts if part.strip()]


def _beginning(text: str) -> str:
    """Return the first words of a text; its question mark stays."""
    if len(text) <= SIDE:
        return text
    return f"{text[:SIDE]}?" if text.rstrip().endswith("?") else text[:SIDE]


def _make_clause(part: str, verbs: Collection[str], earlier: list[Clause]) -> Clause:
    bare = strip_courtesy(part)
    whole = Clause(part, asks=asks_something(part, verbs))
    if (other := OTHERWISE.match(bare)) and earlier and earlier[-1].condition:
        rest = bare[other.end() :]
        return Clause(
            rest,
            asks=asks_something(rest, verbs),
            condition=earlier[-1].condition,
            holds=not earlier[-1].holds,
        )
    found = CONDITION.search(bare)
    if found is None or WHETHER.search(bare[: found.start()]):
        return whole
    holds = found["word"].lower() != "unless"
    before, after = bare[: found.start()].strip(" ,"), bare[found.end() :].strip()
    if before:
        return replace(
            whole,
            text=before,
            condition=after.rstrip(" .!?"),
            holds=holds,
            asks=asks_something(before, verbs),
        )
    condition, rest = _part_condition(after, verbs)
    if not rest:
        return whole
    return Clause(rest, asks=asks_something(rest, verbs), condition=condition, holds=holds)


def _part_condition(text: str, verbs: Collection[str]) -> tuple[str, str]:
    """Part "it has not shipped, cancel it" into the condition and what it guards."""
    mark = re.search(r",\s?(?:then\s)?|\sthen\s", text)
    if mark is not None:
        return text[: mark.start()], text[mark.end() :]
    for word in re.finditer(r"(?<=\s)(?:please\s+)?(\w+)", text[:SIDE]):
        before = text[: word.start()].split()
        if stem(word[1].lower()) in verbs and len(before) > 1 and before[-1] not in _VERB_GOES_ON:
            return text[: word.start()].strip(), text[word.start() :]
    return text, ""
