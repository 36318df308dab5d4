"""One message that came in, as far as it can be trusted.

Nothing here believes the sender: sizes are capped before anything is parsed, exactly one From with
exactly one address is accepted, and every text is cleaned. The address may still be forged.
"""

import email
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import sha256

from opsbot.errors import InvalidInputError
from opsbot.mail.automatic import why_automatic
from opsbot.mail.markup import to_plain_text
from opsbot.mail.messages import is_message_id
from opsbot.mail.quotes import strip_quotes
from opsbot.mail.text import check_address, clean_text, safe_header

MAX_BYTES = 5 * 1024 * 1024
MAX_PARTS = 100
MAX_NESTS = 30
"""Most parts that hold other parts."""
MAX_LINES = 250_000
MAX_HEADER_BYTES = 64 * 1024
MAX_PART_HEADER = 8 * 1024
"""Characters of a header that says what a part is; its parameters are read in quadratic time."""
MAX_WORK = 1_000_000
"""Most lines, times the boundaries that each of them is compared with."""
MAX_TEXT = 64 * 1024
"""Characters of the text that are kept, and bytes of a part that are decoded, times four."""

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(rb"boundary[\s*0-9]*=", re.IGNORECASE)
_NAMED = re.compile(r'(?:"(?:[^"\\]|\\.){0,300}"|[^"<>@,:;]{0,300})\s*<([^<>\s,:;]{3,254})>')
_BARE = re.compile(r"([^<>\s,:;\"()]{3,254})(?:\s*\([^()]{0,200}\))?")


@dataclass(frozen=True)
class IncomingMail:
    """A message from outside."""

    message_id: str
    """With angle brackets; made from the content when the message has none."""
    sender: str
    """The address in From, in lower case. Anybody can write anything there."""
    subject: str
    text: str
    """What the sender wrote this time: plain text, without quotes and signature."""
    sent_at: datetime | None
    """What the message says; may be wrong."""
    in_reply_to: str | None
    automatic: str
    """Why this was written by a machine and must not be answered, or empty."""


class _Part(Message):
    """A part whose parameters can be read in little time."""

    def set_raw(self, name: str, value: str) -> None:
        """Take a header from the parser, which reads a part's parameters right after this."""
        if name.lower().startswith("content-") and len(value) > MAX_PART_HEADER:
            raise InvalidInputError(
                f"A part of the message has a {safe_header(name, limit=40)} header "
                f"of more than {MAX_PART_HEADER} bytes."
            )
        super().set_raw(name, value)


class _Counted:
    """Makes the parts of one message, and not more of them than are allowed."""

    def __init__(self) -> None:
        # The parser makes one to try, and throws it away.
        self._made = -1

    def __call__(self, policy: "policy.Policy[Message]" = policy.compat32) -> Message:
        self._made += 1
        if self._made > MAX_PARTS:
            raise InvalidInputError(f"The message has more than {MAX_PARTS} parts.")
        return _Part(policy)


def parse_message(raw: bytes) -> IncomingMail:
    """Return what a message says.

    Raises:
        InvalidInputError: it is too large or too deep, is no mail, or has not one clear sender.
    """
    _check_size(raw)
    try:
        message = email.message_from_bytes(raw, _Counted(), policy=policy.compat32)
        parts = [part for part in message.walk() if not part.is_multipart()]
    except (MessageError, RecursionError, ValueError, LookupError) as error:
        raise InvalidInputError("The message is not a mail that can be read.") from error
    reply_to = _first_header(message, "In-Reply-To", limit=250).strip()
    subject = safe_header(_first_header(message, "Subject", limit=1_000))
    return IncomingMail(
        message_id=_message_id(message, raw),
        sender=_sender(message),
        subject=subject,
        text=strip_quotes(_text(parts)),
        sent_at=_date(message),
        in_reply_to=reply_to if is_message_id(reply_to) else None,
        automatic=why_automatic(message, subject),
    )


def _check_size(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise InvalidInputError(f"The message has more than {MAX_BYTES // 1024**2} MB.")
    blank = _BLANK_LINE.search(raw[: MAX_HEADER_BYTES + 4])
    if blank is None and len(raw) > MAX_HEADER_BYTES:
        raise InvalidInputError(f"The message has headers of more than {MAX_HEADER_BYTES} bytes.")
    if not raw.strip() or b":" not in raw[: blank.start() if blank else None]:
        raise InvalidInputError("The file is empty or has no mail headers.")
    # The parser compares every line with every open boundary, so both are capped first.
    boundaries = len(_BOUNDARY.findall(raw))
    if boundaries > MAX_NESTS:
        raise InvalidInputError(f"The message has more than {MAX_NESTS} parts inside each other.")
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    if lines > MAX_LINES:
        raise InvalidInputError(f"The message has more than {MAX_LINES} lines.")
    if lines * (boundaries + 1) > MAX_WORK:
        raise InvalidInputError(f"The message has too many lines ({lines}) in too many parts.")


def _first_header(message: Message, name: str, *, limit: int) -> str:
    value = message.get(name)
    return "" if value is None else _decode(str(value)[:limit])


def _decode(value: str) -> str:
    """Decode `=?utf-8?q?…?=`; what cannot be decoded stays as it is."""
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError, LookupError):
        return value
    return "".join(
        piece if isinstance(piece, str) else _decode_bytes(piece, charset)
        for piece, charset in pieces
    )


def _decode_bytes(raw: bytes, charset: str | None) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return raw.decode(name, errors="replace")
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode("ascii", errors="replace")


def _sender(message: Message) -> str:
    values = message.get_all("From") or []
    if len(values) != 1:
        count = "no From" if not values else f"{len(values)} From lines"
        raise InvalidInputError(f"The message has {count}, so it is not clear who sent it.")
    line = " ".join(str(values[0])[:1_000].split())
    match = _NAMED.fullmatch(line) or _BARE.fullmatch(line)
    if match is None:
        raise InvalidInputError("The From of the message does not name exactly one address.")
    try:
        return check_address(match.group(1))
    except InvalidInputError as error:
        raise InvalidInputError(f"The From of the message cannot be used: {error}") from error


def _message_id(message: Message, raw: bytes) -> str:
    given = str(message.get("Message-ID", ""))[:300].strip()
    return given if is_message_id(given) else f"<{sha256(raw).hexdigest()[:32]}@no-id.invalid>"


def _date(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", ""))[:100])
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _text(parts: list[Message]) -> str:
    """Return the plain text parts, or else the words of the HTML ones."""
    shown = [part for part in parts if part.get_content_disposition() != "attachment"]
    for media_type in ("text/plain", "text/html"):
        found = [_content(part) for part in shown if part.get_content_type() == media_type]
        text = "\n".join(found)
        if media_type == "text/html":
            text = to_plain_text(text[: 4 * MAX_TEXT])
        text = clean_text(text, limit=MAX_TEXT).strip()
        if text:
            return text
    return ""


def _content(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return ""
    charset = part.get_param("charset")
    name = charset if isinstance(charset, str) else None
    return _decode_bytes(payload[: 4 * MAX_TEXT], name) if isinstance(payload, bytes) else ""
