"""What forms and spellings of one word have in common."""

import re
from functools import cache, lru_cache

import snowballstemmer

_LANGUAGES = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "sv": "swedish",
    "da": "danish",
}
_SPELLINGS = (
    (re.compile(r"is(ation|ing|e|ed|es|er)$"), r"iz\1"),
    (re.compile(r"(?<=\w{3})our(?=s?$|ed$|ing$|ful$|less$)"), "or"),
    (re.compile(r"^aluminium"), "aluminum"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"^(cent|lit|met|fib)re"), r"\1er"),
    (re.compile(r"^programme"), "program"),
)
_ROOTS = """
    weight=weigh deliveri=deliver held=hold kept=keep broke=break broken=break sent=send paid=pay
    payment=pay bought=buy took=take taken=take gave=give given=give came=come went=go gone=go
    made=make found=find told=tell wore=wear worn=wear chosen=choos chose=choos choic=choos
    began=begin begun=begin felt=feel built=build lost=lose loss=lose stood=stand stuck=stick
    hung=hang shown=show stole=steal stolen=steal said=say sold=sell bent=bend wrote=write
    written=write width=wide length=long height=high shipment=ship replac=replac
"""
"""Forms of common words that the rules do not join; on the right what both are taken for."""


@lru_cache(maxsize=20_000)
def to_root(word: str, language: str) -> str:
    """Return the root that a lower-case word shares with its other forms and spellings."""
    name = _LANGUAGES.get(language[:2].lower())
    if name is None:
        return word
    if name == "english":
        for pattern, replacement in _SPELLINGS:
            word = pattern.sub(replacement, word)
    # The stemmer keeps state while it works, so each call has its own.
    stem = str(snowballstemmer.stemmer(name).stemWord(word))
    return _roots().get(stem, stem) if name == "english" else stem


@cache
def _roots() -> dict[str, str]:
    pairs = (pair.partition("=") for pair in _ROOTS.split())
    return {form: root for form, _, root in pairs}
