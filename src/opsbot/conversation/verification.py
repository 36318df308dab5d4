"""Check an answer again, later: do its quotes still stand, and do its sentences hold?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsbot.conversation.models import Message
from opsbot.conversation.proof.prover import quotes_of
from opsbot.conversation.proof.quotes import Proof, find_section, read_sentence
from opsbot.conversation.replies import read_proofs
from opsbot.errors import NotFoundError
from opsbot.retrieval.hits import article_url
from opsbot.retrieval.knowledge import ArticleVersion, Knowledge
from opsbot.retrieval.shelf import Reader

HIDDEN = "the article is gone, or is not for you"
OTHERWISE = "that version of the article reads otherwise there"


class Age(StrEnum):
    """What became of an article since it was quoted."""

    CURRENT = "current"
    CHANGED = "changed"
    """There is a newer version."""
    DELETED = "deleted"


@dataclass(frozen=True)
class CheckedSentence:
    """One sentence of an answer, and whether the article supports it."""

    text: str
    article: str
    version: int
    """The one that was quoted."""
    current_version: int | None
    """The newest one; unset when the article is gone."""
    state: Age
    url: str
    start: int
    end: int
    """Offsets of the quote into the text of that version."""
    quote: str
    holds: bool
    reason: str
    """Why it does not hold; empty when it does."""


@dataclass(frozen=True)
class CheckedAnswer:
    """What came of checking an answer."""

    ok: bool
    """Every sentence that rests on an article holds."""
    sentences: Sequence[CheckedSentence]
    """Those that rest on articles, in order."""


def verify_answer(message: Message, knowledge: Knowledge, *, reader: Reader) -> CheckedAnswer:
    """Hold each proved sentence of a reply against the version it quotes."""
    sentences = [
        _check(message.text[start:end], proof, knowledge, reader)
        for start, end, proof in read_proofs(message.body)
    ]
    return CheckedAnswer(all(sentence.holds for sentence in sentences), sentences)


def _check(sentence: str, proof: Proof, knowledge: Knowledge, reader: Reader) -> CheckedSentence:
    url = article_url(proof.article)
    found: ArticleVersion | None = None
    try:
        found = knowledge.read_version(proof.article, proof.version, audience=reader)
    except NotFoundError:
        reason: str | None = HIDDEN
    else:
        reason, anchor = _find_fault(sentence, proof, found)
        url = article_url(proof.article, anchor)
    current = found.current if found else None
    return CheckedSentence(
        text=sentence,
        article=proof.article,
        version=proof.version,
        current_version=current,
        state=_age(proof.version, current),
        url=url,
        start=proof.start,
        end=proof.end,
        quote=proof.quote if found else "",
        holds=reason is None,
        reason=reason or "",
    )


def _find_fault(sentence: str, proof: Proof, found: ArticleVersion) -> tuple[str | None, str]:
    """Return why a sentence does not hold, and the anchor of the section that it quotes."""
    place = find_section(
        found.text,
        proof.start,
        article=proof.article,
        version=proof.version,
        title=found.title,
        language=proof.language,
    )
    if place is None or found.text[proof.start : proof.end] != proof.quote:
        return OTHERWISE, ""
    section, anchor = place
    tokens = read_sentence(sentence, proof.language)
    return quotes_of(section).check(tokens, proof.start, proof.end), anchor


def _age(version: int, current: int | None) -> Age:
    if current is None:
        return Age.DELETED
    return Age.CURRENT if current == version else Age.CHANGED
