"""How many false sentences the proof lets through, and how many true ones it drops.

Run: python benchmarks/proof.py [--data DIR] [--n 500] [--seed 7] [--show 20]

Sentences are drawn from the sample shop's articles, and from the texts of the sets below DIR. True
ones are left as they are or reworded a little; false ones are spoiled by rules that know nothing of
the checker. Each is held against all sections of its own article.

The last line is one JSON object:
    true_dropped_share        of n true sentences
    corrupted_dropped_share   of n sentences with a digit, a unit, a name or a negation changed
    other_dropped_share       of n sentences spoiled in other ways: ten times a number, two numbers
                              or names exchanged, a comparison turned round, any noun of the corpus
    by_kind                   the share that is dropped, by kind of change
    ms_per_sentence           mean CPU time of a check, the articles being read
    ms_first_time             mean CPU time to read all sections of an article, once in a process
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsbot.conversation.proof.quotes import Proof, Quotes, Section, read_sentence
from opsbot.retrieval.structure import find_sections

REPOSITORY = Path(__file__).parents[1]
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n+")
_NAME = re.compile(r"\b(?:the|The|a|A|an|An|your|Your|this|This|its|each)\s+([a-z]{4,})\b")
_NUMBER = re.compile(r"(?<![\w.,:-])(?<!\d )\d+(?:[.,]\d+)?(?![\w,:-]|\.\d| \d)")
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        "next same while will would should does could really with from just only very more most "
        "other first last wasn following there still also when where which have been being",
    )
)
"""Words that follow an article and name nothing."""
_WORDS = tuple(
    re.findall(r"\w+", "zero one two three four five six seven eight nine ten eleven twelve")
)
_LEAST_WORDS, _MOST_WORDS = 6, 40
_LEAST_LEFT = 4
"""Words that are left when a clause is dropped."""
_UNITS = r"""
    mm => cm; cm => mm; kg => g; g => kg; km => m; ml => l; seconds => minutes;
    minutes => hours; minute => hour; hours => days; hour => day; days => weeks; day => week;
    weeks => months; week => month; months => years; month => year; years => months;
    year => month; % => °C; °C => °F; € => £; W => kW; V => A; GB => MB; MB => GB;
    inches => feet; feet => inches; lm => W; K => W; Hz => V; Nm => kg;
"""
_CONTRACTIONS = r"""
    do not => don't; does not => doesn't; is not => isn't; are not => aren't; cannot => can't;
    can not => can't; will not => won't; should not => shouldn't; it is => it's; It is => It's;
    Do not => Don't; you are => you're; you will => you'll; that is => that's;
    must not => mustn't; did not => didn't;
"""
_DENIALS = r"""
    \bcan\b(?! ?not) => cannot; \bis\b(?! not) => is not; \bare\b(?! not) => are not;
    \bwill\b(?! not) => will not; \bmust\b(?! not) => must not; \bwith\b => without;
    \bshould\b(?! not) => should not; \bhas\b => has no; \balways\b => never;
"""
_ASSENTS = r"""
    \b[Dd]o not  => ; \bcannot\b => can; \bis not\b => is; \bare not\b => are;
    \bdoes not\b => does; \bwill not\b => will; \bshould not\b => should; \bmust not\b => must;
    \b[Nn]ever\b ? => ; \bwithout\b => with; \b[Dd]on['\u2019]t  => ; n['\u2019]t\b => ;
    \bno\b => a; \bnot\b ? => ;
"""
_OPPOSITES = r"""
    more => less; before => after; above => below; left => right; on => off; higher => lower;
    high => low; open => close; increase => decrease; minimum => maximum; first => last;
    enable => disable; long => short; up => down; hot => cold; all => some; always => sometimes;
    top => bottom; longer => shorter; larger => smaller; most => least; inside => outside;
    enabled => disabled; must => may; wet => dry; largest => smallest;
"""


@dataclass(frozen=True)
class Source:
    """One article."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class _Drawn:
    source: Source
    sentence: str


Change = Callable[[_Drawn, "Corpus"], str | None]
"""Returns the sentence changed, or None when the rule does not fit it."""


