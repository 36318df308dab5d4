"""Read one file of the knowledge folder, whatever its format."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from opsbot.errors import InvalidInputError
from opsbot.retrieval.front_matter import (
    LONGEST_FRONT_MATTER,
    FrontMatter,
    make_front_matter,
    read_yaml_mapping,
)
from opsbot.retrieval.languages import detect
from opsbot.retrieval.normalise import (
    drop_title,
    link_articles,
    mark_warnings,
    normalise_text,
    take_pages,
)
from opsbot.retrieval.paths import file_of, part_of, sidecar_of, suffix_of, to_slug
from opsbot.retrieval.readers import markdown, policy, text
from opsbot.retrieval.readers.content import Content, check_size, decode
from opsbot.retrieval.sources import READABLE, Sources
from opsbot.retrieval.structure import Heading, find_headings

Parse = Callable[[str, bytes], Content]
"""Reads a file that may be hostile: `Sandbox.parse`."""

_PLAIN: Mapping[str, Callable[[str, bytes], Content]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".txt": text.read,
    ".yaml": policy.read,
    ".yml": policy.read,
}
"""Formats that are text already: they are read in this process."""


@dataclass(frozen=True)
class Article:
    """One file, read: what is said about it, and its text as Markdown."""

    path: str
    slug: str
    format: str
    about: FrontMatter
    """Its language is the declared one, or else the one the text is written in."""
    text: str
    headings: tuple[Heading, ...]
    pages: tuple[tuple[int, int], ...] = ()
    """Where each page begins: offset into the text, number; empty where there are no pages."""
    notes: tuple[str, ...] = ()
    """What could not be read, as sentences, though the rest could."""

    def page_at(self, offset: int) -> int | None:
        """Return the page that a place in the text stands on; None where there are no pages."""
        after = bisect_right(self.pages, offset, key=lambda page: page[0])
        return self.pages[after - 1][1] if after else None


def read_article(sources: Sources, path: str, parse: Parse) -> Article:
    """Read the article at `path`.

    Raises:
        InvalidInputError: the file cannot be read; one sentence names the file, the field or
            place, and what to do.
    """
    suffix = suffix_of(path)
    if suffix not in READABLE:
        raise InvalidInputError(
            f"{path}: {suffix} files cannot be read; save it as Markdown, HTML, PDF or DOCX."
        )
    content = _PLAIN.get(suffix, parse)(path, sources.read(path))
    check_size(path, content.text)
    about = content.about or _read_sidecar(sources, path, content.stated)
    pages: tuple[tuple[int, int], ...] = ()
    body = content.text
    if not content.headings:
        body, pages = take_pages(_normalise(body, about.title), paged=suffix == ".pdf")
    if not body.strip():
        raise InvalidInputError(f"{path} holds no text.")
    headings = content.headings or tuple(find_headings(body))
    if not about.language:
        about = about.model_copy(update={"language": detect(f"{about.title}\n{body}")})
    slug, notes = to_slug(path), content.notes
    return Article(path, slug, suffix[1:], about, body, headings, pages, notes)


def _normalise(body: str, title: str) -> str:
    return link_articles(mark_warnings(normalise_text(drop_title(body, title))))


def _read_sidecar(sources: Sources, path: str, stated: Mapping[str, object]) -> FrontMatter:
    """Return what the file beside it, and the file itself, say about an article."""
    sidecar = sidecar_of(path)
    fields: dict[str, object] = {}
    if sources.has_sidecar(path):
        content = sources.read(sidecar)
        if len(content) > LONGEST_FRONT_MATTER:
            raise InvalidInputError(f"{sidecar} is far too long for a title and some fields.")
        fields = read_yaml_mapping(sidecar, decode(sidecar, content))
    elif "audience" not in stated:
        raise InvalidInputError(_missing(path))
    else:
        fields["title"] = PurePosixPath(file_of(path)).stem.replace("-", " ").replace("_", " ")
    return make_front_matter(sidecar, {**fields, **stated})


def _missing(path: str) -> str:
    if suffix_of(path) in {".md", ".markdown"}:
        return (
            f"{path} has no front matter: begin it with a line ---, then title and audience "
            "(public or staff), then another line ---."
        )
    rest = (
        " for its rows without an audience"
        if suffix_of(path) == ".csv" and not part_of(path)
        else ""
    )
    return (
        f"{path} has no sidecar: write {sidecar_of(path)} with title and audience "
        f"(public or staff){rest}."
    )
