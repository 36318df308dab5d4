"""Whether words say yes to what was shown: every sentence of them must agree, or be polite.

"Yes, but to another address" is no yes. "Yes, please cancel order 1004" is one to a preview that
names that order. What comes after a yes and begins something else is left for the assistant.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opsbot.conversation.local.classifier import stem
from opsbot.conversation.local.patterns import POLITE
from opsbot.conversation.local.requests import split_sentences

_STARTS_YES = re.compile(
    r"(?:yes|yep|yeah|yup|y|ja|oui|ok|okay|sure|absolutely|of course|confirm(?:ed)?|correct|"
    r"definitely|exactly|certainly|alright|all right|"
    r"proceed|perfect|please (?:do|proceed|go ahead|confirm)|go (?:ahead|on|for it)|do it|"
    r"let'?s (?:do (?:it|that)|go (?:ahead|for it)|proceed)|"
    r"i (?:do |hereby )?(?:confirm|agree)|i(?: woul|')d like to proceed|that works|"
    r"(?:that|this|it|all|everything|those)(?:'?s| is| are)? (?:right|correct|fine|good|perfect)|"
    r"(?:that |this |it |all |everything )?(?:looks|sounds) "
    r"(?:good|great|right|fine|correct|perfect))\b",
    re.IGNORECASE,
)
_WEAK_YES = re.compile(r"^\W*(?:great|perfect|wonderful|awesome|lovely|fantastic)\b", re.IGNORECASE)
"""Words that may as well be thanks: "Perfect." alone agrees, "Perfect! Thank you." does not."""
# fmt: off
_AGREEING = frozenset((
    "yes", "yep", "yeah", "yup", "y", "ja", "oui", "ok", "okay", "sure", "absolutely", "of",
    "course", "confirm", "confirmed", "correct", "proceed", "perfect", "go", "ahead", "on", "do",
    "it", "that", "this", "that's", "thats", "it's", "is", "are", "right", "fine", "good", "great",
    "looks", "sounds", "works", "all", "everything", "please", "thanks", "thank", "you", "i", "i'd",
    "would", "like", "want", "to", "agree", "hereby", "with", "the", "and", "for", "me", "now",
    "continue", "process", "definitely", "exactly", "so", "much", "very", "lovely", "those",
    "these", "my", "let's", "lets", "kindly", "just", "be", "in", "from", "a", "an", "as", "make",
    "details", "detail", "request", "requested", "discussed", "mentioned", "described", "said",
    "initiate", "start", "submit", "finalize", "finalise", "complete", "both", "them", "one",
    "action", "items", "item", "ready", "still", "certainly", "option", "size", "version",
    "color", "colour", "model", "type", "style", "above", "alright", "handle", "obviously", "then",
))
# fmt: on
"""Words that only agree: "yes, that is correct, please proceed"."""
_ALIKE = (
    frozenset({"cancel", "cancellation"}),
    frozenset(
        {
            "change",
            "modify",
            "modification",
            "update",
            "switch",
            "swap",
            "replace",
            "set",
            "exchange",
            "replacement",
            "trade",
            "revert",
        }
    ),
    frozenset({"return", "send", "back", "refund"}),
    frozenset({"order", "purchase"}),
    frozenset({"address", "shipping", "delivery", "street"}),
    frozenset({"pay", "payment", "charge", "card"}),
)
"""Words that repeat what a preview says in others."""
_NEVER = frozenset(
    {
        "no", "not", "nope", "nah", "never", "none", "without", "but", "except", "only",
        "instead", "rather", "other", "another", "different", "however", "unless", "if", "wait",
        "stop", "hold", "don't", "dont", "nothing", "until", "before", "after", "when", "also",
        "plus",
    }
)  # fmt: skip
"""Words that never merely agree, whatever the preview shows."""
_INTERJECTIONS = frozenset(
    {
        "great",
        "wonderful",
        "awesome",
        "fantastic",
        "perfect",
        "lovely",
        "got",
        "it",
        "i",
        "see",
        "ah",
        "oh",
        "hmm",
        "well",
    }
)
"""Words that are polite alone: "Ah, got it!"."""
_REPLACED = re.compile(r"\binstead of\b.*", re.IGNORECASE | re.DOTALL)
"""What a preview says of how it was: to repeat that agrees to nothing."""
_NEXT = re.compile(
    r"(?:now|next|also|and (?:also|then|what|when|where|how|can|could|please|i)\b|"
    r"additionally|besides|secondly|lastly|finally|then|another thing|"
    r"one (?:more|last) thing|after that|i(?:'d| would)? (?:also|still)|"
    r"(?:can|could|would|will) (?:you|i) also)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:^|[,;]\s*)(?:(?:is|was|are|were|can|could|did|will|would|has|have)\s+"
    r"(?:it|that|this|the|there|i|you|they|we|my)|(?:do|does)\s+(?:i|you|they|we|my))\b",
    re.IGNORECASE,
)
"""A question, also without its mark."""


@dataclass(frozen=True)
class Agreement:
    """Words that say yes."""

    rest: str = ""
    """What they go on to ask for; empty: nothing."""


def read_agreement(text: str, shown: Iterable[str]) -> Agreement | None:
    """Return what words agree to, or None when they do not clearly say yes.

    Args:
        text: a person's whole message.
        shown: the texts of the preview that they answer.
    """
    known = _stems(" ".join(_REPLACED.sub("", one) for one in shown))
    known = frozenset().union(known, *(_stem_all(g) for g in _ALIKE if known & _stem_all(g)))
    agreed = False
    sentences = split_sentences(text.replace("\u2019", "'"))
    for number, sentence in enumerate(sentences):
        if agreed and _NEXT.match(sentence.lstrip(" ,")):
            return Agreement(" ".join(sentences[number:]))
        repeats = _only_agrees(sentence, known)
        if repeats:
            agreed = agreed or _says_yes(sentence, alone=len(sentences) == 1)
        elif not _is_polite(sentence):
            return None
    return Agreement() if agreed else None


def _says_yes(sentence: str, *, alone: bool) -> bool:
    rest = _WEAK_YES.sub("", sentence, count=1).lstrip(" ,.!")
    if rest:
        return _STARTS_YES.match(rest) is not None
    return alone and _STARTS_YES.match(sentence) is not None


def _only_agrees(sentence: str, known: frozenset[str]) -> bool:
    words = re.findall(r"[\w']+", sentence.casefold())
    if not words or "?" in sentence or _NEVER.intersection(words) or _ASKS.search(sentence):
        return False
    return all(word in _AGREEING or stem(word) in known for word in words)


def _is_polite(sentence: str) -> bool:
    words = set(re.findall(r"[\w']+", sentence.casefold()))
    if "?" in sentence or words & _NEVER:
        return False
    return words <= _INTERJECTIONS or POLITE.match(sentence) is not None


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(w) for w in re.findall(r"[\w']+", text.casefold())) - _NEVER


def _stem_all(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words)
