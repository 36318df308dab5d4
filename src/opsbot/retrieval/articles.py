"""Read one file of the knowledge folder, whatever its format."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from opsbot.errors import InvalidInputError
from opsbot.retrieval.front_matter import FrontMatter, read_front_matter
from opsbot.retrieval.normalise import (
    drop_title,
    link_articles,
    mark_warnings,
    normalise_text,
    to_slug,
)
from opsbot.retrieval.readers import docx, html, markdown, pdf, policy, text
from opsbot.retrieval.readers.content import Content, decode
from opsbot.retrieval.structure import Heading, find_headings

MAX_BYTES = 20_000_000
SIDECAR = ".meta.yaml"

_READER_VERSION = b"1"
"""Raise it when a reader changes what it returns: every file is then read again."""

_READERS: Mapping[str, Callable[[str, bytes], Content]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".html": html.read,
    ".htm": html.read,
    ".pdf": pdf.read,
    ".docx": docx.read,
    ".txt": text.read,
    ".yaml": policy.read,
    ".yml": policy.read,
}
_FOREIGN = {".doc", ".odt", ".rtf", ".pages", ".pptx", ".xlsx", ".epub"}


@dataclass(frozen=True)
class Article:
    """One file, read: what is said about it, and its text as Markdown."""

    path: str
    slug: str
    format: str
    about: FrontMatter
    text: str
    headings: tuple[Heading, ...]


def list_files(folder: Path) -> list[str]:
    """Return the paths of all articles below `folder`, sorted, relative to it.

    Sidecars, hidden files, and files that hold no text, such as pictures, are not among them.

    Raises:
        InvalidInputError: the folder does not exist.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"The knowledge folder {folder} does not exist.")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if _is_article(path))


def hash_file(folder: Path, path: str) -> str:
    """Return the SHA-256 of a file, its sidecar and the reader's version.

    Raises:
        InvalidInputError: the file is too large, or cannot be opened.
    """
    digest = hashlib.sha256(_READER_VERSION)
    for part in (path, path + SIDECAR):
        if part == path or (folder / part).is_file():
            digest.update(b"\0" + _read_bytes(folder, part))
    return digest.hexdigest()


def read_article(folder: Path, path: str) -> Article:
    """Read the file at `path`, relative to `folder`.

    Raises:
        InvalidInputError: the file cannot be read; one sentence names the file, the field or
            place, and what to do.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in _READERS:
        raise InvalidInputError(
            f"{path}: {suffix} files cannot be read; save it as Markdown, HTML, PDF or DOCX."
        )
    content = _READERS[suffix](path, _read_bytes(folder, path))
    about = content.about or _read_sidecar(folder, path)
    body = content.text if content.headings else _normalise(content.text, about.title)
    if not body.strip():
        raise InvalidInputError(f"{path} holds no text.")
    headings = content.headings or tuple(find_headings(body))
    return Article(path, to_slug(path), suffix[1:], about, body, headings)


def _normalise(body: str, title: str) -> str:
    return link_articles(mark_warnings(normalise_text(drop_title(body, title))))


def _is_article(path: Path) -> bool:
    if path.name.endswith(SIDECAR) or any(part.startswith((".", "~", "_")) for part in path.parts):
        return False
    if path.suffix in {".yaml", ".yml"}:
        # Machine values elsewhere than among the policies are nobody's reading.
        return path.parts[0] == "policies"
    return path.suffix.lower() in _READERS or path.suffix.lower() in _FOREIGN


def _read_bytes(folder: Path, path: str) -> bytes:
    file = folder / path
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise InvalidInputError(
                f"{path} has {size / 1e6:.0f} MB; an article may have {MAX_BYTES / 1e6:.0f}."
            )
        return file.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be opened: {error.strerror}.") from error


def _read_sidecar(folder: Path, path: str) -> FrontMatter:
    sidecar = path + SIDECAR
    if not (folder / sidecar).is_file():
        raise InvalidInputError(
            f"{path} has no sidecar: write {sidecar} with title and audience (public or staff)."
        )
    return read_front_matter(sidecar, decode(sidecar, _read_bytes(folder, sidecar)))
