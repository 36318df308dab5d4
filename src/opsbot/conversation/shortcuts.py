"""Answers that no model may decide: a typed yes or no to a preview, and a one-time code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import or_

from opsbot.conversation.agreement import read_agreement
from opsbot.conversation.local.classifier import stem
from opsbot.conversation.local.patterns import POLITE
from opsbot.conversation.local.requests import split_sentences

# fmt: off
_NEGATIVE = frozenset((
    "no", "nope", "nah", "non", "nein", "not", "stop", "wait", "dont", "don't", "never",
    "nevermind", "leave", "forget", "hold",
))
# fmt: on
# fmt: off
_FILLERS = frozenset((
    "now", "do", "mind", "cancel", "on", "yet", "please", "thanks", "thank", "you", "it",
    "that", "this", "rather", "actually", "sorry", "oh", "i", "changed", "my", "let", "me",
    "think", "first", "want", "to",
))
# fmt: on
"""Words that add nothing to a no: "no wait, I changed my mind"."""
_KEEPS = frozenset(("keep", "keeping", "leave", "stay"))
"""Verbs that want it to be as it is: "I will keep the order after all"."""
_AS_IT_IS = frozenset((
    "as", "is", "are", "was", "were", "be", "after", "all", "said", "ok", "okay", "so", "well",
    "will", "i'll", "we", "we'll", "everything", "things", "they", "them", "the", "a", "order",
    "alone", "then", "better", "just", "would", "i'd", "we'd", "decided", "going", "am", "i'm",
    "hm", "hmm", "ah", "me", "us",
))  # fmt: skip
_FORBIDS = re.compile(r"\b(?:do not|don'?t|never)\b", re.IGNORECASE)
_STARTS_NO = re.compile(
    r"(?:no|nope|nah|non|nein|not|stop|wait|don'?t|never ?mind|hold on)\b", re.IGNORECASE
)
_LAST_CHANGE = (
    r"(?:it|that|this|all (?:of )?(?:it|that|this)"
    r"|(?:the|that|this|my|your)\W+(?:last\W+)?(?:change|one|step|thing|update)"
    r"|what (?:you|we|i)(?:'ve| have)?(?: just)? (?:did|done|changed))"
)
_UNDO = re.compile(
    r"\W*(?:(?:please|no|oh|oops|wait|sorry|actually|hm+|ok(?:ay)?|just|kindly|let'?s|and|now"
    r"|i made a mistake|i changed my mind|(?:can|could|would|will) (?:you|we|i)"
    r"|i(?:'d| would) like (?:you )?to|i want (?:you )?to)\W+)*"
    rf"(?:(?:undo|revert|reverse|roll ?back|take back)(?:\W+{_LAST_CHANGE})?"
    rf"|(?:take|put|change|turn|set|roll)\W+{_LAST_CHANGE}\W+back)"
    r"(?:\W+(?:to\W+)?(?:how|as|what|the way)\W+it\W+was(?:\W+before)?)?"
    r"(?:\W+(?:please|again|now|for me|thanks|thank you))*\W*",
    re.IGNORECASE,
)
"""A message that only asks to take the last change back."""
_CODE = re.compile(r"(?:(?:the |my )?code(?: is|:)?\s*)?(\d{3})[ -]?(\d{3})[.! ]*", re.IGNORECASE)

_NEW_CODE = re.compile(
    r"\W*(?:(?:please|sorry|hm+|ok(?:ay)?|no|(?:can|could|would|will) you|i (?:need|want)"
    r"|i(?:'d| would) like|then)\W+)*"
    r"(?:(?:re-?send|send|e?-?mail|give)\W+(?:me\W+)?(?:(?:a|the|one|my|that)\W+)?"
    r"(?:(?:new|another|fresh|second|more)\W+)?|(?:a\W+)?(?:new|another|fresh)\W+)"
    r"(?:one.?time\W+)?code"
    r"(?:\W+(?:again|anew|once more|please|now|to me|by mail|thanks|thank you))*\W*",
    re.IGNORECASE,
)
"""A message that only asks for a code: "send me a new code, please", "another code"."""


class Decision(StrEnum):
    """What a person's words mean for an open preview."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Said:
    """What a message decides."""

    decision: Decision
    rest: str = ""
    """What it goes on to ask for."""


def read_decision(
    text: str, *, button: str, title: str = "", details: Sequence[str] = ()
) -> Said | None:
    """Return what the words mean for the preview with this button, or None: they mean neither.

    Only whole messages count; see `opsbot.conversation.agreement`.
    """
    words = text.strip().replace("\u2019", "'")
    if words.rstrip(".! ").casefold() == button.casefold():
        return Said(Decision.CONFIRM)
    shown = (button, title, *details)
    agreement = read_agreement(words, shown)
    if agreement is not None:
        return Said(Decision.CONFIRM, agreement.rest)
    # Nothing was done yet, so to undo it is to drop it.
    dropped = asks_to_undo(words) or _declines(words, shown)
    return Said(Decision.CANCEL) if dropped else None


def _declines(text: str, shown: Sequence[str]) -> bool:
    """Tell whether every sentence says no, wants it left as it is, or is polite.

    "I said leave it! Do NOT cancel it." may repeat what the preview shows; "no, the black one"
    says more, and "no, cancel the other one" is another wish.
    """
    known = frozenset(stem(word) for one in shown for word in _words(one))
    sentences = split_sentences(text)
    declining = [_declines_in(sentence, known) for sentence in sentences]
    polite = [POLITE.match(sentence) is not None for sentence in sentences]
    return any(declining) and all(map(or_, declining, polite))


def _declines_in(sentence: str, known: frozenset[str]) -> bool:
    words = frozenset(_words(sentence))
    keeps = words & _KEEPS
    if "?" in sentence or not (keeps or words & _NEGATIVE):
        return False
    more = words - _NEGATIVE - _FILLERS
    if not more:
        return True
    more -= _KEEPS | _AS_IT_IS
    repeats = bool(keeps) or _FORBIDS.search(sentence) is not None
    return not more or (repeats and all(stem(word) in known for word in more))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def asks_to_undo(text: str) -> bool:
    """Tell whether a message asks to take the last change back, and for nothing else."""
    return _UNDO.fullmatch(text.strip().replace("\u2019", "'")) is not None


def begins_with_no(text: str) -> bool:
    """Tell whether the words begin with a no, whatever follows: "no, I meant the other one"."""
    return _STARTS_NO.match(text.strip()) is not None


def read_code(text: str) -> str | None:
    """Return the six digits of a one-time code, when the message is nothing else."""
    found = _CODE.fullmatch(text.strip())
    return found[1] + found[2] if found else None


def names_code(text: str) -> bool:
    """Tell whether the words call their digits a code: "the code is 123456"."""
    return re.search(r"\bcode\b", text, re.IGNORECASE) is not None


def asks_for_code(text: str) -> bool:
    """Tell whether a message asks for a code, and for nothing else."""
    return _NEW_CODE.fullmatch(text.strip().replace("\u2019", "'")) is not None
