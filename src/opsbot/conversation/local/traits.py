"""Which variant words mean: "the same in ink", "a pair with 4 hours of battery, not waterproof".

A variant is told from its siblings by traits, such as `{"size": "M", "colour": "ink"}`. What the
words say nothing of stays as it is, so the variant that changes least is meant.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opsbot.conversation.local.classifier import stems
from opsbot.conversation.local.frame import Option
from opsbot.conversation.local.language import STOP_WORDS
from opsbot.conversation.local.measures import canonical
from opsbot.conversation.local.patterns import BECOMES
from opsbot.conversation.local.values import same_word

_NEAR = 2
"""Words between a number, or a "not", and the trait it belongs to."""
_SHORTEST_PART = 3
"""Letters a word needs to stand for a longer value: "steel" for "stainless steel"."""
_DEARER = re.compile(
    r"\b(?:(?:more|most) (?:expensive|costly)|pricier|priciest|dearer|dearest)\b", re.IGNORECASE
)
_CHEAPER = re.compile(r"\b(?:cheap(?:er|est)|(?:less|least) expensive)\b", re.IGNORECASE)
_KEEPING = re.compile(r"\b(?:same|keep(?:ing)?)\b((?:\W+[\w-]+){1,6})")
_NEGATIVE = frozenset({"no", "not", "none", "non", "without", "never"})
_NONE = re.compile(r"^(?:no|none|non|not|without)\b")


def pick_variants(text: str, options: Sequence[Option], *, latest: str = "") -> list[Option]:
    """Return the variants of one thing that words mean, best first; empty when they name none.

    `latest`, the last message, has the last word where the text names several values.

    Several are returned when they fit equally well. Where no variant has all that is named, the
    ones with most of it are returned, so there may be several or one.
    """
    named = {**named_traits(text, options), **named_traits(latest, options)}
    if not named:
        # "The cheapest one" chooses by the price alone.
        priced = by_worth(latest or text, options)
        return priced if len(priced) < len(options) else []
    new = {name: values for name, values in named.items() if not _is_now(name, values, options)}
    if not new:
        return []
    scored = [((_hits(o, new), _hits(o, named), _kept(o)), o) for o in options]
    best = max(score for score, _ in scored)
    fitting = [option for score, option in scored if score == best] if best[0] else []
    return by_worth(text, fitting)


def narrow(text: str, options: Sequence[Option]) -> list[Option]:
    """Return those of several things that have most of the traits words name; all, if equal."""
    named = named_traits(text, options)
    hits = [_hits(option, named) for option in options]
    best = max(hits, default=0)
    return by_worth(text, [o for o, score in zip(options, hits, strict=True) if score == best])


def by_worth_of_parts(text: str, options: Sequence[Option]) -> list[Option]:
    """Return the options with the dearest or cheapest of the things that words name in them."""
    said = set(stems(text))
    priced = [
        (replace(option, worth=max(worths)), option)
        for option in options
        if (worths := [w for name, w in option.parts if said & set(stems(_noun(name)))])
    ]
    if len(priced) < len(options):
        return list(options)
    kept = by_worth(text, [one for one, _ in priced])
    return [option for one, option in priced if one in kept]


def _noun(name: str) -> str:
    """Return what a thing is, without its variant: "Tablet" of "Tablet, 8-inch, gold"."""
    return name.split(",", maxsplit=1)[0]


def by_worth(text: str, options: Sequence[Option]) -> list[Option]:
    """Return the dearest or cheapest, if words ask for it; else all."""
    prices = {option.worth for option in options if option.worth}
    if len(options) > 1 and len(prices) > 1:
        if _DEARER.search(text):
            return [option for option in options if option.worth == max(prices)]
        if _CHEAPER.search(text):
            return [option for option in options if option.worth == min(prices)]
    return list(options)


def has_all(text: str, options: Sequence[Option], chosen: Option, *, latest: str = "") -> bool:
    """Tell whether a variant has all the traits that words name."""
    named = {**named_traits(text, options), **named_traits(latest, options)}
    return all(chosen.traits.get(name) in values for name, values in named.items())


def named_traits(text: str, options: Sequence[Option]) -> Mapping[str, frozenset[str]]:
    """Return for each trait the values that words name.

    What the thing has now counts only where nothing else is named: "the black one in white".
    """
    words = _Words.of(text)
    same = _same(text)
    found: dict[str, frozenset[str]] = {}
    for trait, values in _values(options).items():
        named = {value for value in values if words.has(value)}
        named = {v for v in named if not any(v != w and _within(v, w) for w in named)}
        now = {option.of[trait] for option in options if trait in option.of}
        named = named if named - now else named | _parts(words, values, trait)
        named = _numbered(words, named, trait)
        named |= _yes_or_no(words, values, trait)
        named = (named - now) or named
        if any(same_word(a, b) for a in stems(trait)[-1:] for b in same):
            named = named or now
        if named:
            found[trait] = frozenset(named)
    return found


def _same(text: str) -> tuple[str, ...]:
    """Return the stems of what shall stay: "keeping the same material and color"."""
    return tuple(s for match in _KEEPING.finditer(text.lower()) for s in stems(match[1]))


def _is_now(name: str, values: frozenset[str], options: Sequence[Option]) -> bool:
    return values <= {option.of[name] for option in options if name in option.of}


def _hits(option: Option, named: Mapping[str, frozenset[str]]) -> int:
    return sum(option.traits.get(name) in values for name, values in named.items())


def before_change(text: str) -> str:
    """Return what a text says of the things as they are: not what shall take their place."""
    sentences = re.split(r"(?<=[.!?;])\s+|\n+|,\s+and\s+", text)
    return ". ".join(BECOMES.split(f" {sentence}", maxsplit=1)[0] for sentence in sentences)


def words_about(text: str, name: str, names: Collection[str]) -> str:
    """Return the parts of a text that speak of one of several things, and those of none."""
    if len(names) == 1:
        return text
    own, others = _telling(name, names), {s for n in names if n != name for s in _telling(n, names)}
    kept = []
    about_own = True
    for part in re.split(r"(?<=[.!?;])\s+|,\s+|\n|\band\b", text):
        said = stems(part)
        mine, theirs = any(s in own for s in said), any(s in others for s in said)
        if mine or theirs:
            about_own = mine
        if about_own:
            kept.append(part)
    return " ".join(kept)


def _telling(name: str, names: Collection[str]) -> frozenset[str]:
    """Return the stems of a name that no other has: of "Mug, ink" beside "Tote, ink" the mug."""
    others = {s for other in names if other != name for s in stems(other)}
    return frozenset(s for s in stems(_noun(name)) if s not in others)


@dataclass(frozen=True)
class _Words:
    """A text, read for the values in it."""

    stems: tuple[str, ...]

    @staticmethod
    def of(text: str) -> "_Words":
        return _Words(stems(canonical(text).replace("-", " ").replace("/", " ")))

    def has(self, phrase: str) -> bool:
        return next(self.places(phrase), None) is not None

    def places(self, phrase: str) -> Iterator[int]:
        """Yield where the words of a phrase stand, one after the other."""
        wanted = _Words.of(phrase).stems
        for start in range(len(self.stems) - len(wanted) + 1) if wanted else ():
            part = self.stems[start : start + len(wanted)]
            if all(same_word(a, b) for a, b in zip(wanted, part, strict=True)):
                yield start

    def near(self, place: int, wanted: Sequence[str]) -> bool:
        """Tell whether one of some stems stands beside a place."""
        beside = self.stems[max(0, place - _NEAR) : place + _NEAR + 1]
        return any(same_word(a, b) for a in beside for b in wanted)


def _values(options: Sequence[Option]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for option in options:
        for name, value in (*option.traits.items(), *option.of.items()):
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    return values


def _within(short: str, long: str) -> bool:
    return f" {' '.join(_Words.of(short).stems)} " in f" {' '.join(_Words.of(long).stems)} "


def _parts(words: _Words, values: Sequence[str], trait: str) -> set[str]:
    """Find values by a word that no other value has: "Google Home" means "Google Assistant"."""
    own = set(stems(trait))
    found = set()
    for value in values:
        others = {s for other in values if other != value for s in _Words.of(other).stems}
        telling = [
            s
            for s in _Words.of(value).stems
            if s not in others | own and len(s) >= _SHORTEST_PART and s not in STOP_WORDS
        ]
        if any(same_word(s, w) for s in telling for w in words.stems):
            found.add(value)
    return found


def _numbered(words: _Words, named: set[str], trait: str) -> set[str]:
    """Leave out bare numbers that do not stand beside the name of their trait."""
    own = stems(trait)
    numbers = [w for w in words.stems if w.isdigit()]
    return {
        value
        for value in named
        if not value.strip().isdigit()
        or len(numbers) == 1
        or any(words.near(place, own) for place in words.places(value))
    }


def _yes_or_no(words: _Words, values: Sequence[str], trait: str) -> set[str]:
    """Read "not waterproof" and "waterproof" for traits that a variant may lack."""
    lacking = {value for value in values if _NONE.match(value.lower())}
    if not lacking:
        return set()
    *first, last = stems(trait.replace("-", " "))
    for place, word in enumerate(words.stems):
        whole = not first or words.near(place, first)
        if not (whole and same_word(word, last)):
            continue
        before = words.stems[max(0, place - _NEAR - 1) : place]
        if any(w in _NEGATIVE for w in before):
            return lacking
        if set(values) - lacking == {"yes"}:
            return {"yes"}
    return set()


def _kept(option: Option) -> int:
    return sum(option.of.get(name) == value for name, value in option.traits.items())
