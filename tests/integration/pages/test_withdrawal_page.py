"""The page to withdraw: two steps without an account or a script; looking at it records nothing."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, func, select

from opsbot.commerce.withdrawals import Withdrawal
from opsbot.mail.outgoing import OutgoingMail
from opsbot.toolkit.proofs import TRIES_PER_ORIGIN, ProofAttempt
from tests.web.small_shop import Site

FIRST, SECOND = "/withdraw", "/withdraw/confirm"


@pytest.fixture
def order(site: Site) -> Iterator[dict[str, str]]:
    """What a customer knows of the order #1001."""
    yield {"order_number": "1001", "contact": "ada@example.com"}
    with site.database.write() as session:
        session.execute(delete(ProofAttempt))


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))


def count(site: Site) -> int:
    with site.database.read() as session:
        return session.scalar(select(func.count()).select_from(Withdrawal)) or 0


def test_two_labelled_steps_record_and_acknowledge(
    client: TestClient, site: Site, order: dict[str, str]
) -> None:
    start = client.get(FIRST)
    second = client.post(FIRST, data=order)
    before = count(site)
    fields = hidden(second.text)
    done = client.post(SECOND, data=fields)
    again = client.post(SECOND, data=fields)
    anew = client.post(FIRST, data=order)

    assert "Withdraw from contract here</button>" in start.text
    assert "Confirm withdrawal here</button>" in second.text
    assert "I withdraw from the contract of order #1001" in second.text
    assert before == 0
    assert (done.status_code, again.status_code) == (200, 200)
    assert "Your withdrawal is recorded" in done.text
    number = re.search(r"WD-\d{5}", done.text)
    assert number is not None
    assert number[0] in again.text
    assert anew.status_code == 409
    assert f"is recorded as {number[0]}" in anew.text
    assert 'class="alert alert--ok"' in anew.text, "it is no trouble"
    assert "Nothing is recorded yet" not in anew.text
    assert count(site) == 1
    with site.database.read() as session:
        mail = session.scalars(
            select(OutgoingMail).where(OutgoingMail.dedupe_key == f"withdrawal:{number[0]}")
        ).one()
    assert mail.recipient == order["contact"]
    assert "Received on" in mail.text


def test_looking_at_a_page_records_nothing(client: TestClient, site: Site) -> None:
    before = count(site)

    answers = [client.get(FIRST), client.get(f"{FIRST}?order=1001"), client.get(SECOND)]

    assert [answer.status_code for answer in answers] == [200, 200, 405]
    assert 'value="1001"' in answers[1].text
    assert count(site) == before


def test_the_pages_need_no_script_no_account_and_no_other_host(
    client: TestClient, order: dict[str, str]
) -> None:
    for page in (client.get(FIRST).text, client.post(FIRST, data=order).text):
        assert "<script" not in page
        assert "password" not in page
        assert not re.search(r'(src|href|action)="https?:', page)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"contact": "nobody@example.com"}, 403, "does not go with that e-mail"),
        ({"order_number": "999999"}, 403, "does not go with that e-mail"),
        ({"contact": ""}, 422, "e-mail address of the order"),
        ({"order_number": ""}, 403, "does not go with that e-mail"),
        ({"items": "a toaster"}, 422, "Which item of order"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_given_is_kept(
    client: TestClient, order: dict[str, str], change: dict[str, str], status: int, words: str
) -> None:
    answer = client.post(FIRST, data={**order, "order_number": "1002", **change})

    assert answer.status_code == status
    assert words in answer.text
    assert 'role="alert"' in answer.text


def test_guesses_are_limited_like_every_proof(client: TestClient, order: dict[str, str]) -> None:
    statuses = [
        client.post(FIRST, data={"order_number": f"{n}", "contact": f"{n}@example.com"}).status_code
        for n in range(5000, 5001 + TRIES_PER_ORIGIN)
    ]

    assert statuses == [403] * TRIES_PER_ORIGIN + [429]


@pytest.mark.parametrize("proved", ["", "forged", "W10.x.y"])
def test_a_forged_second_step_declares_nothing(
    client: TestClient, site: Site, order: dict[str, str], proved: str
) -> None:
    before = count(site)
    fields = hidden(client.post(FIRST, data={**order, "order_number": "1002"}).text)

    answer = client.post(SECOND, data={**fields, "proved": proved})

    assert answer.status_code == 422
    assert "begin again" in answer.text
    assert count(site) == before


def test_the_page_is_linked_from_the_shop_and_the_help_centre(client: TestClient) -> None:
    for path in ("/", "/help"):
        page = client.get(path).text
        assert '<a href="/withdraw">Withdraw from contract here</a>' in page
