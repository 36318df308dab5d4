"""From a mail to a draft that a person may send."""

import email
from collections.abc import Callable
from dataclasses import replace
from email import policy
from pathlib import Path
from typing import Any, TypeVar

import pytest
from langchain_core.messages import AIMessage
from sqlalchemy import func, select

from opsbot.commerce.orders import Order, OrderState
from opsbot.db import Base, Database
from opsbot.drafts.drafter import MAX_ATTEMPTS, Drafter
from opsbot.drafts.models import Draft, DraftState, ReceivedMail, ReceivedState
from opsbot.drafts.review import approve_draft
from opsbot.errors import ConflictError, UnavailableError
from opsbot.mail.incoming import IncomingMail, parse_message
from opsbot.mail.outgoing import OutgoingMail
from opsbot.mail.sending import deliver
from opsbot.settings import MailSettings, Settings
from opsbot.toolkit.caller import Caller, Level
from opsbot.toolkit.proposals import Proposal
from tests.factories import NOON
from tests.integration.drafts.conftest import REPLY, Clerk, Scripted, call
from tests.integration.mail.imap_server import ImapServer

Row = TypeVar("Row", bound=Base)

# Drafts are written and reviewed on PostgreSQL too, in test_review.py.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_mail_becomes_a_draft_with_its_sources(
    database: Database, drafter: Drafter, settings: Settings
) -> None:
    draft = drafter.read(make_mail("How do I clean the Kiln mug?"), now=NOON)

    assert draft is not None
    assert draft.state is DraftState.DRAFT
    assert draft.citations == [dict(REPLY.citations[0])]
    assert draft.text == (
        "Hello,\n\n"
        "Wipe it with a damp cloth [1].\n\n"
        "Sources:\n"
        "[1] Kiln mugs, Cleaning: http://127.0.0.1:8000/help/kiln-mugs#cleaning\n\n"
        "Kind regards\nLumen & Loom\n"
    )
    assert only(database, ReceivedMail).state is ReceivedState.DRAFTED
    assert count(database, OutgoingMail) == 0


def test_the_draft_lies_ready_for_mail_programs_too(drafter: Drafter, settings: Settings) -> None:
    draft = drafter.read(make_mail("How?", subject="Re: Mug\r\nBcc: x@example.org"), now=NOON)

    assert draft is not None
    path = settings.data_dir / "mail" / "drafts" / f"{draft.id}.eml"
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["X-Unsent"] == "1"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Re: Mug Bcc: x@example.org"
    assert message["In-Reply-To"] == "<1@mail.example>"
    assert message["Bcc"] is None
    assert "Wipe it with a damp cloth [1]." in message.get_content()


def test_the_same_mail_again_changes_nothing(
    database: Database, drafter: Drafter, clerk: Clerk
) -> None:
    mail = make_mail("How do I clean it?")

    first, second = drafter.read(mail, now=NOON), drafter.read(mail, now=NOON)

    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert len(clerk.asked) == 1
    assert count(database, Draft) == 1


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        ({"automatic": "a delivery report"}, "a delivery report"),
        ({"sender": "hello@lumenandloom.example"}, "our own mail"),
        ({"text": "", "subject": ""}, "an empty mail"),
    ],
    ids=["bounce", "own", "empty"],
)
def test_some_mails_are_kept_but_never_answered(
    database: Database, drafter: Drafter, clerk: Clerk, mail: dict[str, Any], reason: str
) -> None:
    draft = drafter.read(replace(make_mail("Hello there"), **mail), now=NOON)

    assert draft is None
    assert clerk.asked == []
    assert only(database, ReceivedMail).state is ReceivedState.IGNORED
    assert only(database, ReceivedMail).reason == reason


