"""What the path of an article tells: its file, its part of it, its format, its address.

A path is relative to the folder of the articles, with forward slashes. A CSV file whose rows are
for several readers is several articles: `faqs/shop.csv#staff`.
"""

import re
import unicodedata
from pathlib import PurePosixPath

SIDECAR = ".meta.yaml"
"""How the name of the file ends that says what an article is."""

_PART = re.compile(r"(?is)(.+\.csv)#([a-z0-9-]+)")


def file_of(path: str) -> str:
    """Return the path of the file that holds an article."""
    match = _PART.fullmatch(path)
    return match[1] if match else path


def part_of(path: str) -> str:
    """Return which part of its file an article is; empty when it is all of it, or the rest."""
    match = _PART.fullmatch(path)
    return match[2] if match else ""


def sidecar_of(path: str) -> str:
    """Return the path of the file that says what an article is."""
    return file_of(path) + SIDECAR


def suffix_of(path: str) -> str:
    """Return the format of an article: the suffix of its file, in small letters, with the dot."""
    return PurePosixPath(file_of(path)).suffix.lower()


def to_slug(path: str) -> str:
    """Return the name of an article in addresses, from its path alone.

    `manuals/halo-desk-lamp.md` is `halo-desk-lamp`; a policy is marked as one, so that
    `policies/returns.yaml` and `faqs/returns.md` differ.
    """
    pure = PurePosixPath(file_of(path))
    plain = unicodedata.normalize("NFKD", f"{pure.stem} {part_of(path)}").lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)) or "article"
    return f"{slug}-policy" if pure.suffix in {".yaml", ".yml"} else slug
