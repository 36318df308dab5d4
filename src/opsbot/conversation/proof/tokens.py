"""Read a text: leave out the small words, and note what they do to the others."""

import re
import unicodedata

from opsbot.conversation.proof.clauses import (
    Break,
    Found,
    Kind,
    Modal,
    Tokens,
    number_clauses,
)
from opsbot.conversation.proof.numbers import bound_after, read_number, read_unit, write_plainly
from opsbot.conversation.proof.stems import to_root
from opsbot.conversation.proof.words import Words, words_of

_TOKEN = re.compile(
    r"""
    (?P<address>(?:https?://|www\.)\S+[\w/]|[\w.+-]+@[\w-]+\.[\w.-]*\w|\d{4}-\d\d-\d\d)
  | (?P<bound>[≥≤<>]?)\s?(?P<money>[€$£]?)\s?(?P<sign>(?<![\w)%°])-)?
    (?<!\w)(?P<number>\d+(?:[.,:/]\d+)*)
    (?P<unit>[ ]?-?(?:°\s?[CF]\b|[%€$£°]|dB\(A\)|[^\W\d_]+(?:/[^\W\d_]+)?[²³]?)(?!\w))?
  | (?P<word>[^\W_](?:[\w'+#]|[-_./@:=](?=\w))*)
  | (?P<stop>[.!?…]+(?=["')\]]*(?:\s|$)))
  | (?P<strong>[;:()\[\]{}|\n\u2014\u2013\u2192]|\s-\s)
  | (?P<comma>,)
    """,
    re.VERBOSE,
)
_GLUED = re.compile(r"\w(?:[-./:]?\w)*")
_PINS = re.compile(r"[\d.,]+(?:-[^\W\d_]+)+")
_TOGETHER = re.compile(r"\s*(?:[-\u2013\u00d7x]|to|and|or|bis|und|oder|by)\s*", re.IGNORECASE)
"""What stands between numbers that share the unit of the last one."""
_NUMBERED = re.compile(r"\bno\.\s?(?=\d)", re.IGNORECASE)
_CANNOT = re.compile(r"\bcan(?:no|')t\b", re.IGNORECASE)
_HAVE_TO = re.compile(r"\b(?:have|has|had|need|needs|needed) to\b", re.IGNORECASE)
_NOT_ONLY = re.compile(r"\bnot only\b", re.IGNORECASE)
"""Denies nothing."""
_LEAD_IN = re.compile(
    r"^\s*(?:according to|as|per) (?:our|the|this|its) \w+(?: (?:says?|tells?|states?))?,\s",
    re.IGNORECASE,
)
"""Names a source in general: "according to our manual, "."""
_PAUSES = frozenset(",:!")
_LOOK_AHEAD = 16
_NEED = "haveto"
_SUFFIX = re.compile(r"'(?:s|ll|re|ve|d|m)?$")
_CODE = re.compile(r"[\d_@=]|[./:](?=\w)")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_CHOICE = re.compile(r"[^\W\d_]{2,}(?:/[^\W\d_]{2,})+")


