"""What a message asks for: its requests, and the tool each of them means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import (
    SURE,
    UNSURE,
    Classifier,
    Ranking,
    Vectors,
    mood,
    stems,
)
from opsbot.conversation.local.declarations import HANDOFF, KNOWLEDGE, PROOF, UNSHARED, ToolSpec
from opsbot.conversation.local.examples import said_of_all
from opsbot.conversation.local.frame import Task
from opsbot.conversation.local.language import SMALL_TALK
from opsbot.conversation.local.patterns import (
    AMOUNT,
    FURTHER,
    INSTRUCTION,
    OWN,
    PRONOUN,
    RULE,
    STATES,
    SUBORDINATE,
)
from opsbot.conversation.local.requests import (
    Clause,
    asks_something,
    split_message,
    strip_courtesy,
)
from opsbot.conversation.local.swapping import swap_names
from opsbot.conversation.local.values import find_labels, is_marked, longest_phrase
from opsbot.conversation.local.vocabulary import Vocabulary

CHANGE_FROM = 0.4
"""Confidence that a change needs."""
NAMED_CHANGE_FROM = 0.75
"""The same when the words order nothing."""

_BIAS_FITS = 0.12
_BIAS_LACKS = -0.12
_BIAS_CHOICE = 0.1
_BIAS_PHRASE = 0.25
_BIAS_PRONOUN = 0.05
_BIAS_INSTRUCTION = 0.25
_EXPLAINS = 0.25
"""Confidence from which an article may explain what sounds like a change."""
_DETAIL = 4
"""Words of a remark at most."""
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

    def by_role(self, role: str) -> ToolSpec | None:
        """Return the tool that has a role, if one is offered."""
        return next((tool for tool in self.tools.values() if tool.role == role), None)

    def changes(self, task: Task | None) -> bool:
        """Tell whether a task ends in a change, perhaps after a proof."""
        while task is not None:
            if task.tool in self.tools and self.tools[task.tool].writes:
                return True
            task = task.then
        return False

    def rank(self, text: str, *, spoken_of: frozenset[str] = frozenset()) -> Ranking:
        """Rank tools and small talk for one text.

        Args:
            text: the words.
            spoken_of: kinds of values that the conversation has already named.
        """
        masked = self.vocabulary.mask(strip_courtesy(text))
        parts = [part for part in SUBORDINATE.split(masked) if len(part.split()) >= _SHORTEST]
        main = next((p for p in parts if asks_something(p, self.vocabulary.verbs)), masked)
        if main == masked:
            main = next(iter(parts), masked)
        views = [masked, main] if main != masked else [masked]
        return self._classifier.rank(views, self.encoder.encode(views), self._bias(text, spoken_of))

    def read(self, message: str, *, spoken_of: frozenset[str] = frozenset()) -> list[Request]:
        """Return the requests of a message, in order; at least one."""
        clauses = split_message(message, self.vocabulary.verbs)
        if (kept := self._without_background(clauses, spoken_of)) != clauses:
            clauses, message = kept, " ".join(clause.text for clause in kept)
        asks = asks_something(message, self.vocabulary.verbs)
        whole = self._classify(Clause(message, asks=asks), spoken_of)
        if not clauses[1:]:
            clause = clauses[0] if clauses else Clause(message, asks=False)
            single = self._classify(clause, spoken_of) if clause.condition else whole
            return [
                replace(single, asks=clause.asks, condition=clause.condition, holds=clause.holds)
            ]
        knowledge = self.by_role(KNOWLEDGE)
        articles = knowledge.name if knowledge is not None else ""
        requests = _merge(self._read_clauses(clauses, spoken_of), articles)
        real = [r for r in requests if not r.is_small_talk]
        if len(real) <= 1 and not any(r.condition for r in real):
            return [self._choose_single(real, requests, whole)]
        return real

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
        if request.confidence >= needed:
            return request.label
        knowledge = self.by_role(KNOWLEDGE)
        return knowledge.name if knowledge is not None else ""

    def _asks_of(self, request: Request) -> bool:
        """Tell whether small talk asks about something: "how is the weather?"."""
        said = {s for text in SMALL_TALK.get(request.label, ()) for s in stems(text)}
        return bool(content_stems(request.text, said))

    def _choose_single(
        self, real: list[Request], requests: list[Request], whole: Request
    ) -> Request:
        if not real:
            return max(requests, key=lambda r: r.confidence)
        own = self.tools.get(whole.label)
        better = whole.confidence > real[0].confidence and real[0].confidence < SURE
        if better and own is not None and own.role != PROOF:
            return whole
        return replace(real[0], text=whole.text)

    def _read_clauses(self, clauses: Sequence[Clause], spoken_of: frozenset[str]) -> list[Request]:
        """Classify each clause; what only tells joins the request it leads to."""
        requests: list[Request] = []
        told = ""
        someone_asks = any(c.asks for c in clauses)
        for clause in clauses:
            request = self._classify(clause, spoken_of)
            stands_alone = (
                request.confidence >= UNSURE or mood(clause.text).startswith("<asks")
                if clause.asks
                else not someone_asks and request.confidence >= SURE
            )
            if clause.asks and FURTHER.search(clause.text) and STATES.match(clause.text):
                stands_alone = True
            if self._details(clause, requests):
                stands_alone = False
            if request.is_small_talk and request.confidence >= UNSURE and not clause.condition:
                requests.append(request)
            elif not stands_alone:
                told = f"{told} {clause.text}".strip()
            else:
                requests.append(self._with_context(request, told, spoken_of))
                told = ""
        if told:
            self._append_told(requests, told, spoken_of)
        return requests

    def _without_background(
        self, clauses: Sequence[Clause], spoken_of: frozenset[str]
    ) -> list[Clause]:
        """Leave out wishes beside a question that only tell why it is asked: "I need it soon"."""
        asked = [c for c in clauses if mood(c.text).startswith("<asks") and not c.condition]
        clear = any(self._classify(c, spoken_of).confidence >= UNSURE for c in asked)
        if not clear:
            return list(clauses)
        return [c for c in clauses if c in asked or not self._is_background(c, spoken_of)]

    def _is_background(self, clause: Clause, spoken_of: frozenset[str]) -> bool:
        states = STATES.match(strip_courtesy(clause.text)) and not clause.text.endswith("?")
        further = FURTHER.search(clause.text)  # "I also need an invoice" is a wish of its own
        if not states or further or clause.condition or self.vocabulary.kinds_in(clause.text):
            return False
        request = self._classify(clause, spoken_of)
        tool = self.tools.get(request.label)
        return tool is None or tool.role == KNOWLEDGE or request.confidence < SURE

    def _details(self, clause: Clause, requests: Sequence[Request]) -> bool:
        """Tell whether a few words name a choice of the request before: "…, wrong size"."""
        tool = self.tools.get(requests[-1].label) if requests else None
        if tool is None or len(clause.text.split()) > _DETAIL or clause.text.endswith("?"):
            return False
        return any(find_labels(argument, clause.text) for argument in tool.arguments)

    def _with_context(self, request: Request, told: str, spoken_of: frozenset[str]) -> Request:
        """Read a request again together with the sentences before it, if that is clearer."""
        if not told:
            return request
        text = f"{told} {request.text}"
        again = self._classify(Clause(text, asks=True), spoken_of)
        vague = request.confidence < SURE or PRONOUN.search(request.text)
        knowledge = self.by_role(KNOWLEDGE)
        if knowledge and self._asks_how(request.text) and self._acts_on_a_record(again.label):
            # "The shade is loose, what should I do?" wants advice, not a change.
            return replace(request, text=text, label=knowledge.name, confidence=SURE)
        if vague and again.confidence > request.confidence and not again.is_small_talk:
            return replace(request, text=text, label=again.label, confidence=again.confidence)
        return replace(request, text=text)

    def _append_told(self, requests: list[Request], told: str, spoken_of: frozenset[str]) -> None:
        """Sentences after the last request belong to it, or are the request."""
        real = [i for i, r in enumerate(requests) if not r.is_small_talk]
        if not real:
            requests.append(self._classify(Clause(told, asks=False), spoken_of))
            return
        last = requests[real[-1]]
        again = self._classify(Clause(f"{last.text} {told}", asks=True), spoken_of)
        own = self.tools.get(again.label)
        clearer = again.confidence > last.confidence and last.confidence < SURE
        label = again if clearer and own is not None and own.role != PROOF else last
        requests[real[-1]] = replace(
            last, text=f"{last.text} {told}", label=label.label, confidence=label.confidence
        )

    def _classify(self, clause: Clause, spoken_of: frozenset[str]) -> Request:
        ranking = self.rank(clause.text, spoken_of=spoken_of)
        label = ranking.best
        if clause.asks and label in self.tools and self.tools[label].role == PROOF:
            # "Where is my order? My e-mail is …": the proof comes beside what is asked.
            main = SUBORDINATE.split(clause.text, maxsplit=1)[0]
            ranking = self.rank(main, spoken_of=spoken_of)
            label = ranking.best
        confidence = ranking.confidence(label)
        label = self._taking(clause.text, label, ranking)
        knowledge = self.by_role(KNOWLEDGE)
        general = self._asks_how(clause.text) and self._acts_on_a_record(label)
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
        )

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
        instruction = self._asks_how(text)
        bias: dict[str, float] = {}
        for tool in self.tools.values():
            if tool.role == KNOWLEDGE:
                bias[tool.name] = _BIAS_LACKS if present else _BIAS_INSTRUCTION * instruction
            elif present:
                bias[tool.name] = _BIAS_FITS if present & tool.kinds else _BIAS_LACKS / 2
            elif pronoun & tool.kinds:
                bias[tool.name] = _BIAS_PRONOUN
            chosen = (a for a in tool.arguments if a.required and a.labels and not tool.writes)
            if said := max((longest_phrase(a, text) for a in chosen), default=0):
                named = _BIAS_CHOICE if said == 1 else _BIAS_PHRASE
                bias[tool.name] = bias.get(tool.name, 0.0) + named
        return bias

    def _asks_how(self, text: str) -> bool:
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
        rule = RULE.match(bare)
        rest = bare[rule.end() :] if rule else ""
        about_known = PRONOUN.search(rest) is not None and bool(spoken_of & tool.kinds)
        if rule and not OWN.search(rest) and not about_known:
            return True
        takes_money = any(a.kind in {"number", "amount"} for a in tool.arguments)
        return AMOUNT.search(text) is not None and not takes_money

    def _acts_on_a_record(self, label: str) -> bool:
        """Tell whether a tool needs to know which record is meant, or changes one."""
        tool = self.tools.get(label)
        if tool is None or tool.role:
            return False
        return tool.writes or any(
            a.required and (is_marked(a) or a.candidates) for a in tool.arguments
        )


def _merge(requests: Sequence[Request], articles: str) -> list[Request]:
    """Join neighbours that ask the same of the same thing.

    A further wish, "I also need …", is another question for the articles.
    """
    merged: list[Request] = []
    for request in requests:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.label == request.label
            and not (last.condition or request.condition)
            and not _names_other_things(last.text, request.text)
            and not (request.label == articles and FURTHER.search(request.text))
        ):
            text = f"{last.text} {request.text}"
            merged[-1] = replace(
                last, text=text, confidence=max(last.confidence, request.confidence)
            )
        else:
            merged.append(request)
    return merged


def _names_other_things(first: str, second: str) -> bool:
    numbers = set(re.findall(r"\d{3,}", second))
    return bool(numbers and not numbers & set(re.findall(r"\d{3,}", first)))
