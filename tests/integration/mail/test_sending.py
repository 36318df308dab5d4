"""From a queued row to the server, once."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsbot.db import Database
from opsbot.errors import ConflictError
from opsbot.mail import queue_mail
from opsbot.mail.outgoing import Attachment, MailState, OutgoingMail, count_mails, retry_mail
from opsbot.mail.sending import FORGOTTEN, LEASE, MAX_ATTEMPTS, deliver
from opsbot.settings import MailSettings, Settings
from tests.factories import NOON
from tests.integration.mail.conftest import Inbox

MINUTE = timedelta(minutes=1)


def test_a_queued_mail_reaches_its_one_recipient(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    queue(database, to="Ada@Example.com", subject="Grüße\r\nBcc: eve@example.org")

    sent = deliver(database, mailing, now=NOON)

    assert sent == 1
    assert inbox.received[0].rcpt_tos == ["ada@example.com"]
    assert inbox.received[0].mail_from == "hello@lumenandloom.example"
    assert b"\nBcc" not in inbox.raw[0]
    mail = only_mail(database)
    assert mail.state is MailState.SENT
    assert mail.sent_at == NOON
    assert mail.message_id is not None
    assert mail.message_id.encode() in inbox.raw[0]


def test_without_a_server_mails_become_files(database: Database, settings: Settings) -> None:
    queue(database, attachments=[Attachment("label.pdf", "application/pdf", b"%PDF")])

    deliver(database, settings, now=NOON)

    files = list((settings.data_dir / "mail" / "out").iterdir())
    assert [path.name for path in files] == [f"{only_mail(database).id}.eml"]
    assert b'filename="label.pdf"' in files[0].read_bytes()


def test_a_known_key_queues_nothing(database: Database, mailing: Settings, inbox: Inbox) -> None:
    first = queue(database, dedupe_key="survey:1", text="first")
    second = queue(database, dedupe_key="survey:1", text="second")

    deliver(database, mailing, now=NOON)
    deliver(database, mailing, now=NOON + MINUTE)

    assert first == second
    assert len(inbox.received) == 1


def test_a_transaction_that_fails_sends_nothing(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    with suppress(ZeroDivisionError), database.write() as session:
        add(session, dedupe_key="a")
        raise ZeroDivisionError

    assert deliver(database, mailing, now=NOON) == 0
    assert inbox.received == []


def test_two_workers_never_send_one_mail_twice(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    for number in range(30):
        queue(database, dedupe_key=f"code:{number}")
    barrier = threading.Barrier(3)
    counts: list[int] = []

    def work() -> None:
        barrier.wait()
        counts.append(deliver(database, mailing, now=NOON))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [header(raw, b"Message-ID") for raw in inbox.raw]
    assert sum(counts) == len(ids) == len(set(ids)) == 30


def test_a_busy_server_is_asked_again_later_and_later(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    inbox.rcpt_answer = "451 try later"
    queue(database)

    deliver(database, mailing, now=NOON)
    deliver(database, mailing, now=NOON + MINUTE)
    inbox.rcpt_answer = "250 OK"
    deliver(database, mailing, now=NOON + 2 * MINUTE)

    mail = only_mail(database)
    assert mail.state is MailState.SENT
    assert mail.attempts == 2


def test_a_mail_is_given_up_in_the_end_and_a_person_may_try_again(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    inbox.data_answer = "452 disk full"
    mail_id = queue(database)
    for hour in range(MAX_ATTEMPTS + 3):
        deliver(database, mailing, now=NOON + timedelta(hours=5 * hour))
    given_up = only_mail(database)

    inbox.data_answer = "250 taken"
    with database.write() as session:
        retry_mail(session, mail_id, now=NOON + timedelta(days=9))
    deliver(database, mailing, now=NOON + timedelta(days=9))

    assert given_up.state is MailState.FAILED
    assert given_up.attempts == MAX_ATTEMPTS
    assert "452 disk full" in (given_up.last_error or "")
    assert only_mail(database).state is MailState.SENT


def test_a_mail_that_is_refused_for_good_is_not_tried_again(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    inbox.rcpt_answer = "550 no such user"
    queue(database)

    deliver(database, mailing, now=NOON)

    assert only_mail(database).state is MailState.FAILED
    assert "550 no such user" in (only_mail(database).last_error or "")


def test_a_mail_that_may_have_left_is_not_sent_blindly_again(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    inbox.data_answer = "hang up"
    queue(database)

    deliver(database, mailing, now=NOON)
    inbox.data_answer = "250 taken"
    deliver(database, mailing, now=NOON + timedelta(days=1))

    assert len(inbox.received) == 1
    assert only_mail(database).state is MailState.FAILED
    assert "may have been sent" in (only_mail(database).last_error or "")


@pytest.mark.parametrize("by_smtp", [True, False], ids=["by SMTP", "into files"])
def test_after_a_crash_a_file_is_written_again_and_a_mail_is_not(
    database: Database, mailing: Settings, settings: Settings, inbox: Inbox, *, by_smtp: bool
) -> None:
    queue(database)
    with database.write() as session:  # as a worker leaves it that dies half-way
        mail = session.scalars(select(OutgoingMail)).one()
        mail.state, mail.attempts, mail.next_at = MailState.SENDING, 1, NOON + LEASE

    chosen = mailing if by_smtp else settings
    early = deliver(database, chosen, now=NOON + MINUTE)
    late = deliver(database, chosen, now=NOON + 2 * LEASE)

    assert (early, late) == (0, 0 if by_smtp else 1)
    assert inbox.received == []
    assert only_mail(database).state is (MailState.FAILED if by_smtp else MailState.SENT)


def test_a_server_without_encryption_gets_nothing_when_it_is_asked_for(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    strict = mailing.model_copy(update={"mail": mailing.mail.model_copy(update={"smtp_tls": True})})
    queue(database)

    deliver(database, strict, now=NOON)

    assert inbox.received == []
    assert only_mail(database).state is MailState.QUEUED
    assert "STARTTLS" in (only_mail(database).last_error or "")


def test_a_server_that_is_away_is_named(database: Database, settings: Settings) -> None:
    away = settings.model_copy(
        update={"mail": MailSettings(smtp_host="127.0.0.1", smtp_port=1, smtp_tls=False)}
    )
    queue(database)

    deliver(database, away, now=NOON)

    assert "127.0.0.1 cannot be reached" in (only_mail(database).last_error or "")


def test_an_automatic_answer_has_no_sender_to_bounce_to(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    queue(database, in_reply_to="<1@mail.example>")

    deliver(database, mailing, now=NOON)

    assert inbox.received[0].mail_from == "<>"


def test_a_confidential_text_is_forgotten_once_it_is_sent(
    database: Database, mailing: Settings, inbox: Inbox
) -> None:
    queue(database, text="Your code is 123456.", confidential=True)

    deliver(database, mailing, now=NOON)

    assert b"123456" in inbox.raw[0]
    assert only_mail(database).text == FORGOTTEN


def test_a_folder_that_cannot_be_written_keeps_the_mail(
    database: Database, settings: Settings
) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "mail").write_text("not a folder")
    queue(database)

    deliver(database, settings, now=NOON)

    assert only_mail(database).state is MailState.QUEUED
    assert "cannot be written" in (only_mail(database).last_error or "")


def test_mails_to_one_address_can_be_counted(database: Database) -> None:
    queue(database, dedupe_key="1")
    queue(database, dedupe_key="2", to="ADA@example.com")
    queue(database, dedupe_key="3", to="eve@example.org")

    with database.read() as session:
        counts = [
            count_mails(session, to="ada@example.com", since=since)
            for since in (NOON, NOON + MINUTE)
        ]

    assert counts == [2, 0]


def test_a_mail_that_waits_cannot_be_sent_again(database: Database) -> None:
    mail_id = queue(database)

    with pytest.raises(ConflictError), database.write() as session:
        retry_mail(session, mail_id, now=NOON)


def add(session: object, **values: object) -> OutgoingMail:
    defaults: dict[str, object] = {
        "to": "ada@example.com",
        "subject": "Hello",
        "text": "Hello.\n",
        "now": NOON,
        "dedupe_key": "code:1",
    }
    return queue_mail(session, **{**defaults, **values})  # type: ignore[arg-type]  # test values


def queue(database: Database, **values: object) -> int:
    with database.write() as session:
        return add(session, **values).id


def only_mail(database: Database) -> OutgoingMail:
    with database.read() as session:
        return session.scalars(select(OutgoingMail)).one()


def header(raw: bytes, name: bytes) -> bytes:
    return next(line for line in raw.split(b"\r\n") if line.startswith(name))
