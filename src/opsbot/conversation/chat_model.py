"""The chat model these settings name, and when to do without it."""

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel

from opsbot.errors import InvalidInputError
from opsbot.settings import Settings

EMBEDDED = "embedded"
PROVIDERS = {
    "openai": ("langchain_openai", "ChatOpenAI"),
    "anthropic": ("langchain_anthropic", "ChatAnthropic"),
    "ollama": ("langchain_ollama", "ChatOllama"),
}
"""Package and class of each."""

FAILURES = 3
"""So many failed turns in a row, and the remote model is left alone for a while."""
PAUSE_S = 30.0
"""How long."""


def open_remote_model(settings: Settings) -> BaseChatModel | None:
    """Return the language model named by `OPSBOT_MODEL`, or None for the embedded one.

    Only the package of the named provider is imported.

    Raises:
        InvalidInputError: the name is not `PROVIDER:MODEL`, or the provider's package is missing.
    """
    if settings.model == EMBEDDED:
        return None
    provider, _, name = settings.model.partition(":")
    if not name:
        raise InvalidInputError(
            f"OPSBOT_MODEL is {settings.model!r}; write `embedded` or PROVIDER:MODEL, "
            "such as `openai:gpt-5`."
        )
    options: dict[str, Any] = {"timeout": settings.model_timeout_s, "max_retries": 1}
    if settings.model_api_key is not None:
        options["api_key"] = settings.model_api_key
    if provider not in PROVIDERS:
        return _open_any(provider, name, options)
    package, class_name = PROVIDERS[provider]
    try:
        model_class = getattr(import_module(package), class_name)
    except ImportError as error:
        raise InvalidInputError(
            f"OPSBOT_MODEL names {provider}, but its package is not installed: "
            f'pip install "opsbot[{provider}]".'
        ) from error
    if settings.model_base_url:
        options["base_url"] = settings.model_base_url
    if provider == "openai":
        # The stub servers and most compatible servers speak the chat protocol only.
        options["use_responses_api"] = False
    if provider == "ollama":
        options = {
            key: value for key, value in options.items() if key not in {"timeout", "max_retries"}
        } | {"client_kwargs": {"timeout": settings.model_timeout_s}}
    try:
        model: BaseChatModel = model_class(model=name, **options)
    except Exception as error:
        # Providers say in many ways that a key is missing; the text is theirs.
        raise InvalidInputError(f"OPSBOT_MODEL {settings.model}: {error}") from error
    return model


def _open_any(provider: str, name: str, options: dict[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model  # noqa: PLC0415  (slow; only when named)

    try:
        model: BaseChatModel = init_chat_model(f"{provider}:{name}", **options)
    except (ImportError, ValueError) as error:
        raise InvalidInputError(f"OPSBOT_MODEL names {provider}: {error}") from error
    return model


class Breaker:
    """Stops asking a server that has failed several times, for a while."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        """`elapsed` returns seconds on a clock that never goes back."""
        self._elapsed = elapsed
        self._failures = 0
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Tell whether the server may be asked now."""
        with self._lock:
            return self._elapsed() >= self._closed_until

    def report(self, *, failed: bool) -> None:
        """Say how the last turn went."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= FAILURES:
                self._closed_until = self._elapsed() + PAUSE_S
                self._failures = 0
