"""Staff have an answer drafted to a case or mail, and send it: shown first, once, on record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from opsbot.commerce.cases import Case, CaseKind, CaseState, open_case
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.drafts.models import Draft, DraftState
from opsbot.errors import AmbiguousError, ConflictError, NotAllowedError, NotFoundError
from opsbot.mail.incoming import IncomingMail
from opsbot.mail.outgoing import OutgoingMail
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.staff import Role, make_staff
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import DAY, NOON, make_channel, make_customer, make_item, make_line, make_order
from tests.retrieval_fixtures import encoder, sample_knowledge

__all__ = ["encoder", "sample_knowledge"]

MARA = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"agent"}))
CLEANING = "How do I clean the kiln mug?"


class Desk:
    """Mara's desk: the tools over one database."""

    def __init__(self, database: Database, executor: Executor) -> None:
        self.database = database
        self.executor = executor

    def propose(self, name: str, **arguments: Any) -> Preview:
        preview = self.executor.run(MARA, name, arguments, now=NOON)
        assert isinstance(preview, Preview)
        return preview

    def do(self, name: str, **arguments: Any) -> Mapping[str, Any]:
        done = self.executor.confirm(MARA, self.propose(name, **arguments).id, now=NOON)
        assert done.result is not None, done.preview.say
        return done.result.facts

    def drafts(self) -> list[tuple[DraftState, int | None, str]]:
        with self.database.read() as session:
            rows = session.scalars(select(Draft).order_by(Draft.id)).all()
            return [(one.state, one.case_id, one.text) for one in rows]

    def mails(self) -> list[OutgoingMail]:
        with self.database.read() as session:
            return list(session.scalars(select(OutgoingMail)))


@pytest.fixture
def desk(database: Database, settings: Settings, sample_knowledge: Knowledge) -> Desk:
    """Ada asks about her late order #1001 and how to clean a mug; Eve, a stranger, the same."""
    with database.write() as session:
        ada, eve = make_customer(), make_customer("Eve Stone", "eve@example.com", "C-1002")
        mara = make_staff(
            email="mara@shop.example", name="Mara", password=12 * "x", roles=[Role.AGENT]
        )
        channel, mug = make_channel(), make_item()
        late = make_order(
            ada, "#1001", channel=channel, lines=[make_line(mug)], placed_at=NOON - 9 * DAY
        )
        eves = make_order(eve, "#2001", channel=channel, lines=[make_line(mug)])
        session.add_all([mara, late, eves])
        session.flush()
        for subject, values in (
            ("Cleaning", {"customer_id": ada.id, "order_id": late.id}),
            ("Hers", {"contact_email": "visitor@example.com", "order_id": eves.id}),
        ):
            open_case(
                session,
                CaseKind.SUPPORT,
                subject=subject,
                summary=CLEANING,
                actor="visitor",
                now=NOON - DAY,
                **values,
            )
    tools = load_tools(content_root() / "tools")
    policies = load_policies(content_root() / "knowledge" / "policies")
    return Desk(database, Executor(database, settings, tools, sample_knowledge, policies))


def test_a_draft_tells_the_records_and_quotes_the_articles(desk: Desk) -> None:
    preview = desk.propose("draft_reply", about="CS-00001", points="We send a new one tomorrow.")
    told = "\n".join(preview.details)

    assert "Hello Ada Brandt," in told
    assert "We send a new one tomorrow." in told
    assert "Order #1001 is confirmed" in told
    assert "I am sorry that it is late" in told
    assert "[1]" in told
    assert "Sources:" in told
    assert desk.drafts() == []  # nothing before it is confirmed

    facts = desk.do("draft_reply", about="CS-00001")

    assert facts["to"] == "ada@example.com"
    [(state, case_id, text)] = desk.drafts()
    assert (state, case_id) == (DraftState.DRAFT, 1)
    assert "Order #1001" in text
    assert desk.mails() == []


