"""Sentences that claim nothing: questions, politeness, offers, and that something is not known."""

import re
from functools import cache

from opsbot.conversation.proof.clauses import Kind, Tokens
from opsbot.conversation.proof.stems import to_root

_QUESTION = re.compile(r"\?[\s\"')\]]*$")
_TALK = """
    afternoon answer answers anything apologise apologize apology ask assist assistance assistant
    automated bye certain chat clarify colleague come contact conversation day detail details
    evening feel find first free further glad good goodbye great happy hello help here hi hope
    information know let like look luck matter message moment morning nice offer over pass patience
    person please pleasure question reach regard reply right shop something sorry sure talk team
    tell thank thanks today touch try understand understood wait welcome wish wonderful word write
    angaben auskunft bitte danke finden frage fragen gern gerne guten hallo helfen hilfe leid
    leider tag tut
"""
_SOURCES = """
    about article articles answer anywhere confirm cover covered covers found guide guides manual
    manuals mention mentions our page pages record records say says source sources state states
    topic whether artikel antwort steht
"""
_UNKNOWN = re.compile(
    r"\b(?:not|no|nothing|unable|cannot)\b.{0,60}\b(?:find|found|say|says|mention|mentions|cover"
    r"|covers|know|information|confirm|answer|tell|details?)\b|n't\b.{0,40}\b(?:find|say|mention"
    r"|cover|know|have|confirm|answer|tell)\b|\b(?:nicht|nichts|keine?n?)\b.{0,40}\b(?:finden"
    r"|gefunden|steht|sagen|sagt|weiß|angaben|antwort)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(r";|\b(?:but|however|although|though|still|aber|jedoch)\b", re.IGNORECASE)


def is_question(sentence: str) -> bool:
    """Tell whether a sentence asks."""
    return _QUESTION.search(sentence) is not None


def is_talk(sentence: str, tokens: Tokens, said: frozenset[str], language: str) -> bool:
    """Tell whether a sentence claims nothing about the shop or its products.

    Args:
        sentence: as it was written.
        tokens: what it says.
        said: roots of the person's own words: where something is not known they may be repeated.
        language: of the answer.
    """
    if not tokens.items:
        # "Yes." and "You can." answer without a source; "Here you are:" does not.
        return sentence.rstrip().endswith(":") or not re.search(r"\w", sentence)
    if any(token.kind in {Kind.NUMBER, Kind.CODE} for token in tokens.items):
        return False
    known = _roots(_TALK, language)
    if _UNKNOWN.search(sentence) and not _TURNS.search(sentence):
        known = known | _roots(_SOURCES, language) | said
    return all(token.kind is not Kind.WORD or token.key in known for token in tokens.items)


@cache
def _roots(words: str, language: str) -> frozenset[str]:
    return frozenset(to_root(word, language) for word in words.split())
