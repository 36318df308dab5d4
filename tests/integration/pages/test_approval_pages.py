"""What waits for a second person, over HTTP: the list, the decision, and who is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from opsbot.channels.services import Services
from opsbot.commerce.effects import Effect
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.conversation.models import Conversation, Message
from opsbot.conversation.store import start_conversation
from opsbot.staff import Role, Staff, make_staff
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, Proposal, ProposalState
from tests.factories import NOON
from tests.web.small_shop import PASSWORD, STAFF, Site, new_id

ORDER = "#1007"
"""Of 28.90 EUR: enough for one refund of 21.00."""


@dataclass
class Asked:
    """Ben's change that waits, and the conversation he made it in."""

    ben: Caller
    proposal_id: str
    conversation_id: str


@pytest.fixture
def services(site: Site) -> Services:
    """The parts behind the pages."""
    found: Services = site.app.state.services
    return found


@pytest.fixture
def ask(site: Site, services: Services) -> Iterator[Callable[..., Asked]]:
    """Let a member of staff ask for a refund in a conversation, and confirm it."""

    def run(email: str = "ben@x.example", order: str = ORDER) -> Asked:
        with site.database.write() as session:
            staff = session.scalars(select(Staff).where(Staff.email == email)).one_or_none()
            if staff is None:
                staff = make_staff(email=email, name="Ben", password=PASSWORD, roles=[Role.AGENT])
                session.add(staff)
                session.flush()
            roles = frozenset(staff.roles)
            caller = Caller(
                Audience.STAFF, "console", Level.SIGNED_IN, staff_id=staff.id, roles=roles
            )
            talk = start_conversation(session, caller, new_id(), now=NOON).id
        arguments = {"order_number": order, "cents": 2100}
        preview = services.executor.run(
            caller, "give_back", arguments, now=NOON, conversation_id=talk
        )
        assert isinstance(preview, Preview)
        services.conversations.confirm(caller, preview.id, now=NOON)
        return Asked(caller, preview.id, talk)

    yield run
    with site.database.write() as session:
        session.execute(delete(Proposal))
        session.execute(delete(Effect))
        session.execute(delete(Payment).where(Payment.kind == PaymentKind.REFUND))


def told(services: Services, asked: Asked) -> list[str]:
    return [
        message.text
        for message in services.conversations.transcript(asked.ben, asked.conversation_id)
    ]


def test_it_is_listed_for_whoever_may_decide(staff: TestClient, ask: Callable[..., Asked]) -> None:
    asked = ask()

    [one] = staff.get("/v1/proposals/waiting").json()["waiting"]

    assert one["proposal_id"] == asked.proposal_id
    assert (one["asked_by"], one["may_decide"]) == ("Ben", True)
    assert one["roles"] == ["lead", "manager"]
    assert one["details"] == ["2100 cents go back."]


def test_an_approval_is_done_once_and_told_in_the_conversation(
    staff: TestClient, services: Services, ask: Callable[..., Asked]
) -> None:
    asked = ask()
    path = f"/v1/proposals/{asked.proposal_id}/approve"

    first, second = staff.post(path, json={}), staff.post(path, json={})

    assert first.json() == second.json()
    assert first.json()["state"] == "executed"
    waits, done = told(services, asked)
    assert "second person" in waits
    assert done == first.json()["text"] == f"2100 cents went back on {ORDER}."


def test_a_rejection_tells_why(
    staff: TestClient, services: Services, ask: Callable[..., Asked]
) -> None:
    asked = ask()

    answer = staff.post(f"/v1/proposals/{asked.proposal_id}/reject", json={"reason": "Too much."})

    assert answer.json()["state"] == "rejected"
    assert told(services, asked)[-1] == "It was not approved: Too much."


def test_errors_are_problems_with_a_code(staff: TestClient, ask: Callable[..., Asked]) -> None:
    own, other = ask(STAFF), ask()
    long = {"reason": "x" * 501}

    answers = [
        staff.post(f"/v1/proposals/{own.proposal_id}/approve", json={}),
        staff.post("/v1/proposals/no-such-one/approve", json={}),
        staff.post(f"/v1/proposals/{other.proposal_id}/reject", json=long),
        staff.post(f"/v1/proposals/{other.proposal_id}/undo", json={}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (403, "approval_required"),
        (404, "not_found"),
        (422, "validation"),
        (409, "invalid_state"),
    ]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


def test_whoever_is_not_signed_in_sees_and_decides_nothing(
    client: TestClient, ask: Callable[..., Asked], services: Services
) -> None:
    asked = ask()

    assert client.get("/v1/proposals/waiting").status_code == 403
    assert client.post(f"/v1/proposals/{asked.proposal_id}/approve", json={}).status_code == 403
    assert client.get("/console/approvals").status_code == 303
    [one] = services.executor.waiting(asked.ben, now=NOON)
    assert one.preview.state is ProposalState.WAITING


def test_a_form_of_another_page_decides_nothing(
    staff: TestClient, csrf: Callable[[str], str], ask: Callable[..., Asked]
) -> None:
    asked = ask(order="#1002")
    path = f"/console/approvals/{asked.proposal_id}"

    forged = staff.post(path, data={"decision": "approve", "csrf": "x"})
    odd = staff.post(path, data={"decision": "x", "csrf": csrf("/console/approvals")})
    right = staff.post(path, data={"decision": "approve", "csrf": csrf("/console/approvals")})

    assert (forged.status_code, odd.status_code) == (403, 422)
    assert right.headers["location"] == "/console/approvals?done=executed"


def test_what_is_taken_back_is_shown_in_a_conversation_of_ones_own(
    site: Site, services: Services, staff: TestClient, ask: Callable[..., Asked]
) -> None:
    with site.database.write() as session:
        otto = make_staff(email="otto@x.example", name="Otto", password=PASSWORD, roles=[Role.OPS])
        session.add(otto)
        session.flush()
        caller = Caller(
            Audience.STAFF,
            "console",
            Level.SIGNED_IN,
            staff_id=otto.id,
            roles=frozenset(otto.roles),
        )
        talk = start_conversation(session, caller, new_id(), now=NOON).id
    arguments = {"sku": "LL-MUG-01-MOS", "units": 3}
    preview = services.executor.run(
        caller, "change_stock", arguments, now=NOON, conversation_id=talk
    )
    assert isinstance(preview, Preview)
    services.conversations.confirm(caller, preview.id, now=NOON)

    reply = services.conversations.undo(caller, preview.id, now=NOON)

    assert reply.conversation_id == talk
    assert reply.proposal is not None
    assert reply.proposal["details"] == ["-3"]
    done = services.conversations.confirm(caller, reply.proposal["proposal_id"], now=NOON)
    assert done.text == "-3 of LL-MUG-01-MOS."
    with site.database.read() as session:
        assert session.get(Conversation, talk) is not None
        assert session.scalars(select(Message).where(Message.conversation_id == talk)).all()
