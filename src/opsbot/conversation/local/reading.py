"""What a whole message asks for: its clauses are read, and put together to requests."""

import re
from collections.abc import Sequence
from dataclasses import replace

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import SURE, UNSURE, mood
from opsbot.conversation.local.declarations import KNOWLEDGE, PROOF
from opsbot.conversation.local.language import BYE, THANKS
from opsbot.conversation.local.patterns import (
    ASKS_HELP,
    CLOSES,
    FURTHER,
    ORDERS,
    POLITE,
    PRONOUN,
    STATES,
)
from opsbot.conversation.local.requests import (
    Clause,
    asks_something,
    split_message,
    split_sentences,
    strip_courtesy,
)
from opsbot.conversation.local.understand import CHANGE_FROM, Request, Understanding
from opsbot.conversation.local.values import find_labels

_DETAIL = 4
"""Words of a remark at most."""


def read_message(
    mind: Understanding,
    message: str,
    *,
    spoken_of: frozenset[str] = frozenset(),
    after: str = "",
) -> list[Request]:
    """Return the requests of a message, in order; at least one.

    Args:
        mind: knows the tools.
        message: what a person wrote.
        spoken_of: kinds of values that the conversation has already named.
        after: the tool that was used last.
    """
    return _Reader(mind, spoken_of, after).read(message)


