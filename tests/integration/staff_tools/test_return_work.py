"""The work on returns, refunds and goodwill: by the rules, once, and within limits."""

from typing import Any

import pytest
from sqlalchemy import func, select

from opsbot.commerce.effects import Effect
from opsbot.commerce.goodwill import GoodwillGrant
from opsbot.commerce.inventory import LocationKind, StockLevel, levels_of
from opsbot.commerce.loyalty import LoyaltyEntry
from opsbot.commerce.numbers import NumberKind, skip_numbers
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import MethodKind, PaymentMethod
from opsbot.commerce.payments import PaymentKind, payments_of, refundable
from opsbot.commerce.return_work import expire_returns
from opsbot.commerce.returns import Return, ReturnState, find_return
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError, PolicyError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.proposals import Confirmation, Preview, ProposalState
from tests.factories import DAY, NOON, make_location
from tests.integration.toolkit.ledger_shop import People, add_people
from tests.shop_fixtures import Shop, filled_template, policies, shop, tools

__all__ = ["filled_template", "policies", "shop", "tools"]

LAMP, MUG = "LL-LMP-02-SGE", "LL-MUG-01-MOS"


@pytest.fixture
def people(shop: Shop) -> People:
    """Staff, and the places that goods come back to."""
    with shop.database.write() as session:
        for code, kind in (("RET", LocationKind.RETURNS), ("QUA", LocationKind.QUARANTINE)):
            session.add(make_location(code, kind=kind, sellable=False))
    return add_people(shop)


def ask(shop: Shop, reason: str = "changed_mind", item: str = "lamp", **more: Any) -> str:
    """Open a return of #1002; return its number."""
    preview = shop.propose(
        "request_return", order_number="1002", items=[item], reason=reason, **more
    )
    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)
    assert outcome.result is not None
    return str(outcome.result.facts["return_number"])


def do(shop: Shop, who: Caller, name: str, **arguments: Any) -> Confirmation:
    preview = shop.run(name, who, conversation=None, **arguments)
    assert isinstance(preview, Preview)
    return shop.executor.confirm(who, preview.id, now=NOON)


def kept(shop: Shop, number: str) -> Return:
    with shop.database.read() as session:
        return find_return(session, number, customer_id=None)


def on_hand(shop: Shop, sku: str) -> dict[str, int]:
    with shop.database.read() as session:
        return {level.location.code: level.on_hand for level in levels_of(session, sku)}


def paid_left(shop: Shop, number: str) -> int:
    with shop.database.read() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        return refundable(payments_of(session, order.id))


def test_a_return_goes_from_request_to_refund(shop: Shop, people: People) -> None:
    number = ask(shop, "wrong_item")
    before = paid_left(shop, "#1002")

    do(shop, people.mara, "decide_return", return_number=number, decision="approve")
    do(shop, people.otto, "receive_return", return_number=number, grade="A")
    done = do(shop, people.mara, "resolve_return", return_number=number)

    assert kept(shop, number).state is ReturnState.RESOLVED
    assert on_hand(shop, LAMP) == {"BER": 20, "RET": 0}
    assert paid_left(shop, "#1002") == before - 7900
    assert done.result is not None
    assert "a refund of €79.00" in done.result.say
    with shop.database.read() as session:
        effect = session.scalars(select(Effect).where(Effect.operation == "refund")).one()
    assert (effect.port, effect.payload["amount_minor"]) == ("payments", 7900)


def test_what_waits_is_listed_the_most_overdue_first(shop: Shop, people: People) -> None:
    first = ask(shop, "wrong_item")
    second = ask(shop, item="mug", quantity=1)

    later = NOON + 30 * DAY
    result = shop.run("returns_worklist", people.otto, now=later, conversation=None)
    decisions = shop.read("returns_worklist", people.otto, waiting="decision")

    rows = result.facts["rows"]  # type: ignore[union-attr]  # a read
    assert [row["Return"] for row in rows] == [first, second]
    assert [row["Waits for"] for row in rows] == ["decision", "goods"]
    assert rows[0]["Days late"] > rows[1]["Days late"] > 0
    assert [row["Return"] for row in decisions.facts["rows"]] == [first]


