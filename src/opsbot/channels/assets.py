"""The built files of the front end, as a browser wants them: compressed, and cached by content."""

import gzip
import json
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastapi import APIRouter, Request, Response

from opsbot.errors import InvalidInputError, NotFoundError

FOREVER = "public, max-age=31536000, immutable"
"""For an address that names the content: it never means anything else."""
BRIEFLY = "public, max-age=300, stale-while-revalidate=86400"
"""For an address that stays while the content changes."""
SMALLEST_TO_COMPRESS = 600

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """One file, whole."""

    name: str
    content: bytes
    hash: str

    @property
    def media_type(self) -> str:
        """What the file is, with its character set when it is text."""
        guessed = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed

    @cached_property
    def compressed(self) -> bytes:
        """The content after gzip, the same on every machine."""
        return gzip.compress(self.content, compresslevel=9, mtime=0)


class Assets:
    """The files of `web/static`. Only what the manifest names is served."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest and the files.

        Raises:
            InvalidInputError: the folder is not the one a build writes; the text names it.
        """
        try:
            hashes: dict[str, str] = json.loads((folder / "manifest.json").read_bytes())["files"]
            self._files = {
                name: Asset(name, (folder / name).read_bytes(), hash_)
                for name, hash_ in hashes.items()
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{folder} is not a built front end: manifest.json or a file it names is missing. "
                "Set OPSBOT_WEB_DIR to a folder with static/ and templates/."
            ) from error

    def url(self, name: str) -> str:
        """Return the address of a file; it changes with the content.

        Raises:
            KeyError: the manifest does not name it; a template is wrong.
        """
        return f"/static/{name}?v={self._files[name].hash}"

    def find(self, name: str) -> Asset:
        """Return a file.

        Raises:
            NotFoundError: the manifest does not name it.
        """
        if name not in self._files:
            raise NotFoundError("the file", name)
        return self._files[name]


@router.get("/widget.js")
def get_widget(request: Request) -> Response:
    """Send the chat widget to any shop's page."""
    response = _send(request, _assets(request).find("widget.js"), BRIEFLY)
    response.headers["cross-origin-resource-policy"] = "cross-origin"
    response.headers["timing-allow-origin"] = "*"
    return response


@router.get("/favicon.ico")
def get_icon(request: Request) -> Response:
    """Send the icon that browsers ask for unasked."""
    return _send(request, _assets(request).find("favicon.svg"), BRIEFLY)


@router.get("/static/{name}")
def get_file(request: Request, name: str, v: str = "") -> Response:
    """Send a file of our own pages."""
    asset = _assets(request).find(name)
    return _send(request, asset, FOREVER if v == asset.hash else BRIEFLY)


def _assets(request: Request) -> Assets:
    assets: Assets = request.app.state.pages.assets
    return assets


def _send(request: Request, asset: Asset, caching: str) -> Response:
    headers = {
        "cache-control": caching,
        "etag": f'"{asset.hash}"',
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }
    if asset.hash in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = asset.content
    if len(content) > SMALLEST_TO_COMPRESS and "gzip" in request.headers.get("accept-encoding", ""):
        content = asset.compressed
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=asset.media_type, headers=headers)