def read_tokens(text: str, language: str) -> Tokens:
    """Return what a text of one or more sentences says, token by token."""
    text = unicodedata.normalize("NFKC", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    text = _LEAD_IN.sub("", text)
    text = _CANNOT.sub("can not", _NUMBERED.sub("number ", text)).replace("won't", "will not")
    text = _NOT_ONLY.sub("", _HAVE_TO.sub(_NEED, text).replace("n't", " not"))
    reader = _Reader(write_plainly(text, language), language)
    reader.read()
    return reader.tokens()


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str, language: str) -> None:
        self._text = text
        self._language = language
        self._words: Words = words_of(language)
        self._found: list[Found] = []
        self._modals: list[tuple[int, Modal]] = []
        self._leans: bool | None = None
        self._break: Break | None = None
        self._begins = True
        self._be = self._by = False
        self._number: tuple[int, int] | None = None
        """Place among the tokens, and end in the text, of a number without a unit."""

    def read(self) -> None:
        """Read all of it."""
        place = 0
        while found := _TOKEN.search(self._text, place):
            place = self._take(found)

    def tokens(self) -> Tokens:
        """Return what was read."""
        items = number_clauses(self._found)
        clauses = [item.clause for item in items] or [0]
        modals = frozenset((clauses[min(i, len(clauses) - 1)], m) for i, m in self._modals)
        return Tokens(items, modals, leans=bool(self._leans))

    def _take(self, found: re.Match[str]) -> int:
        if found["address"]:
            self._add(Kind.CODE, found["address"].lower().rstrip("/"), found["address"])
        elif found["number"]:
            return self._take_number(found)
        elif found["word"]:
            self._take_word(found["word"], found.end())
        elif found["stop"]:
            self._part(Break.SENTENCE)
            self._begins = True
        elif found["strong"]:
            self._part(Break.CLAUSE)
        else:
            self._part(Break.COMMA)
        return found.end()

    def _take_number(self, found: re.Match[str]) -> int:
        written = found["unit"] or ""
        unit = read_unit(written.lstrip(" -"), apart=written.startswith(" "))
        end = found.end() if unit else found.end("number")
        if not unit and (glued := self._read_glued(found.start("number"))):
            self._add(Kind.CODE, found["bound"] + _write_code(glued), glued)
            return found.start("number") + len(glued)
        unit = unit or (read_unit(found["money"], apart=False) if found["money"] else "")
        value = read_number(found["number"], self._language)
        after, length = bound_after(self._text[end : end + _LOOK_AHEAD])
        bound, end = found["bound"] or after, end + length
        if (unit, bound, value) == ("", "", "1"):
            # As good as "a" or "one".
            self._number = None
            return end
        self._share_unit(found.start("number"), unit)
        key = f"{bound}{found['sign'] or ''}{value}|{unit}"
        self._number = (len(self._found), end) if not unit else None
        self._add(Kind.NUMBER, key, found[0].strip())
        return end

    def _read_glued(self, start: int) -> str:
        """Return a number with the letters that hang on it: "4K", but not "3-pin"."""
        found = _GLUED.match(self._text, start)
        if found is None or not any(letter.isalpha() for letter in found[0]):
            return ""
        return "" if _PINS.fullmatch(found[0]) else found[0]

    def _share_unit(self, start: int, unit: str) -> None:
        """Give the unit of "5 to 10 minutes" to the 5 as well."""
        if self._number is None or not unit:
            return
        place, end = self._number
        if place == len(self._found) - 1 and _TOGETHER.fullmatch(self._text, end, start):
            self._found[place].key += unit

    def _take_word(self, written: str, end: int) -> None:
        word = written.lower()
        if "'" in word:
            word = _SUFFIX.sub("", word)
        begins, self._begins = self._begins, False
        if word not in self._words.small and word != _NEED:
            self._add_word(word, written, end)
        elif begins and word in self._words.openers and self._text[end : end + 1] in _PAUSES:
            self._begins = True
        else:
            self._take_small_word(word, written)

    def _take_small_word(self, word: str, written: str) -> None:
        words = self._words
        if self._leans is None:
            self._leans = word in words.pronouns
        if word in words.joins:
            self._part(Break.OR if word in {"or", "nor", "oder"} else Break.AND)
        if word in words.clauses:
            self._part(Break.CLAUSE)
        self._be = self._be or word in words.be
        self._by = self._by or word == words.by
        for modal, among in (
            (Modal.MUST, words.must),
            (Modal.MAY, words.may),
            (Modal.NEED, {_NEED}),
        ):
            if word in among:
                self._modals.append((len(self._found), modal))
        if word in words.negations:
            self._add(Kind.NEGATION, "!", written)
        elif word in words.limits:
            self._add(Kind.LIMIT, word, written)
        elif word not in words.silent and word != _NEED:
            self._add(Kind.WORD, to_root(word, self._language), written)

    def _add_word(self, word: str, written: str, end: int) -> None:
        if word.isalpha():
            self._add(Kind.WORD, to_root(word, self._language), written)
        elif _CHOICE.fullmatch(word):
            for part in word.split("/"):
                self._take_word(part, end)
                self._part(Break.OR)
            self._break = None
        elif _CODE.search(word):
            self._add(Kind.CODE, _write_code(word), written)
        else:
            for part in word.split("-"):
                if part and part not in self._words.free:
                    self._add(Kind.WORD, to_root(part.strip("'"), self._language), part)

    def _part(self, how: Break) -> None:
        if self._break is Break.COMMA and how is Break.AND:
            how = Break.COMMA_AND
        self._break = how if self._break is None else max(how, self._break)
        if how > Break.AND:
            self._be = self._by = False

    def _add(self, kind: Kind, key: str, text: str) -> None:
        self._begins = False
        if self._leans is None:
            self._leans = False
        found = Found(kind, key, text, self._break, self._be, self._by)
        self._found.append(found)
        self._break, self._be, self._by = None, False, False


def _write_code(written: str) -> str:
    """Return an identifier without what people leave out: E-02 is e2."""
    return _ZEROS.sub("", written.lower().replace("-", "").strip("./:'"))
