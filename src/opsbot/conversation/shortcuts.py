"""Answers that no model may decide: a typed yes or no to a preview, and a one-time code."""

import re
from enum import StrEnum

_YES = re.compile(
    r"(?:yes|yep|yeah|y|ja|oui|ok|okay|sure|confirm|confirmed|correct|go ahead|do it|please do)"
    r"(?:[ ,]+(?:please|do it|go ahead|confirm|thanks|thank you|that'?s (?:right|correct|fine)))*"
    r"[.! ]*",
    re.IGNORECASE,
)
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
_STARTS_NO = re.compile(
    r"(?:no|nope|nah|non|nein|not|stop|wait|don'?t|never ?mind|hold on)\b", re.IGNORECASE
)
_CODE = re.compile(r"(?:(?:the |my )?code(?: is|:)?\s*)?(\d{3})[ -]?(\d{3})[.! ]*", re.IGNORECASE)


class Decision(StrEnum):
    """What a person's words mean for an open preview."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


def read_decision(text: str, *, button: str) -> Decision | None:
    """Return what the words mean for the preview with this button, or None: they mean neither.

    Only whole messages count. "Yes, but to another address" is not a yes.
    """
    words = text.strip()
    if _YES.fullmatch(words) or words.rstrip(".! ").casefold() == button.casefold():
        return Decision.CONFIRM
    said = re.findall(r"[\w']+", words.casefold().replace("\u2019", "'"))
    if said and _NEGATIVE.intersection(said) and (_NEGATIVE | _FILLERS).issuperset(said):
        return Decision.CANCEL
    return None


def begins_with_no(text: str) -> bool:
    """Tell whether the words begin with a no, whatever follows: "no, I meant the other one"."""
    return _STARTS_NO.match(text.strip()) is not None


def read_code(text: str) -> str | None:
    """Return the six digits of a one-time code, when the message is nothing else."""
    found = _CODE.fullmatch(text.strip())
    return found[1] + found[2] if found else None
