"""A person decides, once, and only then something leaves."""

import threading

import pytest
from sqlalchemy import func, select

from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.drafts.models import Draft, DraftState
from opsbot.drafts.review import (
    approve_draft,
    count_open_drafts,
    edit_draft,
    find_draft,
    list_drafts,
    reject_draft,
    settle_drafts,
)
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from opsbot.mail.incoming import IncomingMail
from opsbot.mail.outgoing import OutgoingMail
from opsbot.mail.sending import deliver
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from tests.factories import NOON


@pytest.fixture
def draft(drafter: Drafter) -> Draft:
    """A draft that waits."""
    return make_draft(drafter, 1)


def test_an_approved_draft_is_sent_to_who_wrote(
    database: Database, settings: Settings, draft: Draft, reviewers: list[Caller]
) -> None:
    with database.write() as session:
        approved = approve_draft(session, draft.id, reviewers[0], now=NOON)
    deliver(database, settings, now=NOON)
    with database.write() as session:
        settle_drafts(session)

    mail = only_mail(database)
    raw = (settings.data_dir / "mail" / "out" / f"{mail.id}.eml").read_bytes()
    assert approved.state is DraftState.APPROVED
    assert approved.reviewer is not None
    assert approved.reviewer.name == "Mara"
    assert mail.recipient == "ada@example.com"
    assert mail.subject == "Re: Mug"
    assert mail.text == draft.reply
    assert b"In-Reply-To: <1@mail.example>" in raw
    assert b"Auto-Submitted" not in raw
    with database.read() as session:
        assert find_draft(session, draft.id).state is DraftState.SENT


def test_of_two_reviewers_one_sends(
    database: Database, draft: Draft, reviewers: list[Caller]
) -> None:
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def approve(caller: Caller) -> None:
        barrier.wait()
        try:
            with database.write() as session:
                approve_draft(session, draft.id, caller, now=NOON)
            outcomes.append("sent")
        except ConflictError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=approve, args=(caller,)) for caller in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    outcomes.sort()
    assert outcomes[0].startswith(f"Draft {draft.id} was approved by ")
    assert outcomes[1] == "sent"
    assert count_mails(database) == 1


def test_what_a_person_changed_is_what_leaves(
    database: Database, draft: Draft, reviewers: list[Caller]
) -> None:
    with database.write() as session:
        edited = edit_draft(session, draft.id, reviewers[0], "Hello Ada,\r\nsoap is fine.")
    with database.write() as session:
        approve_draft(session, draft.id, reviewers[1], now=NOON)

    assert edited.state is DraftState.EDITED
    assert edited.reply == draft.reply
    assert only_mail(database).text == "Hello Ada,\nsoap is fine.\n"


def test_a_draft_can_be_changed_in_the_moment_of_approval(
    database: Database, draft: Draft, reviewers: list[Caller]
) -> None:
    with database.write() as session:
        approve_draft(session, draft.id, reviewers[0], now=NOON, text="Better words.")

    assert only_mail(database).text == "Better words.\n"


def test_a_rejected_draft_is_never_sent(
    database: Database, draft: Draft, reviewers: list[Caller]
) -> None:
    with database.write() as session:
        rejected = reject_draft(session, draft.id, reviewers[0], now=NOON, reason="Wrong lamp")

    with database.write() as session, pytest.raises(ConflictError, match="was rejected by Mara"):
        approve_draft(session, draft.id, reviewers[1], now=NOON)
    assert rejected.reason == "Wrong lamp"
    assert count_mails(database) == 0


@pytest.mark.parametrize("text", ["", "  \n", "\x00\u202e"])
def test_an_empty_answer_is_not_sent(
    database: Database, draft: Draft, reviewers: list[Caller], text: str
) -> None:
    with database.write() as session, pytest.raises(InvalidInputError, match=r"^text: "):
        approve_draft(session, draft.id, reviewers[0], now=NOON, text=text)

    with database.read() as session:
        assert find_draft(session, draft.id).state is DraftState.DRAFT
    assert count_mails(database) == 0


def test_a_rejection_needs_a_reason(
    database: Database, draft: Draft, reviewers: list[Caller]
) -> None:
    with database.write() as session, pytest.raises(InvalidInputError, match=r"^reason: "):
        reject_draft(session, draft.id, reviewers[0], now=NOON, reason=" ")


def test_a_customer_decides_about_no_draft(database: Database, draft: Draft) -> None:
    customer = Caller(Audience.CUSTOMER, "api", Level.FRESH_CODE, customer_id=1)

    with database.write() as session, pytest.raises(NotAllowedError):
        approve_draft(session, draft.id, customer, now=NOON)

    assert count_mails(database) == 0


def test_a_draft_that_does_not_exist_is_not_found(
    database: Database, reviewers: list[Caller]
) -> None:
    with database.write() as session, pytest.raises(NotFoundError):
        approve_draft(session, 999, reviewers[0], now=NOON)


def test_the_queue_shows_what_waits_oldest_first(
    database: Database, drafter: Drafter, reviewers: list[Caller]
) -> None:
    drafts = [make_draft(drafter, number) for number in (1, 2, 3)]
    with database.write() as session:
        reject_draft(session, drafts[1].id, reviewers[0], now=NOON, reason="Spam")

    with database.read() as session:
        waiting = list_drafts(session)
        number = count_open_drafts(session)

    assert [draft.id for draft in waiting] == [drafts[0].id, drafts[2].id]
    assert [draft.asked.message_id for draft in waiting] == ["<1@mail.example>", "<3@mail.example>"]
    assert number == 2


def make_draft(drafter: Drafter, number: int) -> Draft:
    mail = IncomingMail(
        message_id=f"<{number}@mail.example>",
        sender="ada@example.com",
        subject="Mug",
        text="How do I clean it?",
        sent_at=NOON,
        in_reply_to=None,
        automatic="",
    )
    draft = drafter.read(mail, now=NOON)
    assert draft is not None
    return draft


def only_mail(database: Database) -> OutgoingMail:
    with database.read() as session:
        return session.scalars(select(OutgoingMail)).one()


def count_mails(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(OutgoingMail)) or 0
