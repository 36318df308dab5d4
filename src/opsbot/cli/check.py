"""Say what is wrong with the set-up, in words: one line a part."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from opsbot.conversation.chat_model import open_remote_model
from opsbot.db import Database
from opsbot.errors import InvalidInputError, OpsbotError, UnavailableError
from opsbot.mail.messages import probe_headers
from opsbot.migrations import pending
from opsbot.retrieval.encoders import open_encoder
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.surveys.flows import load_flows
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies

LEAST_SPACE = 200 * 1024 * 1024
"""Bytes below which the data folder counts as full."""

Part = Callable[[Settings], str]


def run_checks(console: Console, read: Callable[[], Settings]) -> int:
    """Check every part and print a line for each; return the exit status."""
    try:
        settings = read()
    except OpsbotError as error:
        console.print(f"[red]✗[/] settings: {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1
    faults = 0
    for name, part in PARTS:
        try:
            line = f"[green]✓[/] {name}: {escape(part(settings))}"
        except OpsbotError as error:
            faults += 1
            line = f"[red]✗[/] {name}: {escape(str(error))}"
        console.print(line, highlight=False, soft_wrap=True)
    console.print("All is well." if not faults else f"{faults} to mend.", highlight=False)
    return 1 if faults else 0


def _data_folder(settings: Settings) -> str:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be written ({error.strerror}). Free some space, mend its "
            "permissions, or set OPSBOT_DATA_DIR."
        ) from error
    free = shutil.disk_usage(folder).free
    if free < LEAST_SPACE:
        raise UnavailableError(f"{folder} has only {free // 2**20} MiB left. Free some space.")
    return f"{folder} can be written"


def _database(settings: Settings) -> str:
    with _opened(settings) as database:
        if pending(database):
            raise UnavailableError("its tables are not those of this version: opsbot migrate.")
    return "it answers, and its tables are up to date"


def _tools(settings: Settings) -> str:
    tools = load_tools(settings.tools_dir)
    if not tools:
        raise InvalidInputError(f"OPSBOT_TOOLS_DIR: {settings.tools_dir} holds no tools.")
    return f"{len(tools)} in {settings.tools_dir}"


def _policies(settings: Settings) -> str:
    return f"version {load_policies(settings.knowledge_dir / 'policies').version}"


def _articles(settings: Settings) -> str:
    with _opened(settings) as database:
        if pending(database):
            raise UnavailableError("nothing is indexed yet: opsbot ingest.")
        encoder = open_encoder(settings.embedding_model, settings.data_dir)
        knowledge = Knowledge(database, encoder, settings.data_dir, settings.retrieval)
        try:
            unreadable = knowledge.list_unreadable()
            count = len(knowledge.list_articles(audience="staff"))
        finally:
            knowledge.close()
    if unreadable:
        raise InvalidInputError("; ".join(reason for _path, reason in unreadable))
    if not count:
        raise UnavailableError(
            f"none is indexed. Put some in {settings.knowledge_dir}, then: opsbot ingest."
        )
    return f"{count} indexed"


def _pages(settings: Settings) -> str:
    for name in ("static/manifest.json", "templates"):
        if not (settings.web_dir / name).exists():
            raise InvalidInputError(f"OPSBOT_WEB_DIR: there is no {settings.web_dir / name}.")
    return (
        f"{len(load_flows(settings.web_dir / 'surveys'))} surveys, templates and assets are there"
    )


def _model(settings: Settings) -> str:
    remote = open_remote_model(settings)
    return "the embedded one" if remote is None else f"{settings.model}, then the embedded one"


def _mail(settings: Settings) -> str:
    mail = settings.mail
    into = f"from {mail.imap_host}" if mail.imap_host else "from dropped files"
    out = f"to {mail.smtp_host}" if mail.smtp_host else "to files in the data folder"
    if mail.imap_host and not mail.imap_user:
        raise InvalidInputError("OPSBOT_MAIL__IMAP_USER must be set to read from a server.")
    probe_headers(settings)
    return f"in {into}, out {out}"


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.resolved_database_url)
    try:
        yield database
    finally:
        database.dispose()


PARTS: tuple[tuple[str, Part], ...] = (
    ("data folder", _data_folder),
    ("database", _database),
    ("tools", _tools),
    ("policies", _policies),
    ("articles", _articles),
    ("pages", _pages),
    ("language model", _model),
    ("mail", _mail),
)
