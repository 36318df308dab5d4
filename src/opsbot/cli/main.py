"""`opsbot`: every command, each a few lines that join the parts below."""

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from opsbot import __version__
from opsbot.cli import audit, people, privacy, tools
from opsbot.cli.check import run_checks
from opsbot.cli.common import AsCustomer, AsStaff, DemoData, now, settings_for
from opsbot.cli.demo import run_demo
from opsbot.cli.evaluating import evaluate
from opsbot.cli.importing import (
    compare_exports,
    import_with_progress,
    list_webhooks,
    print_import,
)
from opsbot.cli.ingesting import (
    ingest_with_progress,
    print_report,
    print_verification,
    verify_with_progress,
)
from opsbot.cli.mcp import serve_stdio
from opsbot.cli.policies import Question, read_facts, simulate
from opsbot.cli.replaying import replay
from opsbot.cli.serving import serve_app, work
from opsbot.cli.talk import ask_once, chat_on
from opsbot.connectors.imports import FileFormat, ImportOptions
from opsbot.db import Database
from opsbot.errors import OpsbotError, UnavailableError
from opsbot.migrations import pending, upgrade
from opsbot.settings import Settings
from opsbot.toolkit.policy.returns import Condition
from opsbot.toolkit.policy_trials import Asked, reason_named

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A self-hosted assistant that answers customers and staff from manuals and live records.",
)
policy_app = typer.Typer(no_args_is_help=True, help="The shop's rules.")
app.add_typer(policy_app, name="policy")
app.add_typer(audit.app, name="audit")
app.add_typer(people.app, name="staff")
app.add_typer(tools.app, name="tools")
app.add_typer(privacy.app, name="privacy")
app.command()(evaluate)
app.command()(replay)
console = Console()

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="Compare everything with the files, and repair it.")
]


@app.command()
def demo(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    *,
    load_only: Annotated[
        bool, typer.Option(help="Load and index the shop; serve nothing.")
    ] = False,
) -> None:
    """Load the sample shop, index its articles, and serve it."""
    run_demo(console, host=host, port=port, load_only=load_only)


@app.command()
def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    *,
    worker: Annotated[bool, typer.Option(help="Run the jobs in this process, too.")] = True,
) -> None:
    """Serve the widget, the console, the help centre and the API."""
    serve_app(_settings(), host=host, port=port, with_worker=worker)


@app.command()
def worker() -> None:
    """Run jobs: send and read mail, invite to surveys. Any number of workers may run."""
    work(_settings())


@app.command()
def chat(
    customer: AsCustomer = "",
    staff: AsStaff = "",
    *,
    demo: DemoData = False,
) -> None:
    """Talk to the assistant here. An empty line or Ctrl+D ends it."""
    chat_on(console, _settings(demo=demo), customer=customer, staff=staff)


@app.command()
def ask(
    question: str,
    customer: AsCustomer = "",
    staff: AsStaff = "",
    *,
    demo: DemoData = False,
) -> None:
    """Ask one question and print the answer with its sources."""
    ask_once(console, _settings(demo=demo), question, customer=customer, staff=staff)


@app.command()
def ingest(*, demo: DemoData = False, verify: Verify = False) -> None:
    """Read knowledge/ and bring the index up to date: only what changed is read again.

    Ends with 1 when a file could not be read, and with 2 when --verify found a difference.
    """
    settings = _settings(demo=demo)
    database = Database(settings.resolved_database_url)
    upgrade(database)
    if verify:
        found = verify_with_progress(console, settings, database, now=_now())
        print_verification(console, found)
        raise typer.Exit(2 if found.findings else int(bool(found.report.unreadable)))
    report = ingest_with_progress(console, settings, database, now=_now())
    print_report(console, report)
    raise typer.Exit(1 if report.unreadable else 0)


