"""Items of an order are cancelled, and pieces of them: goods, money, mail and history follow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce import inventory
from opsbot.commerce.effects import Effect
from opsbot.commerce.loyalty import entries_of
from opsbot.commerce.orders import OrderState
from opsbot.commerce.payments import PaymentKind, payments_of
from opsbot.commerce.records import History
from opsbot.errors import AmbiguousError, ConflictError, InvalidInputError, PolicyError
from opsbot.mail import OutgoingMail
from opsbot.settings import Settings
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import ProposalState
from tests.factories import NOON
from tests.mixed_order import LAMP, MUG, SIGN, add_mixed_order
from tests.shop_fixtures import Shop
from tests.stocked_shop import confirm, stocked, with_rules

__all__ = ["stocked"]
MOSS = "LL-MUG-01-MOS"


@pytest.fixture
def mixed(stocked: Shop) -> Shop:
    """The shop with Ada's #1005: a lamp, three mugs and a sign, €50.00 of it by gift card."""
    with stocked.database.write() as session:
        add_mixed_order(session, stocked.ada.customer_id or 0, card=5000)
    return stocked


def refunds(session: Session, order_id: int) -> list[tuple[str, int]]:
    ledger = payments_of(session, order_id)
    return [(p.method, p.amount_minor) for p in ledger if p.kind is PaymentKind.REFUND]


def test_the_preview_names_what_goes_what_stays_and_the_money(mixed: Shop) -> None:
    preview = mixed.propose("cancel_order", order_number="#1005", items=["lamp", "sign"])

    assert preview.title == f"Cancel {LAMP} and {SIGN} of order #1005?"
    assert preview.details[:2] == (
        f"Cancelled: {LAMP} and {SIGN}.",
        f"Stays in the order: 3 x {MUG}.",
    )
    assert (
        "€124.00 goes back: €93.14 to your card and €30.86 to your gift card" in preview.details[2]
    )
    assert preview.clause is not None
    assert preview.clause.id == "cancellation.before_packing"


def test_the_whole_order_says_that_nothing_stays(mixed: Shop) -> None:
    preview = mixed.propose("cancel_order", order_number="#1005")

    assert preview.title == "Cancel order #1005?"
    assert preview.details[0] == f"The whole order is cancelled: {LAMP}, 3 x {MUG} and {SIGN}."
    assert "If only some of it shall go, tell me which items" in preview.details[1]


def test_an_item_is_cancelled_and_everything_follows(mixed: Shop) -> None:
    with mixed.database.read() as session:
        free = inventory.available(session, MOSS)

    said = confirm(mixed, "cancel_order", order_number="#1005", items=["mug"], quantity=2)

    order = mixed.order("#1005")
    assert f"Cancelled of order **#1005**: 2 x {MUG}." in said
    assert f"What stays: {LAMP}, {MUG} and {SIGN}." in said
    assert (order.state, order.cancelled_at) == (OrderState.CONFIRMED, None)
    assert [line.cancelled for line in order.lines] == [0, 2, 0]
    with mixed.database.read() as session:
        assert inventory.available(session, MOSS) == free + 2
        assert refunds(session, order.id) == [("card", 3605), ("gift_card", 1195)]
        port = select(Effect.payload).where(Effect.port == "payments")
        assert [p["amount_minor"] for p in session.scalars(port)] == [3605]
        mail = session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
        assert mail is not None
        assert mail.subject == f"Cancelled: 2 x {MUG} of order #1005"
        [event] = session.scalars(select(History).where(History.event == "lines_cancelled"))
        assert event.detail["items"] == [{"sku": MOSS, "quantity": 2}]
        assert entries_of(session, mixed.ada.customer_id or 0) == []


def test_the_order_shows_what_is_left_of_it(mixed: Shop) -> None:
    confirm(mixed, "cancel_order", order_number="#1005", items=["mug"], quantity=1)

    status = mixed.read("order_status", order_number="#1005")

    rows = [(row["title"], row["quantity"]) for row in status.cards[0].body["rows"]]
    assert rows == [(LAMP, 1), (MUG, 2), (f"{MUG} (cancelled)", 1), (SIGN, 1)]
    assert "paid, and partly refunded. Without what was cancelled it comes to €176.90" in status.say
    assert status.facts["can_be_cancelled"] is True


