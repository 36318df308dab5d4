"""What a question asks for: something to do, a measure, several things at once."""

import re

from opsbot.retrieval.lexical import question_terms

_LEAD = r"\W*(?:(?:and|or|but|also|so)\b\W*)*"
_HOW_TO = re.compile(
    r"\bhow\s+((do|can|should|would|could|must|shall)\s+(i|we|you|one)|to)\b"
    r"|\bwhat\s+(do|should|can|must|shall)\s+(i|we)\b|\bsteps?\b|\binstructions?\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    rf"^{_LEAD}(how|when|where|which|who|what|is|are|was|does|do|did|can|could|may|will|would|has|have)\b",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    rf"^{_LEAD}(how\s+(?!do|can|should|to)\w+|when"
    r"|(what|which)\b.*\b(size|weight|power|price|cost|setting|temperature|height|length|volume"
    r"|voltage|number|limit|percentage|rate))",
    re.IGNORECASE,
)
_OPENS = (
    r"(?:how|when|where|which|who|whom|whose|what|what's|why|is|are|was|were|does|do|did|can|could"
    r"|may|will|would|has|have|should|must|shall)\b"
)
_PARTS = re.compile(
    rf"(?<=[?!])\s+(?:(?:and|or|also|but)\s+)?(?={_OPENS})"
    rf"|\s*[,;]\s*(?:(?:and|or|also|but)\s+)+(?:also\s+)?(?={_OPENS})"
    rf"|\s+and\s+(?:also\s+)?(?={_OPENS})",
    re.IGNORECASE,
)
_ASKING = re.compile(r"[^.?!\n]+\?")
_MOST_PARTS = 3
_FEWEST_WORDS = 3
"""A part with fewer words asks nothing by itself: "and why?"."""


def wants_steps(question: str) -> bool:
    """Tell whether the answer is something to do: asked how, or told of a problem."""
    return asks_how_to(question) or not _FACT.match(question)


def asks_how_to(question: str) -> bool:
    """Tell whether a question asks how something is done."""
    return bool(_HOW_TO.search(question))


def wants_number(question: str) -> bool:
    """Tell whether the answer is a measure, an amount or a time."""
    return bool(_NUMBERS.match(question))


def split_question(question: str) -> list[str]:
    """Return the questions that one message asks, in order; most ask one.

    "How do I clean it and how long is the warranty?" asks two things. What follows "and" is a
    question of its own only when it begins like one and has words of its own.
    """
    parts = [part.strip() for part in _PARTS.split(question) if part.strip()]
    whole = len(parts) <= _MOST_PARTS and all(
        len(part.split()) >= _FEWEST_WORDS and question_terms(part) for part in parts
    )
    return parts if parts and whole else [question]


def asking_sentences(message: str) -> list[str]:
    """Return the first few sentences of a longer message that end with a question mark."""
    asked = [sentence.strip() for sentence in _ASKING.findall(message)]
    return [sentence for sentence in asked if sentence != message.strip()][:_MOST_PARTS]
