"""From a mail to a question, and from a reply to a mail."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.conversation.replies import Reply
from opsbot.settings import Settings

_SHORT = 300
"""Characters of a text that may need its subject to be understood."""
_GREETING = re.compile(
    r"(hi|hello|hey|dear|good (morning|afternoon|evening|day)|hallo|guten tag|moin)\b"
    r"[^.?!\n]{0,60}$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"((best|kind|warm|many|with)\b[^.?!\n]{0,40}|regards|thanks( a lot| again| in advance)?"
    r"|thank you( very much| in advance)?|cheers|sincerely|yours[^.?!\n]{0,20}"
    r"|mit freundlichen gr[^\n]{0,20}|viele gr[^\n]{0,20})[,.!]*$",
    re.IGNORECASE,
)
_REPLY_MARK = re.compile(r"^\s*((re|aw|fwd?|wg|antw)\s*:\s*)+", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\((https?://[^\s()]{1,500}|/[^\s()]{0,500})\)")
_MARKS = re.compile(r"\*\*|__|`")
_LINE_START = re.compile(r"^(?:#{1,6} +|> ?)", re.MULTILINE)
"""Marks of headings and of warnings; in a mail, `>` would look like a quote."""


def find_question(subject: str, text: str) -> str:
    """Return what the mail asks: without greeting and closing, with the subject if it helps."""
    lines = text.strip().split("\n")
    if lines and _GREETING.match(lines[0].strip()):
        lines = lines[1:]
    lines = _without_closing(lines)
    body = "\n".join(lines).strip() or text.strip()
    title = plain_subject(subject)
    is_told = title.lower() in body.lower() or _REPLY_MARK.match(subject) is not None
    if not body:
        return title
    if is_told or len(body) > _SHORT or len(title.split()) < 2:  # noqa: PLR2004  ("Question")
        return body
    return f"{title}\n\n{body}"


def plain_subject(subject: str) -> str:
    """Return the subject without `Re:` and `Fwd:`."""
    return _REPLY_MARK.sub("", subject).strip()


def write_mail(reply: Reply, settings: Settings, *, name: str = "") -> str:
    """Return a reply as the text of a mail: greeting, words, sources, sign-off.

    Args:
        reply: what the assistant said, in Markdown.
        settings: for the shop's name and address.
        name: how to call the customer, when we know.
    """
    parts = [reply.text]
    if reply.proposal is not None:
        parts.append(_ask_to_confirm(reply.proposal, settings))
    return write_answer(parts, reply.citations, settings, name=name)


def write_answer(
    paragraphs: Sequence[str],
    citations: Sequence[Mapping[str, Any]],
    settings: Settings,
    *,
    name: str = "",
) -> str:
    """Return paragraphs of Markdown as the text of a mail: greeting, words, sources, sign-off.

    Args:
        paragraphs: what is said, in order.
        citations: what it rests on: `n`, `title`, `heading`, `url` each.
        settings: for the shop's name and address.
        name: how to call the customer, when we know.
    """
    parts = [f"Hello {name},".replace(" ,", ",")]
    parts += [to_plain(paragraph, settings) for paragraph in paragraphs]
    if citations:
        parts.append(_list_sources(citations, settings))
    return "\n\n".join([*parts, f"Kind regards\n{settings.shop_name}"]) + "\n"


def write_refusal(settings: Settings) -> str:
    """Return the answer to a mail that asks for what its address does not show to be its own."""
    return (
        "Hello,\n\nthank you for your message. We can only write about an order to the e-mail "
        "address it was placed with. Please write to us from that address, or sign in at "
        f"{settings.public_url} and ask there.\n\nKind regards\n{settings.shop_name}\n"
    )


def to_plain(markdown: str, settings: Settings) -> str:
    """Return Markdown as plain text; links show where they lead."""
    linked = _LINK.sub(
        lambda match: f"{match.group(1)} ({_absolute(match.group(2), settings)})", markdown
    )
    return _LINE_START.sub("", _MARKS.sub("", linked)).strip()


def _without_closing(lines: list[str]) -> list[str]:
    """Cut off "Kind regards" and the name below it."""
    for back in range(1, min(4, len(lines)) + 1):
        if _CLOSING.match(lines[-back].strip()):
            return lines[:-back]
    return lines


def _ask_to_confirm(proposal: Mapping[str, Any], settings: Settings) -> str:
    lines = [to_plain(str(proposal["title"]), settings)]
    lines += [f"- {to_plain(str(detail), settings)}" for detail in proposal["details"]]
    lines.append(
        "Nothing has been changed yet. So that nobody else can change it by e-mail, please sign in "
        f"at {settings.public_url} and confirm it there."
    )
    return "\n".join(lines)


def _list_sources(citations: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    lines = ["Sources:"]
    for citation in citations:
        heading = citation.get("heading")
        name = f"{citation['title']}, {heading}" if heading else str(citation["title"])
        url = _absolute(str(citation["url"]), settings) if citation.get("url") else ""
        lines.append(f"[{citation['n']}] {name}{': ' if url else ''}{url}")
    return "\n".join(lines)


def _absolute(url: str, settings: Settings) -> str:
    return f"{settings.public_url.rstrip('/')}{url}" if url.startswith("/") else url
