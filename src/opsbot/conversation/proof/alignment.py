"""Lay a sentence over a quote, token by token, and tell what does not fit.

Each token of the sentence takes a place of its own in the quote. From one to the next the sentence
goes on as the quote does; it may leave out a few words, leave out whole clauses, and put clauses in
another order, but it takes nothing from the middle of one clause into another. What turns a clause
round (numbers, "not", "only") is neither added nor left out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from opsbot.conversation.proof.clauses import Kind, Modal, Token, Tokens

_MOST_LEFT_OUT = 3
"""Words of one clause that may be left out in one place."""
_MOST_PATHS = 12
"""Ways of laying a sentence over a quote that are followed at once."""
_TURNING = frozenset({Kind.NUMBER, Kind.NEGATION, Kind.LIMIT, Kind.CODE})
"""Kinds that may not be left out of a clause."""
_BOUND = frozenset({Kind.NUMBER, Kind.CODE})
"""Kinds that belong to what stands before them."""
_NEVER_ADDED = frozenset({Kind.NEGATION, Kind.LIMIT})
"""Kinds that are not taken from what stands above a quote."""


class Quote:
    """A text that sentences are laid over, made ready for many."""

    def __init__(self, tokens: Tokens, context: Collection[str] = ()) -> None:
        """`context`: keys of the words that stand above it, such as those of its headings."""
        self.tokens = tokens.items
        self.context = frozenset(context)
        self.modals = _by_clause(tokens.modals)
        self.keys: frozenset[str] = frozenset(token.key for token in self.tokens)
        self.places: dict[str, list[int]] = defaultdict(list)
        self.clauses: dict[int, list[int]] = defaultdict(list)
        for place, token in enumerate(self.tokens):
            self.places[token.key].append(place)
            self.clauses[token.clause].append(place)

    def begins(self, place: int) -> bool:
        """Tell whether a token is the first of its clause."""
        return place == 0 or self.tokens[place - 1].clause != self.tokens[place].clause

    def ends(self, place: int) -> bool:
        """Tell whether a token is the last of its clause."""
        last = place == len(self.tokens) - 1
        return last or self.tokens[place + 1].clause != self.tokens[place].clause


@dataclass(frozen=True, slots=True)
class _Path:
    """One way to lay the tokens so far; places are -1 for words of the context."""

    places: tuple[int, ...] = ()
    taken: int = 0
    """The places taken, as bits."""
    last: int = -1
    added: bool = False
    """Words of the context stand since the last place: nothing may be left out there."""
    cost: int = 0

    def holds(self, place: int) -> bool:
        return bool(self.taken >> place & 1)


def find_misfit(sentence: Tokens, quote: Quote) -> str | None:
    """Tell why the quote does not support the sentence, or None when it does."""
    if missing := _find_missing(sentence.items, quote):
        return missing
    paths = [_Path()]
    for number, token in enumerate(sentence.items):
        before = sentence.items[number - 1] if number else None
        paths = [new for path in paths for new in _go_on(path, before, token, quote)]
        if not paths:
            return f"“{token.text}” stands elsewhere in the article"
        paths = sorted(paths, key=lambda path: path.cost)[:_MOST_PATHS]
    faults = [_find_fault(path, sentence, quote) for path in paths]
    return None if None in faults else faults[0]


def _find_missing(items: Sequence[Token], quote: Quote) -> str | None:
    for token in items:
        if token.key not in quote.places and (
            token.kind in _NEVER_ADDED or token.key not in quote.context
        ):
            return _MISSING[token.kind].format(token.text)
    return None


_MISSING: Mapping[Kind, str] = {
    Kind.NUMBER: "the article does not say {}",
    Kind.CODE: "the article does not name {}",
    Kind.NEGATION: "the article does not say “{}”",
    Kind.LIMIT: "the article does not say “{}”",
    Kind.WORD: "the article does not say “{}”",
}


def _go_on(path: _Path, before: Token | None, token: Token, quote: Quote) -> Iterator[_Path]:
    for place in quote.places.get(token.key, ()):
        if path.holds(place) or (token.by and not quote.tokens[place].by):
            continue
        cost = _step(path, before, token, place, quote)
        if cost is not None:
            taken = path.taken | 1 << place
            yield _Path((*path.places, place), taken, place, added=False, cost=path.cost + cost)
    elsewhere = all(path.holds(place) for place in quote.places.get(token.key, ()))
    if elsewhere and token.kind not in _NEVER_ADDED and token.key in quote.context:
        places = (*path.places, -1)
        yield _Path(places, path.taken, path.last, added=True, cost=path.cost + _MOST_LEFT_OUT)


def _step(path: _Path, before: Token | None, token: Token, place: int, quote: Quote) -> int | None:
    """Return what it costs to go on at `place`, or None when that is not allowed."""
    if path.last < 0:
        return 0  # what is left out before it is looked at in the end
    last, here, there = path.last, quote.tokens[path.last], quote.tokens[place]
    crosses = before is not None and before.clause != token.clause
    if place == last + 1 and (here.sentence == there.sentence or crosses):
        return 0
    if here.clause == there.clause and place > last:
        between = [p for p in range(last + 1, place) if not path.holds(p)]
        return None if _may_not_skip(between, quote, added=path.added) else len(between)
    if path.added or there.kind in _BOUND:
        return None
    if here.clause == there.clause and token.be and last - place == 1 and quote.begins(place):
        return 1  # "the cover is lifted" for "lift the cover"
    jumps = _may_jump(last, place, quote, crosses=crosses)
    return 2 if jumps or _is_next_in_list(path, place, quote) else None


def _may_jump(last: int, place: int, quote: Quote, *, crosses: bool) -> bool:
    """Tell whether a clause may follow another one; `crosses`: it does so in the sentence."""
    here, there = quote.tokens[last], quote.tokens[place]
    if not (quote.ends(last) and quote.begins(place)):
        return False
    if here.sentence == there.sentence:
        return crosses or here.clause != there.clause
    ends = last == len(quote.tokens) - 1 or quote.tokens[last + 1].sentence != here.sentence
    begins = place == 0 or quote.tokens[place - 1].sentence != there.sentence
    return crosses and ends and begins


def _is_next_in_list(path: _Path, place: int, quote: Quote) -> bool:
    """Tell whether only things of a list are left out: "black, white and green"."""
    last, there = path.last, quote.tokens[place]
    alone = len(quote.clauses[there.clause]) == 1
    if not alone or place < last or quote.tokens[last].sentence != there.sentence:
        return False
    between = range(last + 1, place)
    sizes: dict[int, int] = defaultdict(int)
    for skipped in between:
        sizes[quote.tokens[skipped].clause] += 1
    return max(sizes.values()) == 1 and not any(quote.tokens[p].kind in _TURNING for p in between)


def _may_not_skip(between: Sequence[int], quote: Quote, *, added: bool) -> bool:
    if added and between:
        return True
    return len(between) > _MOST_LEFT_OUT or any(quote.tokens[p].kind in _TURNING for p in between)


def _find_fault(path: _Path, sentence: Tokens, quote: Quote) -> str | None:
    """Look at what is left out of the clauses that the sentence uses."""
    used = [place for place in path.places if place >= 0]
    if not used:
        return None if not path.places else "it only repeats a heading"
    taken = set(used)
    clauses = {quote.tokens[place].clause for place in used}
    reached = {quote.tokens[place].reach for place in used}
    for place, token in enumerate(quote.tokens):
        if place in taken:
            continue
        if token.kind is Kind.NEGATION and token.reach in reached:
            return f"the article says “{token.text}”"
        if token.clause in clauses and token.kind in _TURNING:
            return f"the article says “{token.text}” there"
    if _adds_clause(path, sentence):
        return "a part of it stands in a heading alone"
    return _find_cut(path, used, sentence, quote) or _find_modal(path, sentence, quote)


def _adds_clause(path: _Path, sentence: Tokens) -> bool:
    """Tell whether a later clause has words of the context alone."""
    placed = {
        token.clause for token, place in zip(sentence.items, path.places, strict=True) if place >= 0
    }
    return any(item.clause not in placed and item.clause > min(placed) for item in sentence.items)


def _find_cut(path: _Path, used: Sequence[int], sentence: Tokens, quote: Quote) -> str | None:
    """Look at what is left out before the first and after the last token."""
    taken, first, last = set(used), used[0], used[-1]
    head = [p for p in quote.clauses[quote.tokens[first].clause] if p < first and p not in taken]
    tail = [p for p in quote.clauses[quote.tokens[last].clause] if p > last and p not in taken]
    named = all(quote.tokens[p].key in quote.context for p in head)
    starts_added, ends_added = path.places[0] < 0, path.places[-1] < 0
    if (head and (starts_added or (sentence.leans and not named))) or (tail and ends_added):
        word = quote.tokens[(head or tail)[0]].text
        return f"the article says it of “{word}”"
    clauses = {quote.tokens[place].clause for place in used}
    left = sum(len(quote.clauses[clause]) for clause in clauses) - len(taken)
    if left > max(1, len(taken) // 2) or len(head) > _MOST_LEFT_OUT or len(tail) > _MOST_LEFT_OUT:
        return "too much of the article's sentence is left out"
    return None


def _find_modal(path: _Path, sentence: Tokens, quote: Quote) -> str | None:
    said = _by_clause(sentence.modals)
    denied = {token.clause for token in sentence.items if token.kind is Kind.NEGATION}
    for token, place in zip(sentence.items, path.places, strict=True):
        if place < 0 or token.clause not in said:
            continue
        theirs = quote.modals.get(quote.tokens[place].clause, set())
        if not _agree(said[token.clause], theirs, denied=token.clause in denied):
            return "the article speaks of something else: of a duty, or of a possibility"
    return None


def _agree(ours: AbstractSet[Modal], theirs: AbstractSet[Modal], *, denied: bool) -> bool:
    """Tell whether both say "must", or both "may"; "need not" is none of the two."""
    if denied and (Modal.NEED in ours) != (Modal.NEED in theirs):
        return False
    return not theirs or (Modal.MAY in ours) == (Modal.MAY in theirs)


def _by_clause(modals: Collection[tuple[int, Modal]]) -> dict[int, set[Modal]]:
    found: dict[int, set[Modal]] = defaultdict(set)
    for clause, modal in modals:
        found[clause].add(modal)
    return dict(found)
