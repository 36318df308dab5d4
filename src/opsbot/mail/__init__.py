"""Mail: rows to send, and messages that came in."""

from opsbot.mail.outgoing import Attachment, OutgoingMail, queue_mail
from opsbot.mail.text import safe_header

__all__ = ["Attachment", "OutgoingMail", "queue_mail", "safe_header"]
