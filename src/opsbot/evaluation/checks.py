"""What was expected, held against what was heard and what the records are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsbot.evaluation.changes import Changed, Comparison, rows_named
from opsbot.evaluation.fields import fits, read_field, show
from opsbot.evaluation.kinds import Name, read_name
from opsbot.evaluation.schema import NOTHING, Expected, Script, WantedCall

_PLAIN = str.maketrans({"*": "", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\xa0": " "})


@dataclass(frozen=True)
class HeardCall:
    """A tool that was called."""

    name: str
    arguments: Mapping[str, Any]
    error: str
    """Its code; empty: it went well."""
    clause: str
    """That forbade it."""


@dataclass
class Heard:
    """What came back, to one message or to all."""

    texts: list[str] = field(default_factory=list)
    calls: list[HeardCall] = field(default_factory=list)
    sources: list[frozenset[str]] = field(default_factory=list)
    """Everything that each citation may be called."""
    proposals: list[str] = field(default_factory=list)
    """The words of each preview, and the tool it is of."""
    cases: list[str] = field(default_factory=list)
    """Numbers of the cases by which a person took over."""

    def add(self, other: "Heard") -> None:
        """Take in what came back to another message."""
        self.texts += other.texts
        self.calls += other.calls
        self.sources += other.sources
        self.proposals += other.proposals
        self.cases += other.cases


def check_heard(expected: Expected, heard: Heard, clauses: Mapping[str, str]) -> list[str]:
    """Return what is not as expected, a sentence each. `clauses`: their texts, by id."""
    return [
        *_check_words(expected, heard),
        *_check_calls(expected, heard),
        *_check_sources(expected, heard),
        *_check_proposal(expected, heard),
        *_check_refusal(expected, heard, clauses),
        *_check_person(expected, heard),
    ]


def check_records(script: Script, comparison: Comparison, heard: Heard, *, zone: str) -> list[str]:
    """Return which records are not as expected, or changed though nothing was said of them."""
    names = {key: read_name(key) for key in script.records}
    failures = [
        failure
        for key, name in names.items()
        for failure in _check_record(comparison, key, name, script.records[key], zone=zone)
    ]
    handed_over = set(heard.cases) if script.expects_person else set()
    for changed in comparison.changes():
        if changed.kind.name == "case" and changed.names & handed_over:
            continue
        if not any(changed.is_called(name) for name in names.values()):
            failures.append(_unexpected(changed))
    return failures


def _unexpected(changed: Changed) -> str:
    what = "" if changed.is_new else f" changed ({'; '.join(changed.what)})"
    return f"{changed.label}{what} was not expected; name it under `records` if it is right"


def _check_record(
    comparison: Comparison, key: str, name: Name, wanted: Sequence[Mapping[str, Any]], *, zone: str
) -> Iterator[str]:
    rows = list(rows_named(comparison, name))
    if not name.key and len(rows) != len(wanted):
        yield f"{key}: {len(wanted)} expected, {len(rows)} there"
        return
    if not rows:
        yield f"{key}: there is none"
        return
    for fields, row in zip(wanted, rows, strict=True):
        for one, value in fields.items():
            found = read_field(comparison.connection, name.kind, row, one)
            if not fits(value, found, zone=zone):
                yield f"{key}: {one} is {show(found)}, not {show(value)}"


def _check_words(expected: Expected, heard: Heard) -> Iterator[str]:
    said = _plain(" ".join(heard.texts))
    for words in expected.says:
        if _plain(words) not in said:
            yield f"it does not say “{words}”"
    if expected.says_any and not any(_plain(words) in said for words in expected.says_any):
        yield f"it says none of {', '.join(f'“{words}”' for words in expected.says_any)}"
    for words in expected.says_not:
        if _plain(words) in said:
            yield f"it says “{words}”"


def _check_calls(expected: Expected, heard: Heard) -> Iterator[str]:
    called = ", ".join(call.name for call in heard.calls) or NOTHING
    if [one.name for one in expected.tools] == [NOTHING]:
        if heard.calls:
            yield f"it calls {called}, and was to call nothing"
        return
    calls = iter(heard.calls)
    for wanted in expected.tools:
        if not any(_is_call(wanted, call) for call in calls):
            yield f"it does not call {_show_call(wanted)} there; it calls {called}"
            break
    for name in expected.tools_not:
        if any(call.name == name for call in heard.calls):
            yield f"it calls {name}"


def _is_call(wanted: WantedCall, call: HeardCall) -> bool:
    return wanted.name == call.name and all(
        key in call.arguments and fits(value, _comparable(call.arguments[key]), zone="UTC")
        for key, value in wanted.arguments.items()
    )


def _comparable(value: Any) -> Any:
    """Let a number be written as `1004` or `#1004`, and a list match in its parts."""
    return {value} if isinstance(value, str) else value


def _show_call(wanted: WantedCall) -> str:
    return f"{wanted.name} ({show(wanted.arguments)})" if wanted.arguments else wanted.name


def _check_sources(expected: Expected, heard: Heard) -> Iterator[str]:
    cited = ", ".join(min(names, key=len) for names in heard.sources) or NOTHING
    if expected.sources == (NOTHING,):
        if heard.sources:
            yield f"it cites {cited}, and was to cite nothing"
        return
    for wanted in expected.sources:
        if not any(_plain(wanted) in names for names in heard.sources):
            yield f"it does not cite {wanted}; it cites {cited}"


def _check_proposal(expected: Expected, heard: Heard) -> Iterator[str]:
    if not expected.proposes:
        return
    if expected.proposes == NOTHING:
        if heard.proposals:
            yield f"it proposes “{heard.proposals[0]}”, and was to propose nothing"
        return
    wanted = _plain(expected.proposes)
    if not any(wanted in _plain(words) for words in heard.proposals):
        shown = f"“{heard.proposals[-1]}”" if heard.proposals else NOTHING
        yield f"it does not propose “{expected.proposes}”; it proposes {shown}"


def _check_refusal(expected: Expected, heard: Heard, clauses: Mapping[str, str]) -> Iterator[str]:
    wanted = expected.refuses
    if not wanted:
        return
    by_call = any(wanted in {call.error, call.clause} for call in heard.calls)
    text = _plain(clauses.get(wanted, ""))
    if not by_call and not (text and text in _plain(" ".join(heard.texts))):
        yield f"it does not refuse by {wanted}"
    if heard.proposals:
        yield f"it was to refuse by {wanted}, and proposes “{heard.proposals[0]}”"


def _check_person(expected: Expected, heard: Heard) -> Iterator[str]:
    if expected.hands_over is True and not heard.cases:
        yield "no person takes over"
    if expected.hands_over is False and heard.cases:
        yield "a person takes over"


def _plain(text: str) -> str:
    """Return a text to compare: without emphasis, with plain quotes and single spaces."""
    return " ".join(text.translate(_PLAIN).split()).casefold()
