"""What a message asks for: its requests, and the tool each of them means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import (
    SURE,
    UNSURE,
    Classifier,
    Ranking,
    Vectors,
    mood,
    stem,
    stems,
)
from opsbot.conversation.local.declarations import HANDOFF, KNOWLEDGE, PROOF, UNSHARED, ToolSpec
from opsbot.conversation.local.examples import GOES_ON, said_of_all
from opsbot.conversation.local.frame import Task
from opsbot.conversation.local.language import SMALL_TALK
from opsbot.conversation.local.patterns import (
    AMOUNT,
    CHECKS,
    CONTRACTED,
    FAULT_CODE,
    FORBIDS,
    INSTRUCTION,
    OWN,
    PRONOUN,
    RULE,
    SUBORDINATE,
    WONDERS,
)
from opsbot.conversation.local.requests import (
    Clause,
    asks_something,
    split_sentences,
    strip_courtesy,
)
from opsbot.conversation.local.swapping import swap_names
from opsbot.conversation.local.values import is_marked, longest_phrase
from opsbot.conversation.local.vocabulary import Vocabulary, noun_of

CHANGE_FROM = 0.4
"""Confidence that a change needs."""
NAMED_CHANGE_FROM = 0.75
"""The same when the words order nothing."""

_BIAS_FITS = 0.12
_BIAS_LACKS = -0.12
_BIAS_CHOICE = 0.1
_BIAS_PHRASE = 0.25
_BIAS_PRONOUN = 0.05
_BIAS_NOUN = 0.12
_BIAS_INSTRUCTION = 0.25
_BIAS_CODE = 0.4
_EXPLAINS = 0.25
"""Confidence from which an article may explain what sounds like a change."""
_REMEMBERED = 256
"""Texts whose ranking is kept: a turn is read again after each call of a tool."""
_SHORTEST = 3
"""Words a main clause must have to be read alone."""


class Encoder(Protocol):
    """Turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        ...


@dataclass(frozen=True)
class Request:
    """One thing that is asked."""

    text: str
    """The words of it, with the sentences that lead to it."""
    label: str
    """Name of a tool, or one of the classes of small talk, which begin with `~`."""
    confidence: float
    """0 to 1."""
    condition: str = ""
    holds: bool = True
    asks: bool = True
    goes_on: bool = False
    """Whether it goes on with what its tool did last."""

    @property
    def is_small_talk(self) -> bool:
        """Whether no tool is needed."""
        return self.label.startswith("~")