def test_cancelling_part_by_part_gives_back_what_the_whole_would(mixed: Shop) -> None:
    for items, quantity in ((["mug"], 1), (["lamp"], None), (["mug"], 1), (["sign"], None)):
        extra = {"quantity": quantity} if quantity else {}
        confirm(mixed, "cancel_order", order_number="#1005", items=items, **extra)
    last = confirm(mixed, "cancel_order", order_number="#1005", items=["mug"])

    order = mixed.order("#1005")
    assert "Order **#1005** is cancelled." in last
    assert order.state is OrderState.CANCELLED
    with mixed.database.read() as session:
        back = refunds(session, order.id)
        assert sum(amount for _, amount in back) == order.total_minor
        assert sum(amount for method, amount in back if method == "gift_card") == 5000


def test_all_items_by_name_are_the_whole_order(mixed: Shop) -> None:
    preview = mixed.propose("cancel_order", order_number="#1005", items=["lamp", "mug", "sign"])

    assert preview.title == "Cancel order #1005?"
    outcome = mixed.executor.confirm(mixed.ada, preview.id, now=NOON)
    assert outcome.preview.state is ProposalState.EXECUTED, outcome
    assert mixed.order("#1005").state is OrderState.CANCELLED


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"items": ["kettle"]}, AmbiguousError, "Which item of order #1005"),
        ({"items": ["mug"], "quantity": 4}, ConflictError, "only 3"),
        ({"items": ["mug", "lamp"], "quantity": 2}, InvalidInputError, "one item at a time"),
        ({"quantity": 2}, InvalidInputError, "Of which item"),
        ({"items": []}, InvalidInputError, "items"),
        ({"items": ["mug"], "quantity": 0}, InvalidInputError, "quantity"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    mixed: Shop, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mixed.propose("cancel_order", order_number="#1005", **arguments)


def test_another_item_goes_where_the_engraved_one_cannot(mixed: Shop) -> None:
    later = NOON.replace(day=24)

    with pytest.raises(PolicyError) as raised:
        mixed.run("cancel_order", order_number="#1005", items=["sign"], now=later)
    lamp = mixed.run("cancel_order", order_number="#1005", items=["lamp"], now=later)

    assert raised.value.clause == "cancellation.made_to_order"
    assert "Engraved oak name sign of order #1005 cannot be cancelled" in str(raised.value)
    assert lamp.title == f"Cancel {LAMP} of order #1005?"  # type: ignore[union-attr]  # a preview


def test_a_shop_may_cancel_whole_orders_only(
    mixed: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> None:
    strict = with_rules(
        mixed, tmp_path, settings, tools, orders={"cancellation": {"partial_lines": False}}
    )

    with pytest.raises(PolicyError, match="only be cancelled as a whole") as raised:
        strict.propose("cancel_order", order_number="#1005", items=["lamp"])

    assert raised.value.alternatives == ("You may cancel the whole order.",)
    assert strict.propose("cancel_order", order_number="#1005").title == "Cancel order #1005?"


def test_a_preview_of_a_part_is_stale_after_another_part(mixed: Shop) -> None:
    first = mixed.propose("cancel_order", order_number="#1005", items=["mug"])
    confirm(mixed, "cancel_order", order_number="#1005", items=["mug"], quantity=1)

    outcome = mixed.executor.confirm(mixed.ada, first.id, now=NOON)

    assert outcome.preview.state is not ProposalState.EXECUTED
    with mixed.database.read() as session:
        assert sum(amount for _, amount in refunds(session, mixed.order("#1005").id)) == 2400


def test_what_was_only_reserved_costs_less_and_nothing_is_refunded(mixed: Shop) -> None:
    with mixed.database.write() as session:
        for payment in payments_of(session, mixed.order("#1005").id):
            payment.kind = PaymentKind.AUTHORIZATION

    preview = mixed.propose("cancel_order", order_number="#1005", items=["lamp"])
    done = mixed.executor.confirm(mixed.ada, preview.id, now=NOON)

    assert "It is only reserved so far: you pay €79.00 less." in preview.details
    assert done.preview.state is ProposalState.EXECUTED
    with mixed.database.read() as session:
        kinds = {p.kind for p in payments_of(session, mixed.order("#1005").id)}
        assert kinds == {PaymentKind.AUTHORIZATION}
