"""Proofs of identity: by an order, and by a code sent by mail."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsbot.errors import (
    NotAllowedError,
    NotFoundError,
    NotVerifiedError,
    OpsbotError,
    RateLimitedError,
)
from opsbot.mail import OutgoingMail
from opsbot.toolkit.audit import AuditEvent
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.identity import OneTimeCode
from opsbot.toolkit.results import Result
from tests.factories import NOON
from tests.shop_fixtures import CANARY, Shop

MINUTE = timedelta(minutes=1)
VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="v1")


def prove(
    shop: Shop,
    number: str,
    *,
    conversation: str | None = "talk",
    hours: str = "0",
    origin: str = "",
    **proof: str,
) -> Result:
    caller, now = replace(VISITOR, origin=origin), NOON + timedelta(hours=int(hours))
    outcome = shop.run(
        "verify_order", caller, order_number=number, conversation=conversation, now=now, **proof
    )
    assert isinstance(outcome, Result)
    return outcome


def sent_code(shop: Shop) -> str:
    with shop.database.read() as session:
        mail = session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert mail is not None
    found = re.search(r"\b\d{6}\b", mail.text)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    "proof",
    [
        {"email": "ADA@example.com "},
        {"postcode": "10 119"},
        {"email": "no@x.de", "postcode": "10119"},
    ],
    ids=["e-mail", "postcode", "one of both"],
)
def test_an_order_is_proved_by_what_its_owner_knows(shop: Shop, proof: dict[str, str]) -> None:
    result = prove(shop, "order 1001", **proof)

    assert result.proves_order_id == shop.order("#1001").id
    assert result.proves_customer_id == shop.ada.customer_id


@pytest.mark.parametrize(
    ("number", "proof"),
    [
        ("#1001", {"email": "eve@canary.example"}),
        ("#1001", {"postcode": "99999"}),
        ("#9999", {"email": "ada@example.com"}),
        ("nonsense", {"postcode": "10119"}),
        ("", {"postcode": "00000"}),
        ("#9999", {"email": "nobody@example.invalid"}),
    ],
    ids=["other mail", "other postcode", "no such order", "no number", "dummy", "dummy mail"],
)
def test_a_wrong_proof_reads_the_same_whatever_is_wrong(
    shop: Shop, number: str, proof: dict[str, str]
) -> None:
    with pytest.raises(NotAllowedError) as raised:
        prove(shop, number, **proof)

    assert "does not go with that e-mail address or postcode" in str(raised.value)
    assert CANARY not in str(raised.value)


def test_failed_proofs_are_audited(shop: Shop) -> None:
    with pytest.raises(NotAllowedError):
        prove(shop, "#1001", postcode="1")

    with shop.database.read() as session:
        event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.subject, event.actor) == ("proof_failed", "#1001", "visitor")


def test_five_wrong_proofs_end_the_tries_of_a_conversation(shop: Shop) -> None:
    for n in range(5):
        with pytest.raises(NotAllowedError):
            prove(shop, f"#{1001 + n}", postcode="1")

    with pytest.raises(RateLimitedError):
        prove(shop, "#1001", postcode="10119")
    assert prove(shop, "#1001", postcode="10119", conversation="another").proves_order_id


def guess_postcodes(shop: Shop, number: str, *, times: int = 10, hours: int = 0) -> None:
    """Fail for an order, each time in a conversation of its own, with a contact of its own."""
    for n in range(times):
        with pytest.raises(NotAllowedError):
            prove(
                shop,
                number,
                conversation=f"guess {hours} {n}",
                hours=str(hours),
                postcode=f"{hours}0{n}",
            )


def test_the_owner_gets_in_however_often_strangers_guessed(shop: Shop) -> None:
    guess_postcodes(shop, "#1001")
    with pytest.raises(NotAllowedError):
        prove(shop, "#1001", conversation="hers", email="ada@exampel.com")

    assert prove(shop, "#1001", conversation="hers", email="ada@example.com").proves_order_id


@pytest.mark.parametrize("number", ["#1001", "#9999"], ids=["real", "made up"])
def test_ten_wrong_proofs_leave_an_order_to_first_tries_for_an_hour(
    shop: Shop, number: str
) -> None:
    guess_postcodes(shop, number)
    for n in range(2):
        with pytest.raises(NotAllowedError):
            prove(shop, number, conversation="new", email=f"{n}@x.de")

    with pytest.raises(RateLimitedError, match="that order"):
        prove(shop, number, conversation="new", email="ada@example.com")
    with pytest.raises(RateLimitedError, match="that order"):
        prove(shop, number, conversation=None, email="ada@example.com")
    with pytest.raises(NotAllowedError):
        prove(shop, number, conversation="new", hours="1", email="3@x.de")


@pytest.mark.parametrize("email", ["", "junk@x.de"], ids=["alone", "beside an address"])
def test_new_conversations_do_not_buy_more_postcodes(shop: Shop, email: str) -> None:
    guess_postcodes(shop, "#1001")

    with pytest.raises(RateLimitedError if not email else NotAllowedError):
        prove(shop, "#1001", conversation="new", email=email, postcode="10119")
    assert prove(shop, "#1001", conversation="new", hours="1", postcode="10119").proves_order_id


def test_thirty_postcodes_a_day_can_be_tried_on_an_order(shop: Shop) -> None:
    for hours in (1, 2, 3):
        guess_postcodes(shop, "#1001", hours=hours)

    with pytest.raises(RateLimitedError, match="e-mail address of the order instead"):
        prove(shop, "#1001", hours="5", postcode="10119")
    assert prove(shop, "#1001", hours="5", email="ada@example.com").proves_order_id
    assert prove(shop, "#1001", hours="28", postcode="10119").proves_order_id


def test_new_conversations_do_not_buy_guesses_without_end(shop: Shop) -> None:
    for n in range(50):
        with pytest.raises(NotAllowedError):
            prove(shop, "#1001", conversation=f"guess {n}", email=f"{n}@x.de")

    with pytest.raises(RateLimitedError, match="an hour"):
        prove(shop, "#1001", conversation="new", email="ada@example.com")
    later = prove(shop, "#1001", conversation="new", hours="1", email="ada@example.com")
    assert later.proves_order_id


def test_a_contact_that_strangers_used_up_leaves_the_other_to_its_owner(shop: Shop) -> None:
    for n in range(10):
        with pytest.raises(NotAllowedError):
            prove(shop, f"#{3001 + n}", conversation=f"talk {n}", email="ada@example.com")

    with pytest.raises(RateLimitedError, match="with that e-mail address"):
        prove(shop, "#1001", email="ada@example.com")
    both = prove(shop, "#1001", email="ada@example.com", postcode="10119")
    assert both.proves_order_id


@pytest.mark.parametrize(
    ("guess", "other"),
    [({"email": "jo@x.de"}, {"email": "mia@x.de"}), ({"postcode": "20095"}, {"postcode": "1"})],
    ids=["e-mail", "postcode"],
)
def test_a_contact_cannot_be_tried_on_one_order_after_the_other(
    shop: Shop, guess: dict[str, str], other: dict[str, str]
) -> None:
    for n in range(10):
        with pytest.raises(NotAllowedError):
            prove(shop, f"#{3001 + n}", conversation=f"talk {n}", **guess)

    with pytest.raises(RateLimitedError, match="too many tries with"):
        prove(shop, "#3011", conversation="talk 10", **guess)
    with pytest.raises(NotAllowedError):
        prove(shop, "#3011", conversation="talk 10", **other)
    with pytest.raises(NotAllowedError):
        prove(shop, "#3011", conversation="talk 10", hours="1", **guess)


def test_a_right_proof_costs_nothing(shop: Shop) -> None:
    for n in range(12):
        prove(shop, "#1001", conversation=f"talk {n}", email="ada@example.com")

    assert prove(shop, "#1002", email="ada@example.com").proves_order_id


def test_one_network_has_twenty_failed_tries_an_hour(shop: Shop) -> None:
    for n in range(20):
        with pytest.raises(NotAllowedError):
            prove(shop, f"#{3001 + n}", conversation=f"talk {n}", origin="a", postcode=str(n))

    with pytest.raises(RateLimitedError):
        prove(shop, "#1001", conversation="new", origin="a", postcode="10119")
    assert prove(shop, "#1001", conversation="new", origin="b", postcode="10119").proves_order_id
    later = prove(shop, "#1001", conversation="new", origin="a", hours="1", postcode="10119")
    assert later.proves_order_id


def test_one_proved_order_shows_that_order_alone(shop: Shop) -> None:
    known = shop.prove("#1001")

    shown = shop.read("order_status", known, order_number="1001")
    with pytest.raises(NotFoundError) as other_own:
        shop.read("order_status", known, order_number="1002")
    with pytest.raises(NotFoundError) as foreign:
        shop.read("order_status", known, order_number="2001")
    with pytest.raises(NotVerifiedError):
        shop.read("my_orders", known)

    assert "#1001" in shown.say
    assert "Torstraße" not in repr(shown)
    assert "Ada" not in repr(shown)
    assert str(other_own.value) == "I could not find order #1002."
    assert str(foreign.value) == "I could not find order #2001."


def test_one_code_signs_in_who_has_proved_an_order_and_is_fresh(shop: Shop) -> None:
    known = shop.prove("#1001")

    words = shop.executor.send_code(known, now=NOON, conversation_id="talk")
    waiting = shop.executor.awaits_code("talk", now=NOON)
    raised = shop.executor.check_code(known, sent_code(shop), now=NOON, conversation_id="talk")

    assert words.startswith("We sent a 6-digit code to a…@example.com.")
    assert waiting
    assert raised.level is Level.FRESH_CODE
    assert raised.customer_id == shop.ada.customer_id
    assert not shop.executor.awaits_code("talk", now=NOON)
    assert len(shop.read("my_orders", raised).facts["orders"]) == 4


def test_the_code_goes_to_the_customers_own_address_and_is_kept_as_a_hash(shop: Shop) -> None:
    shop.executor.send_code(shop.prove("#1001"), now=NOON, conversation_id="talk")

    with shop.database.read() as session:
        mail = session.scalars(select(OutgoingMail)).one()
        code = session.scalars(select(OneTimeCode)).one()
    assert (mail.recipient, mail.confidential) == ("ada@example.com", True)
    assert sent_code(shop) not in code.code_hash


@pytest.mark.parametrize(
    ("minutes", "conversation", "level"),
    [(10, "talk", 2), (0, "another", 2), (0, "talk", 0)],
    ids=["too late", "in another conversation", "by nobody"],
)
def test_a_code_does_not_work(shop: Shop, minutes: int, conversation: str, level: int) -> None:
    shop.executor.send_code(shop.ada, now=NOON, conversation_id="talk")
    caller = shop.ada if level else VISITOR

    with pytest.raises(OpsbotError) as raised:
        shop.executor.check_code(
            caller, sent_code(shop), now=NOON + minutes * MINUTE, conversation_id=conversation
        )

    assert isinstance(raised.value, NotAllowedError)


def test_a_code_works_once(shop: Shop) -> None:
    shop.executor.send_code(shop.ada, now=NOON, conversation_id="talk")
    code = sent_code(shop)
    shop.executor.check_code(shop.ada, code, now=NOON, conversation_id="talk")

    with pytest.raises(NotAllowedError, match="not valid any more"):
        shop.executor.check_code(shop.ada, code, now=NOON, conversation_id="talk")


def test_a_new_code_ends_the_old_one(shop: Shop) -> None:
    shop.executor.send_code(shop.ada, now=NOON, conversation_id="talk")
    old = sent_code(shop)
    shop.executor.send_code(shop.ada, now=NOON + MINUTE, conversation_id="talk")

    if old != sent_code(shop):
        with pytest.raises(NotAllowedError):
            shop.executor.check_code(shop.ada, old, now=NOON + MINUTE, conversation_id="talk")
    raised = shop.executor.check_code(
        shop.ada, sent_code(shop), now=NOON + MINUTE, conversation_id="talk"
    )
    assert raised.level is Level.FRESH_CODE


def test_five_wrong_codes_end_it(shop: Shop) -> None:
    shop.executor.send_code(shop.ada, now=NOON, conversation_id="talk")
    right = sent_code(shop)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(NotAllowedError, match="not the code"):
            shop.executor.check_code(shop.ada, wrong, now=NOON, conversation_id="talk")

    with pytest.raises(RateLimitedError):
        shop.executor.check_code(shop.ada, right, now=NOON, conversation_id="talk")


def test_only_three_codes_are_mailed_within_an_hour(shop: Shop) -> None:
    for n in range(3):
        shop.executor.send_code(shop.ada, now=NOON, conversation_id=f"talk {n}")

    with pytest.raises(RateLimitedError):
        shop.executor.send_code(shop.ada, now=NOON, conversation_id="talk")
    later = NOON + timedelta(minutes=61)
    assert shop.executor.send_code(shop.ada, now=later, conversation_id="talk")


def test_only_six_codes_are_mailed_to_an_address_within_a_day(shop: Shop) -> None:
    for hours in (0, 2, 4, 6, 8, 10):
        shop.executor.send_code(
            shop.ada, now=NOON + timedelta(hours=hours), conversation_id=f"talk {hours}"
        )

    with pytest.raises(RateLimitedError, match="wait until tomorrow"):
        shop.executor.send_code(shop.ada, now=NOON + timedelta(hours=23), conversation_id="new")
    assert shop.executor.send_code(shop.eve, now=NOON + timedelta(hours=23), conversation_id="e")
    assert shop.executor.send_code(shop.ada, now=NOON + timedelta(hours=24), conversation_id="new")


def test_nobody_gets_a_code_without_an_order(shop: Shop) -> None:
    with pytest.raises(NotVerifiedError):
        shop.executor.send_code(VISITOR, now=NOON, conversation_id="talk")
