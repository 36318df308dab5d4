"""Check an answer's sentences against what was found, before anybody reads them.

A sentence passes when every number and identifier in it occurs in the evidence of the turn (tool
results, found passages, the person's own words, earlier replies), when the sources it names exist,
and when it does not claim a deed that no tool reported. A sentence of a knowledge answer needs a
proof beside: the words of an article that it rests on. What fails is dropped.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from opsbot.conversation.deeds import ANY, Deed, order_numbers, read_deeds, reported
from opsbot.conversation.links import drop_foreign_links
from opsbot.conversation.proof.prover import MARK, Prover
from opsbot.conversation.proof.quotes import Proof, read_sentence
from opsbot.conversation.proof.talk import is_question, is_talk
from opsbot.conversation.told import without_marks

_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_FIGURE = re.compile(
    r"(?<![\w])[#€$£]?\d[\d.,:/-]*\d|(?<![\w])[#€$£]?\d|\b[A-Z]{1,4}-[A-Z0-9-]*\d[A-Z0-9-]*"
)
_END = re.compile(r"""[.!?]["')\]*_]*(?:\s*\[\d{1,2}\])*[ \t]+(?=[^\s\[]|\[[^\d\]])|\n+""")
"""The marks behind a sentence belong to it, so what comes next has to be seen."""
_GOES_ON = re.compile(
    r"(?:^\s*(?:>\s*)?\d{1,2}|\b(?:e\.g|i\.e|z\.B|approx|no|mr|mrs|dr|vs|incl|max|min|ca|bzw))\.\s*$",
    re.IGNORECASE,
)
_STOPS = re.compile(r"[.!?][\"')\]*_]*(?:\s*\[\d{1,2}\])*\s*$|\n\s*\n\s*$")
_HEADING = re.compile(r"\s*(?:#{1,6}\s+.+|\*\*[^*\n]+\*\*:?)(?:\s*\[\d{1,2}\])*\s*")

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
    """Of tools, what our records say: numbers and deeds may come from here."""
    done: list[str] = field(default_factory=list)
    """Of changes made in this turn: who speaks may say that they made them."""
    others: list[str] = field(default_factory=list)
    """What people and articles wrote, as tools returned it: numbers may come from here."""
    records: list[str] = field(default_factory=list)
    """Of tools that read records, and not articles: their facts need no proof."""
    quoted: list[str] = field(default_factory=list)
    """What tools say in the words of articles."""
    sources: int = 0
    """How many passages may be cited, numbered from 1."""
    searched: bool = False
    """The articles were asked in this turn."""
    prover: Prover | None = None
    """Has the passages that were found."""
    is_known_link: Callable[[str], bool] = lambda _address: False
    """Tells whether an address may be named."""
    ask_articles: Callable[[], bool] = lambda: False
    """Searches them when the model did not; tells whether they know about the question."""

    def figures(self) -> str:
        """Return all of it as one text to look figures up in."""
        return _plain(" ".join((*self.texts, *self.reports, *self.done, *self.others)))


@dataclass(frozen=True)
class Piece:
    """A sentence that may be said, with the space behind it."""

    text: str
    proof: Proof | None = None


