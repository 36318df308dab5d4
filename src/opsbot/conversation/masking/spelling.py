"""How known personal data may be spelled: with other separators, without umlauts, shortened."""

import re
import unicodedata
from functools import lru_cache

from opsbot.conversation.masking.kinds import Kind

_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ß": "ss"}
_ENDINGS = (
    (re.compile(r"stra(?:ß|ss)e\b|str\.?(?=\s|$)", re.IGNORECASE), r"str(?:a(?:ß|ss)e|\.)?"),
    (re.compile(r"\b(?:street|st\.?)(?=\s|$)", re.IGNORECASE), r"st(?:reet|\.)?"),
    (re.compile(r"\b(?:road|rd\.?)(?=\s|$)", re.IGNORECASE), r"r(?:oa)?d\.?"),
    (re.compile(r"\b(?:avenue|ave\.?)(?=\s|$)", re.IGNORECASE), r"ave(?:nue|\.)?"),
    (re.compile(r"\b(?:lane|ln\.?)(?=\s|$)", re.IGNORECASE), r"l(?:ane|n\.?)"),
    (re.compile(r"\b(?:drive|dr\.?)(?=\s|$)", re.IGNORECASE), r"dr(?:ive|\.)?"),
)
"""Ends of the names of streets, as they are found and as they may be written."""
_SHORT = 3
"""Letters up to which a name must be written with its capital: "Will" is no "will"."""
_CAPITAL_ONLY = frozenset(
    """
    april august baker bar bath battle bell bill bird bishop bond brown bush carpenter chase
    christian clay cook cooper day deal dean drew faith field fisher flowers ford forest frank
    frost grace grant gray green hall hill hope hunt hunter iris ivy jack joy june king lane
    leaf light long love major mark may miller mills mobile moon nice olive page park parker
    penny pierce pond pool pope porter price queen rain ray reading reed rich rob rose ruby sale
    sharp short singer skip smart snow split spring stone sue summer taylor tucker turner violet
    walker wall ward waters weaver west white will wise wood woods young
    """.split()  # noqa: SIM905  (a list of words reads as words)
)
"""Names that are words as well: masked only where they are written like names."""


@lru_cache(maxsize=4096)
def spelled(kind: Kind, text: str) -> str:
    """Return a regular expression, to be used with its own flags, that finds a value in words."""
    if kind in {Kind.PHONE, Kind.PAYMENT} and re.search(r"\d{3}", text):
        return _digits(text)
    if kind is Kind.ORDER:
        number = _letters(text.lstrip("#"))
        return rf"(?:(?<![\w#])\#\s?{number}|(?<![\w€$£.,#-]){number})(?!\w|[.,]\d)"
    body = _street(text) if kind is Kind.STREET else _letters(text)
    whole = rf"(?<!\w){body}(?!\w)"
    words = text.lower().split()
    is_word = len(words) == 1 and (len(words[0]) <= _SHORT or words[0] in _CAPITAL_ONLY)
    return f"(?-i:{whole})" if kind in {Kind.NAME, Kind.CITY} and is_word else whole


def canonical(kind: Kind, text: str) -> str:
    """Return what all spellings of a value have in common."""
    if kind is Kind.PHONE:
        return re.sub(r"\D", "", text)[-9:]
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s#]+", " ", plain).strip()


def anchor(kind: Kind, text: str) -> str:
    """Return lower-case letters that every spelling of a value has; empty where there are none."""
    if kind in {Kind.PHONE, Kind.PAYMENT}:
        return ""
    plain = text.casefold()
    for found, _ in _ENDINGS if kind is Kind.STREET else ():
        plain = found.sub(" ", plain)
    runs = re.findall(r"[a-z0-9]+", re.sub("ss", " ", plain), re.ASCII)
    return max(runs, key=len, default="")


def _digits(text: str) -> str:
    """Return what finds a number, however its digits are set apart."""
    signs = re.findall(r"[A-Za-z0-9]", text)
    return r"(?<!\w)\+?\(?" + r"[\s().\-/]{0,3}".join(map(re.escape, signs)) + r"(?!\w)"


def _street(text: str) -> str:
    for found, written in _ENDINGS:
        if match := found.search(text):
            before, after = text[: match.start()], text[match.end() :]
            return _letters(before) + written + _letters(after)
    return _letters(text)


def _letters(text: str) -> str:
    """Return what finds a text with any spaces, with or without its accents."""
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if letter.isspace():
        return r"[\s,]+" if letter == "\n" else r"\s+"
    if letter.lower() in _UMLAUTS or not letter.isascii():
        bare = unicodedata.normalize("NFD", letter)[0]
        forms = {letter, bare, _UMLAUTS.get(letter.lower(), bare)}
        return f"(?:{'|'.join(re.escape(form) for form in sorted(forms))})"
    return r"['’]?" if letter in "'’" else re.escape(letter)  # noqa: RUF001
