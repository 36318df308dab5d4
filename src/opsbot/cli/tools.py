"""`opsbot tools`: what there is, what one tool takes, and a call of it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from opsbot.app import close_services, open_services
from opsbot.channels.services import Services
from opsbot.cli.common import AsCustomer, AsStaff, DemoData, caller_at_keyboard, settings_for
from opsbot.cli.demo import open_demo
from opsbot.errors import InvalidInputError, NotFoundError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.proposals import Preview
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import show_result, show_tool

app = typer.Typer(invoke_without_command=True, help="List the tools, show one, or run one.")
console = Console()
_WIDE = 1_000


@app.callback()
def list_tools(context: typer.Context) -> None:
    """List the tools: who may use each, what it does, and what it needs."""
    if context.invoked_subcommand is not None:
        return
    table = Grid("tool", "for", "effect", "level or roles", "what it does", box=None)
    for tool in _load().values():
        needs = ", ".join(sorted(tool.roles)) or ("any staff" if tool.audience == "staff" else "")
        first = tool.description.splitlines()[0]
        table.add_row(
            tool.name, tool.audience, tool.effect, needs or f"level {int(tool.level)}", first
        )
    # Into a file or another program each tool stands on one line, however long.
    wide = console if console.is_terminal else Console(width=_WIDE)
    wide.print(table)


@app.command()
def show(name: str) -> None:
    """Print the declaration of a tool as JSON."""
    tool = _load().get(name)
    if tool is None:
        raise NotFoundError("tool", name)
    _print_json(show_tool(tool))


@app.command()
def run(
    name: str,
    arguments: Annotated[str, typer.Option("--json", help="The arguments: a JSON object.")] = "{}",
    staff: AsStaff = "",
    customer: AsCustomer = "",
    *,
    demo: DemoData = False,
) -> None:
    """Run a tool and print what it found as JSON. A change is shown first, and asked about."""
    given = _read_arguments(arguments)
    services = open_services(settings_for(demo=demo))
    try:
        caller = caller_at_keyboard(services.database, customer=customer, staff=staff)
        outcome = services.executor.run(caller, name, given, now=services.clock())
        if isinstance(outcome, Preview):
            decide(services, caller, outcome)
        else:
            _print(outcome)
    finally:
        close_services(services)


def decide(services: Services, caller: Caller, preview: Preview) -> None:
    """Show a change, ask, and do it or drop it."""
    console.print(f"[bold]{preview.title}[/]", highlight=False)
    for detail in preview.details:
        console.print(f"  • {detail}", highlight=False, markup=False)
    if preview.clause:
        console.print(f"  “{preview.clause.text}”", style="dim", highlight=False, markup=False)
    if not typer.confirm(preview.button + "?", default=False):
        services.executor.cancel(caller, preview.id, now=services.clock())
        console.print("Nothing was changed.")
        raise typer.Exit(1)
    done = services.executor.confirm(caller, preview.id, now=services.clock())
    if done.renewed is not None:
        console.print("Something changed meanwhile, so nothing was done. It looks like this now:")
        decide(services, caller, done.renewed)
    elif done.result is not None:
        _print(done.result)
    else:
        console.print(done.preview.say or f"It is {done.preview.state.value}.", markup=False)
        raise typer.Exit(1)


def _read_arguments(text: str) -> Mapping[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"--json is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidInputError('--json must be an object, such as {"order_number": "#1001"}.')
    return given


def _load() -> Mapping[str, AnyTool]:
    return load_tools(open_demo().tools_dir)  # listing them needs no secret key


def _print(result: Result) -> None:
    _print_json(show_result(result))


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
