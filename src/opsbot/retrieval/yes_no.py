"""A "Yes." or "No." answers the question above it, and perhaps the opposite of another one."""

import re

from opsbot.retrieval.lexical import question_terms

_OWN = re.compile(r"(?:Yes|No|Ja|Nein|Oui|Non)\.\s+(?=\S)")
_SAME_SHARE = 0.75
"""Share of the telling words of each question that the other must have, to be the same."""


def skip_yes_no(question: str, heading: str, text: str, language: str) -> int:
    """Return how much of a quote's beginning to leave out: a bare yes or no to another question.

    "No. The store is open on Saturday." begins with what answers "Is the store open at the same
    hours?" only. "Yes, until it is packed." says more than yes, and stays.

    Args:
        question: what was asked.
        heading: the article's own question, that the text is under.
        text: what would be quoted.
        language: the one of the article.
    """
    begins = _OWN.match(text)
    if begins is None or _are_same(question, heading, language):
        return 0
    return begins.end()


def _are_same(question: str, heading: str, language: str) -> bool:
    asked, own = question_terms(question, language), question_terms(heading, language)
    return _covers(asked, own) and _covers(own, asked)


def _covers(some: dict[str, float], others: dict[str, float]) -> bool:
    """Tell whether nearly all words of the others, not counting synonyms, are among some."""
    words = [word for word, weight in others.items() if weight >= 1]
    return sum(word in some for word in words) >= _SAME_SHARE * len(words)
