"""Points, guarantees, registrations, and claims about deliveries."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sqlalchemy import select

from opsbot.commerce.claims import Claim
from opsbot.commerce.customers import Customer
from opsbot.commerce.effects import Effect
from opsbot.commerce.loyalty import (
    LoyaltyEntry,
    LoyaltyKind,
    append,
    available,
    entries_of,
    expire_points,
    standing_of,
)
from opsbot.commerce.orders import Order, SalesChannel, find_order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.products import Item
from opsbot.commerce.returns import Return, ReturnState
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, PolicyError
from opsbot.jobs.kinds import count_loyalty
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import ProposalState
from opsbot.toolkit.results import Result
from tests.factories import DAY, NOON, make_customer, make_line, make_order
from tests.shop_fixtures import Shop

ADA = "C-1001"
MORE_THAN_ARE_READ_TOGETHER = 210


def add(
    session: Any, customer_id: int, points: int, kind: LoyaltyKind, n: int, **more: Any
) -> bool:
    at: datetime = more.get("at", NOON - 100 * DAY)
    begins: datetime = more.get("available_at", at)
    return append(
        session,
        LoyaltyEntry(
            customer_id=customer_id,
            kind=kind,
            points=points,
            order_id=None,
            reference=f"{kind}:{n}",
            available_at=begins,
            expires_at=more.get("expires_at", begins + 700 * DAY if points > 0 else None),
            actor="system",
            at=at,
        ),
    )


def give(shop: Shop, points: int, n: int = 1, **more: Any) -> None:
    with shop.database.write() as session:
        ada = session.scalars(select(Customer).where(Customer.number == ADA)).one()
        add(session, ada.id, points, LoyaltyKind.ADJUST, n, **more)


def test_a_delivered_order_earns_points_that_wait_until_no_return_is_possible(shop: Shop) -> None:
    count_loyalty(shop.database, shop.settings, now=NOON)
    count_loyalty(shop.database, shop.settings, now=NOON)

    now = shop.read("loyalty")
    later = shop.run("loyalty", now=NOON + 75 * DAY)

    assert now.facts["balance"] == 0
    assert now.facts["pending"] == 79 + 48
    assert "the first from 1 February 2027 on" in now.say
    assert later.facts["balance"] == 127  # type: ignore[union-attr]  # a read


def test_many_orders_that_earn_nothing_keep_nobody_waiting(shop: Shop) -> None:
    with shop.database.write() as session:
        ada = session.scalars(select(Customer).where(Customer.number == ADA)).one()
        first = session.scalars(
            select(Order).where(Order.customer_id == ada.id, Order.delivered_at.is_not(None))
        ).first()
        assert first is not None
        channel = session.get_one(SalesChannel, first.channel_id)
        mug = session.get_one(Item, "LL-MUG-01-MOS")
        session.add_all(
            make_order(
                ada,
                f"#{number}",
                lines=[make_line(mug, unit_price_minor=50, shipped=1, delivered=1)],
                channel=channel,
                delivered_at=NOON - 50 * DAY,
            )
            for number in range(7000, 7000 + MORE_THAN_ARE_READ_TOGETHER)
        )

    count_loyalty(shop.database, shop.settings, now=NOON)

    assert shop.read("loyalty").facts["pending"] == 79 + 48


@pytest.mark.parametrize(
    ("about", "booked", "balance"),
    [("#1002", 30, 127 - 30), ("RMA-90001", 30, 127 - 30 - 79), ("RMA-90001", 79, 0)],
    ids=["for the whole order", "for another return", "so that too little is left"],
)
def test_points_of_a_return_are_taken_back_once_whoever_booked_it(
    shop: Shop, about: str, booked: int, balance: int
) -> None:
    return_the_lamp(shop)
    with shop.database.write() as session:
        order = find_order(session, "#1002", customer_id=None)
        entry = LoyaltyEntry(
            customer_id=order.customer_id,
            kind=LoyaltyKind.REVERSE,
            points=-booked,
            order_id=order.id,
            reference=f"reverse:{about}",
            available_at=NOON,
            expires_at=None,
            actor="system",
            at=NOON,
        )
        append(session, entry)

    count_loyalty(shop.database, shop.settings, now=NOON + DAY)

    assert shop.run("loyalty", now=NOON + 75 * DAY).facts["balance"] == balance  # type: ignore[union-attr]


def test_goods_that_come_back_take_their_points_with_them(shop: Shop) -> None:
    return_the_lamp(shop)

    count_loyalty(shop.database, shop.settings, now=NOON + DAY)
    count_loyalty(shop.database, shop.settings, now=NOON + 2 * DAY)

    assert shop.read("loyalty").facts["pending"] == 48
    assert shop.run("loyalty", now=NOON + 75 * DAY).facts["balance"] == 48  # type: ignore[union-attr]


def return_the_lamp(shop: Shop) -> None:
    """Let the only thing of order #1002 come back that had earned points, and be paid back."""
    count_loyalty(shop.database, shop.settings, now=NOON)
    preview = shop.propose(
        "request_return", order_number="1002", items=["lamp"], reason="changed_mind"
    )
    shop.executor.confirm(shop.ada, preview.id, now=NOON)
    with shop.database.write() as session:
        opened = session.scalars(select(Return)).one()
        opened.state, opened.resolved_at = ReturnState.RESOLVED, NOON


