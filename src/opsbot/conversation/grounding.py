"""Check an answer's sentences against what was found, before anybody reads them.

A sentence passes when every number and identifier in it occurs in the evidence of the turn (tool
results, found passages, the person's own words, earlier replies), when the sources it names exist,
and when it does not claim a deed that no tool reported. What fails is dropped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARK = re.compile(r"\[(\d{1,2})\](?!\()")
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_FIGURE = re.compile(
    r"(?<![\w])[#€$£]?\d[\d.,:/-]*\d|(?<![\w])[#€$£]?\d|\b[A-Z]{1,4}-[A-Z0-9-]*\d[A-Z0-9-]*"
)
_DEEDS = (
    "(cancell?ed|refunded|changed|updated|returned|registered|redeemed|replaced|reshipped|sent"
    "|created|opened|booked|issued|processed)"
)
_SOON = r"(?:just |now |already |successfully )*"
_CLAIM = re.compile(
    rf"\b(?:I|we)(?:.ve| have)? {_SOON}{_DEEDS}\b|\bha(?:s|ve) {_SOON}been {_SOON}{_DEEDS}\b",
    re.IGNORECASE,
)
_END = re.compile(r"(?<=[.!?:])\s+|\n+")

NOTHING_LEFT = (
    "I could not confirm an answer to that from our records or articles. "
    "Shall I pass it on to a person?"
)


@dataclass
class Evidence:
    """Everything a sentence of this turn may rest on."""

    texts: list[str] = field(default_factory=list)
    """Of people and earlier replies: numbers may come from here."""
    reports: list[str] = field(default_factory=list)
    """Of tools: numbers and deeds may come from here."""
    sources: int = 0
    """How many passages may be cited, numbered from 1."""

    def figures(self) -> str:
        """Return all of it as one text to look figures up in."""
        return _plain(" ".join((*self.texts, *self.reports)))


@dataclass
class Grounding:
    """Lets sentences through one by one as they stream in."""

    evidence: Evidence
    trusted: bool = False
    """Only look after the citation marks: the words are ours."""
    dropped: list[str] = field(default_factory=list)
    _waiting: str = ""

    def feed(self, text: str) -> Iterator[str]:
        """Take more text; yield the pieces that are complete and hold."""
        self._waiting += text
        while end := _END.search(self._waiting):
            piece, self._waiting = self._waiting[: end.end()], self._waiting[end.end() :]
            yield from self._judge(piece)

    def finish(self) -> Iterator[str]:
        """Yield the last piece, if it holds."""
        piece, self._waiting = self._waiting, ""
        if piece:
            yield from self._judge(piece)

    def _judge(self, piece: str) -> Iterator[str]:
        reason = None if self.trusted else find_fault(piece, self.evidence)
        if reason:
            self.dropped.append(f"{reason}: {piece.strip()}")
            if piece.endswith("\n"):
                yield "\n"
            return
        yield _MARK.sub(lambda m: m[0] if 1 <= int(m[1]) <= self.evidence.sources else "", piece)


def find_fault(sentence: str, evidence: Evidence) -> str | None:
    """Tell why a sentence may not be said, or None when it may."""
    known = evidence.figures()
    bare = _LIST_NUMBER.sub("", _MARK.sub("", sentence))
    for figure in _FIGURE.findall(bare):
        if not _occurs(_plain(figure), known):
            return f"the figure {figure} is in no source"
    reports = " ".join(evidence.reports).lower().replace("canceled", "cancelled")
    for claim in _CLAIM.finditer(bare):
        deed = (claim[1] or claim[2]).lower().replace("canceled", "cancelled")
        if not re.search(rf"\b{deed}\b", reports):
            return "it claims a deed that no tool reported"
    return None


def _plain(text: str) -> str:
    return re.sub(r"[€$£#,]", "", text.lower())


def _occurs(figure: str, known: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(figure.rstrip('.:/-'))}(?!\d|\.\d)", known) is not None
