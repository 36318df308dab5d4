"""Addresses in the words of a model from outside: only those of the shop, or that a tool named.

An address carries what is written into it to whoever owns its host, so a picture or link that a
model makes up could take a customer's data away.
"""

import html
import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

_PICTURE = re.compile(r"!\[([^\]\n]{0,300})\](?:\([^)\n]*\)?|\[[^\]\n]*\])?")
_LINK = re.compile(r"\[([^\]\n]{0,300})\]\(\s*<?([^)\s>]*)>?[^)\n]*\)?")
_TAG = re.compile(r"</?[a-zA-Z!][^<>\n]*(?:>|$)")
_ADDRESS = re.compile(
    r"(?<![\w@.])(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>\"')\]]+|(?<![\w@.-])www\.[^\s<>\"')\]]+"
    r"|\b(?:javascript|data|vbscript|mailto|tel):[^\s<>\"')\]]+",
    re.IGNORECASE,
)
_END_MARKS = ".,;:!?*_`"


def drop_foreign_links(text: str, is_known: Callable[[str], bool]) -> str:
    """Return a text without pictures, tags, and addresses that are not known; labels stay."""
    text = _TAG.sub("", _PICTURE.sub(r"\1", text))
    text = _LINK.sub(lambda m: m[0] if _holds(m[2], is_known) else m[1], text)
    return _ADDRESS.sub(lambda m: _without(m[0], is_known), text)


def known_addresses(
    hosts: Collection[str], sources: Callable[[], Collection[str]]
) -> Callable[[str], bool]:
    """Return what tells whether an address is the shop's own, or stands whole in a source.

    Args:
        hosts: of the shop's own pages.
        sources: returns the texts of tools and articles so far.
    """

    def is_known(address: str) -> bool:
        parts = urlsplit(address if "//" in address else f"//{address}")
        if parts.scheme in {"", "http", "https"} and parts.netloc.lower() in hosts:
            return True
        whole = re.compile(rf"(?<![\w/]){re.escape(address)}(?![\w/?#&=%-])")
        return any(whole.search(source) for source in sources())

    return is_known


def host_of(address: str) -> str:
    """Return the host of an address, with its port."""
    return urlsplit(address).netloc.lower()


def _holds(address: str, is_known: Callable[[str], bool]) -> bool:
    local = address.startswith(("/", "#")) and not address.startswith("//")
    return local or is_known(html.unescape(address))


def _without(found: str, is_known: Callable[[str], bool]) -> str:
    address = found.rstrip(_END_MARKS)
    try:
        known = is_known(html.unescape(address))
    except ValueError:  # what urlsplit cannot read is no address of ours
        known = False
    return found if known else found[len(address) :]