def test_points_become_store_credit_once(shop: Shop) -> None:
    give(shop, 250)
    first = shop.propose("redeem_points", points=200, conversation="one")
    second = shop.propose("redeem_points", points=200, conversation="two")

    done = shop.executor.confirm(shop.ada, first.id, now=NOON)
    again = shop.executor.confirm(shop.ada, second.id, now=NOON)

    with shop.database.read() as session:
        credit = session.scalars(select(PaymentMethod)).one()
    assert "You get €10.00 of store credit." in first.details
    assert done.preview.state is ProposalState.EXECUTED
    assert again.preview.state is not ProposalState.EXECUTED
    assert credit.balance_minor == 1000
    assert shop.read("loyalty").facts["balance"] == 50


@pytest.mark.parametrize(("have", "use"), [(99, None), (250, 99), (250, 251), (0, None)])
def test_points_that_are_not_there_are_not_used(shop: Shop, have: int, use: int | None) -> None:
    if have:
        give(shop, have)

    wanted: dict[str, Any] = {"points": use} if use else {}
    with pytest.raises((PolicyError, ConflictError)):
        shop.propose("redeem_points", **wanted)


def test_points_end_and_the_next_ones_to_end_are_told(shop: Shop) -> None:
    give(shop, 120, 1, expires_at=NOON + 3 * DAY)
    give(shop, 200, 2)
    before = shop.read("loyalty")

    with shop.database.write() as session:
        ended = expire_points(session, now=NOON + 4 * DAY)
        again = expire_points(session, now=NOON + 4 * DAY)
    after = shop.run("loyalty", now=NOON + 4 * DAY)

    assert "Ending next: 120 on 23 November 2026" in before.say
    assert (ended, again) == (120, 0)
    assert after.facts["balance"] == 200  # type: ignore[union-attr]  # a read


def test_a_tier_is_made_of_what_was_earned(shop: Shop) -> None:
    with shop.database.write() as session:
        ada = session.scalars(select(Customer).where(Customer.number == ADA)).one()
        add(session, ada.id, 480, LoyaltyKind.EARN, 1)
        add(session, ada.id, 3000, LoyaltyKind.ADJUST, 2)

    assert shop.read("loyalty").facts["tier"] == "maker"
    with shop.database.write() as session:
        add(session, ada.id, 20, LoyaltyKind.EARN, 3)
    found = shop.read("loyalty")
    options = shop.read("return_options", order_number="1002", items=["lamp"])

    assert found.facts["tier"] == "studio"
    assert "1500 more points make you atelier" in found.say
    assert "You would get back **€79.00**" in options.say


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["earn", "redeem", "expire"]), st.integers(1, 300), st.integers(0, 60)
    ),
    max_size=12,
)


def play(database: Database, steps: list[tuple[str, int, int]]) -> None:
    """Let points come, be used and end; check the ledger after each step."""
    with database.write() as session:
        customer = make_customer(email=f"{len(steps)}@example.com")
        session.add(customer)
        session.flush()
        now = NOON
        for n, (what, points, days) in enumerate(steps):
            now += timedelta(days=days)
            if what == "expire":
                expire_points(session, now=now)
            elif what == "earn":
                begins, ends = now + 10 * DAY, now + 90 * DAY
                add(
                    session,
                    customer.id,
                    points,
                    LoyaltyKind.EARN,
                    n,
                    at=now,
                    available_at=begins,
                    expires_at=ends,
                )
            else:
                there = available(session, customer.id, now=now)
                try:
                    add(session, customer.id, -points, LoyaltyKind.REDEEM, n, at=now)
                    assert points <= there
                except ConflictError:
                    assert points > there
            entries = entries_of(session, customer.id)
            found = standing_of(entries, now=now, since=NOON)
            assert found.balance == available(session, customer.id, now=now) >= 0
            assert found.balance + found.pending == sum(entry.points for entry in entries)
            assert 0 <= found.expiring <= found.balance
        session.rollback()


@limits(deadline=None, max_examples=25)
@given(steps=STEPS)
def test_points_are_never_below_zero_whatever_happens(
    loyalty_database: Database, steps: list[tuple[str, int, int]]
) -> None:
    play(loyalty_database, steps)