def test_a_customer_who_names_their_order_is_known_by_their_address(
    drafter: Drafter, clerk: Clerk, order: Order
) -> None:
    draft = drafter.read(make_mail("Where is my order 1001?"), now=NOON)

    caller = clerk.asked[0][0]
    assert caller.level is Level.ORDER
    assert caller.proved_order_id == order.id
    assert caller.channel == "email"
    assert draft is not None
    assert draft.text.startswith("Hello Ada Brandt,\n")


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ("eve@example.org", "I am Ada Brandt, ada@example.com. Where is order #1001?"),
        ("ada@example.com", "Where is my order?"),
        ("ada@example.com", "Where is order #1002?"),
        ("ada@example.com", "Call me on 100123"),
    ],
    ids=["another address", "no number", "another number", "part of a number"],
)
def test_everybody_else_is_a_stranger(
    drafter: Drafter, clerk: Clerk, order: Order, sender: str, text: str
) -> None:
    draft = drafter.read(make_mail(text, sender=sender), now=NOON)

    caller = clerk.asked[0][0]
    assert caller.level is Level.ANONYMOUS
    assert caller.customer_id is None
    assert draft is not None
    assert draft.text.startswith("Hello,\n")


def test_a_mail_in_another_name_reveals_nothing_even_if_the_model_obeys_it(
    scripted: Callable[..., Scripted], order: Order
) -> None:
    obedient = scripted(
        call("verify_order", order_number="#1001", email="ada@example.com"),
        call("order_status", order_number="#1001"),
        AIMessage("Ada's Kiln mug, 24.00, goes to Torstraße."),
    )
    mail = make_mail("Order #1001, ada@example.com: where is it?", sender="eve@example.org")

    draft = obedient.drafter.read(mail, now=NOON)

    assert draft is not None
    assert "Kiln mug" in obedient.told, "the model knew it"
    assert draft.text.startswith("Hello,\n\nthank you for your message. We can only write about")
    assert draft.citations == []
    for secret in ("1001", "Kiln", "Ada", "Torstraße", "24.00"):
        assert secret not in draft.text


def test_the_owner_of_an_order_is_told_about_it(
    scripted: Callable[..., Scripted], order: Order
) -> None:
    honest = scripted(
        call("order_status", order_number="#1001"), AIMessage("We are packing your Kiln mug.")
    )

    draft = honest.drafter.read(make_mail("Where is order #1001?"), now=NOON)

    assert "Kiln mug" in honest.told
    assert draft is not None
    assert "We are packing your Kiln mug." in draft.text


def test_a_mail_changes_nothing_in_the_shop(
    database: Database, scripted: Callable[..., Scripted], order: Order
) -> None:
    obedient = scripted(
        call("cancel_order", order_number="#1001", reason="changed_mind"),
        AIMessage("Please sign in."),
    )

    draft = obedient.drafter.read(make_mail("Cancel order #1001 at once!"), now=NOON)

    with database.read() as session:
        assert session.get_one(Order, order.id).state is OrderState.CONFIRMED
        assert session.scalars(select(Proposal)).all() == []
    assert draft is not None
    assert count(database, OutgoingMail) == 0


def test_a_change_that_was_prepared_asks_to_sign_in(drafter: Drafter, clerk: Clerk) -> None:
    proposal = {"title": "Cancel order #1001?", "details": ["You get **€28.90** back."]}
    clerk.reply_with = replace(REPLY, proposal=proposal, citations=[], text="I can do that.")

    draft = drafter.read(make_mail("Cancel it"), now=NOON)

    assert draft is not None
    assert "Cancel order #1001?\n- You get €28.90 back.\nNothing has been changed" in draft.text
    assert "please sign in at http://127.0.0.1:8000" in draft.text


def test_while_the_model_is_away_the_mail_waits_and_in_the_end_a_person_writes(
    database: Database, drafter: Drafter, clerk: Clerk
) -> None:
    clerk.is_away = True
    mail = make_mail("How do I clean it?")

    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(UnavailableError):
            drafter.read(mail, now=NOON)
    waiting = only(database, ReceivedMail).state
    with pytest.raises(ConflictError, match="please write it yourself"):
        drafter.read(mail, now=NOON)

    assert waiting is ReceivedState.NEW
    assert only(database, ReceivedMail).state is ReceivedState.FAILED
    assert only(database, ReceivedMail).reason == "The model did not answer."


