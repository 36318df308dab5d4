"""What customers may take back of what they changed themselves, until when, and what not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.customers import Customer, addresses_of
from opsbot.commerce.orders import find_order
from opsbot.commerce.payment_methods import methods_of
from opsbot.commerce.payments import paid_by, payments_of, refundable
from opsbot.commerce.returns import Return, ReturnState, returns_of
from opsbot.commerce.shipments import pack_order
from opsbot.errors import ConflictError, NotFoundError, NotVerifiedError, PolicyError
from opsbot.settings import Settings
from opsbot.toolkit.addresses import as_written
from opsbot.toolkit.caller import Caller, Level
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import BERLIN, NOON
from tests.shop_fixtures import Shop
from tests.stocked_shop import INK, stocked, with_rules

__all__ = ["stocked"]
ELSEWHERE = "Sonnenallee 5, 12047 Berlin"
TWICE = {"changes": {"items": {"once": False}}}


def do(shop: Shop, name: str, caller: Caller | None = None, /, **arguments: Any) -> Preview:
    """Make a change and confirm it."""
    caller = caller or shop.ada
    preview = shop.propose(name, caller, **arguments)
    done = shop.executor.confirm(caller, preview.id, now=NOON)
    assert done.preview.state is ProposalState.EXECUTED, done.preview.say
    return done.preview


def take_back(shop: Shop, done: Preview, caller: Caller | None = None) -> Preview:
    """Ask to take a change back, and confirm it."""
    caller = caller or shop.ada
    way_back = shop.executor.undo(caller, done.id, now=NOON)
    ended = shop.executor.confirm(caller, way_back.id, now=NOON).preview
    assert ended.state is ProposalState.EXECUTED, ended.say
    return ended


@pytest.fixture
def fresh(stocked: Shop) -> Caller:
    """Ada, who has just typed a code."""
    return stocked.ada.at_level(Level.FRESH_CODE)


def returns_in(shop: Shop, number: str) -> list[Return]:
    with shop.database.read() as session:
        return returns_of(session, find_order(session, number, customer_id=None).id)


def test_an_order_goes_back_to_the_address_it_had(stocked: Shop, fresh: Caller) -> None:
    before = stocked.order("#1001").ship_to
    done = do(stocked, "change_address", fresh, order_number="#1001", address=ELSEWHERE)

    assert done.can_undo
    way_back = stocked.executor.undo(fresh, done.id, now=NOON)
    assert "Instead of: Ada Brandt, Sonnenallee 5, 12047 Berlin" in way_back.details
    assert stocked.order("#1001").ship_to["line1"] == "Sonnenallee 5", "nothing before the yes"
    stocked.executor.confirm(fresh, way_back.id, now=NOON)

    after = stocked.order("#1001").ship_to
    assert {key: after.get(key) for key in before} == dict(before)


def test_it_is_taken_back_once_and_by_who_made_it(stocked: Shop, fresh: Caller) -> None:
    done = do(stocked, "change_address", fresh, order_number="#1001", address=ELSEWHERE)
    eve = stocked.eve.at_level(Level.FRESH_CODE)

    with pytest.raises(NotFoundError):
        stocked.executor.undo(eve, done.id, now=NOON)
    with pytest.raises(NotVerifiedError):
        stocked.executor.undo(stocked.ada, done.id, now=NOON)
    take_back(stocked, done, fresh)

    with pytest.raises(ConflictError, match="taken back already"):
        stocked.executor.undo(fresh, done.id, now=NOON)


def test_once_it_is_packed_it_is_too_late(stocked: Shop, fresh: Caller) -> None:
    done = do(stocked, "change_address", fresh, order_number="#1001", address=ELSEWHERE)
    shown = stocked.executor.undo(fresh, done.id, now=NOON)
    with stocked.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        pack_order(session, order, carrier="DHL", service="Paket", tracking_number="x",
                   cost_minor=1, actor="system", now=NOON)  # fmt: skip

    ended = stocked.executor.confirm(fresh, shown.id, now=NOON)

    assert (ended.preview.state, ended.renewed) == (ProposalState.FAILED, None)
    with pytest.raises(PolicyError, match="packed"):
        stocked.executor.undo(fresh, done.id, now=NOON)
    assert stocked.order("#1001").ship_to["line1"] == "Sonnenallee 5"


def test_an_address_that_words_cannot_tell_has_no_way_back(stocked: Shop, fresh: Caller) -> None:
    with stocked.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        order.ship_to = {**BERLIN, "name": "Studio 54", "line2": "c/o 3rd floor"}

    done = do(stocked, "change_address", fresh, order_number="#1001", address=ELSEWHERE)

    assert not done.can_undo


def test_the_default_address_comes_back(stocked: Shop, fresh: Caller) -> None:
    do(stocked, "change_my_address", fresh, address=ELSEWHERE)
    done = do(stocked, "change_my_address", fresh, address="Marienplatz 1, 80331 Munich")

    take_back(stocked, done, fresh)

    with stocked.database.read() as session:
        default, *others = addresses_of(session, stocked.ada.customer_id or 0)
    assert (default.line1, default.is_default) == ("Sonnenallee 5", True)
    assert "Marienplatz 1" in {one.line1 for one in others}


def test_the_first_payment_method_is_charged_again(stocked: Shop) -> None:
    done = do(stocked, "change_payment", order_number="#1001", payment_method="PayPal")

    take_back(stocked, done)

    with stocked.database.read() as session:
        ledger = payments_of(session, find_order(session, "#1001", customer_id=None).id)
        ways = [(first.payment_method.last4, minor) for first, minor in paid_by(ledger)
                if first.payment_method]  # fmt: skip
    assert ways == [("4242", 5290)]
    assert refundable(ledger) == 5290


def test_an_order_that_was_paid_in_two_ways_has_no_way_back(stocked: Shop) -> None:
    with stocked.database.write() as session:
        order = find_order(session, "#1001", customer_id=None)
        [paid] = payments_of(session, order.id)
        paid.amount_minor -= 300
        session.flush()
        gift = next(m for m in methods_of(session, order.customer_id) if m.has_balance)
        values = {c.key: getattr(paid, c.key) for c in sa.inspect(type(paid)).column_attrs}
        changed = {"amount_minor": 300, "method": "gift_card", "payment_method_id": gift.id,
                   "gateway_ref": "g"}  # fmt: skip
        session.add(type(paid)(**{k: v for k, v in values.items() if k != "id"} | changed))

    done = do(stocked, "change_payment", order_number="#1001", payment_method="PayPal")

    assert not done.can_undo


def test_items_become_what_they_were_where_the_shop_lets_them_change_twice(
    stocked: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> None:
    shop = with_rules(stocked, tmp_path, settings, tools, **TWICE)
    before = shop.order("#1001")
    done = do(shop, "change_items", order_number="#1001", items=["mug"], new_items=["ink"])
    assert [line.sku for line in shop.order("#1001").lines] == [INK]

    take_back(shop, done)

    after = shop.order("#1001")
    assert [(x.sku, x.quantity, x.unit_price_minor) for x in after.lines] == [
        (x.sku, x.quantity, x.unit_price_minor) for x in before.lines
    ]
    assert after.total_minor == before.total_minor
    with shop.database.read() as session:
        assert refundable(payments_of(session, after.id)) == before.total_minor


def test_items_that_change_once_only_have_no_way_back(stocked: Shop) -> None:
    done = do(stocked, "change_items", order_number="#1001", items=["mug"], new_items=["ink"])

    assert not done.can_undo
    with pytest.raises(ConflictError, match="cannot be taken back"):
        stocked.executor.undo(stocked.ada, done.id, now=NOON)


def test_a_return_is_called_off_and_asked_for_again(stocked: Shop) -> None:
    wanted = {"order_number": "#1002", "items": ["mug"], "quantity": 1, "reason": "size_or_style",
              "resolution": "store_credit"}  # fmt: skip
    opened = do(stocked, "request_return", **wanted)
    off = take_back(stocked, opened)
    assert [one.state for one in returns_in(stocked, "#1002")] == [ReturnState.CANCELLED]

    take_back(stocked, off)

    first, again = returns_in(stocked, "#1002")
    assert again.state is ReturnState.APPROVED
    for one in (first, again):
        assert [(x.order_line.sku, x.quantity, x.reason) for x in one.lines] == [
            ("LL-MUG-01-MOS", 1, "size_or_style")
        ]
    assert (again.resolution, again.refund_minor) == (first.resolution, first.refund_minor)


def test_an_exchange_is_called_off_and_asked_for_again(stocked: Shop) -> None:
    wanted = {"order_number": "#1002", "items": ["lamp"], "new_items": ["terracotta"]}
    opened = do(stocked, "exchange_items", **wanted)
    off = take_back(stocked, opened)

    take_back(stocked, off)

    first, again = returns_in(stocked, "#1002")
    assert (first.state, again.state) == (ReturnState.CANCELLED, ReturnState.APPROVED)
    assert [x.replacement_sku for x in again.lines] == ["LL-LMP-02-TER"]
    assert again.difference_minor == first.difference_minor


def test_what_was_sent_in_is_not_called_off(stocked: Shop) -> None:
    opened = do(stocked, "request_return", order_number="#1002", items=["lamp"],
                reason="changed_mind")  # fmt: skip
    with stocked.database.write() as session:
        session.execute(sa.update(Return).values(state=ReturnState.RECEIVED))

    with pytest.raises(ConflictError, match="cannot be called off any more"):
        stocked.executor.undo(stocked.ada, opened.id, now=NOON)


def test_what_cannot_be_had_back_is_not_offered(stocked: Shop) -> None:
    cancelled = do(stocked, "cancel_order", order_number="#1001")
    declared = do(stocked, "withdraw", order_number="#1002", items=["lamp"])
    reported = do(stocked, "report_problem", order_number="#1002", kind="damaged")

    assert not any(one.can_undo for one in (cancelled, declared, reported))


def test_mails_that_were_stopped_come_again(stocked: Shop) -> None:
    stocked.run("set_contact_preferences", topic="everything", wish="stop")
    done = stocked.executor.last_done(stocked.ada, "talk", now=NOON)
    assert done is not None

    take_back(stocked, done)

    with stocked.database.read() as session:
        ada = session.get_one(Customer, stocked.ada.customer_id)
    assert ada.survey_opt_out_at is None
    assert ada.newsletter_since is None, "there was none before"


def test_nothing_changed_leaves_nothing_to_take_back(stocked: Shop) -> None:
    stocked.run("set_contact_preferences", topic="newsletter", wish="stop")

    done = stocked.executor.last_done(stocked.ada, "talk", now=NOON)

    assert done is not None
    assert not done.can_undo
    assert stocked.executor.last_done(stocked.eve, "talk", now=NOON) is None


@pytest.mark.parametrize(
    "address",
    [
        dict(BERLIN),
        {"name": "Bo Li", "line1": "1 Main St", "line2": "Apt 4", "city": "Springfield",
         "region": "IL", "postal_code": "62704", "country": "US"},
        {"name": "Jean", "line1": "5 Rue de Rivoli", "line2": None, "city": "Paris",
         "region": None, "postal_code": "75001", "country": "FR"},
    ],
    ids=["Berlin", "Springfield", "Paris"],
)  # fmt: skip
def test_an_address_is_written_as_it_is_read(address: dict[str, Any]) -> None:
    written = as_written(address, country=address["country"], name="Somebody Else")

    assert written is not None
    assert written.startswith(f"{address['name']}, {address['line1']}")


def test_an_address_of_another_country_is_not_taken_for_one_of_here() -> None:
    assert as_written(BERLIN, country="FR", name="Ada") is None or BERLIN["country"] == "FR"
