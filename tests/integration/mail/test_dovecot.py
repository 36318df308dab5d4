"""The same against a real mailbox server, where Debian's `dovecot-imapd` is installed."""

import getpass
import grp
import imaplib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.mail.imap import append_draft, fetch_imap
from opsbot.mail.incoming import IncomingMail
from opsbot.settings import MailSettings
from tests.factories import NOON
from tests.integration.mail.imap_server import ImapServer

PROGRAM = shutil.which("dovecot", path=f"{os.defpath}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="dovecot-imapd is not installed"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{home}/mail/%u
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
passdb {{
  driver = passwd-file
  args = {home}/passwd
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
}}
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[MailSettings]:
    """Settings that read an empty mailbox of a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    home = tmp_path / "dovecot"
    server = subprocess.Popen(_command(home, port), cwd="/")  # noqa: S603  (our own words)
    try:
        _wait_for(port)
        yield MailSettings(
            imap_host="127.0.0.1",
            imap_port=port,
            imap_tls=False,
            imap_user=ImapServer.user,
            imap_password=SecretStr(ImapServer.password),
        )
    finally:
        server.terminate()
        server.wait(timeout=10)


def test_new_messages_are_read_once_and_stay_unseen(database: Database, real: MailSettings) -> None:
    subjects: list[str] = []

    def keep(mail: IncomingMail) -> None:
        subjects.append(mail.subject)

    deliver(real, "old", seen=True)
    deliver(real, "first")
    counts = [fetch_imap(database, real, keep, now=NOON) for _ in range(2)]
    deliver(real, "read by a person meanwhile", seen=True)
    counts.append(fetch_imap(database, real, keep, now=NOON))

    assert counts == [1, 0, 1]
    assert subjects == ["first", "read by a person meanwhile"]
    assert search(real, "INBOX", "UNSEEN") == 1


def test_a_draft_lies_in_the_folder_of_drafts(database: Database, real: MailSettings) -> None:
    append_draft(real, b"From: shop@example.com\r\nX-Unsent: 1\r\n\r\nHello\r\n")

    assert search(real, "Drafts", "DRAFT") == 1


def test_a_wrong_password_is_said_in_words(database: Database, real: MailSettings) -> None:
    wrong = real.model_copy(update={"imap_user": "eve"})

    with pytest.raises(UnavailableError, match="did not answer"):
        fetch_imap(database, wrong, lambda _mail: None, now=NOON)


def deliver(settings: MailSettings, subject: str, *, seen: bool = False) -> None:
    raw = f"From: ada@example.com\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()
    with imaplib.IMAP4(settings.imap_host or "", settings.imap_port) as client:
        client.login(settings.imap_user, settings.imap_password.get_secret_value())
        client.append("INBOX", "\\Seen" if seen else "", "", raw)


def search(settings: MailSettings, folder: str, criterion: str) -> int:
    with imaplib.IMAP4(settings.imap_host or "", settings.imap_port) as client:
        client.login(settings.imap_user, settings.imap_password.get_secret_value())
        client.select(folder, readonly=True)
        return len(client.search(None, criterion)[1][0].split())


def _command(home: Path, port: int) -> list[str]:
    """Write the configuration; root hands the server to `nobody`, for it refuses to be root."""
    is_root = os.geteuid() == 0
    user = "nobody" if is_root else getpass.getuser()
    group = "nogroup" if is_root else grp.getgrgid(os.getegid()).gr_name
    for name in ("run", "mail", "state"):
        (home / name).mkdir(parents=True)
    (home / "passwd").write_text(f"{ImapServer.user}:{{PLAIN}}{ImapServer.password}\n")
    text = CONFIGURATION.format(home=home, user=user, group=group, port=port)
    (home / "dovecot.conf").write_text(text)
    command = [str(PROGRAM), "-F", "-c", str(home / "dovecot.conf")]
    if not is_root:
        return command
    for path in (home, *home.rglob("*")):
        shutil.chown(path, user, group)
    for parent in list(home.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    return ["runuser", "-u", user, "--", *command]


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        time.sleep(0.05)
    pytest.fail("dovecot did not start")
