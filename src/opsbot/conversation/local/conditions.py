"""Does a condition hold? "…if it has not shipped", judged on the facts a tool gave."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opsbot.conversation.local.choices import content_stems
from opsbot.conversation.local.classifier import stem, stems
from opsbot.conversation.local.language import SAME_STATE
from opsbot.conversation.local.patterns import NEGATION
from opsbot.conversation.local.values import same_word

_SHORTEST_START = 4
"""Letters from which a word may go on: "deliv" for "delivered"."""
_STATE_KEYS = frozenset({"state", "status", "stage", "step", "phase", "availability"})
_DONE = frozenset({"done", "current", "true", "yes"})
_TODO = frozenset({"todo", "open", "false", "no", "pending"})


def judge(condition: str, facts: Mapping[str, Any], say: str) -> bool | None:
    """Tell whether a condition holds; None when the facts do not show it.

    Args:
        condition: its words, such as "it has not shipped yet".
        facts: what the tool found.
        say: the same in words; looked at when the facts show nothing.
    """
    negated = NEGATION.search(condition) is not None
    for wanted in content_stems(condition):
        group = _group(wanted)
        if not group:
            continue
        shown = _in_facts(group, facts)
        if shown is None:
            shown = _in_words(group, say)
        if shown is not None:
            return shown is not negated
    return None


def _group(word: str) -> Sequence[str]:
    own = next((g for g in SAME_STATE if any(word == stem(s) or word.startswith(s) for s in g)), ())
    return (word, *own)


def _in_facts(group: Sequence[str], facts: Mapping[str, Any]) -> bool | None:
    """Look for a flag, a date, a step or a state that speaks of it."""
    states: list[str] = []
    for key, value in _leaves(facts):
        about = any(_same(w, g) for w in stems(key.replace("_", " ")) for g in group)
        if about and not key.startswith("can"):
            if isinstance(value, bool) or value is None:
                return bool(value)
            if key.endswith(("_at", "_on", "_date")):
                return True
        if isinstance(value, str) and key.split("_")[-1] in _STATE_KEYS:
            states.append(value)
    if not states:
        return None
    words = [w for state in states for w in stems(state.replace("_", " "))]
    return any(_same(w, g) for w in words for g in group)


def _in_words(group: Sequence[str], say: str) -> bool | None:
    for sentence in say.replace("\n", ". ").split(". "):
        if any(_same(w, g) for w in stems(sentence) for g in group):
            return NEGATION.search(sentence) is None
    return None


def _same(word: str, wanted: str) -> bool:
    return same_word(word, stem(wanted)) or (
        len(wanted) >= _SHORTEST_START and word.startswith(wanted)
    )


def _leaves(facts: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(facts, Mapping):
        if "label" in facts and facts.get("state") in _DONE | _TODO:
            yield str(facts["label"]).replace(" ", "_").lower(), facts["state"] in _DONE
            return
        for name, value in facts.items():
            if name != "candidates":
                yield from _leaves(value, str(name))
    elif isinstance(facts, (list, tuple)):
        for value in facts:
            yield from _leaves(value, key)
    else:
        yield key, facts
