"""Ports: where effects go. Each is a provider's system, or a folder that a person works off."""

import hashlib
import importlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from opsbot.errors import InvalidInputError, UnavailableError
from opsbot.settings import Settings

FILE = "file"
"""The value of the setting that names the file port."""
_LONGEST_NAME = 120


class Port(Protocol):
    """Does one kind of thing outside. Any number of threads may call it at once."""

    def deliver(self, operation: str, payload: Mapping[str, Any], key: str) -> str:
        """Do it, once for each key, and return what the provider calls it.

        It may be called again with a key whose work was done already, because the answer was
        lost: it must then return the first reference and do nothing.

        Raises:
            UnavailableError: nobody answered; another try makes sense.
            ConflictError: the provider refused it; a person must look.
        """
        ...


class FilePort:
    """Writes one JSON file for each key: the worklist of a shop without a connection."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def deliver(self, operation: str, payload: Mapping[str, Any], key: str) -> str:
        """Write the file unless it is there; the reference is its name.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        path = self._folder / _file_name(key)
        content = {"port": self._name, "operation": operation, "key": key, "payload": payload}
        try:
            if not path.exists():
                _write(path, json.dumps(content, indent=2, ensure_ascii=False))
        except OSError as error:
            message = f"The folder {self._folder} cannot be written: {error.strerror}."
            raise UnavailableError(message) from error
        return path.name


def open_ports(settings: Settings) -> dict[str, Port]:
    """Return the ports that the settings name; `""` is the file port, for all others.

    Raises:
        InvalidInputError: one of them cannot be loaded; the text names it.
    """
    folder = settings.data_dir / "effects"
    ports: dict[str, Port] = {"": FilePort(folder, "")}
    for name, choice in settings.ports.items():
        ports[name] = FilePort(folder, name) if choice == FILE else _load(name, choice, settings)
    return ports


def _write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _load(name: str, choice: str, settings: Settings) -> Port:
    module, _, factory = choice.partition(":")
    try:
        port: Port = getattr(importlib.import_module(module), factory)(settings)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"OPSBOT_PORTS: the port {name} cannot be opened from {choice!r}: {error}."
        raise InvalidInputError(message) from error
    return port


def _file_name(key: str) -> str:
    name = quote(key, safe=" #@+,=")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return f"{name}.json"