@dataclass
class Grounding:
    """Lets sentences through one by one as they stream in."""

    evidence: Evidence
    trusted: bool = False
    """The words are ours, or those of articles; only the latter are proved."""
    dropped: list[str] = field(default_factory=list)
    _waiting: str = ""
    _line: str = ""
    """What was said since the last full stop: a line break ends no claim."""

    def feed(self, text: str) -> Iterator[Piece]:
        """Take more text; yield the pieces that are complete and hold."""
        self._waiting += text
        place = 0
        while end := _END.search(self._waiting, place):
            if _goes_on(self._waiting, end):
                place = end.end()
                continue
            piece, self._waiting = self._waiting[: end.end()], self._waiting[end.end() :]
            place = 0
            yield from self._judge(piece)

    def finish(self) -> Iterator[Piece]:
        """Yield the last piece, if it holds."""
        piece, self._waiting = self._waiting, ""
        if piece:
            yield from self._judge(piece)

    def _judge(self, piece: str) -> Iterator[Piece]:
        if not self.trusted:
            piece = drop_foreign_links(without_marks(piece), self.evidence.is_known_link)
        proof = self._prove(piece)
        reason = proof if isinstance(proof, str) else None
        if not self.trusted and reason is None:
            # Figures of a sentence that is proved stand in the article, in words perhaps.
            reason = find_deed(piece, self.evidence, proved=proof is not None)
            if reason is None and self._line:
                reason = find_deed(f"{self._line} {piece}", self.evidence)
            if proof is None and reason is None:
                reason = find_figure(piece, self.evidence)
        if reason:
            self.dropped.append(f"{reason}: {piece.strip()}")
            if piece.endswith("\n"):
                yield Piece("\n")
            return
        self._line = "" if _STOPS.search(piece) else f"{self._line} {piece.strip()}".strip()
        proof = proof if isinstance(proof, Proof) else None
        if proof is not None and self.evidence.prover is not None:
            piece = self.evidence.prover.cite(piece, proof)
        sources = self.evidence.sources
        yield Piece(MARK.sub(lambda m: m[0] if 1 <= int(m[1]) <= sources else "", piece), proof)

    def _prove(self, piece: str) -> Proof | str | None:
        """Return the proof of a piece, why it has none, or None when it needs none."""
        prover = self.evidence.prover
        if prover is None or not piece.strip():
            return None
        if self.trusted and _flat(piece) not in _flat(" ".join(self.evidence.quoted)):
            return None
        keys = _keys(piece, prover.language)
        if self._claims_nothing(piece, prover) or self._is_other_matter(piece):
            return None
        proof = prover.prove(piece)
        if isinstance(proof, Proof) or self.trusted:
            return proof
        return None if self._is_of_records(piece, keys, prover.language) else proof

    def _claims_nothing(self, piece: str, prover: Prover) -> bool:
        """Tell whether a piece is a question, politeness, a heading, or says what is not known."""
        language, bare = prover.language, MARK.sub("", piece)
        said = _keys(" ".join(self.evidence.texts[:1]), language)
        tokens = read_sentence(piece, language)
        if is_question(bare) or is_talk(bare, tokens, said, language):
            return True
        if not _HEADING.fullmatch(piece) and not bare.rstrip().endswith(":"):
            return False
        keys = {token.key for token in tokens.items}
        above = (" ".join(lines) for lines in prover.headings())
        return keys <= said or any(keys <= said | _keys(line, language) for line in above)

    def _is_other_matter(self, piece: str) -> bool:
        """Tell whether this is no answer from articles: nobody asked them, and they know nothing.

        A model that answers without searching is held against them all the same.
        """
        evidence = self.evidence
        if self.trusted or evidence.searched or MARK.search(piece):
            return False
        return bool(evidence.records) or not evidence.ask_articles()

    def _is_of_records(self, piece: str, keys: frozenset[str], language: str) -> bool:
        """Tell whether a sentence that no passage supports tells of what a tool read."""
        records = () if MARK.search(piece) else self.evidence.records
        return any(keys & _keys(record, language) for record in records)


def find_figure(sentence: str, evidence: Evidence) -> str | None:
    """Tell why a sentence may not be said whose figures are in no source, else None."""
    known = evidence.figures()
    bare = _LIST_NUMBER.sub("", MARK.sub("", sentence))
    for figure in _FIGURE.findall(bare):
        if not _occurs(_plain(figure), known):
            return f"the figure {figure} is in no source"
    return None


def find_deed(sentence: str, evidence: Evidence, *, proved: bool = False) -> str | None:
    """Tell why a sentence may not be said that claims a deed no tool reported, else None.

    Args:
        sentence: of a model from outside.
        evidence: what tools reported.
        proved: an article says it: it may tell what happens in general, and to whoever asks.
    """
    deeds = read_deeds(sentence)
    if proved:
        deeds = frozenset(deed for deed in deeds if deed.of_you and not deed.will)
    if not deeds:
        return None
    done, told = reported(evidence.done), reported((*evidence.done, *evidence.reports))
    numbers = order_numbers(sentence)
    orders = frozenset().union(*(order_numbers(text) for _, text in told))
    for deed in deeds:
        known = (done if deed.by_me or deed.kind == ANY else told, numbers, orders)
        if not _is_reported(deed, *known):
            return "it claims a deed that no tool reported"
    return None


def _is_reported(
    deed: Deed,
    told: Sequence[tuple[frozenset[Deed], str]],
    numbers: frozenset[str],
    orders: frozenset[str],
) -> bool:
    """Tell whether tools reported a deed, of these orders; of several, the sentence names one."""
    for deeds, report in told:
        same = any(deed.kind in {ANY, one.kind} and (deed.will or not one.will) for one in deeds)
        if same and numbers <= order_numbers(report) and (numbers or len(orders) <= 1):
            return True
    return False


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """Tell whether a stop ends no sentence: that of a list's number, or of "e.g."."""
    if "\n" in end[0]:
        return False
    begins = text.rfind("\n", 0, end.start()) + 1
    return text[end.end()].islower() or bool(_GOES_ON.search(text[begins : end.start() + 1]))


def _keys(text: str, language: str) -> frozenset[str]:
    return frozenset(token.key for token in read_sentence(text, language).items)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    return re.sub(r"[€$£#,]", "", text.lower())


def _occurs(figure: str, known: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(figure.rstrip('.:/-'))}(?!\d|\.\d)", known) is not None
