"""Servers that speak SMTP and IMAP on loopback."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from opsbot.settings import MailSettings, Settings
from tests.integration.mail.imap_server import ImapServer


@dataclass
class Inbox:
    """What an SMTP server was given, and what it answers."""

    port: int = 0
    received: list[Envelope] = field(default_factory=list)
    rcpt_answer: str = "250 OK"
    data_answer: str = "250 taken"

    @property
    def raw(self) -> list[bytes]:
        """The messages as they arrived."""
        return [bytes(envelope.original_content or b"") for envelope in self.received]

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.received.append(envelope)
        if self.data_answer == "hang up":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return self.data_answer


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server that keeps what it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handler = Inbox(port=listener.getsockname()[1])
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def mailing(settings: Settings, inbox: Inbox) -> Settings:
    """Settings that send mail to `inbox`."""
    mail = MailSettings(smtp_host="127.0.0.1", smtp_port=inbox.port, smtp_tls=False)
    return settings.model_copy(update={"mail": mail})


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    """A mailbox server with an empty INBOX and Drafts; user `shop`, password `secret`."""
    with ImapServer() as server:
        yield server


@pytest.fixture
def mailbox_settings(imap: ImapServer) -> MailSettings:
    """Settings that read `imap`."""
    return MailSettings(
        imap_host="127.0.0.1",
        imap_port=imap.port,
        imap_tls=False,
        imap_user="shop",
        imap_password=SecretStr(ImapServer.password),
    )
