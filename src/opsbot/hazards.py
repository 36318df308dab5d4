"""Words that tell of harm or danger: they stop every guide and bring in a person at once."""

import re

HARM = re.compile(
    r"\b(?:burn(?:ed|t|s)? (?:me|my|his|her|our|a child|the child)\b"
    r"|(?:caught|catches|on) fire\b|in flames\b|smok(?:e|es|ed|ing)\b"
    r"|(?:flames|sparks) (?:com|c[oa]me|ris)"
    r"|spark(?:s|ed|ing)\b|explod(?:ed|es|ing)\b|melt(?:ed|s|ing)\b"
    r"|(?:electric(?:al)?|got a|gave me a|gives me a) shock|(?:electrocuted|shocked)\b"
    r"|injur(?:ed|y|ies)\b|(?:hurt|cut|hurts|cuts) (?:me|my|myself|her|his|our)\b|bleed(?:s|ing)\b"
    r"|hospital\b|(?:is|was|looks) (?:dangerous|unsafe)\b"
    r"|(?:is|are|has|was|started|got|looks) (?:all |very |badly )?"
    r"(?:swollen|swelling|bulging|burning|overheating)\b"
    r"|(?:battery|batteries|accu) (?:swells|swelled|bulges|leaks|leaked|swelling)"
    r"|(?:swollen|bulging|leaking) (?:battery|batteries)"
    r"|smells? (?:burnt|burned|of burning|like burning|like it is burning)\b)",
    re.IGNORECASE,
)
"""Harm that happened or is about to, as people write about it."""
LEGAL = re.compile(r"\b(?:lawyer|sue you|in court|legal action)\b", re.IGNORECASE)
"""The words of a dispute."""

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]?")
_CONDITION = re.compile(r"^\W*(?:if|unless|in case)\b|\b(?:if|in case) (?:it|the)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:how|does|do|did|will|would|could|can|may|is it (?:normal|safe)|what (?:if|happens))\b",
    re.IGNORECASE,
)


def tells_of_harm(text: str) -> bool:
    """Tell whether somebody reports harm or danger, rather than asking about it in general."""
    return any(
        HARM.search(part) and not _CONDITION.search(part) and not _is_general(part)
        for part in _SENTENCE.findall(text)
    )


def _is_general(sentence: str) -> bool:
    return sentence.rstrip().endswith("?") and _ASKS.search(sentence) is not None
