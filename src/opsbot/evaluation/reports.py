"""How conversations went: a table for people, a JUnit file for machines."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from opsbot.errors import UnavailableError
from opsbot.evaluation.runner import Outcome


def print_outcomes(console: Console, outcomes: Sequence[Outcome], *, transcripts: bool) -> None:
    """Print a line for each conversation, and what is wrong with those that failed.

    `transcripts`: print what was said in all of them, not only in those that failed.
    """
    for one in outcomes:
        if transcripts or one.problems:
            _print_transcript(console, one)
    table = Table("conversation", "speaker", "turns", "result", box=None)
    for one in outcomes:
        result = f"[red]{len(one.problems)} wrong[/]" if one.problems else "[green]passed[/]"
        table.add_row(one.name, one.script.speaker, str(len(one.turns)), result)
    console.print(table)
    failed = sum(bool(one.problems) for one in outcomes)
    passed = len(outcomes) - failed
    console.print(f"\n{passed} of {len(outcomes)} conversations passed.", highlight=False)


def write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes as JUnit reads them.

    Raises:
        UnavailableError: the file cannot be written.
    """
    failed = sum(bool(one.problems) for one in outcomes)
    suite = ET.Element(
        "testsuite",
        name="opsbot evaluate",
        tests=str(len(outcomes)),
        failures=str(failed),
        errors="0",
        time=f"{sum(one.seconds for one in outcomes):.3f}",
    )
    for one in outcomes:
        case = ET.SubElement(
            suite, "testcase", classname="opsbot", name=one.name, time=f"{one.seconds:.3f}"
        )
        if one.problems:
            failure = ET.SubElement(case, "failure", message=_legal(one.problems[0]))
            failure.text = _legal("\n".join([*one.problems, "", *_lines(one)]))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}.") from error


def _print_transcript(console: Console, outcome: Outcome) -> None:
    console.print(f"[bold]{outcome.name}[/]: {outcome.script.about}", highlight=False)
    for turn in outcome.turns:
        console.print(f"  > {turn.said}", style="cyan", highlight=False, markup=False)
        for line in (*turn.answered.splitlines(), *turn.shown):
            console.print(f"    {line}", style="dim", highlight=False, markup=False)
        for failure in turn.failures:
            console.print(f"  ✗ {failure}", style="red", highlight=False, markup=False)
    for failure in outcome.failures:
        console.print(f"  ✗ {failure}", style="red", highlight=False, markup=False)
    console.print()


def _lines(outcome: Outcome) -> list[str]:
    return [
        line for turn in outcome.turns for line in (f"> {turn.said}", turn.answered, *turn.shown)
    ]


def _legal(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(one for one in text if one in "\n\t" or ord(one) >= ord(" "))
