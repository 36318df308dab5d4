"""The few words the embedded model says of its own; everything else comes from tools."""

import re
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

from opsbot.conversation.local.declarations import KNOWLEDGE, ArgumentSpec, ToolSpec
from opsbot.conversation.local.frame import Option, Task
from opsbot.conversation.local.language import ABOUT, BYE, HELLO, THANKS, UPSET

MOST_EXAMPLES = 3
MOST_LISTED = 8
"""Records to choose from in one question; the others are named by whoever means them."""
LONGEST_WISH = 90
_SOMEBODYS = re.compile(r"[\d@]|\b[A-Z][a-z]+ [A-Z][a-z]+")
"""Numbers, addresses and full names in an example belong to somebody else."""
_DETAILS = frozenset({"quantity", "choice", "number", "period", "span"})
"""Kinds that do not tell subjects apart."""

LEFT = "All right, I leave it as it is."
NOTHING_ELSE = "All right. Write whenever you need something."
GO_ON = "Good. What else can I do for you?"
NOT_UNDERSTOOD = "I did not understand that."
OLDER = "Is it another one? Then give its number, or tell me what it is about."
NONE_LIKE_IT = "There is none that is all of that. The nearest are these."
WHO = "For this I must know who you are."
STUCK = "I am going in circles with this and would rather stop here."
TOO_LONG = "This takes more steps than I can do at once, so I stop here."
OFFER = "Shall I pass this on to a person?"
SAFETY = "Please stop using it and unplug it."
UPSET_WORDS = "I am sorry about this. A person of our team can look at it."
ENGLISH = "I am sorry, I read and answer English only."
PERSON_PLEASE = "Yes, a person please"
WITHOUT_IT = "Without that I cannot go on here. Shall I pass this on to a person?"
NOTHING_MORE = "I have nothing to add to that."


def small_talk(label: str, tools: Sequence[ToolSpec]) -> str:
    """Answer a greeting, thanks, or the question what can be asked."""
    if label == HELLO:
        return f"Hello! {_examples(tools)}"
    if label == THANKS:
        return "You are welcome. Is there anything else?"
    if label == BYE:
        return "Goodbye, and thank you for writing."
    if label == UPSET:
        return "I am sorry that I was of no help."
    if label == ABOUT:
        return f"I am the shop's assistant: a program, not a person. {_examples(tools)}"
    return GO_ON


def not_understood(tools: Sequence[ToolSpec]) -> str:
    """Say so, and what can be asked."""
    return f"{NOT_UNDERSTOOD} {_examples(tools)}"


def question(
    argument: ArgumentSpec,
    options: Sequence[Option],
    others: Sequence[ArgumentSpec] = (),
    also: Sequence[ArgumentSpec] = (),
) -> str:
    """Ask for an argument.

    Args:
        argument: what is asked for.
        options: what to choose from.
        others: arguments that would do in its place.
        also: arguments one of which is needed as well.
    """
    ask = argument.ask
    if also:
        ask += f" And to see that it is yours: {_lower(also[0].ask)}"
        others = also[1:]
    for other in others:
        ask += f" Or: {_lower(other.ask)}"
    if argument.labels or len(options) <= MOST_LISTED:
        lines = [o.words if argument.labels else _choice(o) for o in options]
        return f"{ask}\n\n{bullet_list(lines)}" if lines else ask
    lines = [_choice(option) for option in options[:MOST_LISTED]]
    return f"{ask}\n\n{bullet_list(lines)}\n\n{OLDER}"


def choices(argument: ArgumentSpec | None, options: Sequence[Option]) -> list[str]:
    """Return short answers that pick one of the options."""
    if argument is not None and argument.labels:
        return [option.words for option in options]
    return [option.value for option in options[:MOST_LISTED]]


def again(ask: str) -> str:
    """Ask once more after an answer of no use."""
    if "\n\n- " in ask:
        first, choices = ask.split("\n\n", 1)
        return (
            f"I could not find that in your words. {first} Please take one of these:\n\n{choices}"
        )
    return f"I could not find that in your words. {ask}"


def back_to(ask: str) -> str:
    """Return to a question after something else was answered."""
    return f"To go on with what you asked before: {ask}"


def announce(tasks: Sequence[Task]) -> str:
    """Say what comes after the change that is shown now."""
    if not tasks:
        return ""
    first_lines = (task.text.splitlines()[0].strip(" .!?,;") for task in tasks)
    wishes = " and ".join(
        f"“{shorten(line, LONGEST_WISH, placeholder='…')}”" for line in first_lines
    )
    return f"I come to {wishes} after that: write “continue” when you are ready."


def not_done(condition: str) -> str:
    """Say that a condition did not hold."""
    return f"You asked for the change only on a condition ({condition}), so I have changed nothing."


def unclear(condition: str) -> str:
    """Say that a condition could not be judged."""
    return (
        f"I cannot tell for sure from our records whether this holds: {condition}. "
        "Please look before you confirm."
    )


def refusal(error: Mapping[str, Any]) -> str:
    """Say that a rule forbids it: the reason, the clause in its own words, what is possible."""
    parts = [str(error.get("text", ""))]
    clause = error.get("quote") or error.get("clause")
    if isinstance(clause, Mapping):
        clause = clause.get("text")
    # A bare id such as `returns.window` is no sentence to quote.
    if isinstance(clause, str) and " " in clause.strip() and clause not in parts[0]:
        parts.append(f"> {clause}")
    alternatives = [str(a) for a in error.get("alternatives") or ()]
    if alternatives and not all(a in parts[0] for a in alternatives):
        parts.append(bullet_list(alternatives))
    return "\n\n".join(part for part in parts if part)


def bullet_list(lines: Sequence[str]) -> str:
    """Return lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _choice(option: Option) -> str:
    if option.words and option.value.lower() not in option.words.lower():
        return f"{option.value}: {option.words}"
    return option.words or option.value


def _examples(tools: Sequence[ToolSpec]) -> str:
    """Return a few examples that differ: of what is read before what is changed."""
    chosen: dict[frozenset[str], str] = {}
    ordered = sorted(tools, key=lambda tool: (tool.writes, tool.role != KNOWLEDGE))
    for tool in ordered:
        text = next((text for text in tool.examples if not _SOMEBODYS.search(text)), "")
        if text and tool.role in {"", KNOWLEDGE}:
            chosen.setdefault(tool.kinds - _DETAILS, f"{text[:1].upper()}{text[1:]}")
    if not chosen:
        return "How can I help?"
    first, *others = chosen.values()
    # The articles come last: what they know is the least definite.
    shown = [*others[: MOST_EXAMPLES - 1], first] if others else [first]
    return f"You can ask me, for example:\n\n{bullet_list(shown)}"
