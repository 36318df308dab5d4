"""What an operator may set. Read once, by `cli`, and handed down as a value."""

import difflib
import os
from collections.abc import Collection, Iterator
from datetime import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.numbers import is_currency
from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from opsbot.content import content_root
from opsbot.errors import InvalidInputError

PREFIX = "OPSBOT_"
SHORTEST_KEY = 32
"""Characters of a key."""
TEST_PREFIX = "OPSBOT_TEST_"
"""Names of the test suite's own variables; not settings."""


class RetrievalSettings(BaseModel):
    """How passages are found."""

    top_k: int = Field(default=6, ge=1, le=50)
    """Most passages shown to the model."""
    lexical_weight: float = Field(default=1.0, ge=0, le=5)
    """What a full match by words adds to the likeness in meaning, where no title is near."""
    chroma_from: int = Field(default=200_000, ge=0)
    """Passages from which Chroma is asked; fewer are scanned in memory, which is faster."""
    min_score: float | None = Field(default=None, ge=0, le=2)
    """Confidence below which nothing fits; unset: calibrated for the index at ingest."""
    watch_s: float = Field(default=1, ge=0, le=3600)
    """Seconds between two looks for changed articles; 0: only `opsbot ingest` looks."""


class MailSettings(BaseModel):
    """Where messages come from and drafts go."""

    address: str = "hello@lumenandloom.example"
    """The shop's own address: the sender of replies."""
    drop_dir: Path | None = None
    """Folder of dropped `.eml` files; unset: `DATA_DIR/mail/in`."""
    imap_host: str | None = None
    """Server to read mail from; unset: only dropped files are read."""
    imap_port: int = Field(default=993, ge=1, le=65_535)
    """Its port."""
    imap_tls: bool = True
    """Whether to speak TLS from the first byte."""
    imap_user: str = ""
    """Name to sign in with."""
    imap_password: SecretStr = SecretStr("")
    """Password to sign in with."""
    imap_folder: str = "INBOX"
    """Folder to read."""
    smtp_host: str | None = None
    """Server that takes our mail; unset: mails are kept as files in `DATA_DIR/mail/out`."""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    """Its port."""
    smtp_tls: bool = True
    """Whether to ask for TLS (STARTTLS; from the first byte on port 465)."""
    smtp_user: str = ""
    """Name to sign in with; empty: no sign-in."""
    smtp_password: SecretStr = SecretStr("")
    """Password to sign in with."""


class ConnectorSettings(BaseModel):
    """Which systems send us data. Several secrets: each is valid while one replaces the other."""

    shopify_secrets: list[SecretStr] = []
    """Secrets of Shopify's webhooks, such as `["new", "old"]`; unset: none are taken."""
    woocommerce_secrets: list[SecretStr] = []
    """Secrets of WooCommerce's webhooks."""
    easypost_secrets: list[SecretStr] = []
    """Secrets of EasyPost's webhooks."""
    aftership_secrets: list[SecretStr] = []
    """Secrets of AfterShip's webhooks."""
    shippo_secrets: list[SecretStr] = []
    """Secrets of Shippo's webhooks."""
    own_secrets: list[SecretStr] = []
    """Secrets of programs that report parcels in opsbot's own form, for carriers not named here."""
    exports_dir: Path | None = None
    """Folder of the shop's nightly exports; unset: `DATA_DIR/exports`."""
    exports_source: str = Field(default="file", pattern=r"^[a-z][a-z0-9-]{0,29}$")
    """What `--source` was when files like those exports were imported."""

    def secrets_of(self, source: str) -> list[str]:
        """Return the secrets of a sender; none for one that we do not know."""
        secrets: list[SecretStr] = getattr(self, f"{source}_secrets", [])
        return [secret.get_secret_value() for secret in secrets if secret.get_secret_value()]


