"""`opsbot replay`: is a message of then understood and worded today as it was?"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from opsbot.app import open_replays
from opsbot.cli.common import DemoData, settings_for
from opsbot.conversation.replay import Replayed
from opsbot.errors import OpsbotError
from opsbot.formats import format_moment
from opsbot.settings import Settings

console = Console()
CANNOT = 2
"""How the command ends when there is nothing that could be replayed."""
_COLOURS = {"+": "green", "-": "red"}


def replay(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Of an answer, a message, or a conversation.")
    ],
    *,
    demo: DemoData = False,
) -> None:
    """Understand and word a message again, over what the tools answered then. Changes nothing.

    Ends with 1 when the reply differs, and with 2 when it cannot be replayed.
    """
    settings = settings_for(demo=demo)
    try:
        replayed = _replay_all(settings, name)
    except OpsbotError as error:
        typer.echo(f"opsbot: {error}", err=True)
        raise typer.Exit(CANNOT) from error
    for one in replayed:
        print_replayed(console, one, zone=settings.time_zone)
    _print_note(console)
    raise typer.Exit(0 if all(one.is_same for one in replayed) else 1)


def _replay_all(settings: Settings, name: str) -> list[Replayed]:
    with open_replays(settings) as replays:
        return [replays.replay(reply) for reply in replays.find(name)]


def print_replayed(console: Console, replayed: Replayed, *, zone: str) -> None:
    """Say whether the reply is the same, else what differs, and what changed since."""
    when = format_moment(replayed.at, zone=zone)
    console.print(Text(f"> {replayed.message}", "cyan"))
    console.print(f"  {when}, answered by {_model_in_words(replayed.model)}", style="dim")
    if replayed.is_same:
        console.print("  [green]The reply is the same.[/]\n")
        return
    if replayed.stopped:
        console.print(Text(f"  The reply is another one. {replayed.stopped}", "yellow"))
    for one in replayed.differences:
        console.print(f"  [yellow]Different: {one.part}[/]  (- then, + now)")
        for line in one.lines:
            console.print(Text(f"    {line}", _COLOURS.get(line[0], "dim")))
    _print_versions(console, replayed)


def _print_versions(console: Console, replayed: Replayed) -> None:
    changed = [one.of for one in replayed.versions if one.is_changed]
    if changed:
        console.print(f"  Changed since then: {', '.join(changed)}.", highlight=False)
    else:
        console.print("  Nothing has changed since then, as far as versions tell.")
    table = Table("", "then", "now", box=None, padding=(0, 2))
    for one in replayed.versions:
        style = "yellow" if one.is_changed else "dim"
        table.add_row(one.of, one.then or "not kept", one.now, style=style)
    console.print(table)
    console.print()


def _print_note(console: Console) -> None:
    console.print(
        "Replayed: how messages are understood and worded, over what tools and articles answered "
        "then. What they would answer today, `opsbot evaluate` tells.",
        style="dim",
    )


def _model_in_words(model: str) -> str:
    known = {"embedded": "the embedded model", "none": "no model"}
    return known.get(model, f"{model}, whose own words are checked again")
