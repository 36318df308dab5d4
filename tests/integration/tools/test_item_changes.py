"""Other variants, other payment methods, other addresses: what customers may change themselves."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsbot.commerce.customers import Customer
from opsbot.commerce.inventory import Location, MoveReason, move
from opsbot.commerce.payment_methods import (
    MethodKind,
    methods_of,
)
from opsbot.commerce.payments import payments_of
from opsbot.commerce.products import Item
from opsbot.commerce.returns import returns_of
from opsbot.errors import (
    AmbiguousError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotVerifiedError,
    OpsbotError,
    OutOfStockError,
    PolicyError,
    RateLimitedError,
)
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool
from tests.factories import NOON, make_address
from tests.shop_fixtures import Shop
from tests.stocked_shop import INK, TERRACOTTA, confirm, stocked, with_rules

VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="v9")
__all__ = ["stocked"]


def balance(shop: Shop) -> int:
    with shop.database.read() as session:
        methods = methods_of(session, shop.ada.customer_id or 0)
        return next(m.balance_minor for m in methods if m.kind is MethodKind.GIFT_CARD)


def test_a_preview_lists_every_line_the_difference_and_where_money_goes(stocked: Shop) -> None:
    preview = stocked.propose(
        "change_items", order_number="#1001", items=["Kiln mug, moss"], new_items=["ink"]
    )

    text = "\n".join(preview.details)
    assert "2 x Kiln mug, moss becomes Kiln mug, ink" in text
    assert "€4.00 more" in text
    assert "charged to your Visa ending in 4242" in text
    assert "once only" in text
    assert preview.clause is not None
    assert preview.clause.id == "changes.items"


def test_items_change_to_the_variant_that_words_name(stocked: Shop) -> None:
    said = confirm(
        stocked, "change_items", order_number="#1001", items=["mug"], new_items=["in ink please"],
        payment_method="gift card",
    )  # fmt: skip

    assert "2 x Kiln mug, moss becomes Kiln mug, ink" in said
    assert [(line.sku, line.quantity) for line in stocked.order("#1001").lines] == [(INK, 2)]
    assert balance(stocked) == 600


def test_some_pieces_of_a_line_change(stocked: Shop) -> None:
    confirm(
        stocked, "change_items", order_number="#1001", items=["mug"], new_items=["ink"], quantity=1
    )

    lines = {line.sku: line.quantity for line in stocked.order("#1001").lines}
    assert lines == {"LL-MUG-01-MOS": 1, INK: 1}


def test_items_of_an_order_change_once_and_the_clause_is_quoted(stocked: Shop) -> None:
    confirm(
        stocked, "change_items", order_number="#1001", items=["mug"], new_items=["ink"], quantity=1
    )

    with pytest.raises(PolicyError) as raised:
        stocked.propose(
            "change_items", order_number="#1001", items=["Kiln mug, moss"], new_items=["ink"]
        )

    assert raised.value.clause == "changes.once"
    assert raised.value.alternatives
    assert "is cancelled" in confirm(stocked, "cancel_order", order_number="#1001")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"order_number": "#1003"}, PolicyError, "left us already"),
        ({"items": ["mug"], "new_items": ["blue"]}, AmbiguousError, "Which variant"),
        ({"items": ["mug"], "new_items": ["moss"]}, AmbiguousError, "Which variant"),
        ({"items": ["mug"], "new_items": ["Kiln mug, moss"]}, InvalidInputError, "already"),
        ({"items": ["mug"], "new_items": [TERRACOTTA]}, AmbiguousError, "Which variant"),
        ({"new_items": ["ink", "ink"]}, InvalidInputError, "for each item"),
        ({"quantity": 3}, ConflictError, "only 2"),
        ({"payment_method": "Mastercard"}, AmbiguousError, "payment methods"),
    ],
    ids=["on its way", "no such variant", "the same option", "the same item", "other product",
         "lists that do not fit", "too many", "unknown method"],
)  # fmt: skip
def test_what_cannot_change_is_refused(
    stocked: Shop, arguments: dict[str, Any], error: type[OpsbotError], words: str
) -> None:
    known = {"order_number": "#1001", "items": ["mug"], "new_items": ["ink"]}
    if arguments.get("order_number") == "#1003":
        known |= {"items": ["lamp"], "new_items": ["terracotta"]}

    with pytest.raises(error, match=words):
        stocked.propose("change_items", **(known | arguments))


def test_a_variant_that_is_not_in_stock_is_refused(stocked: Shop) -> None:
    with stocked.database.write() as session:
        shelf = session.query(Location).one()
        move(
            session, INK, shelf.id, -2,
            reason=MoveReason.SCRAP, reference="x", actor="system", at=NOON,
        )  # fmt: skip

    with pytest.raises(OutOfStockError, match="not in stock"):
        stocked.propose("change_items", order_number="#1001", items=["mug"], new_items=["ink"])


def test_a_gift_card_must_cover_the_difference(stocked: Shop) -> None:
    with stocked.database.write() as session:
        session.get_one(Item, INK).price_minor = 3000

    with pytest.raises(PolicyError, match=r"€10.00 on your gift card .* €12.00") as raised:
        stocked.propose(
            "change_items", order_number="#1001", items=["mug"], new_items=["ink"],
            payment_method="gift card",
        )  # fmt: skip

    assert raised.value.clause == "changes.gift_card"


def test_a_price_that_moved_after_the_preview_is_shown_anew(stocked: Shop) -> None:
    preview = stocked.propose(
        "change_items", order_number="#1001", items=["mug"], new_items=["ink"]
    )
    with stocked.database.write() as session:
        session.get_one(Item, INK).price_minor = 2700

    done = stocked.executor.confirm(stocked.ada, preview.id, now=NOON)

    assert done.result is None
    assert done.renewed is not None
    assert "€6.00 more" in "\n".join(done.renewed.details)


def test_delivered_items_are_exchanged_and_settled_when_they_are_back(stocked: Shop) -> None:
    preview = stocked.propose(
        "exchange_items", order_number="#1002", items=["Ember bedside lamp, sage", "mug"],
        new_items=["terracotta", "ink"], payment_method="gift card",
    )  # fmt: skip
    done = stocked.executor.confirm(stocked.ada, preview.id, now=NOON)

    text = "\n".join(preview.details)
    assert "Ember bedside lamp, sage becomes Ember bedside lamp, terracotta" in text
    assert "2 x Kiln mug, moss becomes Kiln mug, ink" in text
    assert "same price" not in text
    assert done.result is not None
    with stocked.database.read() as session:
        order = stocked.order("#1002")
        [opened] = returns_of(session, order.id)
        swapped = {line.order_line.sku: line.replacement_sku for line in opened.lines}
        assert opened.difference_minor == (7500 - 7900) + 2 * (2600 - 2400)
        assert len(payments_of(session, order.id)) == 1
    assert swapped == {"LL-LMP-02-SGE": TERRACOTTA, "LL-MUG-01-MOS": INK}
    assert balance(stocked) == 1000


def test_goods_that_come_back_already_are_not_exchanged(stocked: Shop) -> None:
    asked = {"order_number": "#1002", "items": ["mug"], "new_items": ["ink"]}
    confirm(stocked, "exchange_items", **asked)

    with pytest.raises(ConflictError):
        stocked.propose("exchange_items", **asked)


def test_an_order_is_paid_another_way(stocked: Shop) -> None:
    said = confirm(stocked, "change_payment", order_number="#1001", payment_method="PayPal")

    with stocked.database.read() as session:
        lines = [(p.kind.value, p.method) for p in payments_of(session, stocked.order("#1001").id)]
    assert lines == [("capture", "card"), ("capture", "paypal"), ("refund", "card")]
    assert "goes back to your Visa ending in 4242" in said
    with pytest.raises(InvalidInputError, match="paid that way already"):
        stocked.propose("change_payment", order_number="#1001", payment_method="paypal")
    with pytest.raises(PolicyError, match="gift card"):
        stocked.propose("change_payment", order_number="#1001", payment_method="my gift card")


def test_a_refund_goes_where_the_rules_let_it_go(stocked: Shop) -> None:
    asked = {"order_number": "#1002", "items": ["mug"], "reason": "changed_mind"}

    with pytest.raises(PolicyError) as raised:
        stocked.propose("request_return", **asked, refund_to="PayPal")
    preview = stocked.propose("request_return", **asked, refund_to="the gift card")

    assert raised.value.clause == "changes.refund_to"
    assert "The money goes to your gift card ending in 7021." in preview.details


def test_balances_and_methods_are_shown_to_their_owner_alone(stocked: Shop) -> None:
    mine = stocked.read("my_payment_methods")
    hers = stocked.read("my_payment_methods", stocked.eve)

    assert "Gift card ending in 7021: €10.00 left" in mine.say
    assert "Visa ending in 4242" in mine.say
    assert "4242" not in hers.say
    choices = [one["words"] for one in mine.facts["candidates"]["payment_method"]]
    assert "Visa ending in 4242 (card)" in choices
    assert "gift card ending in 7021" in choices, "its name says already what it is"


def test_the_default_address_changes_after_a_code(stocked: Shop) -> None:
    with pytest.raises(NotVerifiedError):
        stocked.propose("change_my_address", address="Sonnenallee 5, 12047 Berlin")

    fresh = replace(stocked.ada, level=Level.FRESH_CODE)
    said = confirm(stocked, "change_my_address", fresh, address="Sonnenallee 5, 12047 Berlin")

    assert "Sonnenallee 5, 12047 Berlin" in said
    assert "Default address: Ada Brandt, Sonnenallee 5" in stocked.read("my_details").say
    assert stocked.order("#1001").ship_to["line1"] != "Sonnenallee 5"


def test_options_to_swap_for_are_those_in_stock_with_their_prices(stocked: Shop) -> None:
    shown = stocked.read("swap_options", order_number="#1001")

    assert "Kiln mug, ink: €26.00 (€2.00 more)" in shown.say
    assert shown.facts["candidates"]["variant"][0]["value"] == "Kiln mug, ink"


STRICT = {
    "changes": {
        "cancel_reasons": ["mistake"],
        "items": {"ends_changes": True},
        "coming_back": {"once": True},
        "payment": {"kinds": ["paypal"]},
    }
}


def test_a_shop_may_end_changes_with_the_change_of_items(
    stocked: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> None:
    shop = with_rules(stocked, tmp_path, settings, tools, **STRICT)
    confirm(shop, "change_items", order_number="#1001", items=["mug"], new_items=["ink"])

    for name, arguments in (
        ("cancel_order", {"reason": "mistake"}),
        ("change_payment", {"payment_method": "PayPal"}),
    ):
        with pytest.raises(PolicyError) as raised:
            shop.propose(name, order_number="#1001", **arguments)
        assert raised.value.clause == "changes.once"


def test_a_shop_may_name_reasons_methods_and_one_return(
    stocked: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> None:
    shop = with_rules(stocked, tmp_path, settings, tools, **STRICT)

    with pytest.raises(PolicyError, match="need to know why") as raised:
        shop.propose("cancel_order", order_number="#1001", reason="too_slow")
    assert "ordered by mistake" in raised.value.alternatives[0]
    with pytest.raises(PolicyError, match="cannot be changed to that way"):
        shop.propose("change_payment", order_number="#1001", payment_method="gift card")
    confirm(shop, "request_return", order_number="#1002", items=["mug"], reason="changed_mind")
    with pytest.raises(PolicyError) as raised:
        shop.propose(
            "exchange_items", order_number="#1002", items=["lamp"], new_items=["terracotta"]
        )
    assert raised.value.clause == "changes.coming_back_once"


@pytest.mark.parametrize(
    ("tool", "number", "item", "variant", "other"),
    [
        ("exchange_items", "#1001", "mug", "ink", "change_items"),
        ("change_items", "#1002", "mug", "ink", "exchange_items"),
    ],
)
def test_a_refusal_names_the_tool_that_does_it(
    stocked: Shop,
    tools: Mapping[str, AnyTool],
    tool: str,
    number: str,
    item: str,
    variant: str,
    other: str,
) -> None:
    with pytest.raises(PolicyError) as raised:
        stocked.propose(tool, order_number=number, items=[item], new_items=[variant])

    assert raised.value.details()["instead"] == other
    assert other in tools


def test_a_return_without_a_reason_needs_one_unless_the_shop_asks_for_none(
    stocked: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        stocked.propose("request_return", order_number="#1002", items=["mug"])
    assert raised.value.details() == {"field": "reason"}

    shop = with_rules(stocked, tmp_path, settings, tools, returns={"ask_reason": False})
    preview = shop.propose("request_return", order_number="#1002", items=["mug"])

    assert any("Kiln mug" in line for line in preview.details)
    assert any("The money goes back to" in line for line in preview.details)


@pytest.fixture
def by_name(
    stocked: Shop, tmp_path: Path, settings: Settings, tools: Mapping[str, AnyTool]
) -> Shop:
    """The shop that takes an e-mail address, or name and postcode, as a proof."""
    with stocked.database.write() as session:
        session.add(make_address(session.get_one(Customer, stocked.ada.customer_id)))
    rules = {"identity": {"proofs": ["email", "name_postcode"], "levels": {"change_my_address": 2}}}
    return with_rules(stocked, tmp_path, settings, tools, **rules)


def test_by_default_nobody_is_known_by_a_name(stocked: Shop) -> None:
    with pytest.raises(NotAllowedError, match="not something I can do"):
        stocked.run("verify_customer", VISITOR, email="ada@example.com")
    assert "verify_customer" not in {tool.name for tool in stocked.executor.offered(VISITOR)}


@pytest.mark.parametrize(
    "proof",
    [{"email": "ADA@example.com"}, {"name": "ada  brandt", "postcode": "10 119"}],
    ids=["e-mail", "name and postcode"],
)
def test_a_shop_may_know_customers_by_their_details(by_name: Shop, proof: dict[str, str]) -> None:
    found = by_name.read("verify_customer", VISITOR, **proof)

    assert found.proves_customer_id == by_name.ada.customer_id
    offered = {tool.name for tool in by_name.executor.offered(VISITOR)}
    assert "verify_customer" in offered
    assert "verify_order" not in offered


def test_wrong_and_unknown_details_read_the_same(by_name: Shop) -> None:
    texts = set()
    for proof in (
        {"email": "nobody@example.com"},
        {"name": "Ada Brandt", "postcode": "99999"},
        {"name": "No Body", "postcode": "10119"},
    ):
        with pytest.raises(NotAllowedError) as raised:
            by_name.executor.run(VISITOR, "verify_customer", proof, now=NOON)
        texts.add(str(raised.value))

    assert len(texts) == 1


def test_guesses_at_a_person_are_bounded(by_name: Shop) -> None:
    for count in range(10):
        with pytest.raises(NotAllowedError):
            by_name.run(
                "verify_customer", VISITOR, conversation=f"c{count}",
                name="Ada Brandt", postcode=f"2000{count}",
            )  # fmt: skip

    with pytest.raises(RateLimitedError):
        by_name.run(
            "verify_customer", VISITOR, conversation="c11", name="Ada Brandt", postcode="10119"
        )


def test_half_a_proof_asks_for_the_other_half(by_name: Shop) -> None:
    with pytest.raises(InvalidInputError, match="also tell me your postcode"):
        by_name.run("verify_customer", VISITOR, name="Ada Brandt")


def test_the_level_of_a_tool_follows_the_shops_rules(by_name: Shop) -> None:
    assert by_name.propose("change_my_address", address="Sonnenallee 5, 12047 Berlin").title
    with pytest.raises(NotVerifiedError, match="e-mail address of your account"):
        by_name.run("my_orders", VISITOR)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("3 * 24.00 + 4.90", "76.9"),
        ("129 - 79,50", "49.5"),
        ("1,200 / 3", "400"),
        ("(2+3)*-4", "-20"),
    ],
)
def test_sums_are_exact(stocked: Shop, expression: str, result: str) -> None:
    assert stocked.read("calculate", expression=expression).facts["result"] == result


@pytest.mark.parametrize("expression", ["2**9", "1/0", "__import__('os')", "1+" * 60 + "1", ""])
def test_what_is_no_sum_is_refused(stocked: Shop, expression: str) -> None:
    with pytest.raises(InvalidInputError):
        stocked.run("calculate", expression=expression)
