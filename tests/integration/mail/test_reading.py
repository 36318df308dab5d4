"""New messages are handed over once; hostile ones stop nobody behind them."""

from pathlib import Path

import pytest
from sqlalchemy import select

from opsbot.db import Database
from opsbot.errors import ConflictError, UnavailableError
from opsbot.mail.imap import FetchedMail, append_draft, fetch_imap
from opsbot.mail.incoming import MAX_BYTES, IncomingMail
from opsbot.mail.mailboxes import fetch_dropped
from opsbot.settings import MailSettings
from tests.factories import NOON
from tests.integration.mail.imap_server import ImapServer


class Reader:
    """Keeps what it is handed; can be out of order, or broken by a subject."""

    def __init__(self) -> None:
        self.mails: list[IncomingMail] = []
        self.is_away = False

    def __call__(self, mail: IncomingMail) -> None:
        if self.is_away:
            raise UnavailableError("The model did not answer.")
        if mail.subject == "conflict":
            raise ConflictError("This cannot be done.")
        if mail.subject == "bug":
            raise ZeroDivisionError
        self.mails.append(mail)

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.mails]


def test_dropped_files_are_read_in_order_and_put_aside(tmp_path: Path) -> None:
    reader = Reader()
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.eml").write_bytes(make_raw(name))
    (tmp_path / "notes.txt").write_text("not a mail")

    count = fetch_dropped(tmp_path, reader)

    assert count == 3
    assert reader.subjects == ["a", "b", "c"]
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == [
        "a.eml",
        "b.eml",
        "c.eml",
    ]
    assert fetch_dropped(tmp_path, reader) == 0


def test_a_file_that_cannot_be_handled_is_kept_with_its_reason(tmp_path: Path) -> None:
    reader = Reader()
    hostile = {
        "1-two-from": b"From: a@example.com\r\nFrom: b@example.com\r\n\r\nhello",
        "2-binary": b"\x00\xff" * 100,
        "3-huge": make_raw("huge") + b"x" * MAX_BYTES,
        "4-conflict": make_raw("conflict"),
        "5-bug": make_raw("bug"),
        "6-good": make_raw("good"),
    }
    for name, raw in hostile.items():
        (tmp_path / f"{name}.eml").write_bytes(raw)

    count = fetch_dropped(tmp_path, reader)

    reasons = {
        path.name.partition(".")[0]: path.read_text()
        for path in (tmp_path / "failed").glob("*.reason.txt")
    }
    assert count == 1
    assert reader.subjects == ["good"]
    assert "2 From lines" in reasons["1-two-from"]
    assert "no mail headers" in reasons["2-binary"]
    assert "more than 5 MB" in reasons["3-huge"]
    assert reasons["4-conflict"] == "This cannot be done.\n"
    assert "ZeroDivisionError" in reasons["5-bug"]
    assert (tmp_path / "failed" / "3-huge.eml").stat().st_size > MAX_BYTES


def test_files_wait_while_the_model_is_away(tmp_path: Path) -> None:
    reader = Reader()
    reader.is_away = True
    (tmp_path / "a.eml").write_bytes(make_raw("a"))

    with pytest.raises(UnavailableError):
        fetch_dropped(tmp_path, reader)
    reader.is_away = False

    assert fetch_dropped(tmp_path, reader) == 1


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_text("not a folder")

    with pytest.raises(UnavailableError, match=f"The mail folder {path} cannot be used"):
        fetch_dropped(path, Reader())


def test_new_messages_of_a_mailbox_are_read_once(
    database: Database, imap: ImapServer, mailbox_settings: MailSettings
) -> None:
    reader = Reader()
    folder = imap.folders["INBOX"]
    folder.add(make_raw("old"), seen=True)
    folder.add(make_raw("first"))

    counts = [fetch_imap(database, mailbox_settings, reader, now=NOON)]
    counts += [fetch_imap(database, mailbox_settings, reader, now=NOON)]
    folder.add(make_raw("read by a person meanwhile"), seen=True)
    counts += [fetch_imap(database, mailbox_settings, reader, now=NOON)]

    assert counts == [1, 0, 1]
    assert reader.subjects == ["first", "read by a person meanwhile"]
    assert "STORE" not in imap.commands
    assert "SELECT" not in imap.commands


def test_a_message_that_cannot_be_handled_is_passed_over_with_its_reason(
    database: Database, imap: ImapServer, mailbox_settings: MailSettings
) -> None:
    reader = Reader()
    for raw in (b"nonsense", make_raw("bug"), make_raw("x") + b"x" * MAX_BYTES, make_raw("good")):
        imap.folders["INBOX"].add(raw)

    count = fetch_imap(database, mailbox_settings, reader, now=NOON)

    with database.read() as session:
        rows = session.scalars(select(FetchedMail).order_by(FetchedMail.uid)).all()
    assert count == 1
    assert reader.subjects == ["good"]
    assert [row.problem is None for row in rows] == [False, False, False, True]
    assert "more than 5 MB" in (rows[2].problem or "")


def test_messages_wait_in_the_mailbox_while_the_model_is_away(
    database: Database, imap: ImapServer, mailbox_settings: MailSettings
) -> None:
    reader = Reader()
    imap.folders["INBOX"].add(make_raw("a"))
    reader.is_away = True
    with pytest.raises(UnavailableError, match="The model did not answer"):
        fetch_imap(database, mailbox_settings, reader, now=NOON)
    reader.is_away = False

    assert fetch_imap(database, mailbox_settings, reader, now=NOON) == 1


def test_a_mailbox_that_was_made_anew_is_read_anew(
    database: Database, imap: ImapServer, mailbox_settings: MailSettings
) -> None:
    reader = Reader()
    imap.folders["INBOX"].add(make_raw("a"))
    fetch_imap(database, mailbox_settings, reader, now=NOON)
    imap.folders["INBOX"].uid_validity += 1

    fetch_imap(database, mailbox_settings, reader, now=NOON)

    assert reader.subjects == ["a", "a"]


def test_a_draft_is_left_in_the_mailbox(imap: ImapServer, mailbox_settings: MailSettings) -> None:
    append_draft(mailbox_settings, make_raw("draft"))

    assert imap.folders["Drafts"].messages == {1: make_raw("draft")}


def test_a_wrong_password_and_a_missing_folder_are_said_in_words(
    database: Database, imap: ImapServer, mailbox_settings: MailSettings
) -> None:
    wrong = mailbox_settings.model_copy(update={"imap_user": "eve"})

    with pytest.raises(UnavailableError, match=f"127.0.0.1:{imap.port} did not answer"):
        fetch_imap(database, wrong, Reader(), now=NOON)
    with pytest.raises(UnavailableError, match="did not answer"):
        append_draft(mailbox_settings, make_raw("draft"), folder="Nowhere")


def test_a_mailbox_server_that_is_away_is_named(database: Database) -> None:
    away = MailSettings(imap_host="127.0.0.1", imap_port=1, imap_tls=False)

    with pytest.raises(UnavailableError, match=r"The mailbox at 127\.0\.0\.1:1 did not answer"):
        fetch_imap(database, away, Reader(), now=NOON)


def make_raw(subject: str) -> bytes:
    return f"From: Ada <ada@example.com>\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()