def test_a_withdrawal_is_never_declined(shop: Shop, people: People) -> None:
    caller = shop.prove("#1002")
    preview = shop.propose("withdraw", caller, order_number="#1002")
    shop.executor.confirm(caller, preview.id, now=NOON)
    with shop.database.write() as session:
        opened = session.scalars(select(Return)).one()
        number, opened.state = opened.number, ReturnState.REQUESTED

    with pytest.raises(PolicyError, match="withdrawal by law"):
        shop.run(
            "decide_return", people.mara, return_number=number, decision="decline", text="used"
        )
    do(shop, people.mara, "decide_return", return_number=number, decision="approve")
    do(shop, people.otto, "receive_return", return_number=number, grade="A")
    with pytest.raises(PolicyError, match="money goes back"):
        shop.run("resolve_return", people.mara, return_number=number, resolution="store_credit")


def test_a_declined_return_needs_words_and_gives_the_goods_free_again(
    shop: Shop, people: People
) -> None:
    number = ask(shop, "wrong_item")

    with pytest.raises(InvalidInputError, match="Say why"):
        shop.run("decide_return", people.mara, return_number=number, decision="decline")
    do(
        shop,
        people.mara,
        "decide_return",
        return_number=number,
        decision="decline",
        text="The photo shows the right lamp.",
    )

    assert kept(shop, number).note == "The photo shows the right lamp."
    assert ask(shop, "wrong_item") != number


@pytest.mark.parametrize(
    ("grade", "disposition", "places"),
    [
        ("A", None, {"BER": 20, "RET": 0}),
        ("B", None, {"BER": 19, "RET": 1}),
        ("C", None, {"BER": 19, "RET": 1}),
        ("D", None, {"BER": 19, "RET": 0}),
        ("B", "quarantine", {"BER": 19, "RET": 0, "QUA": 1}),
    ],
)
def test_goods_go_where_their_grade_or_a_person_says(
    shop: Shop, people: People, grade: str, disposition: str | None, places: dict[str, int]
) -> None:
    number = ask(shop)
    more = {"disposition": disposition} if disposition else {}

    do(shop, people.otto, "receive_return", return_number=number, grade=grade, **more)

    assert on_hand(shop, LAMP) == places
    assert kept(shop, number).state is ReturnState.INSPECTED


def test_items_are_graded_one_by_one(shop: Shop, people: People) -> None:
    preview = shop.propose(
        "request_return", order_number="1002", items=["lamp", "mug"], reason="changed_mind"
    )
    outcome = shop.executor.confirm(shop.ada, preview.id, now=NOON)
    assert outcome.result is not None
    number = outcome.result.facts["return_number"]

    do(shop, people.otto, "receive_return", return_number=number)
    do(shop, people.otto, "receive_return", return_number=number, grade="A", items=["lamp"])
    halfway = kept(shop, number).state
    do(shop, people.otto, "receive_return", return_number=number, grade="D", items=["mug"])

    assert halfway is ReturnState.RECEIVED
    assert kept(shop, number).state is ReturnState.INSPECTED
    assert [line.disposition for line in kept(shop, number).lines] == ["restock", "scrap"]
    with pytest.raises(ConflictError, match="cannot be taken in"):
        shop.run("receive_return", people.otto, return_number=number, grade="A")


def test_less_is_paid_only_for_worn_goods_of_the_customers_own_reason(
    shop: Shop, people: People
) -> None:
    own, fault = ask(shop), ask(shop, "wrong_item", item="mug")
    do(shop, people.mara, "decide_return", return_number=fault, decision="approve")
    do(shop, people.otto, "receive_return", return_number=own, grade="A")
    do(shop, people.otto, "receive_return", return_number=fault, grade="D")
    less: dict[str, Any] = {"amount": "10", "note": "worn"}

    with pytest.raises(PolicyError, match="owed in full"):
        shop.run("resolve_return", people.mara, return_number=own, **less)
    with pytest.raises(PolicyError, match="owed in full"):
        shop.run("resolve_return", people.mara, return_number=fault, **less)


def test_worn_goods_lower_a_refund_with_a_reason(shop: Shop, people: People) -> None:
    number = ask(shop)
    do(shop, people.otto, "receive_return", return_number=number, grade="C")

    with pytest.raises(InvalidInputError, match="Say why"):
        shop.run("resolve_return", people.mara, return_number=number, amount="50")
    do(
        shop,
        people.mara,
        "resolve_return",
        return_number=number,
        amount="50.00",
        note="The shade is stained.",
    )

    assert kept(shop, number).refund_minor == 5000


