"""What the clock starts: mails leave, mails are read, customers are asked, proposals end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from opsbot.commerce.cases import Case
from opsbot.commerce.ports import Port, open_ports
from opsbot.conversation.models import Event, Message
from opsbot.conversation.store import start_conversation
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.drafts.models import Draft, DraftState
from opsbot.drafts.review import approve_draft
from opsbot.errors import UnavailableError
from opsbot.jobs import SCHEDULES, Worker, handlers
from opsbot.jobs.kinds import read_mails
from opsbot.mail.outgoing import MailState, OutgoingMail
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import MailSettings, Settings
from opsbot.staff import Staff
from opsbot.surveys.models import InvitationState, SurveyInvitation
from opsbot.toolkit.caller import Audience, Caller, dump_caller
from opsbot.toolkit.proposals import Proposal, ProposalState
from tests.factories import DAY, NOON, make_order
from tests.integration.drafts.conftest import Clerk

WEB = Path(__file__).parents[3] / "web"
MINUTE = timedelta(minutes=1)


class NoGaps(Gaps):
    """Nothing was asked in vain."""

    def close_answered(self, **_options: object) -> int:
        """Close nothing."""
        return 0


@dataclass(frozen=True)
class Parts:
    """The parts that jobs need."""

    settings: Settings
    database: Database
    ports: Mapping[str, Port]
    drafter: Drafter
    gaps: Gaps


@pytest.fixture
def parts(database: Database, settings: Settings) -> Parts:
    """The parts, with a clerk who answers mails."""
    chosen = settings.model_copy(update={"web_dir": WEB})
    gaps = NoGaps(database, cast("Knowledge", None))
    return Parts(chosen, database, open_ports(chosen), Drafter(database, Clerk(), chosen), gaps)


@pytest.fixture
def worker(parts: Parts) -> Worker:
    """A worker with all kinds of jobs, as the application runs it."""
    return Worker(parts.database, handlers(parts), lambda: NOON, schedules=SCHEDULES)


def test_every_scheduled_kind_has_a_handler(parts: Parts) -> None:
    assert set(handlers(parts)) == set(SCHEDULES)


def test_a_delivered_order_becomes_an_invitation_that_leaves(parts: Parts, worker: Worker) -> None:
    with parts.database.write() as session:
        session.add(make_order(delivered_at=NOON - 3 * DAY))

    worker.run_once(NOON)
    worker.run_once(NOON + MINUTE)

    with parts.database.read() as session:
        invitation = session.scalars(select(SurveyInvitation)).one()
        mail = session.scalars(select(OutgoingMail)).one()
    assert invitation.state is InvitationState.SENT
    assert mail.state is MailState.SENT
    assert (parts.settings.data_dir / "mail" / "out" / f"{mail.id}.eml").is_file()


def test_a_dropped_mail_becomes_a_draft_and_after_approval_an_answer(
    parts: Parts, worker: Worker
) -> None:
    folder = parts.settings.data_dir / "mail" / "in"
    folder.mkdir(parents=True)
    (folder / "a.eml").write_bytes(b"From: ada@example.com\r\nSubject: Mug\r\n\r\nHow?\r\n")

    worker.run_once(NOON)
    with parts.database.write() as session:
        mara = Staff(email="mara@shop.example", name="Mara", password_hash="", roles=[])
        session.add(mara)
        session.flush()
        caller = Caller(Audience.STAFF, "console", staff_id=mara.id)
        draft = session.scalars(select(Draft)).one()
        approve_draft(session, draft.id, caller, now=NOON)
    worker.run_once(NOON + MINUTE)

    with parts.database.read() as session:
        assert session.scalars(select(Draft)).one().state is DraftState.SENT
    assert (folder / "done" / "a.eml").is_file()


def test_a_full_folder_of_nonsense_does_not_keep_the_mailbox_from_being_read(
    parts: Parts,
) -> None:
    blocked = parts.settings.data_dir / "mail"
    parts.settings.data_dir.mkdir()
    blocked.write_text("not a folder")
    away = MailSettings(imap_host="127.0.0.1", imap_port=1, imap_tls=False)
    both = replace(parts, settings=parts.settings.model_copy(update={"mail": away}))

    with pytest.raises(UnavailableError, match="The mail folder"):
        read_mails(parts, now=NOON)
    with pytest.raises(UnavailableError, match="The mailbox"):
        read_mails(both, now=NOON)


def test_proposals_that_nobody_confirmed_end(parts: Parts, worker: Worker) -> None:
    with parts.database.write() as session:
        for minutes, name in ((0, "late"), (15, "open")):
            session.add(make_proposal(name, expires_in=minutes * MINUTE))

    worker.run_once(NOON)

    with parts.database.read() as session:
        states = {row.id: row.state for row in session.scalars(select(Proposal))}
    assert states == {"late": ProposalState.EXPIRED, "open": ProposalState.PROPOSED}


def test_what_nobody_decided_is_told_where_it_was_asked_for(parts: Parts, worker: Worker) -> None:
    asker = Caller(Audience.CUSTOMER, "widget", visitor="v")
    with parts.database.write() as session:
        talk = start_conversation(session, asker, "talk", now=NOON - 3 * DAY).id
        late = make_proposal("late", expires_in=0 * MINUTE)
        late.state, late.conversation_id = ProposalState.WAITING, talk
        late.confirmed_at, late.confirmed_by = NOON - 3 * DAY, dump_caller(asker)
        session.add(late)

    worker.run_once(NOON)
    worker.run_once(NOON + MINUTE)

    with parts.database.read() as session:
        case = session.scalars(select(Case)).one()
        said = session.scalars(select(Message)).one()
        events = [event.type for event in session.scalars(select(Event).order_by(Event.number))]
    assert case.conversation_id == "talk"
    assert f"your case is {case.number}" in said.text
    assert events == ["action_result", "message_start", "message_delta", "message_end"]


def make_proposal(name: str, *, expires_in: timedelta) -> Proposal:
    return Proposal(
        id=name,
        owner="visitor:1",
        actor="visitor",
        tool="cancel_order",
        arguments={},
        arguments_hash="",
        basis_hash="",
        title="Cancel?",
        details=[],
        button="Cancel",
        state=ProposalState.PROPOSED,
        created_at=NOON,
        expires_at=NOON + expires_in,
    )
