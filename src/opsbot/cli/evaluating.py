"""`opsbot evaluate`: a shop's own conversations, before articles, policies or the model change."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from opsbot.cli.common import now
from opsbot.cli.demo import RETURNS_ADDRESS
from opsbot.cli.ingesting import progress_bar
from opsbot.evaluation.files import load_scripts
from opsbot.evaluation.reports import print_outcomes, write_junit
from opsbot.evaluation.runner import Evaluation, Outcome
from opsbot.evaluation.schema import Script
from opsbot.evaluation.shops import Template, apart, copy_shop, make_sample
from opsbot.retrieval.encoders import open_encoder
from opsbot.settings import Settings, read_settings

SAMPLE_TIME = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""When it is in the sample shop, unless another time is asked for."""
KEPT = "evaluation"
"""Folder of the data folder where the sample shop is kept for the next time."""
console = Console()


@dataclass(frozen=True)
class Choice:
    """What to hold conversations with."""

    own: bool
    """A copy of a shop's own records, not the sample shop."""
    settings: Settings
    as_of: datetime


def evaluate(
    folder: Annotated[
        Path, typer.Argument(help="Folder of conversations, a YAML file each; or one file.")
    ],
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit file here.")] = None,
    database: Annotated[
        str, typer.Option(help="Copy the records of this database URL; goes with --own.")
    ] = "",
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="What time it is then, in UTC."),
    ] = None,
    knowledge: Annotated[
        Path | None, typer.Option(help="Folder of changed articles and policies to try.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Another model to try, as OPSBOT_MODEL names it.")
    ] = "",
    *,
    own: Annotated[
        bool, typer.Option("--own", help="Use a copy of your records, not the sample shop.")
    ] = False,
    transcripts: Annotated[
        bool, typer.Option("--transcripts", help="Print what was said in all of them.")
    ] = False,
) -> None:
    """Hold conversations with copies of a shop, and say which go otherwise than expected.

    Live records are only read, and nothing is sent. Ends with 1 when one fails.
    """
    scripts = load_scripts(folder)
    changed = {"knowledge_dir": knowledge, "model": model, "database_url": database}
    is_own = own or bool(database)
    settings = _settings({name: one for name, one in changed.items() if one}, is_own=is_own)
    moment = as_of.replace(tzinfo=UTC) if as_of else now() if is_own else SAMPLE_TIME
    outcomes = hold_conversations(console, scripts, Choice(is_own, settings, moment))
    print_outcomes(console, outcomes, transcripts=transcripts)
    if junit is not None:
        write_junit(junit, outcomes)
    raise typer.Exit(1 if any(one.problems for one in outcomes) else 0)


def hold_conversations(
    console: Console, scripts: Mapping[str, Script], choice: Choice
) -> list[Outcome]:
    """Make or copy the shop, and hold all conversations with copies of it."""
    with (
        tempfile.TemporaryDirectory(prefix="opsbot-evaluate-") as made,
        progress_bar(console) as bar,
    ):
        place = Path(made)
        template = _prepare(bar, choice, place / "shop")
        evaluation = Evaluation(template, place, as_of=choice.as_of)
        task = bar.add_task("Holding conversations", total=len(scripts))
        return evaluation.hold_all(scripts, tell=lambda _one: bar.advance(task))


def _prepare(bar: Progress, choice: Choice, folder: Path) -> Template:
    live = choice.settings
    task = bar.add_task(
        "Copying the records" if choice.own else "Making the sample shop", total=None
    )
    settings = apart(live, folder)
    encoder = open_encoder(live.embedding_model, live.data_dir)
    if choice.own:
        template = copy_shop(live, settings, encoder, now=choice.as_of)
    else:
        template = make_sample(settings, encoder, as_of=choice.as_of, keep_in=live.data_dir / KEPT)
    bar.update(task, total=1, completed=1)
    return template


def _settings(changed: Mapping[str, object], *, is_own: bool) -> Settings:
    """Return the settings of the shop; the sample shop needs no key that outlives the command."""
    if is_own:
        return read_settings(**changed)
    settings = read_settings(secret_key="-" * 32, demo=True, **changed)
    sample: dict[str, object] = {"data_dir": settings.data_dir / "demo"}
    if "returns_address" not in settings.model_fields_set:
        sample["returns_address"] = RETURNS_ADDRESS
    return settings.model_copy(update=sample)
