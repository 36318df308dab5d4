"""What everybody is told about products: prices and words for stock, never counts."""

import re
from datetime import timedelta

import pytest

from opsbot.commerce.inventory import MoveReason, levels_of, move
from opsbot.commerce.production import WorkOrder, WorkOrderState
from opsbot.errors import AmbiguousError, NotFoundError
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.results import Result
from tests.factories import NOON, make_item
from tests.shop_fixtures import Shop

VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="v1")


def stock(shop: Shop, words: str, quantity: int = 1) -> Result:
    return shop.read("check_availability", VISITOR, product=words, quantity=quantity)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("moss mug", ["Kiln mug, moss"]),
        ("the kilm mugs", ["Kiln mug, ink", "Kiln mug, moss"]),
        ("do you have the Ember lamp in sage?", ["Ember bedside lamp, sage"]),
        ("ember lamp", ["Ember bedside lamp, sage", "Ember bedside lamp, terracotta"]),
        ("lamp shade", ["Linen shade for the Ember lamp"]),
        ("ll-lmp-02-ter", ["Ember bedside lamp, terracotta"]),
        ("LL-MUG-01", ["Kiln mug, ink", "Kiln mug, moss"]),
        ("name sign", ["Engraved oak name sign"]),
    ],
)
def test_a_product_is_found_by_the_words_people_use(
    shop: Shop, words: str, titles: list[str]
) -> None:
    result = stock(shop, words)

    assert [one["title"] for one in result.facts["variants"]] == titles


def test_several_products_are_asked_about(shop: Shop) -> None:
    with shop.database.write() as session:
        session.add(make_item("LL-LMP-05", "Drift pendant lamp", category="lamps"))

    with pytest.raises(AmbiguousError) as raised:
        stock(shop, "lamp")

    assert {"Drift pendant lamp", "Ember bedside lamp"} <= set(raised.value.candidates)


def test_what_is_not_sold_is_said(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match="a product called toaster"):
        stock(shop, "toaster")


def test_stock_is_told_in_words(shop: Shop) -> None:
    assert stock(shop, "moss mug").say == "**Kiln mug, moss** is in stock."
    assert stock(shop, "name sign").facts["made_to_order"] is True
    assert "not available now; no date for more yet" in stock(shop, "ink mug").say
    assert "fewer than you want" in stock(shop, "moss mug", 30).say
    with shop.database.write() as session:
        shelf = levels_of(session, "LL-SPR-03")[0].location_id
        values = {"reason": MoveReason.SALE, "reference": "x", "actor": "x", "at": NOON}
        move(session, "LL-SPR-03", shelf, -17, **values)  # type: ignore[arg-type]
    assert "only few are left" in stock(shop, "linen shade").say


def test_no_count_of_stock_is_ever_told(shop: Shop) -> None:
    for words in ("moss mug", "ember lamp", "ink mug", "linen shade", "name sign"):
        result = stock(shop, words)
        assert not re.search(r"\b(18|19|20|17)\b", repr(result.say) + repr(result.facts))


def test_a_day_for_more_comes_from_a_document(shop: Shop) -> None:
    due = NOON + timedelta(days=13)
    with shop.database.write() as session:
        made = {"state": WorkOrderState.RELEASED, "planned": 40, "created_at": NOON}
        session.add(WorkOrder(number="WO-00001", sku="LL-MUG-01-INK", due_at=due, **made))

    assert "more expected on 3 December 2026" in stock(shop, "ink mug").say


def test_a_product_tells_price_variants_weight_warranty_and_returns(shop: Shop) -> None:
    result = shop.read("product_facts", VISITOR, product="ember lamp")

    assert "**Ember bedside lamp** costs €79.00." in result.say
    assert "There is: sage and terracotta." in result.say
    assert "380 g" in result.say
    assert "36 months" in result.say
    assert "we keep 15% of the price" in result.say
