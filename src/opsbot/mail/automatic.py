"""Mails that machines wrote: bounces, holiday notes, lists. Never answered (RFC 3834)."""

import re
from email.message import Message

_DAEMONS = re.compile(
    r"(?:^|[<\s\"])(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?([+=-][^@]*)?|listserv|majordomo"
    r"|[^@]{0,60}-(request|bounces?|owner))@",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"(undeliver(ed|able)|delivery (status notification|failure|has failed)|mail delivery (failed"
    r"|subsystem)|returned mail|failure notice|out of (the )?office|automatic reply|auto-?reply"
    r"|automatische antwort|abwesenheit|unzustellbar|réponse automatique)",
    re.IGNORECASE,
)


def why_automatic(message: Message, subject: str) -> str:
    """Return why nobody waits for an answer to this message, or an empty text.

    Args:
        message: the message, for its headers.
        subject: its subject, decoded.
    """
    submitted = _header(message, "Auto-Submitted")
    signs = {
        "a delivery report": _is_report(message),
        "sent by a machine": bool(submitted) and not submitted.startswith("no"),
        "sent without a return path": _header(message, "Return-Path") == "<>",
        "bulk mail": _header(message, "Precedence") in {"bulk", "junk", "list", "auto_reply"},
        "from a mailing list": _has(message, "List-Id", "List-Unsubscribe", "List-Post"),
        "an automatic reply": _has(message, "X-Autoreply", "X-Autorespond", "X-Failed-Recipients"),
        "from an address that reads no answers": bool(_DAEMONS.search(_header(message, "From"))),
        "an automatic reply or a bounce": bool(_SUBJECTS.match(subject)),
    }
    return next((reason for reason, present in signs.items() if present), "")


def _is_report(message: Message) -> bool:
    kind = message.get_content_type()
    described = kind == "multipart/report" and message.get_param("report-type") is not None
    return described or kind == "message/delivery-status"


def _has(message: Message, *names: str) -> bool:
    return any(name in message for name in names)


def _header(message: Message, name: str) -> str:
    return str(message.get(name, ""))[:500].strip().lower()
