"""Words that tell of harm or danger: they stop every guide and bring in a person at once."""

import re

HARM = re.compile(
    r"\b(?:burn(?:ed|t|s)? (?:me|my|his|her|our|a child|the child)\b"
    r"|(?:caught|catches|on) fire\b|in flames\b"
    r"|(?:is|was|are|were|started|starts|begins|began|keeps) (?:\w+ )?smok(?:ing|e)\b|smokes\b"
    r"|smok(?:e|ing) (?:com|c[oa]me|ris|from|out|when|as soon)"
    r"|(?:see|saw|there (?:is|was)) (?:\w+ )?smoke\b"
    r"|(?:flames|sparks) (?:com|c[oa]me|ris)"
    r"|spark(?:s|ed|ing)\b|explod(?:ed|es|ing)\b|melt(?:ed|s|ing)\b"
    r"|(?:electric(?:al)?|got a|gave me a|gives me a) shocks?\b|electrocuted\b"
    r"|shocked (?:me|him|her|us)\b"
    r"|injur(?:ed|y|ies)\b|(?:hurt|hurts) (?:me|my|myself|her|his|our)\b"
    r"|cuts? (?:me|myself|my (?:hand|finger|thumb|arm|leg|foot|skin|face)|his|her)\b"
    r"|(?:i'?m|am|child|son|daughter|he|she|finger|hand|thumb|arm|leg) (?:is |was |started )?"
    r"bleeding\b"
    r"|(?:went|go|taken|rushed|brought|am|is|was) (?:to|in) (?:the |a )?hospital\b"
    r"|(?:is|was|looks) (?:dangerous|unsafe)\b"
    r"|(?:is|are|has|was|started|got|gets|getting|looks?|looking|seems?|feels?|became) "
    r"(?:\w+ ){0,2}(?:swollen|swelling|bulging|bulged|overheating)\b"
    r"|(?:is|are|has|was|started|got|looks) (?:all |very |badly )?burning\b"
    r"|(?:battery|batteries|accu) (?:swells|swelled|bulges|leaks|leaked|swelling)"
    r"|(?:swollen|bulging|leaking) (?:battery|batteries)"
    r"|smell(?:s|ed|ing)? (?:\w+ )?(?:burnt|burned|scorched)\b"
    r"|smell(?:s|ed|ing)? (?:(?:of|like) (?:it is |something (?:is )?)?)?(?:burning|smoke)\b"
    r"|(?:burnt|burning|scorched) (?:\w+ )?smell|smell of (?:burning|smoke)\b"
    r"|(?:cable|cord|plug|wires?|flex)\b(?: \w+){0,4} (?:is|are|was|were|looks|got|came|arrived) "
    r"(?:\w+ )?(?:damaged|frayed|bare|exposed|torn|chewed|scorched|burnt|melted)\b"
    r"|(?:frayed|bare|exposed|chewed|damaged) (?:power |mains )?(?:cable|cord|wires?|flex|plug)\b)",
    re.IGNORECASE,
)
"""Harm that happened or is about to, as people write about it."""
LEGAL = re.compile(r"\b(?:lawyer|sue you|in court|legal action)\b", re.IGNORECASE)
"""The words of a dispute."""

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]?")
_CONDITION = re.compile(r"^\W*(?:if|unless|in case)\b|\b(?:if|in case) (?:it|the)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:how|does|do|did|will|would|could|can|may|is (?:it|this|that)|what (?:if|happens))\b",
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