class Understanding:
    """Knows a set of tools by their declarations."""

    def __init__(self, tools: Sequence[ToolSpec], encoder: Encoder) -> None:
        self.tools: Mapping[str, ToolSpec] = {tool.name: tool for tool in tools}
        self.encoder = encoder
        self.vocabulary = Vocabulary(tools)
        mask = self.vocabulary.mask
        said = {(mask(text), label): None for text, label in said_of_all(tools)}
        swaps = list(swap_names(self.vocabulary, tools))
        said |= {(mask(swap.text), swap.label): None for swap in swaps}
        twins = {mask(text) for swap in swaps for text in (swap.text, swap.of)}
        texts, labels = [text for text, _ in said], [label for _, label in said]
        self._classifier = Classifier(
            texts, labels, encoder.encode(texts), alone=[text not in twins for text in texts]
        )
        self._ranked = lru_cache(_REMEMBERED)(self._rank)

    def by_role(self, role: str) -> ToolSpec | None:
        """Return the tool that has a role, if one is offered."""
        return next((tool for tool in self.tools.values() if tool.role == role), None)

    def proof_for(self, level: int) -> ToolSpec | None:
        """Return the proof that gives a level, the one that asks least; else the strongest."""
        proofs = sorted((t for t in self.tools.values() if t.role == PROOF), key=lambda t: t.grants)
        enough = (tool for tool in proofs if tool.grants >= level)
        return next(enough, proofs[-1] if proofs else None)

    def changes(self, task: Task | None) -> bool:
        """Tell whether a task ends in a change, perhaps after a proof."""
        while task is not None:
            if task.tool in self.tools and self.tools[task.tool].writes:
                return True
            task = task.then
        return False

    def rank(
        self, text: str, *, spoken_of: frozenset[str] = frozenset(), after: str = ""
    ) -> Ranking:
        """Rank tools and small talk for one text.

        Args:
            text: the words.
            spoken_of: kinds of values that the conversation has already named.
            after: the tool that was used last.
        """
        return self._ranked(text, spoken_of, after)

    def _rank(self, text: str, spoken_of: frozenset[str], after: str) -> Ranking:
        masked = self.vocabulary.mask(CONTRACTED.sub(r"\1's", strip_courtesy(text)))
        parts = [part for part in SUBORDINATE.split(masked) if len(part.split()) >= _SHORTEST]
        main = next((p for p in parts if asks_something(p, self.vocabulary.verbs)), masked)
        if main == masked:
            main = next(iter(parts), masked)
        views = [masked, main] if main != masked else [masked]
        bias = self._bias(text, spoken_of)
        ranking = self._classifier.rank(views, self.encoder.encode(views), bias)
        return _settle_follow_ups(ranking, after)

    def choose(self, request: Request) -> str:
        """Return what serves a request: a tool's name or a class of small talk.

        The articles serve what nothing else surely does: they say when they do not know. Empty
        when there are no articles either.
        """
        tool = self.tools.get(request.label)
        needed = UNSURE
        if tool is not None and tool.writes:
            # A word or two that order nothing, such as "lamp", begin no change.
            named = not request.asks and len(request.text.split()) < _SHORTEST
            needed = NAMED_CHANGE_FROM if named else CHANGE_FROM
        if request.is_small_talk and request.asks and self._asks_of(request):
            needed = SURE
        if tool is not None and tool.acts and not tool.role:
            needed = SURE  # nobody is asked again
        if request.confidence >= needed:
            return request.label
        knowledge = self.by_role(KNOWLEDGE)
        return knowledge.name if knowledge is not None else ""

    def forbids(self, tool: str, text: str) -> bool:
        """Tell whether words forbid a change instead of asking for it: "do NOT cancel it"."""
        words = (stem(found[1].lower()) for found in FORBIDS.finditer(text))
        return self.tools[tool].writes and any(word in self.vocabulary.verbs for word in words)

    def _asks_of(self, request: Request) -> bool:
        """Tell whether small talk asks about something: "how is the weather?"."""
        said = {s for text in SMALL_TALK.get(request.label, ()) for s in stems(text)}
        return bool(content_stems(request.text, said))

    def classify(self, clause: Clause, spoken_of: frozenset[str], after: str = "") -> Request:
        """Return what one clause asks for; see `rank` for `spoken_of` and `after`."""
        ranking = self.rank(clause.text, spoken_of=spoken_of, after=after)
        label = ranking.best
        if clause.asks and label in self.tools and self.tools[label].role == PROOF:
            # "Where is my order? My e-mail is …": the proof comes beside what is asked.
            main = SUBORDINATE.split(clause.text, maxsplit=1)[0]
            ranking = self.rank(main, spoken_of=spoken_of, after=after)
            label = ranking.best
        confidence = ranking.confidence(label)
        if confidence < SURE and clause.asks:
            label, confidence = self._read_plain(clause.text, label, confidence, spoken_of)
        label = self._reading(clause.text, label, ranking)
        label = self._taking(clause.text, label, ranking)
        knowledge = self.by_role(KNOWLEDGE)
        general = self.asks_how(clause.text) and self.acts_on_a_record(label)
        if knowledge and not clause.asks and self._may_be_explained(label, ranking):
            general = True
        if knowledge and (general or self._is_no_order(clause.text, label, spoken_of)):
            label, confidence = knowledge.name, max(SURE, ranking.confidence(knowledge.name))
        return Request(
            text=clause.text,
            label=label,
            confidence=confidence,
            condition=clause.condition,
            holds=clause.holds,
            asks=clause.asks,
            goes_on=bool(label) and label == ranking.follows,
        )

    def _read_plain(
        self, text: str, label: str, confidence: float, spoken_of: frozenset[str]
    ) -> tuple[str, float]:
        """Read a wish for a change again, whatever the things it names are called."""
        changes = label in self.tools and self.tools[label].writes
        wish = confidence < UNSURE and mood(strip_courtesy(text)) == "<wants>"
        if not (changes or wish):
            return label, confidence
        plain = self.vocabulary.plain(self.vocabulary.mask(strip_courtesy(text)))
        ranking = self.rank(plain, spoken_of=spoken_of)
        best, again = ranking.best, ranking.confidence(ranking.best)
        changes = best in self.tools and self.tools[best].writes
        return (best, again) if changes and again > confidence else (label, confidence)

    def _reading(self, text: str, label: str, ranking: Ranking) -> str:
        """Return the best tool that only reads, when words want to know: "could you check if …"."""
        tool = self.tools.get(label)
        checks = any(CHECKS.match(strip_courtesy(one)) for one in split_sentences(text))
        if tool is None or not tool.writes or not checks:
            return label
        reads = (n for n in ranking.probabilities if n in self.tools and not self.tools[n].writes)
        return next((n for n in reads if not self.tools[n].role), label)

    def _taking(self, text: str, label: str, ranking: Ranking) -> str:
        """Return the best tool that takes what is named, when a list of everything ranks first.

        "Show me order 1003" names one order; the list of all takes nothing. Only what names one
        record counts: "this month" may be said of anything.
        """
        tool = self.tools.get(label)
        present = self.vocabulary.kinds_in(text) - UNSHARED
        if not present or tool is None or tool.writes:
            return label
        if tool.role in {KNOWLEDGE, HANDOFF, PROOF}:
            return label
        if present & tool.kinds or any(a.required for a in tool.arguments):
            return label
        fitting = (
            name
            for name in ranking.probabilities
            if name in self.tools and not self.tools[name].writes and not self.tools[name].role
        )
        return next((name for name in fitting if present & self.tools[name].kinds), label)

    def _bias(self, text: str, spoken_of: frozenset[str]) -> dict[str, float]:
        """Favour the tools that take what the words name."""
        present = self.vocabulary.kinds_in(text)
        pronoun = frozenset() if present or not PRONOUN.search(text) else spoken_of
        instruction, code = self.asks_how(text), self.names_code(text)
        words = set(stems(text))
        bias: dict[str, float] = {}
        for tool in self.tools.values():
            if tool.role == KNOWLEDGE and code:
                bias[tool.name] = _BIAS_CODE
            elif tool.role == KNOWLEDGE:
                bias[tool.name] = _BIAS_LACKS if present else _BIAS_INSTRUCTION * instruction
            elif present:
                bias[tool.name] = _BIAS_FITS if present & tool.kinds else _BIAS_LACKS / 2
            elif pronoun & tool.kinds:
                bias[tool.name] = _BIAS_PRONOUN
            elif tool.writes and any(
                is_marked(a) and a.candidates and stem(noun_of(a.kind)) in words
                for a in tool.arguments
            ):
                bias[tool.name] = _BIAS_NOUN
            chosen = (a for a in tool.arguments if a.required and a.labels and not tool.writes)
            if said := max((longest_phrase(a, text) for a in chosen), default=0):
                named = _BIAS_CHOICE if said == 1 else _BIAS_PHRASE
                bias[tool.name] = bias.get(tool.name, 0.0) + named
        return bias

    def names_code(self, text: str) -> bool:
        """Tell whether a text names a short code, such as E-04, that no tool takes: articles do."""
        return FAULT_CODE.search(self.vocabulary.without_values(text)) is not None

    def asks_how(self, text: str) -> bool:
        """Tell whether a text asks how something is done in general, not to do it."""
        asks = INSTRUCTION.match(strip_courtesy(text)) is not None
        return asks and not OWN.search(text) and not self.vocabulary.kinds_in(text)

    def _may_be_explained(self, label: str, ranking: Ranking) -> bool:
        """Tell whether a sentence that orders nothing sounds like a change and like an article.

        "The shade wobbles": advice comes before sending it back.
        """
        tool, knowledge = self.tools.get(label), self.by_role(KNOWLEDGE)
        changes = tool is not None and tool.writes and not tool.role
        return changes and knowledge is not None and ranking.confidence(knowledge.name) >= _EXPLAINS

    def _is_no_order(self, text: str, label: str, spoken_of: frozenset[str]) -> bool:
        """Tell whether words that sound like a change do not order one.

        They ask about a rule ("may I …?") and name no record, or want an amount of money that
        the change does not take.
        """
        tool = self.tools.get(label)
        if tool is None or not tool.writes or tool.role or self.vocabulary.kinds_in(text):
            return False
        bare = strip_courtesy(text)
        if WONDERS.match(bare):
            return True
        rule = RULE.match(bare)
        rest = bare[rule.end() :] if rule else ""
        about_known = PRONOUN.search(rest) is not None and bool(spoken_of & tool.kinds)
        if rule and not OWN.search(rest) and not about_known:
            return True
        takes_money = any(a.kind in {"number", "amount"} for a in tool.arguments)
        return AMOUNT.search(text) is not None and not takes_money

    def acts_on_a_record(self, label: str) -> bool:
        """Tell whether a tool needs to know which record is meant, or changes one."""
        tool = self.tools.get(label)
        if tool is None or tool.role:
            return False
        return tool.writes or any(
            a.required and (is_marked(a) or a.candidates) for a in tool.arguments
        )


def _settle_follow_ups(ranking: Ranking, after: str) -> Ranking:
    """Count what goes on with a tool as that tool where it was used last; else leave it out."""
    going_on = [label for label in ranking.probabilities if label.endswith(GOES_ON)]
    if not going_on:
        return ranking
    probabilities, fits = dict(ranking.probabilities), dict(ranking.fits)
    follows = ""
    for label in going_on:
        share, fit, name = probabilities.pop(label), fits.pop(label), label.removesuffix(GOES_ON)
        if name != after:
            continue
        follows = name if share > probabilities[name] else ""
        probabilities[name] += share
        fits[name] = max(fits[name], fit)
    whole = sum(probabilities.values()) or 1.0
    best_first = sorted(probabilities, key=lambda label: -probabilities[label])
    settled = {label: probabilities[label] / whole for label in best_first}
    return replace(ranking, probabilities=settled, fits=fits, follows=follows)