class Corpus:
    """The sentences of all articles, and the names in them."""

    def __init__(self, sources: Sequence[Source], chance: random.Random) -> None:
        self.chance = chance
        self._drawn = [_Drawn(s, sentence) for s in sources for sentence in _sentences(s.text)]
        self.chance.shuffle(self._drawn)
        found = Counter(name for source in sources for name in names_of(source.text))
        self.names = sorted(name for name, count in found.items() if count > 1)

    def make(self, changes: dict[str, Change], count: int) -> Iterator[tuple[str, str, str]]:
        """Yield `count` changed sentences, of each kind as many as can be made.

        Each as its kind, the name of its article, and the sentence.
        """
        made, seen = 0, set[tuple[str, str]]()
        kinds = list(changes)
        while made < count:
            before = made
            for kind in kinds:
                found = self._make_one(kind, changes[kind], seen)
                if found is not None and made < count:
                    made += 1
                    yield found
            if made == before:
                return

    def _make_one(
        self, kind: str, change: Change, seen: set[tuple[str, str]]
    ) -> tuple[str, str, str] | None:
        for _ in range(3000):
            drawn = self.chance.choice(self._drawn)
            if (kind, drawn.sentence) in seen:
                continue
            changed = change(drawn, self)
            if changed is not None and changed != drawn.sentence:
                seen.add((kind, drawn.sentence))
                return kind, drawn.source.name, changed
        return None


@dataclass(frozen=True)
class Trial:
    """One sentence, and whether the proof let it through."""

    kind: str
    sentence: str
    held: bool


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    sources = [*_shop(), *(_sets(options.data) if options.data else ())]
    corpus = Corpus(sources, random.Random(options.seed))  # noqa: S311  (no secret)
    started = time.process_time()
    quotes = {source.name: _quotes(source) for source in sources}
    first_ms = (time.process_time() - started) * 1000 / len(sources)
    groups = {"true": TRUE, "corrupted": FIRST, "other": SECOND}
    made = {group: list(corpus.make(changes, options.n)) for group, changes in groups.items()}
    started = time.process_time()
    trials = {
        group: [Trial(kind, text, _holds(text, quotes[name])) for kind, name, text in some]
        for group, some in made.items()
    }
    each_ms = (time.process_time() - started) * 1000 / sum(map(len, trials.values()))
    _show(trials, options.show)
    print(
        json.dumps(
            _figures(trials)
            | {"ms_per_sentence": round(each_ms, 3), "ms_first_time": round(first_ms, 2)}
        )
    )


def _figures(trials: dict[str, list[Trial]]) -> dict[str, object]:
    by_kind = defaultdict[str, list[bool]](list)
    for group, some in trials.items():
        for trial in some:
            by_kind[f"{group}: {trial.kind}"].append(trial.held)
    shares = {kind: round(1 - sum(held) / len(held), 4) for kind, held in sorted(by_kind.items())}
    wholes = {
        f"{group}_dropped_share": round(sum(not t.held for t in some) / len(some), 4)
        for group, some in trials.items()
    }
    return {"n": len(trials["true"]), **wholes, "by_kind": shares}


def _show(trials: dict[str, list[Trial]], most: int) -> None:
    for group, some in trials.items():
        wrong = [trial for trial in some if trial.held != (group == "true")]
        for trial in wrong[:most]:
            print(f"{group} {trial.kind}: {trial.sentence}", file=sys.stderr)


def _holds(sentence: str, quotes: list[Quotes]) -> bool:
    tokens = read_sentence(sentence, "en")
    return any(isinstance(section.prove(tokens), Proof) for section in quotes)


def _quotes(source: Source) -> list[Quotes]:
    return [
        Quotes(
            Section(
                source.name,
                1,
                source.title,
                found.headings,
                "en",
                source.text[found.start : found.end],
                found.start,
            )
        )
        for found in find_sections(source.text)
    ]


def _shop() -> Iterator[Source]:
    for file in sorted((REPOSITORY / "knowledge").rglob("*.md")):
        written = file.read_text("utf-8")
        title = re.search(r"^title: (.+)$", written, re.MULTILINE)
        yield Source(file.stem, title[1] if title else file.stem, _FRONT_MATTER.sub("", written))


