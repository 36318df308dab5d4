"""A stored mail as the bytes that leave the house."""

import base64
import email
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from opsbot.errors import InvalidInputError, UnavailableError
from opsbot.mail.outgoing import OutgoingMail, make_message_id
from opsbot.mail.text import check_address, safe_header
from opsbot.settings import Settings

# Exactly these may stand above the text; anything else was smuggled in.
_HEADERS = frozenset(
    {
        "from", "to", "subject", "date", "message-id", "in-reply-to", "references",
        "auto-submitted", "x-auto-response-suppress", "x-unsent",
        "mime-version", "content-type", "content-transfer-encoding",
    }
)  # fmt: skip
_HOSTILE = "Hello=?utf-8?q?=0D=0A?=Bcc: thief@example.org\r\nBcc: thief@example.org"


def write_message(mail: OutgoingMail, settings: Settings, *, now: datetime) -> bytes:
    """Return the mail in the form of RFC 5322, with CRLF line ends.

    Raises:
        InvalidInputError: the result would hold a header that we did not write.
    """
    message = start_message(
        settings, to=mail.recipient, subject=mail.subject, in_reply_to=mail.in_reply_to
    )
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_message_id(mail.dedupe_key, settings)
    if mail.automatic:
        message["Auto-Submitted"] = "auto-replied" if mail.in_reply_to else "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for stored in mail.attachments:
        _attach(message, stored)
    return to_bytes(message)


def start_message(
    settings: Settings, *, to: str, subject: str, in_reply_to: str | None
) -> EmailMessage:
    """Return a message from the shop with its first headers, without a text."""
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    sender = check_address(settings.mail.address)
    message["From"] = Address(safe_header(settings.shop_name), addr_spec=sender)
    message["To"] = check_address(to)
    message["Subject"] = safe_header(subject) or "(no subject)"
    if in_reply_to is not None and is_message_id(in_reply_to):
        message["In-Reply-To"] = in_reply_to
        message["References"] = in_reply_to
    return message


def is_message_id(text: str) -> bool:
    """Tell whether the text has the form of a Message-ID and nothing else."""
    inner = text[1:-1]
    plain = inner.isascii() and inner.isprintable() and not set(inner) & set(' <>"\\')
    framed = text.startswith("<") and text.endswith(">") and 1 <= inner.find("@") < len(inner) - 1
    return framed and plain and len(text) <= 250 and "=?" not in text  # noqa: PLR2004  (a header line)


def to_bytes(message: EmailMessage) -> bytes:
    """Return the message's bytes, after a look at which headers they really hold.

    Raises:
        InvalidInputError: a header stands there that we did not write, or one stands twice.
    """
    raw = message.as_bytes()
    names = [name.lower() for name in email.message_from_bytes(raw, policy=policy.compat32)]
    strange = sorted({name for name in names if name not in _HEADERS or names.count(name) > 1})
    if strange:
        raise InvalidInputError(f"The mail is not sent: it would carry {', '.join(strange)} again.")
    return raw


def probe_headers(settings: Settings) -> None:
    """Check that this Python writes a hostile subject without adding a header; for the start.

    Raises:
        UnavailableError: it does not, so no mail may be sent.
    """
    message = start_message(settings, to="probe@example.com", subject=_HOSTILE, in_reply_to=None)
    message.set_content("probe")
    try:
        raw = to_bytes(message)
    except InvalidInputError as error:
        raise UnavailableError(
            f"Mail is off: this Python writes unsafe headers. {error}"
        ) from error
    if b"\nbcc:" in raw.lower():
        raise UnavailableError("Mail is off: this Python lets a subject add a recipient.")


def _attach(message: EmailMessage, stored: dict[str, Any]) -> None:
    main, _, sub = str(stored["media_type"]).partition("/")
    message.add_attachment(
        base64.b64decode(stored["base64"]),
        maintype=main,
        subtype=sub or "octet-stream",
        filename=safe_header(str(stored["name"]), limit=80),
    )