@pytest.fixture(scope="module")
def loyalty_database(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """An empty database that the examples share: each rolls back what it did."""
    import shutil  # noqa: PLC0415

    path = tmp_path_factory.mktemp("points") / "opsbot.db"
    shutil.copy(sqlite_template, path)
    return Database(f"sqlite:///{path}")


def test_points_hold_on_both_databases(database: Database) -> None:
    steps = [("earn", 200, 0), ("redeem", 150, 11), ("redeem", 60, 0), ("expire", 1, 80)]

    play(database, [*steps, ("earn", 30, 0), ("expire", 1, 5)])


def test_an_order_is_covered_by_law_and_by_the_shop(shop: Shop) -> None:
    found = shop.run("warranty", now=NOON + 80 * DAY, order_number="1002", items=["lamp"])

    assert isinstance(found, Result)
    assert "- Legal guarantee: until 10 November 2028" in found.say
    assert "- Our own warranty: until 10 November 2029" in found.say
    assert "- You may claim a repair or another piece" in found.say
    assert "- Spare parts: Linen shade for the Ember lamp (€27.00)" in found.say
    assert "A repair takes about 10 working days" in found.say


def test_what_has_not_arrived_is_not_covered_yet(shop: Shop) -> None:
    assert "both begin when it arrives" in shop.read("warranty", order_number="1001").say


def test_a_product_of_a_partner_is_registered_and_covered(shop: Shop) -> None:
    wanted: dict[str, Any] = {
        "product": "ember lamp sage",
        "serial": "emb-77 812",
        "bought_on": "2026-10-03",
        "seller": "Kontor Nord",
    }
    preview = shop.propose("register_product", **wanted)
    shop.executor.confirm(shop.ada, preview.id, now=NOON)

    found = shop.read("warranty", serial="EMB77812")

    assert "serial number EMB77812, from Kontor Nord" in found.say
    assert "Our own warranty: until 3 October 2029" in found.say
    with pytest.raises(ConflictError, match="registered already"):
        shop.run("register_product", shop.eve, **wanted)
    with pytest.raises(InvalidInputError, match="Which order is it about"):
        shop.read("warranty", shop.eve, serial="EMB77812")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"serial": "??"}, "4 to 32 letters"),
        ({"bought_on": "2027-01-01"}, "in the future"),
        ({"bought_on": "2024-10-01"}, "too long ago"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(
    shop: Shop, change: dict[str, str], error: str
) -> None:
    wanted: dict[str, Any] = {
        "product": "ember lamp sage",
        "serial": "EMB77812",
        "bought_on": "2026-10-03",
        "seller": "Kontor Nord",
    }

    with pytest.raises((InvalidInputError, PolicyError), match=error):
        shop.propose("register_product", **{**wanted, **change})


def test_a_claim_keeps_facts_steps_and_wish_and_asks_the_carrier(
    shop: Shop, policies: Policies
) -> None:
    caller = shop.prove("#1003")
    preview = shop.run(
        "report_problem",
        caller,
        now=NOON + 30 * DAY,
        order_number="#1003",
        kind="late",
        wanted="refund",
    )
    shop.executor.confirm(caller, preview.id, now=NOON + 30 * DAY)  # type: ignore[union-attr]

    with shop.database.read() as session:
        claim = session.scalars(select(Claim)).one()
        effect = session.scalars(select(Effect)).one()
    assert (claim.kind, claim.wanted, claim.decision["lost"]) == ("late", "refund", True)
    assert claim.decision["facts"]["country"] == "DE"
    assert claim.policy_version == policies.version
    assert (effect.port, effect.operation) == ("carriers", "trace")
    assert effect.payload["tracking_number"] == "00340434161094000003"


def test_what_is_not_offered_for_a_claim_cannot_be_chosen(shop: Shop) -> None:
    with pytest.raises(InvalidInputError, match="have it sent again or get your money back"):
        shop.propose("report_problem", order_number="1002", kind="damaged", wanted="send_part")


def test_who_did_not_get_a_delivered_parcel_is_told_the_steps(shop: Shop) -> None:
    preview = shop.propose("report_problem", order_number="1002", kind="not_received")

    assert "Please look in safe places and ask your neighbours." in preview.details
    words = "Please wait 2 days: some parcels are called delivered too early."
    assert words in preview.details
    assert "Then you may have it sent again or get your money back." in preview.details


def test_the_policies_of_points_are_those_of_the_shop(policies: Policies) -> None:
    assert policies.loyalty.redeem.minor_per_point == 5
    assert [tier.name for tier in policies.loyalty.tiers] == ["maker", "studio", "atelier"]
    assert Order.__tablename__ == "orders"