def _sets(folder: Path) -> Iterator[Source]:
    for file in sorted(folder.glob("**/corpus.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield Source(f"{file.parent.name}/{row['id']}", row["title"], row["text"])


def names_of(text: str) -> set[str]:
    """Return the words of a text that follow an article: most of them are nouns."""
    return set(_NAME.findall(text)) - _NO_NAMES


def _sentences(text: str) -> list[str]:
    found = []
    for written in _SENTENCE.split(text):
        sentence = re.sub(r"^\s*(?:[-*>]+|\d+\.)\s+", "", written).strip()
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)|[*`_]{1,2}", r"\1", sentence)
        words = len(plain.split())
        whole = plain[-1:] in {".", "!"} and plain[:1].isupper()
        code = re.search(r"[|{}<>$=\\#]", plain)
        if _LEAST_WORDS <= words <= _MOST_WORDS and whole and not code:
            found.append(plain)
    return found


def _as_it_is(drawn: _Drawn, _corpus: Corpus) -> str:
    return f"{drawn.sentence} [1]"


def _contract(drawn: _Drawn, _corpus: Corpus) -> str | None:
    fitting = [(a, b) for a, b in _pairs(_CONTRACTIONS) if re.search(rf"\b{a}\b", drawn.sentence)]
    return drawn.sentence.replace(*fitting[0]) if fitting else None


def _write_numbers(drawn: _Drawn, _corpus: Corpus) -> str | None:
    sentence = drawn.sentence
    for number in _NUMBER.findall(sentence):
        if number.isdigit() and 0 < int(number) < len(_WORDS):
            pattern = rf"(?<![\w.,:-]){number}(?= [a-z]{{3}})"
            return re.sub(pattern, _WORDS[int(number)], sentence)
    for number, word in enumerate(_WORDS[2:], 2):
        if re.search(rf"\b{word}\b", sentence):
            return re.sub(rf"\b{word}\b", str(number), sentence)
    return None


def _drop_clause(drawn: _Drawn, corpus: Corpus) -> str | None:
    """Leave out what stands before the first comma, or behind the last one."""
    parts = drawn.sentence.rstrip(".!").split(", ")
    if len(parts) == 1 or re.search(r"\b(?:no|not|never|only|or|unless|except)\b", drawn.sentence):
        return None
    parts = corpus.chance.choice([parts[1:], parts[:-1]])
    rest = ", ".join(parts)
    if len(rest.split()) < _LEAST_LEFT or re.match(r"(?:and|but|so|which|or)\b", rest):
        return None
    return f"{rest[:1].upper()}{rest[1:]}."


def _turn_round(drawn: _Drawn, _corpus: Corpus) -> str | None:
    """Put the condition behind: "If A, B." becomes "B if A."."""
    found = re.fullmatch(r"(If|When|Before|After|While|Once) ([^,]+), ([^,]+)\.", drawn.sentence)
    if found:
        main = found[3]
        return f"{main[:1].upper()}{main[1:]} {found[1].lower()} {found[2]}."
    found = re.fullmatch(
        r"([A-Z][^,]+) (if|when|before|after|while|once) ([^,]+)\.", drawn.sentence
    )
    if found:
        return f"{found[2].capitalize()} {found[3]}, {_lower(found[1])}."
    return None


def _lead_in(drawn: _Drawn, corpus: Corpus) -> str | None:
    lead = corpus.chance.choice(["Please note that", "According to our article,", "Yes,", "Also,"])
    return f"{lead} {_lower(drawn.sentence)}"


def _lower(sentence: str) -> str:
    """Begin with a small letter, unless the first word is a name in capitals."""
    first = sentence.split(maxsplit=1)[0]
    return sentence if first[1:] != first[1:].lower() else sentence[:1].lower() + sentence[1:]


def _digit(drawn: _Drawn, corpus: Corpus) -> str | None:
    places = [m.start() for m in re.finditer(r"\d", drawn.sentence)]
    if not places:
        return None
    place = corpus.chance.choice(places)
    others = [d for d in "123456789" if d != drawn.sentence[place]]
    return drawn.sentence[:place] + corpus.chance.choice(others) + drawn.sentence[place + 1 :]


def _unit(drawn: _Drawn, _corpus: Corpus) -> str | None:
    words = "|".join(_WORDS[1:])
    for unit, other in _pairs(_UNITS):
        behind = rf"((?:\d|\b(?:{words})) ?){re.escape(unit)}(?!\w)"
        changed = re.sub(behind, rf"\g<1>{other}", drawn.sentence, count=1)
        changed = re.sub(r"€(?=\d)", other, changed, count=1) if unit == "€" else changed
        if changed != drawn.sentence:
            return changed
    return None


def _exchange(sentence: str, name: str, other: str, chance: random.Random) -> str:
    places = [m.span() for m in re.finditer(rf"\b{name}\b", sentence)]
    start, end = chance.choice(places)
    return f"{sentence[:start]}{other}{sentence[end:]}"


def _alike(one: str, other: str) -> bool:
    return one[:4] == other[:4]


def _name(drawn: _Drawn, corpus: Corpus) -> str | None:
    here = sorted(names_of(drawn.sentence))
    others = sorted(names_of(drawn.source.text))
    pairs = [(a, b) for a in here for b in others if not _alike(a, b)]
    if not pairs:
        return None
    return _exchange(drawn.sentence, *corpus.chance.choice(pairs), corpus.chance)


def _any_name(drawn: _Drawn, corpus: Corpus) -> str | None:
    here = sorted(names_of(drawn.sentence))
    if not here:
        return None
    name, other = corpus.chance.choice(here), corpus.chance.choice(corpus.names)
    return None if _alike(name, other) else _exchange(drawn.sentence, name, other, corpus.chance)


def _deny(drawn: _Drawn, corpus: Corpus) -> str | None:
    fitting = [(a, b) for a, b in _pairs(_DENIALS) if re.search(a, drawn.sentence)]
    if not fitting:
        first = drawn.sentence.split(maxsplit=1)[0]
        if first in {"Put", "Use", "Press", "Push", "Turn", "Wipe", "Check", "Clean", "Select"}:
            return f"Do not {drawn.sentence[:1].lower()}{drawn.sentence[1:]}"
        return None
    return re.sub(*corpus.chance.choice(fitting), drawn.sentence, count=1)


def _assent(drawn: _Drawn, corpus: Corpus) -> str | None:
    fitting = [(a, b) for a, b in _pairs(_ASSENTS) if re.search(a, drawn.sentence)]
    if not fitting or "not only" in drawn.sentence:
        return None
    changed = re.sub(*corpus.chance.choice(fitting), drawn.sentence, count=1)
    return changed[:1].upper() + changed[1:]


def _ten_times(drawn: _Drawn, corpus: Corpus) -> str | None:
    numbers = list(_NUMBER.finditer(drawn.sentence))
    if not numbers:
        return None
    found = corpus.chance.choice(numbers)
    more = f"{10 * float(found[0].replace(',', '')):g}"
    return f"{drawn.sentence[: found.start()]}{more}{drawn.sentence[found.end() :]}"


def _swap(sentence: str, one: re.Match[str], other: re.Match[str], group: int) -> str | None:
    if one[group] == other[group]:
        return None
    return (
        sentence[: one.start(group)]
        + other[group]
        + sentence[one.end(group) : other.start(group)]
        + one[group]
        + sentence[other.end(group) :]
    )


def _swap_numbers(drawn: _Drawn, _corpus: Corpus) -> str | None:
    numbers = list(_NUMBER.finditer(drawn.sentence))
    return _swap(drawn.sentence, numbers[0], numbers[-1], 0) if len(numbers) > 1 else None


def _swap_names(drawn: _Drawn, _corpus: Corpus) -> str | None:
    names = [m for m in _NAME.finditer(drawn.sentence) if m[1] not in _NO_NAMES]
    return _swap(drawn.sentence, names[0], names[-1], 1) if len(names) > 1 else None


def _compare(drawn: _Drawn, corpus: Corpus) -> str | None:
    pairs = [*_pairs(_OPPOSITES), *((b, a) for a, b in _pairs(_OPPOSITES))]
    fitting = [(a, b) for a, b in pairs if re.search(rf"\b{a}\b", drawn.sentence)]
    if not fitting:
        return None
    one, other = corpus.chance.choice(fitting)
    return re.sub(rf"\b{one}\b", other, drawn.sentence, count=1)


def _pairs(table: str) -> list[tuple[str, str]]:
    """Return the rows of a table of what is put in the place of what."""
    rows = (row.split("=>") for row in table.split(";") if "=>" in row)
    return [(one.strip(), other.strip().replace("_", " ")) for one, other in rows]


TRUE: dict[str, Change] = {
    "as it is": _as_it_is,
    "contraction": _contract,
    "number words": _write_numbers,
    "clause dropped": _drop_clause,
    "order": _turn_round,
    "lead-in": _lead_in,
}
FIRST: dict[str, Change] = {
    "digit": _digit,
    "unit": _unit,
    "name": _name,
    "negation added": _deny,
    "negation removed": _assent,
}
SECOND: dict[str, Change] = {
    "any noun": _any_name,
    "ten times": _ten_times,
    "numbers exchanged": _swap_numbers,
    "names exchanged": _swap_names,
    "comparison": _compare,
}


if __name__ == "__main__":
    main()
