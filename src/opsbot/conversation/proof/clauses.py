"""What a text says, token by token, and which clause each token stands in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, IntEnum


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    CODE = "code"
    """An identifier, an address, a version."""
    NUMBER = "number"
    NEGATION = "negation"
    LIMIT = "limit"


class Modal(Enum):
    """How a clause speaks: of a duty, of a need, of a possibility."""

    MUST = "must"
    NEED = "need"
    MAY = "may"


class Break(IntEnum):
    """What parts two tokens, the weakest first."""

    OR = 1
    AND = 2
    COMMA = 3
    COMMA_AND = 4
    CLAUSE = 5
    SENTENCE = 6


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name or a word that tells something."""

    kind: Kind
    key: str
    """What two tokens have in common that mean the same."""
    text: str
    clause: int
    reach: int
    """Tokens with the same number may all lie under one negation: "do not use A, B or C"."""
    sentence: int
    be: bool
    """A form of *to be* stands before it."""
    by: bool
    """The word that names who does it stands before it."""


@dataclass(frozen=True)
class Tokens:
    """A text as tokens."""

    items: tuple[Token, ...]
    modals: frozenset[tuple[int, Modal]]
    """How its clauses speak, by their numbers."""
    leans: bool
    """It begins with a word such as "it"."""


@dataclass(slots=True)
class Found:
    """A token before its clause is known."""

    kind: Kind
    key: str
    text: str
    parted: Break | None
    """What parts it from the token before."""
    be: bool
    by: bool


def join_tokens(parts: Sequence[Tokens]) -> Tokens:
    """Return the tokens of sentences that follow each other as those of one text."""
    items, modals = list[Token](), set[tuple[int, Modal]]()
    for number, part in enumerate(parts):
        clause = items[-1].clause + 1 if items else 0
        reach = items[-1].reach + 1 if items else 0
        items.extend(
            replace(item, clause=item.clause + clause, reach=item.reach + reach, sentence=number)
            for item in part.items
        )
        modals.update((place + clause, modal) for place, modal in part.modals)
    return Tokens(tuple(items), frozenset(modals), leans=parts[0].leans)


def number_clauses(found: Sequence[Found]) -> tuple[Token, ...]:
    """Return tokens with the numbers of their clauses."""
    items = []
    clause = reach = sentence = 0
    for place, one in enumerate(found):
        if one.parted is not None and place:
            clause += 1
            sentence += one.parted is Break.SENTENCE
            reach += not _reaches_over(found, place)
        items.append(Token(one.kind, one.key, one.text, clause, reach, sentence, one.be, one.by))
    return tuple(items)


def _reaches_over(found: Sequence[Found], place: int) -> bool:
    """Tell whether a negation before a break reaches over it.

    It does over "or", over "and" without a comma, and over the commas of "A, B or C". One that
    stands alone, "if you haven't, …", turns what is beside it.
    """
    parted = found[place].parted
    if parted is Break.SENTENCE:
        return False
    alone = _is_alone(found, place - 1) or _is_alone(found, place)
    if parted in {Break.OR, Break.AND} or alone:
        return True
    if parted is not Break.COMMA:
        return False
    later = (one.parted for one in found[place + 1 :] if one.parted not in {None, Break.COMMA})
    return next(later, None) is Break.OR


def _is_alone(found: Sequence[Found], place: int) -> bool:
    """Tell whether a token is a negation and all that its clause has."""
    last = place == len(found) - 1 or found[place + 1].parted is not None
    first = place == 0 or found[place].parted is not None
    return first and last and found[place].kind is Kind.NEGATION