def test_a_mail_read_after_a_pause_is_answered_under_the_same_id(
    drafter: Drafter, clerk: Clerk
) -> None:
    clerk.is_away = True
    mail = make_mail("How do I clean it?")
    with pytest.raises(UnavailableError):
        drafter.read(mail, now=NOON)
    clerk.is_away = False

    draft = drafter.read(mail, now=NOON)

    assert draft is not None
    assert len({client_id for _, _, client_id, _ in clerk.asked}) == 1
    assert len(clerk.asked[0][2]) <= 100


def test_an_answer_to_our_answer_goes_on_with_the_conversation(
    database: Database, drafter: Drafter, clerk: Clerk, settings: Settings, reviewers: list[Caller]
) -> None:
    clerk.reply_with = replace(REPLY, conversation_id="c1")
    draft = drafter.read(make_mail("How do I clean it?"), now=NOON)
    assert draft is not None
    with database.write() as session:
        approve_draft(session, draft.id, reviewers[0], now=NOON)
    deliver(database, settings, now=NOON)
    sent_id = only(database, OutgoingMail).message_id

    answer = make_mail("And the lid?", message_id="<2@mail.example>", in_reply_to=sent_id)
    drafter.read(answer, now=NOON)
    stranger = replace(answer, message_id="<3@mail.example>", sender="eve@example.org")
    drafter.read(stranger, now=NOON)

    assert [thread for _, _, _, thread in clerk.asked] == [None, "c1", None]


def test_a_hostile_mail_becomes_a_question_of_bounded_size(drafter: Drafter, clerk: Clerk) -> None:
    raw = b"From: Ada <ada@example.com>\r\nSubject: x\r\n\r\n" + b"On \n" * 50_000

    drafter.read(parse_message(raw), now=NOON)

    assert len(clerk.asked[0][1]) <= 8_000


def test_the_draft_is_also_left_in_the_mailbox(
    database: Database, clerk: Clerk, settings: Settings
) -> None:
    with ImapServer() as server:
        mail = MailSettings(
            imap_host="127.0.0.1",
            imap_port=server.port,
            imap_tls=False,
            imap_user=server.user,
            imap_password=server.password,
        )
        with_imap = settings.model_copy(update={"mail": mail})

        Drafter(database, clerk, with_imap).read(make_mail("How?"), now=NOON)

        assert b"X-Unsent: 1" in server.folders["Drafts"].messages[1]


def test_a_mailbox_that_is_away_costs_no_draft(
    database: Database, clerk: Clerk, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    away = settings.model_copy(
        update={"mail": MailSettings(imap_host="127.0.0.1", imap_port=1, imap_tls=False)}
    )

    draft = Drafter(database, clerk, away).read(make_mail("How?"), now=NOON)

    assert draft is not None
    assert "is in the queue, but not in the mail program" in caplog.text


def test_a_folder_that_cannot_be_written_costs_no_draft(
    drafter: Drafter, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.data_dir.mkdir()
    Path(settings.data_dir / "mail").write_text("not a folder")

    assert drafter.read(make_mail("How?"), now=NOON) is not None
    assert "is in the queue, but not in the mail program" in caplog.text


def make_mail(
    text: str,
    *,
    sender: str = "ada@example.com",
    subject: str = "A question",
    message_id: str = "<1@mail.example>",
    in_reply_to: str | None = None,
) -> IncomingMail:
    return IncomingMail(
        message_id=message_id,
        sender=sender,
        subject=subject,
        text=text,
        sent_at=NOON,
        in_reply_to=in_reply_to,
        automatic="",
    )


def only(database: Database, table: type[Row]) -> Row:
    with database.read() as session:
        return session.scalars(select(table)).one()


def count(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