def test_a_repair_sends_the_goods_back_and_lengthens_the_guarantee(
    shop: Shop, people: People
) -> None:
    number = ask(shop, "defective", resolution="repair")
    do(shop, people.mara, "decide_return", return_number=number, decision="approve")
    do(shop, people.otto, "receive_return", return_number=number, grade="C")
    do(shop, people.mara, "resolve_return", return_number=number)

    covered = shop.read("warranty", order_number="1002", items=["lamp"])

    assert on_hand(shop, LAMP) == {"BER": 19, "RET": 0}
    assert shop.order("#1002").lines[0].returned == 0
    assert covered.facts["covered"][0]["until"]["guarantee"] == "2029-11-10"
    assert "12 months longer" in covered.say
    assert ask(shop, "defective", resolution="refund")


def test_an_exchange_becomes_an_order_of_its_own(shop: Shop, people: People) -> None:
    with shop.database.write() as session:
        skip_numbers(session, NumberKind.ORDER, 2002)
    number = ask(shop, "wrong_item", resolution="exchange")
    do(shop, people.mara, "decide_return", return_number=number, decision="approve")
    do(shop, people.otto, "receive_return", return_number=number, grade="B")
    do(shop, people.mara, "resolve_return", return_number=number)

    with shop.database.read() as session:
        new = session.scalars(select(Order).where(Order.external_id == number)).one()
        level = session.get_one(StockLevel, (LAMP, 1))
    assert (new.source, new.total_minor) == ("exchange", 0)
    assert level.reserved >= 1


def test_a_missing_part_is_sent_without_any_goods_coming_back(shop: Shop, people: People) -> None:
    number = ask(shop, "missing_parts")
    do(shop, people.mara, "decide_return", return_number=number, decision="approve")

    do(shop, people.mara, "resolve_return", return_number=number)

    assert kept(shop, number).state is ReturnState.RESOLVED
    assert paid_left(shop, "#1002") == 7900 + 4800 + 490
    assert ask(shop)


def test_store_credit_is_on_the_account_at_once(shop: Shop, people: People) -> None:
    number = ask(shop, resolution="store_credit")
    do(shop, people.otto, "receive_return", return_number=number, grade="A")
    do(shop, people.mara, "resolve_return", return_number=number)

    with shop.database.read() as session:
        credit = session.scalars(select(PaymentMethod)).one()
    assert (credit.kind, credit.balance_minor) == (MethodKind.STORE_CREDIT, 7781)
    assert paid_left(shop, "#1002") == 7900 + 4800 + 490


def test_goods_that_are_not_sent_in_time_end_the_return_but_not_a_withdrawal(
    shop: Shop, people: People
) -> None:
    number = ask(shop)
    caller = shop.prove("#1002")
    preview = shop.propose("withdraw", caller, order_number="#1002", items=["mug"])
    shop.executor.confirm(caller, preview.id, now=NOON)

    with shop.database.write() as session:
        early = expire_returns(session, now=NOON + 21 * DAY)
    with shop.database.write() as session:
        late = expire_returns(session, now=NOON + 23 * DAY)

    assert (early, late) == (0, 1)
    assert kept(shop, number).state is ReturnState.EXPIRED


@pytest.mark.parametrize(
    ("who", "amount", "waits_for"),
    [("mara", "100", None), ("mara", "100.01", "lead"), ("lena", "131.90", None)],
)
def test_a_refund_above_ones_limit_waits_for_somebody_else(
    shop: Shop, people: People, who: str, amount: str, waits_for: str | None
) -> None:
    caller = getattr(people, who)

    outcome = do(
        shop, caller, "refund", order_number="1002", amount=amount, reason="Price was wrong."
    )

    left = paid_left(shop, "#1002")
    if waits_for is None:
        assert outcome.preview.state is ProposalState.EXECUTED
        assert left == 13190 - round(float(amount) * 100)
        return
    assert left == 13190
    with pytest.raises(NotAllowedError):
        shop.executor.approve(caller, outcome.preview.id, now=NOON)
    shop.executor.approve(people.lena, outcome.preview.id, now=NOON)
    assert paid_left(shop, "#1002") == 13190 - 10001


def test_two_refunds_on_one_order_count_together(shop: Shop, people: People) -> None:
    refund = {"order_number": "1002", "reason": "The box was dented."}
    do(shop, people.mara, "refund", amount="80", **refund)

    second = do(shop, people.mara, "refund", amount="21", **refund)

    assert paid_left(shop, "#1002") == 13190 - 8000
    assert second.preview.state is not ProposalState.EXECUTED


