"""Find what the sentences of one answer rest on, among the passages that were found for it."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from opsbot.conversation.proof.clauses import Tokens
from opsbot.conversation.proof.quotes import NOT_THERE, Proof, Quotes, Section, read_sentence
from opsbot.errors import NotFoundError
from opsbot.retrieval.hits import Hit

MARK = re.compile(r"\[(\d{1,2})\](?!\()")
ReadText = Callable[[str, int], str]
"""Returns the text of one version of an article, by slug and number, or raises NotFoundError."""


class Prover:
    """Proves sentences from hits, and checks each quote against the article itself."""

    def __init__(self, read_text: ReadText) -> None:
        self._read_text = read_text
        self._sections: dict[tuple[str, int, int], Section] = {}
        self._earlier: list[Section] = []
        self._numbers: list[tuple[str, int, int]] = []
        """The section of each hit, in the order of their numbers."""
        self._texts: dict[tuple[str, int], str] = {}

    def add(self, hits: Sequence[Hit], *, cited: bool = True) -> None:
        """Take more hits; those that may be `cited` are numbered behind those before."""
        for hit in hits:
            key = (hit.slug, hit.version, hit.section_start)
            if cited:
                self._numbers.append(key)
            if key not in self._sections:
                self._sections[key] = _section_of(hit)

    def remember(self, proof: Proof) -> None:
        """Take what an earlier answer of the conversation rested on; it may be said again."""
        self._earlier.append(
            Section(
                article=proof.article,
                version=proof.version,
                title="",
                headings=(),
                language=proof.language,
                text=proof.quote,
                start=proof.start,
            )
        )

    @property
    def language(self) -> str:
        """The language of the best hit; English without any."""
        return next((section.language for section in self._sections.values()), "en")

    def headings(self) -> Iterator[tuple[str, ...]]:
        """Yield title and headings of each section."""
        for section in self._sections.values():
            yield (section.title, *section.headings)

    def prove(self, sentence: str) -> Proof | str:
        """Return what a sentence rests on, or why nothing that was found supports it.

        The sections that its marks cite are looked at first.
        """
        tokens: dict[str, Tokens] = {}
        reason = NOT_THERE
        for section in self._in_order(sentence):
            language = section.language
            if language not in tokens:
                tokens[language] = read_sentence(sentence, language)
            proof = quotes_of(section).prove(tokens[language])
            if isinstance(proof, Proof) and self._is_genuine(proof):
                return proof
            if reason is NOT_THERE and isinstance(proof, str):
                reason = proof
        return reason

    def cite(self, sentence: str, proof: Proof) -> str:
        """Return the sentence with its mark leading to where its proof is.

        Marks that lead to the right section stay, and so do several.
        """
        marks = MARK.findall(sentence)
        if len(marks) != 1 or self._holds(int(marks[0]), proof):
            return sentence
        right = (n for n in range(1, len(self._numbers) + 1) if self._holds(n, proof))
        number = next(right, 0)
        return MARK.sub(f"[{number}]", sentence) if number else sentence

    def _holds(self, number: int, proof: Proof) -> bool:
        if not 1 <= number <= len(self._numbers):
            return False
        section = self._sections[self._numbers[number - 1]]
        same = (section.article, section.version) == (proof.article, proof.version)
        return same and section.start <= proof.start < section.start + len(section.text)

    def _in_order(self, sentence: str) -> list[Section]:
        cited = [int(n) for n in MARK.findall(sentence)]
        first = [self._numbers[n - 1] for n in cited if 1 <= n <= len(self._numbers)]
        found = [self._sections[key] for key in dict.fromkeys([*first, *self._sections])]
        return found + self._earlier

    def _is_genuine(self, proof: Proof) -> bool:
        key = (proof.article, proof.version)
        if key not in self._texts:
            try:
                self._texts[key] = self._read_text(*key)
            except NotFoundError:
                return False
        return self._texts[key][proof.start : proof.end] == proof.quote


@lru_cache(maxsize=400)
def quotes_of(section: Section) -> Quotes:
    """Return what can be quoted from a section; the last few hundred are kept."""
    return Quotes(section)


def _section_of(hit: Hit) -> Section:
    return Section(
        article=hit.slug,
        version=hit.version,
        title=hit.title,
        headings=hit.headings,
        language=hit.language,
        text=hit.section,
        start=hit.section_start,
    )
