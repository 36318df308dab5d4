"""Where articles lie: the files of the shop's folder, and those that staff have uploaded."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opsbot.errors import InvalidInputError
from opsbot.retrieval.paths import SIDECAR, file_of, sidecar_of
from opsbot.retrieval.readers.sheet import list_parts

MAX_BYTES = 20_000_000
UPLOADS = "uploads"
"""How the paths of uploaded files begin."""

READABLE = {".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ".txt", ".csv", ".yaml", ".yml"}
"""Suffixes of files that can be read."""

_FOREIGN = {".doc", ".odt", ".rtf", ".pages", ".pptx", ".xlsx", ".epub"}
_READER_VERSION = b"2"
"""Raise it when a reader changes what it returns: every file is then read again."""


@dataclass(frozen=True)
class Sources:
    """The folders that hold the articles, seen as one.

    A path is relative, with forward slashes; those of uploaded files begin with `uploads/`. A CSV
    file whose rows are for several readers is several articles: `faqs/shop.csv#staff`.
    """

    folder: Path
    uploads: Path | None = None

    def list_paths(self) -> list[str]:
        """Return the paths of all articles, sorted.

        Sidecars, hidden files, and files that hold no text, such as pictures, are not among them.

        Raises:
            InvalidInputError: the shop's folder does not exist.
        """
        return sorted(part for path in self._list_files() for part in self._split(path))

    def find(self, path: str) -> Path:
        """Return where the file of an article, or its sidecar, lies or would lie."""
        name = file_of(path)
        first, _, rest = name.partition("/")
        if first == UPLOADS and self.uploads is not None:
            uploaded = self.uploads / rest
            if uploaded.is_file() or not (self.folder / name).is_file():
                return uploaded
        return self.folder / name

    def read(self, path: str) -> bytes:
        """Return the bytes of an article's file.

        Raises:
            InvalidInputError: it is too large, or cannot be opened.
        """
        file = self.find(path)
        try:
            size = file.stat().st_size
            if size > MAX_BYTES:
                raise InvalidInputError(
                    f"{path} has {size / 1e6:.0f} MB; an article may have {MAX_BYTES / 1e6:.0f}."
                )
            return file.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InvalidInputError(f"{path} cannot be opened: {reason}.") from error

    def has_sidecar(self, path: str) -> bool:
        """Tell whether a file beside it says what the article is."""
        return self.find(sidecar_of(path)).is_file()

    def hash(self, path: str) -> str:
        """Return the SHA-256 of a file, its sidecar and the reader's version.

        Raises:
            InvalidInputError: the file is too large, or cannot be opened.
        """
        digest = hashlib.sha256(_READER_VERSION + b"\0" + self.read(path))
        if self.has_sidecar(path):
            digest.update(b"\0" + self.read(sidecar_of(path)))
        return digest.hexdigest()

    def stamp(self, path: str) -> str:
        """Return sizes and times of change of a file and its sidecar, without reading them.

        The same stamp means the same content, unless somebody set the clock back.
        """
        return ";".join([_READER_VERSION.decode(), *self._stats(path)])

    def snapshot(self) -> str:
        """Return what all stamps come to: another one means that some article changed."""
        digest = hashlib.sha256()
        for path in sorted(self._list_files()):
            digest.update(f"{path}\0{self.stamp(path)}\n".encode())
        return digest.hexdigest()

    def _list_files(self) -> set[str]:
        if not self.folder.is_dir():
            raise InvalidInputError(f"The knowledge folder {self.folder} does not exist.")
        found = set(_list_files(self.folder))
        if self.uploads is not None and self.uploads.is_dir():
            found |= {f"{UPLOADS}/{path}" for path in _list_files(self.uploads)}
        return found

    def _stats(self, path: str) -> Iterator[str]:
        for part in (path, sidecar_of(path)):
            try:
                stat = self.find(part).stat()
            except (OSError, ValueError):
                yield "-"
            else:
                yield f"{stat.st_size},{stat.st_mtime_ns},{stat.st_ino}"

    def _split(self, path: str) -> list[str]:
        """Return the paths of the articles in one file."""
        if not path.lower().endswith(".csv"):
            return [path]
        try:
            parts = list_parts(path, self.read(path))
        except InvalidInputError:
            return [path]  # Who reads it will say why.
        return [f"{path}#{part}" if part else path for part in parts]


def _list_files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if _is_article(relative) and path.is_file():
            # A name in no known encoding is listed too; its file is then not found, and said so.
            yield os.fsencode(relative.as_posix()).decode(errors="backslashreplace")


def _is_article(path: Path) -> bool:
    if path.name.endswith(SIDECAR) or any(part.startswith((".", "~", "_")) for part in path.parts):
        return False
    suffix = path.suffix.lower()
    if suffix in {".yaml", ".yml"}:
        # Machine values elsewhere than among the policies are nobody's reading.
        return path.parts[0] == "policies"
    return suffix in READABLE or suffix in _FOREIGN
