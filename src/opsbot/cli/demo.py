"""The sample shop: load it, index it, serve it."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from opsbot.cli.ingesting import ingest_with_progress, progress_bar
from opsbot.cli.serving import listen, serve_app
from opsbot.db import Database
from opsbot.demo.load import DemoSummary, load_demo
from opsbot.demo.tour import QUESTIONS, open_survey
from opsbot.errors import UnavailableError
from opsbot.migrations import upgrade
from opsbot.retrieval.encoders import open_encoder
from opsbot.settings import Settings, read_settings

RETURNS_ADDRESS = "Lumen & Loom, Returns, Werkhof 7, 12051 Berlin"


def open_demo() -> Settings:
    """Return the sample shop's settings: like a shop's own, with a key made on the first run.

    Raises:
        UnavailableError: the data folder cannot be written.
    """
    settings = read_settings(secret_key="-" * 32, demo=True)
    if "returns_address" not in settings.model_fields_set:
        settings = settings.model_copy(update={"returns_address": RETURNS_ADDRESS})
    if "data_dir" not in settings.model_fields_set:
        settings = settings.model_copy(update={"data_dir": settings.data_dir / "demo"})
    key = _read_key(settings.data_dir / "secret.key")
    return settings.model_copy(update={"secret_key": SecretStr(key)})


def run_demo(console: Console, *, host: str, port: int, load_only: bool) -> None:
    """Load the shop, index its articles, print where everything is, and serve."""
    settings = open_demo()
    if not load_only:
        listen(host, port).close()
    database = Database(settings.resolved_database_url)
    upgrade(database)
    summary = load_shop(console, settings, database)
    encoder = open_encoder(settings.embedding_model, settings.data_dir)
    report = ingest_with_progress(console, settings, database, now=_now(), encoder=encoder)
    for path, reason in report.unreadable:
        console.print(f"Not read: {path}: {reason}", highlight=False)
    if load_only:
        database.dispose()
        return
    settings = settings.model_copy(update={"public_url": f"http://{host}:{port}"})
    with database.write() as session:
        survey = open_survey(session, settings, now=_now())
    database.dispose()
    _print_welcome(console, settings, summary, survey)
    serve_app(settings, host=host, port=port, encoder=encoder)


def _print_welcome(console: Console, settings: Settings, summary: DemoSummary, survey: str) -> None:
    """Say where everything is, who is signed in, and what to try."""
    url, mail = settings.public_url, settings.data_dir / "mail"
    places = (
        ("Shop page with the chat", url + "/"),
        ("Help centre", f"{url}/help"),
        ("Staff console", f"{url}/console"),
        ("Survey of a delivered order", survey),
        ("API docs", f"{url}/docs"),
    )
    lines = [f"\n[bold]{settings.shop_name}[/] is open."]
    lines += [f"  {name:<28} {address}" for name, address in places]
    lines += [
        f"\nSigned in on the shop page: {summary.customer_name}, {summary.customer_email}.",
        f"Staff: {summary.staff_emails[0]}, password {staff_password(settings)}",
        "\nThree things to try:",
        *(f"  {question}" for question in QUESTIONS),
        f"\nMails: drop .eml files into {mail / 'in'}; drafts come up in the console within 30 s.",
        f"What the shop sends, codes and invitations too, is in {mail / 'out'}. Ctrl+C ends.\n",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def load_shop(console: Console, settings: Settings, database: Database) -> DemoSummary:
    """Load the sample shop's records, once."""
    with progress_bar(console) as progress:
        task = progress.add_task("Loading the sample shop", total=1.0)
        return load_demo(
            database,
            now=_now(),
            staff_password=staff_password(settings),
            progress=lambda _name, share: progress.update(task, completed=share),
        )


def staff_password(settings: Settings) -> str:
    """Return the password of the sample shop's staff: derived from its key."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"demo staff", hashlib.sha256).hexdigest()[:10]


def _read_key(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32), encoding="ascii")
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise UnavailableError(
            f"The data folder {path.parent} cannot be written ({error.strerror}). "
            "Free some space, mend its permissions, or set OPSBOT_DATA_DIR."
        ) from error


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  (an edge: the command line)
