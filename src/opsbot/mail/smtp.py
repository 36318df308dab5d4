"""Hand one mail to the server."""

import smtplib
import ssl
from contextlib import suppress

from opsbot.errors import UnavailableError
from opsbot.settings import MailSettings

TIMEOUT_S = 20
IMPLICIT_TLS_PORT = 465


class NotSentError(UnavailableError):
    """The server did not take the mail.

    Attributes:
        final: another try must not be made: the server refused the mail for good, or it may have
            taken it before the line broke.
    """

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


def transmit(raw: bytes, *, sender: str, recipient: str, server: MailSettings) -> None:
    """Send a message to one recipient.

    Args:
        raw: the message, with its headers.
        sender: address that errors go to; empty for an automatic answer (RFC 3834).
        recipient: the one address.
        server: where and how to sign in.

    Raises:
        NotSentError: the server did not take it.
    """
    try:
        smtp = _connect(server)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"{server.smtp_host} cannot be reached: {error}", final=False) from error
    try:
        _address(smtp, sender, recipient)
        _hand_over(smtp, raw)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _connect(server: MailSettings) -> smtplib.SMTP:
    host, port = server.smtp_host or "", server.smtp_port
    if server.smtp_tls and port == IMPLICIT_TLS_PORT:
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if server.smtp_tls and port != IMPLICIT_TLS_PORT:
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if server.smtp_user:
            smtp.login(server.smtp_user, server.smtp_password.get_secret_value())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _address(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
    try:
        for say, address in ((smtp.mail, sender), (smtp.rcpt, recipient)):
            _check(*say(address))
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"The mail server hung up: {error}", final=False) from error


def _hand_over(smtp: smtplib.SMTP, raw: bytes) -> None:
    try:
        _check(*smtp.data(raw))
    except smtplib.SMTPDataError as error:
        _check(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"The line broke; it may have been sent: {error}", final=True) from error


def _check(code: int, words: bytes | str) -> None:
    if 200 <= code < 300:  # noqa: PLR2004  (RFC 5321: 2xx is a yes)
        return
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    final = code >= 500  # noqa: PLR2004  (RFC 5321: 5xx is a no for good)
    raise NotSentError(f"The mail server answered {code} {said}", final=final)
