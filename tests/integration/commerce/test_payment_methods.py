"""Stored payment methods, balances, and what changes of an order do to money and stock."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from opsbot.commerce import inventory, payments, reservations
from opsbot.commerce.inventory import MoveReason
from opsbot.commerce.numbers import NumberKind, skip_numbers
from opsbot.commerce.order_changes import (
    ITEMS_CHANGED,
    Swap,
    change_items,
    change_payment,
    count_changes,
)
from opsbot.commerce.orders import (
    Order,
    OrderState,
    cancel_order,
    confirm_order,
    find_order,
    orders_of,
)
from opsbot.commerce.payment_methods import (
    CreditReason,
    MethodKind,
    PaymentMethod,
    add_method,
    change_balance,
    entries_of,
    find_method,
    methods_of,
    store_credit_of,
)
from opsbot.commerce.payments import (
    PaymentKind,
    PaymentStatus,
    paid_by,
    payment_status,
    payments_of,
    refund,
)
from opsbot.commerce.products import Item
from opsbot.commerce.return_steps import open_return, receive_return, resolve_return
from opsbot.commerce.returns import Resolution, ReturnReason, ReturnState, Units, find_return
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError, StaleError
from tests.factories import (
    NOON,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
    make_payment,
)

MOSS, INK = "LL-MUG-01-MOS", "LL-MUG-01-INK"
ACTOR = "customer:1"


def method_of(
    session: Session, kind: MethodKind, *, balance: int = 0, customer: int = 1
) -> PaymentMethod:
    """Store a payment method of the customer, with money on it."""
    number = len(methods_of(session, customer)) + 1
    method = add_method(
        session,
        customer_id=customer,
        kind=kind,
        reference=f"{kind}-{number}",
        currency="EUR",
        last4="4242",
        now=NOON,
    )
    if balance:
        give(session, method, balance)
    return method


def give(session: Session, method: PaymentMethod, amount: int) -> None:
    change_balance(
        session,
        method,
        amount,
        reason=CreditReason.ISSUED,
        reference="test",
        actor="system",
        at=NOON,
    )


def place_order(session: Session, quantity: int = 2, **values: object) -> tuple[Order, Item]:
    """Store an order of moss mugs for 24.00 each, with stock held back, and an ink mug."""
    moss = make_item(MOSS)
    ink = make_item(INK, "Kiln mug, ink", price_minor=3000)
    shelf = make_location()
    session.add_all([moss, ink, shelf])
    session.flush()
    for sku in (MOSS, INK):
        inventory.move(
            session, sku, shelf.id, 5,
            reason=MoveReason.OPENING, reference="opening", actor="system", at=NOON,
        )  # fmt: skip
    order = make_order(lines=[make_line(moss, quantity)], **values)  # type: ignore[arg-type]
    session.add(order)
    session.flush()
    for line in order.lines if order.delivered_at is None else ():
        reservations.reserve(session, line.sku, line.quantity, order_line_id=line.id, at=NOON)
    return find_order(session, "1001", customer_id=None), ink


def status(session: Session, order: Order) -> PaymentStatus:
    return payment_status(order.total_minor, payments_of(session, order.id))


def kinds(session: Session, order: Order) -> list[tuple[str, str, int]]:
    return [(p.kind.value, p.method, p.amount_minor) for p in payments_of(session, order.id)]


def test_a_balance_is_the_sum_of_its_entries_and_never_below_zero(database: Database) -> None:
    with database.write() as session:
        session.add(make_customer())
        session.flush()
        card = method_of(session, MethodKind.GIFT_CARD, balance=5000)
        give(session, card, -2000)

        with pytest.raises(ConflictError, match="not enough left"):
            give(session, card, -3001)

        assert card.balance_minor == 3000
        assert sum(e.amount_minor for e in entries_of(session, card.id)) == 3000


def test_two_payments_at_once_do_not_overdraw_a_balance(database: Database) -> None:
    with database.write() as session:
        session.add(make_customer())
        session.flush()
        key = method_of(session, MethodKind.STORE_CREDIT, balance=5000).id

    def spend(_count: int) -> bool:
        try:
            with database.write() as session:
                give(session, find_method(session, key, customer_id=1), -2000)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(spend, range(4)))

    with database.read() as session:
        left = find_method(session, key, customer_id=1).balance_minor
        entries = sum(e.amount_minor for e in entries_of(session, key))
    assert sorted(outcomes) == [False, False, True, True]
    assert left == entries == 1000


@pytest.mark.parametrize(
    "number", ["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004"]
)
def test_a_card_number_is_never_kept(database: Database, number: str) -> None:
    with database.write() as session:
        session.add(make_customer())
        session.flush()

        with pytest.raises(InvalidInputError, match="never kept"):
            add_method(
                session, customer_id=1, kind=MethodKind.CARD, reference=number, currency="EUR",
                now=NOON,
            )  # fmt: skip


def test_a_card_has_no_balance_and_a_method_is_its_customers_alone(database: Database) -> None:
    with database.write() as session:
        session.add_all([make_customer(), make_customer("Eve", "eve@example.com", "C-1002")])
        session.flush()
        card = method_of(session, MethodKind.CARD)

        with pytest.raises(ConflictError, match="Only gift cards"):
            give(session, card, 100)
        with pytest.raises(NotFoundError):
            find_method(session, card.id, customer_id=2)
        assert methods_of(session, 2) == []


def test_store_credit_of_a_customer_is_opened_once(database: Database) -> None:
    with database.write() as session:
        session.add(make_customer())
        session.flush()

        first = store_credit_of(session, 1, "EUR", now=NOON)

        assert store_credit_of(session, 1, "EUR", now=NOON).id == first.id


def test_other_items_move_stock_total_and_the_difference(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session)
        gift = method_of(session, MethodKind.GIFT_CARD, balance=5000)
        before = order.total_minor

        swaps = [Swap(order.lines[0], ink, 2)]
        more = change_items(session, order, swaps, method=gift, actor=ACTOR, now=NOON)

        assert more == 1200
        assert (order.total_minor, order.items_minor) == (before + 1200, 6000)
        assert [(line.sku, line.quantity, line.unit_price_minor) for line in order.lines] == [
            (INK, 2, 3000)
        ]
        assert (inventory.available(session, MOSS), inventory.available(session, INK)) == (5, 3)
        assert gift.balance_minor == 3800
        assert kinds(session, order)[-1] == ("capture", "gift_card", 1200)
        assert status(session, order) is PaymentStatus.PAID
        assert count_changes(session, order, ITEMS_CHANGED) == 1


def test_some_units_of_a_line_become_a_line_of_their_own(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session, quantity=3)
        order.lines[0].discount_minor = 300
        order.total_minor -= 300
        order.discount_minor = 300
        card = method_of(session, MethodKind.CARD)

        swaps = [Swap(order.lines[0], ink, 1)]
        change_items(session, order, swaps, method=card, actor=ACTOR, now=NOON)

        lines = [(line.sku, line.quantity, line.discount_minor) for line in order.lines]
        assert lines == [(MOSS, 2, 200), (INK, 1, 100)]
        sums = sum(p.unit_price_minor * p.quantity - p.discount_minor for p in order.lines)
        assert sums + order.shipping_minor == order.total_minor
        back = cancel_order(session, order, reason="test", actor=ACTOR, now=NOON)
        assert back == order.total_minor
        assert (inventory.available(session, MOSS), inventory.available(session, INK)) == (5, 5)


def test_a_cheaper_item_gives_money_back_where_it_shall_go(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session)
        gift = method_of(session, MethodKind.GIFT_CARD)
        ink.price_minor = 2000

        swaps = [Swap(order.lines[0], ink, 2)]
        more = change_items(session, order, swaps, method=gift, actor=ACTOR, now=NOON)

        assert (more, gift.balance_minor) == (-800, 800)
        assert kinds(session, order)[-1] == ("refund", "gift_card", 800)
        assert status(session, order) is PaymentStatus.PAID


@pytest.mark.parametrize("case", ["stock", "gift card", "units", "same item", "other customer"])
def test_a_change_that_cannot_be_leaves_everything_as_it_was(database: Database, case: str) -> None:
    with database.write() as session:
        order, ink = place_order(session, quantity=3)
        session.add(make_customer("Eve", "eve@example.com", "C-1002"))
        session.flush()
        mine = method_of(
            session, MethodKind.GIFT_CARD, balance=100 if case == "gift card" else 9999
        )
        hers = method_of(session, MethodKind.CARD, customer=2)
        if case == "stock":
            other = make_order(
                order.customer, "#1009", lines=[make_line(ink, 5)], channel=order.channel
            )
            session.add(other)
            session.flush()
            reservations.reserve(session, INK, 5, order_line_id=other.lines[0].id, at=NOON)

    def attempt() -> None:
        with database.write() as session:
            order = find_order(session, "1001", customer_id=None)
            item = session.get_one(Item, MOSS if case == "same item" else INK)
            swap = Swap(order.lines[0], item, 9 if case == "units" else 2)
            key, owner = (hers.id, 2) if case == "other customer" else (mine.id, 1)
            method = find_method(session, key, customer_id=owner)
            change_items(session, order, [swap], method=method, actor=ACTOR, now=NOON)

    with pytest.raises((ConflictError, InvalidInputError)):
        attempt()

    with database.read() as session:
        order = find_order(session, "1001", customer_id=None)
        assert [(line.sku, line.quantity) for line in order.lines] == [(MOSS, 3)]
        assert inventory.available(session, MOSS) == 2
        assert len(payments_of(session, order.id)) == 1
        assert count_changes(session, order, ITEMS_CHANGED) == 0


def test_of_two_changes_of_one_preview_the_second_is_stale(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session)
        card = method_of(session, MethodKind.CARD)
    with database.write() as session:
        merged = session.merge(order)
        swaps = [Swap(merged.lines[0], session.merge(ink), 1)]
        change_items(session, merged, swaps, method=session.merge(card), actor=ACTOR, now=NOON)
    with database.write() as session:
        session.add_all([order, ink, card])

        with pytest.raises(StaleError):
            change_payment(session, order, card, actor=ACTOR, now=NOON)


def test_another_payment_method_is_charged_and_the_old_one_refunded(database: Database) -> None:
    with database.write() as session:
        order, _ink = place_order(session)
        gift = method_of(session, MethodKind.GIFT_CARD, balance=order.total_minor)
        paypal = method_of(session, MethodKind.PAYPAL)

        change_payment(session, order, gift, actor=ACTOR, now=NOON)
        assert (gift.balance_minor, status(session, order)) == (0, PaymentStatus.PAID)
        change_payment(session, order, paypal, actor=ACTOR, now=NOON)

        total = order.total_minor
        assert kinds(session, order) == [
            ("capture", "card", total),
            ("capture", "gift_card", total),
            ("refund", "card", total),
            ("capture", "paypal", total),
            ("refund", "gift_card", total),
        ]
        assert gift.balance_minor == total
        assert status(session, order) is PaymentStatus.PAID
        cancel_order(session, order, reason="test", actor=ACTOR, now=NOON)
        assert kinds(session, order)[-1] == ("refund", "paypal", total)
        assert status(session, order) is PaymentStatus.REFUNDED


def test_a_method_that_paid_before_pays_again_and_the_last_one_gets_its_money(
    database: Database,
) -> None:
    with database.write() as session:
        order, _ink = place_order(session)
        total = order.total_minor
        gift = method_of(session, MethodKind.GIFT_CARD, balance=total)
        paypal = method_of(session, MethodKind.PAYPAL)
        for method in (gift, paypal, gift):
            change_payment(session, order, method, actor=ACTOR, now=NOON)

        ways = [(way.method, minor) for way, minor in paid_by(payments_of(session, order.id))]
        assert ways == [("gift_card", total)]
        assert kinds(session, order)[-2:] == [
            ("capture", "gift_card", total),
            ("refund", "paypal", total),
        ]
        assert gift.balance_minor == 0


def test_what_was_only_reserved_is_reserved_by_the_other_method(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session, paid=False)
        session.add(make_payment(order.total_minor, PaymentKind.AUTHORIZATION, order_id=order.id))
        session.flush()
        paypal, card = method_of(session, MethodKind.PAYPAL), method_of(session, MethodKind.CARD)

        change_payment(session, order, paypal, actor=ACTOR, now=NOON)

        total = order.total_minor
        assert kinds(session, order)[1:] == [
            ("void", "card", total),
            ("authorization", "paypal", total),
        ]
        assert status(session, order) is PaymentStatus.AUTHORIZED
        swaps = [Swap(order.lines[0], ink, 1)]
        change_items(session, order, swaps, method=card, actor=ACTOR, now=NOON)
        assert kinds(session, order)[-1] == ("authorization", "card", 600)
        cancel_order(session, order, reason="test", actor=ACTOR, now=NOON)
        assert status(session, order) is PaymentStatus.VOIDED


def test_a_gift_card_that_is_too_small_pays_nothing(database: Database) -> None:
    with database.write() as session:
        place_order(session)
        key = method_of(session, MethodKind.GIFT_CARD, balance=100).id

    def pay() -> None:
        with database.write() as session:
            order = find_order(session, "1001", customer_id=None)
            method = find_method(session, key, customer_id=1)
            change_payment(session, order, method, actor=ACTOR, now=NOON)

    with pytest.raises(ConflictError, match="not enough left"):
        pay()

    with database.read() as session:
        assert len(payments_of(session, 1)) == 1
        assert find_method(session, key, customer_id=1).balance_minor == 100


def test_a_refund_goes_back_the_ways_it_came_the_oldest_first(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session)
        gift = method_of(session, MethodKind.GIFT_CARD, balance=1200)
        first = order.total_minor
        swaps = [Swap(order.lines[0], ink, 2)]
        change_items(session, order, swaps, method=gift, actor=ACTOR, now=NOON)

        lines = refund(session, order, first + 200, reference="test", now=NOON)

        assert [(p.method, p.amount_minor) for p in lines] == [("card", first), ("gift_card", 200)]
        assert gift.balance_minor == 200
        with pytest.raises(ConflictError, match="1000 of what was paid is left"):
            refund(session, order, 1001, reference="test", now=NOON)


def come_back(session: Session, order: Order, chosen: Resolution, **values: object) -> str:
    line = order.lines[0]
    unit: dict[str, object] = {}
    if "replacement" in values:
        item = values.pop("replacement")
        assert isinstance(item, Item)
        unit = {"replacement_sku": item.sku, "replacement_price_minor": item.price_minor}
    opened = open_return(
        session,
        order,
        [Units(line.id, 2, ReturnReason.CHANGED_MIND, **unit)],  # type: ignore[arg-type]
        state=ReturnState.APPROVED,
        resolution=chosen,
        policy_version="test",
        decision={},
        deadline=None,
        actor=ACTOR,
        now=NOON,
        **{"refund_minor": 0, **values},  # type: ignore[arg-type]
    )
    return opened.number


def finish(session: Session, number: str) -> None:
    opened = find_return(session, number, customer_id=None)
    receive_return(session, opened, location_id=1, actor="staff:1", now=NOON)
    grades = {line.id: "A" for line in opened.lines}
    resolve_return(session, opened, grades=grades, actor="staff:1", now=NOON)


def test_a_refund_and_store_credit_go_where_they_were_agreed_to_go(database: Database) -> None:
    with database.write() as session:
        order, _ink = place_order(session, quantity=4, delivered_at=NOON)
        gift = method_of(session, MethodKind.GIFT_CARD)
        to_gift = come_back(session, order, Resolution.REFUND, refund_minor=4800, method=gift)
        finish(session, to_gift)
        to_credit = come_back(session, order, Resolution.STORE_CREDIT, refund_minor=5040)
        finish(session, to_credit)

        assert gift.balance_minor == 4800
        assert store_credit_of(session, 1, "EUR", now=NOON).balance_minor == 5040
        assert payments.refundable(payments_of(session, order.id)) == order.total_minor - 4800


@pytest.mark.parametrize(
    ("price", "total", "on_gift"), [(3000, 1200, 3800), (2000, 0, 5800)], ids=["dearer", "cheaper"]
)
def test_an_exchange_for_another_item_becomes_an_order_that_costs_the_difference(
    database: Database, price: int, total: int, on_gift: int
) -> None:
    with database.write() as session:
        order, ink = place_order(session, delivered_at=NOON)
        ink.price_minor = price
        skip_numbers(session, NumberKind.ORDER, 1001)
        gift = method_of(session, MethodKind.GIFT_CARD, balance=5000)
        number = come_back(
            session, order, Resolution.EXCHANGE,
            replacement=ink, method=gift, difference_minor=2 * (price - 2400),
        )  # fmt: skip
        assert gift.balance_minor == 5000
        finish(session, number)

        new = orders_of(session, 1)[0]
        assert (new.source, new.external_id) == ("exchange", number)
        assert (new.total_minor, gift.balance_minor) == (total, on_gift)
        assert [(line.sku, line.quantity) for line in new.lines] == [(INK, 2)]
        assert inventory.available(session, INK) == 3
        assert status(session, new) in {PaymentStatus.PAID, PaymentStatus.NOT_PAID}


def test_items_of_an_order_that_is_not_confirmed_hold_no_stock(database: Database) -> None:
    with database.write() as session:
        order, ink = place_order(session)
        reservations.release(session, order.lines[0].id, 2)
        order.state = OrderState.PENDING
        session.flush()
        card = method_of(session, MethodKind.CARD)

        swaps = [Swap(order.lines[0], ink, 2)]
        change_items(session, order, swaps, method=card, actor=ACTOR, now=NOON)

        assert inventory.available(session, INK) == 5
        confirm_order(session, order, actor="system", now=NOON)
        assert inventory.available(session, INK) == 3