@pytest.mark.parametrize("reason", ["yes", "ok, do it", "Yes please!", "123", "..."])
def test_an_answer_to_another_question_is_no_reason_for_money(
    shop: Shop, people: People, reason: str
) -> None:
    asked: dict[str, Any] = {"order_number": "1002", "amount": "5", "reason": reason}
    gift: dict[str, Any] = asked | {"kind": "store_credit"}
    with pytest.raises(InvalidInputError, match="what it is for"):
        shop.run("refund", people.mara, **asked)
    with pytest.raises(InvalidInputError, match="what it is for"):
        shop.run("goodwill", people.mara, **gift)


@pytest.mark.parametrize("amount", ["131.91", "100000", "0", "-5", "1.234", "NaN"])
def test_nobody_refunds_more_than_was_paid_nor_nonsense(
    shop: Shop, people: People, amount: str
) -> None:
    with pytest.raises((PolicyError, InvalidInputError)):
        shop.run("refund", people.ben, order_number="1002", amount=amount, reason="Wrong price")

    assert paid_left(shop, "#1002") == 13190


def test_goodwill_is_shown_against_its_cap_and_waits_above_it(shop: Shop, people: People) -> None:
    give: dict[str, Any] = {
        "order_number": "1002",
        "kind": "store_credit",
        "reason": "Sorry for the wait.",
    }
    first = do(shop, people.mara, "goodwill", amount="25", **give)
    second = shop.run("goodwill", people.mara, conversation=None, amount="20", **give)
    third = do(shop, people.mara, "goodwill", amount="25", **give)
    fourth = do(shop, people.lena, "goodwill", amount="1", **give)

    assert isinstance(second, Preview)
    words = "Given to this customer within 180 days before: €25.00 of €50.00."
    assert words in second.details
    assert first.preview.state is third.preview.state is ProposalState.EXECUTED
    assert fourth.preview.state is not ProposalState.EXECUTED
    with shop.database.read() as session:
        total = session.scalar(select(func.sum(GoodwillGrant.value_minor)))
        credit = session.scalars(select(PaymentMethod)).one()
    assert total == credit.balance_minor == 5000


def test_goodwill_may_be_points_or_the_delivery_charge(shop: Shop, people: People) -> None:
    words: dict[str, Any] = {"order_number": "1002", "reason": "It came late."}
    do(shop, people.mara, "goodwill", kind="points", amount="5", **words)
    do(shop, people.mara, "goodwill", kind="shipping_refund", **words)

    with shop.database.read() as session:
        entry = session.scalars(select(LoyaltyEntry)).one()
        order = session.scalars(select(Order).where(Order.number == "#1002")).one()
        refunds = [p for p in payments_of(session, order.id) if p.kind is PaymentKind.REFUND]
    assert entry.points == 100
    assert [payment.amount_minor for payment in refunds] == [490]
    with pytest.raises(PolicyError, match=r"€0\.00"):
        shop.run("goodwill", people.mara, kind="shipping_refund", amount="4.91", **words)


@pytest.mark.parametrize("name", ["decide_return", "resolve_return", "refund", "goodwill"])
def test_the_warehouse_pays_nothing_out(shop: Shop, people: People, name: str) -> None:
    with pytest.raises(NotAllowedError):
        shop.run(name, people.otto)


def test_a_customer_follows_a_return_and_calls_it_off(shop: Shop, people: People) -> None:
    number = ask(shop)
    said = shop.read("return_status", return_number=number)

    preview = shop.propose("cancel_return", return_number=number)
    shop.executor.confirm(shop.ada, preview.id, now=NOON)
    after = shop.read("return_status", order_number="1002")

    assert "it is approved" in said.say
    assert "hand in the parcel by 11 December 2026" in said.say
    assert "it was called off" in after.say
    with pytest.raises(ConflictError, match="cannot be called off any more"):
        shop.propose("cancel_return", return_number=number)


def test_a_return_of_somebody_else_reads_like_none(shop: Shop, people: People) -> None:
    number = ask(shop)
    texts = []
    for who, asked in ((shop.eve, number), (shop.prove("#1001"), number), (shop.eve, "RMA-09999")):
        with pytest.raises(Exception, match="could not find") as raised:
            shop.read("return_status", who, return_number=asked)
        texts.append(str(raised.value).replace(asked, "N"))

    assert len(set(texts)) == 1