def test_a_stranger_hears_nothing_of_an_order_that_a_case_names(desk: Desk) -> None:
    told = "\n".join(desk.propose("draft_reply", about="CS-00002").details)

    assert "Hello,\n" in f"{told}\n"
    assert "#2001" not in told
    assert "Eve" not in told


def test_a_newer_draft_takes_the_place_of_the_one_before(desk: Desk) -> None:
    desk.do("draft_reply", about="Ada")
    preview = desk.propose("draft_reply", about="#1001", points="Now with a date.")
    desk.executor.confirm(MARA, preview.id, now=NOON)

    assert "It takes the place of draft 1." in preview.details
    assert [state for state, _, _ in desk.drafts()] == [DraftState.REJECTED, DraftState.DRAFT]


def test_sending_queues_one_mail_and_the_case_waits_for_the_customer(desk: Desk) -> None:
    number = str(desk.do("draft_reply", about="CS-00001")["draft"])
    preview = desk.propose("send_reply", draft=number)
    first = desk.executor.confirm(MARA, preview.id, now=NOON)
    again = desk.executor.confirm(MARA, preview.id, now=NOON)

    assert (first.preview.state, again.preview.state) == (ProposalState.EXECUTED,) * 2
    [mail] = desk.mails()
    assert (mail.recipient, mail.subject) == ("ada@example.com", "Re: Cleaning [CS-00001]")
    with desk.database.read() as session:
        case = session.scalars(select(Case).where(Case.number == "CS-00001")).one()
        assert case.state is CaseState.WAITING_CUSTOMER
        assert case.first_response_at == NOON
    with pytest.raises(ConflictError, match="approved already"):
        desk.propose("send_reply", draft=number)


def test_a_draft_that_a_colleague_changed_meanwhile_is_shown_again(desk: Desk) -> None:
    number = str(desk.do("draft_reply", about="CS-00001")["draft"])
    preview = desk.propose("send_reply", draft=number)
    with desk.database.write() as session:
        session.get_one(Draft, int(number)).edited = "Something else\n"

    done = desk.executor.confirm(MARA, preview.id, now=NOON)

    assert done.preview.state is not ProposalState.EXECUTED
    assert desk.mails() == []


def test_what_cannot_be_answered_is_refused_in_words(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="Nobody"):
        desk.propose("draft_reply", about="Nobody")
    with pytest.raises(NotFoundError, match="draft 99"):
        desk.propose("send_reply", draft="99")
    editor = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"editor"}))
    with pytest.raises(NotAllowedError):
        desk.executor.run(editor, "send_reply", {"draft": "1"}, now=NOON)
    with desk.database.write() as session:
        case = session.scalars(select(Case).where(Case.number == "CS-00001")).one()
        case.state, case.resolved_at = CaseState.RESOLVED, NOON
    with pytest.raises(ConflictError, match="Reopen it"):
        desk.propose("draft_reply", about="CS-00001")


def test_a_mail_is_answered_in_its_one_draft(
    desk: Desk, drafter: Drafter, database: Database
) -> None:
    drafter.read(_mail("Where is my order #1001?", at=NOON), now=NOON)
    with pytest.raises(AmbiguousError, match="CS-00001"):
        desk.propose("draft_reply", about="ada@example.com")
    with database.write() as session:
        case = session.scalars(select(Case).where(Case.number == "CS-00001")).one()
        case.state, case.resolved_at = CaseState.RESOLVED, NOON

    desk.do("draft_reply", about="ada@example.com", points="It leaves today.")

    [(state, case_id, text)] = desk.drafts()
    assert (state, case_id) == (DraftState.EDITED, None)
    assert "It leaves today." in text
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(OutgoingMail)) == 0


def _mail(text: str, *, at: datetime) -> IncomingMail:
    return IncomingMail(
        message_id="<1@mail.example>",
        sender="ada@example.com",
        subject="My order",
        text=text,
        sent_at=at,
        in_reply_to=None,
        automatic="",
    )