@app.command("import")
def import_records(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    kind: Annotated[FileFormat, typer.Option("--format", help="What is in it.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Write the lines that are not taken over here.")
    ] = None,
    source: Annotated[str, typer.Option(help="What to call where the file is from.")] = "file",
    currency: Annotated[str, typer.Option(help="Currency of amounts without one.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of times without an offset.")] = "",
    decimal: Annotated[str, typer.Option(help="Decimal sign of amounts: . or ,")] = "",
    *,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done; write nothing.")] = False,
    demo: DemoData = False,
) -> None:
    """Take over orders, products, customers or stock from a file. Twice changes nothing."""
    settings = _settings(demo=demo)
    database = Database(settings.resolved_database_url)
    if not dry_run:
        upgrade(database)
    elif pending(database):
        raise UnavailableError("The database has no tables of this version yet: opsbot migrate.")
    options = ImportOptions(
        currency=currency.upper() or settings.currency,
        zone=zone or settings.time_zone,
        source=source,
        decimal=decimal or None,
    )
    report = import_with_progress(
        console,
        database,
        file,
        kind,
        options,
        rejects=rejects,
        dry_run=dry_run,
        now=_now(),
    )
    print_import(console, report, rejects=rejects, dry_run=dry_run)
    raise typer.Exit(1 if report.refused_lines else 0)


@app.command()
def reconcile(*, demo: DemoData = False) -> None:
    """Compare the shop's exports with the records, and print what differs. Changes no record."""
    raise typer.Exit(1 if compare_exports(console, _settings(demo=demo), now=_now()) else 0)


@app.command()
def webhooks(
    *,
    retry: Annotated[bool, typer.Option(help="Try those that were given up again.")] = False,
    demo: DemoData = False,
) -> None:
    """List the webhooks that could not be handled, with their reasons."""
    found = list_webhooks(console, _settings(demo=demo), retry=retry, now=_now())
    raise typer.Exit(1 if found else 0)


@app.command()
def check(*, demo: DemoData = False) -> None:
    """Say what is wrong with the set-up, in words."""
    raise typer.Exit(run_checks(console, lambda: _settings(demo=demo)))


@policy_app.command("simulate")
def policy_simulate(
    fact: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, such as country=DE paid_minor=2400; may be repeated."),
    ] = None,
    facts: Annotated[str, typer.Option("--json", help="All facts as JSON, or @FILE.")] = "",
    order: Annotated[str, typer.Option(help="Decide about items of this order instead.")] = "",
    item: Annotated[list[str] | None, typer.Option(help="Which item; may be repeated.")] = None,
    reason: Annotated[str, typer.Option(help="Why it comes back.")] = "changed_mind",
    policies: Annotated[
        Path | None, typer.Option(help="Folder of changed policy files to compare with.")
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="Past returns to decide again by both.")] = 200,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    *,
    opened: Annotated[bool, typer.Option(help="The box was opened.")] = False,
    as_json: Annotated[bool, typer.Option("--as-json", help="Print one JSON object.")] = False,
    demo: DemoData = False,
) -> None:
    """Say what the rules decide, with money, days and clauses. Changes nothing."""
    condition = Condition.OPENED if opened else Condition.UNOPENED
    about = Asked(order, tuple(item or ()), reason_named(reason), condition) if order else None
    question = Question(read_facts(fact or [], facts), about, today=today.date() if today else None)
    simulate(
        console,
        _settings(demo=demo),
        question,
        folder=policies,
        last=last,
        as_json=as_json,
        now=_now(),
    )


@app.command()
def migrate(*, demo: DemoData = False) -> None:
    """Bring the tables of the database up to this version."""
    settings = _settings(demo=demo)
    upgrade(Database(settings.resolved_database_url))
    console.print("The database is up to date.")


@app.command()
def mcp(
    staff: AsStaff = "",
    customer: AsCustomer = "",
    *,
    demo: DemoData = False,
) -> None:
    """Serve the tools by MCP on standard input and output, for a program on this machine."""
    serve_stdio(_settings(demo=demo), customer=customer, staff=staff)


@app.command()
def version() -> None:
    """Print the version."""
    console.print(__version__)


def main() -> int:
    """Run the command line; a deliberate error is one sentence on the error stream."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        # Outside its standalone mode, typer returns the status of a typer.Exit.
        status = app(standalone_mode=False)
    except OpsbotError as error:
        sys.stderr.write(f"opsbot: {error}\n")
        return 1
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except typer.BadParameter as error:
        sys.stderr.write(f"opsbot: {error.format_message()}\n")
        return 2
    return int(status or 0)


def _settings(*, demo: bool = False) -> Settings:
    return settings_for(demo=demo)


def _now() -> datetime:
    return now()