class OfficeSettings(BaseModel):
    """When people of the shop work: what the times to answer a case are counted in."""

    opens: time = time(9)
    """When they begin, in the shop's time zone."""
    closes: time = time(17)
    """When they end."""
    holidays: str = Field(default="DE", pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    """Whose public holidays are free: a country such as `DE`, or a part of it such as `DE-BE`."""

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "OfficeSettings":
        if self.opens >= self.closes:
            raise ValueError("the office must open before it closes")
        return self


class Settings(BaseSettings):
    """The whole configuration. Without a default: the operator must choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="forbid",
        frozen=True,
    )

    secret_key: SecretStr
    """Signs links and sessions. At least 32 characters."""
    identity_key: SecretStr | None = None
    """Key the shop signs its customers' tokens with; unset: the secret key."""
    data_dir: Path = Path("data")
    """Folder for the database, the index and the mail folders."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data folder."""
    chroma_url: str = ""
    """Chroma server for several processes, such as `http://chroma:8000`; empty: a folder."""
    embedding_model: str = ""
    """Folder or name of a sentence-transformers model; empty: the packaged English one, on ONNX."""
    knowledge_dir: Path = content_root() / "knowledge"
    """Folder of articles and policies."""
    uploads_dir: Path | None = None
    """Folder of the articles that staff upload; unset: `DATA_DIR/uploads`."""
    tools_dir: Path = content_root() / "tools"
    """Folder of tools: Python code that opsbot runs."""
    web_dir: Path = content_root() / "web"
    """Folder of templates, built assets and surveys."""
    shop_name: str = "Lumen & Loom"
    """How the shop calls itself, on pages and in mails."""
    returns_address: str = ""
    """Where customers send goods back to, on one line, as the texts about returns say it."""
    public_url: str = "http://127.0.0.1:8000"
    """How customers reach this server; used in links."""
    locale: str = "en"
    """Language of numbers and dates, such as `en` or `de`."""
    time_zone: str = "Europe/Berlin"
    """Zone of the shop's days, such as `Europe/Berlin`."""
    currency: str = "EUR"
    """ISO 4217 code of reports."""
    model: str = "embedded"
    """`embedded`, or `PROVIDER:MODEL` such as `openai:gpt-5`, `anthropic:…`, `ollama:…`."""
    model_base_url: str | None = None
    """Address of an OpenAI-compatible or Ollama server, when it is not the provider's own."""
    model_api_key: SecretStr | None = None
    """Key for the provider; unset: the provider's own environment variable."""
    model_timeout_s: float = Field(default=30, gt=0, le=600)
    """Seconds to wait for the language model."""
    model_most_steps: int = Field(default=8, ge=1, le=50)
    """Calls of the language model in one turn; who needs more is stood in for."""
    model_most_tokens: int = Field(default=60_000, ge=1_000, le=10_000_000)
    """Tokens it may read and write in one turn."""
    model_most_seconds: float = Field(default=60, gt=0, le=3_600)
    """Seconds that it may take for one turn, all its calls together."""
    model_mask_personal_data: bool = False
    """Whether a language model gets placeholders instead of names, addresses and the like."""
    allowed_origins: list[str] = []
    """Web sites that may embed the widget, such as `https://shop.example`."""
    trusted_proxies: list[IPvAnyNetwork] = []
    """Our own proxies, such as `["10.0.0.7"]`: their `X-Forwarded-For` is believed."""
    ports: dict[str, str] = {}
    """Who does effects: `{"payments": "our_shop.stripe:open_port"}`; unset: `DATA_DIR/effects`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """`debug`, `info`, `warning` or `error`."""
    demo: bool = False
    """Serve the sample shop's pages and sign-in links. Never on a real shop."""
    retrieval: RetrievalSettings = RetrievalSettings()
    mail: MailSettings = MailSettings()
    connectors: ConnectorSettings = ConnectorSettings()
    office: OfficeSettings = OfficeSettings()

    @field_validator("secret_key", "identity_key")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"it must have at least {SHORTEST_KEY} characters")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("there is no such time zone; write one like Europe/Berlin") from error
        return value

    @field_validator("currency")
    @classmethod
    def _is_currency(cls, value: str) -> str:
        if not is_currency(value):
            raise ValueError("there is no such currency; write a code like EUR")
        return value

    @field_validator("locale")
    @classmethod
    def _is_locale(cls, value: str) -> str:
        try:
            Locale.parse(value, sep="-" if "-" in value else "_")
        except (UnknownLocaleError, ValueError) as error:
            raise ValueError("there is no such language; write one like en or de") from error
        return value.replace("-", "_")

    @property
    def resolved_uploads_dir(self) -> Path:
        """The folder of uploaded articles, with the default filled in."""
        return self.uploads_dir or self.data_dir / "uploads"

    @property
    def resolved_exports_dir(self) -> Path:
        """The folder of the shop's exports, with the default filled in."""
        return self.connectors.exports_dir or self.data_dir / "exports"

    @property
    def resolved_database_url(self) -> str:
        """The database URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir}/opsbot.db"


def read_settings(**overrides: object) -> Settings:
    """Read the environment and `.env`; `overrides` win (the command line's own options).

    Raises:
        InvalidInputError: a setting is missing, misspelled or out of range; the text names it.
    """
    known = frozenset(_names(Settings, PREFIX))
    written = [*os.environ, *_names_in(Path(".env"))]  # noqa: TID251  (pydantic refuses none)
    for name in written:
        ours = name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
        if ours and not any(fnmatch(name.upper(), one) for one in known):
            raise InvalidInputError(f"{name} is not a setting.{_nearest(name, known)}")
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        if first["type"] == "missing":
            raise InvalidInputError(f"{name} must be set: {_hint(name)}") from error
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidInputError(f"{name} is wrong: {reason}.") from error
    for name in ("knowledge_dir", "tools_dir", "web_dir"):
        folder: Path = getattr(settings, name)
        if not folder.is_dir():
            setting = PREFIX + name.upper()
            raise InvalidInputError(f"{setting} is wrong: there is no folder {folder}.")
    return settings


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the variables that a model reads, those of its groups too; `*` stands for any words."""
    for name, field in model.model_fields.items():
        yield prefix + name.upper()
        group = field.annotation
        if get_origin(group) is dict:
            yield f"{prefix}{name.upper()}__*"
        if isinstance(group, type) and issubclass(group, BaseModel):
            yield from _names(group, f"{prefix}{name.upper()}__")


def _names_in(path: Path) -> list[str]:
    return list(dotenv_values(path)) if path.is_file() else []


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1)
    return f" Did you mean {near[0]}?" if near else " The README lists them all."


def _hint(name: str) -> str:
    if name == "OPSBOT_SECRET_KEY":
        return (
            "at least 32 random characters, such as `openssl rand -hex 32` prints. "
            "For the sample shop, add --demo."
        )
    return "see the README."