class _Reader:
    """Reads one message."""

    def __init__(self, mind: Understanding, spoken_of: frozenset[str], after: str) -> None:
        self._mind = mind
        self._spoken_of = spoken_of
        self._after = after

    def read(self, message: str) -> list[Request]:
        """Return the requests of a message, in order; at least one."""
        clauses = split_message(message, self._mind.vocabulary.verbs)
        if (kept := self._without_background(clauses)) != clauses:
            clauses, message = kept, " ".join(clause.text for clause in kept)
        asks = asks_something(message, self._mind.vocabulary.verbs)
        whole = self._classify(Clause(message, asks=asks))
        if (whole.is_small_talk or whole.confidence < SURE) and _is_polite(message):
            label = BYE if CLOSES.search(message) else THANKS
            return [Request(message, label, 1.0, asks=False)]
        if not clauses[1:]:
            clause = clauses[0] if clauses else Clause(message, asks=False)
            single = self._classify(clause) if clause.condition else whole
            return [
                replace(single, asks=clause.asks, condition=clause.condition, holds=clause.holds)
            ]
        knowledge = self._mind.by_role(KNOWLEDGE)
        articles = knowledge.name if knowledge is not None else ""
        requests = _merge(self._read_clauses(clauses), articles)
        real = [r for r in requests if not r.is_small_talk]
        if len(real) <= 1 and not any(r.condition for r in real):
            return [self._choose_single(real, requests, whole)]
        return real

    def _choose_single(
        self, real: list[Request], requests: list[Request], whole: Request
    ) -> Request:
        if not real:
            return max(requests, key=lambda r: r.confidence)
        own = self._mind.tools.get(whole.label)
        better = whole.confidence > real[0].confidence and real[0].confidence < SURE
        if better and own is not None and own.role != PROOF:
            return whole
        return replace(real[0], text=whole.text)

    def _read_clauses(self, clauses: Sequence[Clause]) -> list[Request]:
        """Classify each clause; what only tells joins the request it leads to."""
        requests: list[Request] = []
        told, told_asks = "", False
        someone_asks = any(c.asks for c in clauses)
        for one in clauses:
            if ASKS_HELP.match(one.text) and (requests or len(clauses) > 1):
                told = f"{told} {one.text}".strip() if not requests else told
                continue
            clause = self._about_told(one, told)
            told = told if clause is one else ""
            request = self._classify(clause)
            stands_alone = (
                request.confidence >= UNSURE or mood(clause.text).startswith("<asks")
                if clause.asks
                else not someone_asks and request.confidence >= SURE
            )
            if clause.asks and FURTHER.search(clause.text) and STATES.match(clause.text):
                stands_alone = True
            if self._details(clause, requests):
                stands_alone = False
            if not told and self._goes_on(clause, request, requests):
                last = requests[-1]
                requests[-1] = replace(last, text=f"{last.text} {clause.text}")
                continue
            if request.is_small_talk and request.confidence >= UNSURE and not clause.condition:
                requests.append(request)
            elif not stands_alone:
                told = f"{told} {clause.text}".strip()
                told_asks = told_asks or clause.text.endswith("?")
            else:
                requests.append(self._with_context(request, told))
                told, told_asks = "", False
        if told:
            self._append_told(requests, told, asks=told_asks)
        return requests

    def _about_told(self, clause: Clause, told: str) -> Clause:
        """Return a clause with what was told before it, if it asks about that alone.

        "It shows E-04. What does it mean?"
        """
        if not told or not PRONOUN.search(clause.text):
            return clause
        about = self._classify(clause).is_small_talk
        return replace(clause, text=f"{told} {clause.text}") if about else clause

    def _without_background(self, clauses: Sequence[Clause]) -> list[Clause]:
        """Leave out wishes beside a question that only tell why it is asked: "I need it soon"."""
        asked = [c for c in clauses if mood(c.text).startswith("<asks") and not c.condition]
        clear = any(self._classify(c).confidence >= UNSURE for c in asked)
        if not clear:
            return list(clauses)
        return [c for c in clauses if c in asked or not self._is_background(c)]

    def _is_background(self, clause: Clause) -> bool:
        states = STATES.match(strip_courtesy(clause.text)) and not clause.text.endswith("?")
        further = FURTHER.search(clause.text)  # "I also need an invoice" is a wish of its own
        if not states or further or clause.condition or self._mind.vocabulary.kinds_in(clause.text):
            return False
        request = self._classify(clause)
        tool = self._mind.tools.get(request.label)
        return tool is None or tool.role == KNOWLEDGE or request.confidence < SURE

    def _details(self, clause: Clause, requests: Sequence[Request]) -> bool:
        """Tell whether a few words name a choice of the request before: "…, wrong size"."""
        tool = self._mind.tools.get(requests[-1].label) if requests else None
        if tool is None or len(clause.text.split()) > _DETAIL or clause.text.endswith("?"):
            return False
        return any(find_labels(argument, clause.text) for argument in tool.arguments)

    def _goes_on(self, clause: Clause, request: Request, requests: Sequence[Request]) -> bool:
        """Tell whether a question asks more of the one before it: "…, and what do they block?".

        It does when all it says is said in questions to that tool, and it points back to what was
        named, or means nothing surely by itself.
        """
        last = requests[-1] if requests else None
        tool = self._mind.tools.get(last.label) if last else None
        if last is None or tool is None or tool.writes or tool.role or clause.condition:
            return False
        if last.confidence < UNSURE or self._mind.vocabulary.kinds_in(clause.text):
            return False
        own = self._mind.tools.get(request.label)
        if own is not None and own.writes and request.confidence >= CHANGE_FROM:
            return False
        known = self._mind.vocabulary.common_words[tool.name]
        vague = request.confidence < SURE or own is None or own.role == KNOWLEDGE
        points_back = PRONOUN.search(clause.text) is not None
        return (vague or points_back) and not content_stems(clause.text, known)

    def _with_context(self, request: Request, told: str) -> Request:
        """Read a request again together with the sentences before it, if that is clearer."""
        if not told:
            return request
        text = f"{told} {request.text}"
        again = self._classify(Clause(text, asks=True))
        vague = request.confidence < SURE or PRONOUN.search(request.text)
        knowledge = self._mind.by_role(KNOWLEDGE)
        if (
            knowledge
            and self._mind.asks_how(request.text)
            and self._mind.acts_on_a_record(again.label)
        ):
            # "The shade is loose, what should I do?" wants advice, not a change.
            return replace(request, text=text, label=knowledge.name, confidence=SURE)
        if vague and again.confidence > request.confidence and not again.is_small_talk:
            return replace(request, text=text, label=again.label, confidence=again.confidence)
        return replace(request, text=text)

    def _append_told(self, requests: list[Request], told: str, *, asks: bool) -> None:
        """Sentences after the last request belong to it, or are the request.

        A question about a code of its own is one, too: "…? Also it shows E-04, what is that?".
        """
        real = [i for i, r in enumerate(requests) if not r.is_small_talk]
        if not real or (asks and self._mind.names_code(told)):
            requests.append(self._classify(Clause(told, asks=asks)))
            return
        last = requests[real[-1]]
        again = self._classify(Clause(f"{last.text} {told}", asks=True))
        own = self._mind.tools.get(again.label)
        clearer = again.confidence > last.confidence and last.confidence < SURE
        label = again if clearer and own is not None and own.role != PROOF else last
        requests[real[-1]] = replace(
            last, text=f"{last.text} {told}", label=label.label, confidence=label.confidence
        )

    def _classify(self, clause: Clause) -> Request:
        return self._mind.classify(clause, self._spoken_of, self._after)


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


def _is_polite(message: str) -> bool:
    """Tell whether every sentence is thanks or a farewell."""
    sentences = split_sentences(message)
    return bool(sentences) and all(map(POLITE.match, sentences)) and not ORDERS.search(message)


def _names_other_things(first: str, second: str) -> bool:
    numbers = set(re.findall(r"\d{3,}", second))
    return bool(numbers and not numbers & set(re.findall(r"\d{3,}", first)))
