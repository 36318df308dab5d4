"""Which words mean a whole order, and which mean items of it: the embedded model, real tools."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.told import tell_error
from opsbot.errors import OpsbotError
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.results import Result
from tests.local_model_chat import Chat, Told
from tests.mixed_order import LAMP, MUG, SIGN, add_mixed_order
from tests.shop_fixtures import Shop


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalChatModel:
    return LocalChatModel(MiniLmEncoder.open(tmp_path_factory.mktemp("minilm")))


@pytest.fixture
def ada(shop: Shop, tools: Mapping[str, AnyTool], model: LocalChatModel) -> Chat:
    """Ada, who has #1001 of two mugs, and #1005 of a lamp, three mugs and a sign."""
    with shop.database.write() as session:
        add_mixed_order(session, shop.ada.customer_id or 0)
    proofs = {"verify_customer", "verify_order"}
    offered = [t for t in tools.values() if t.audience is Audience.CUSTOMER]
    schemas = [t.schema for t in offered if t.name not in proofs]
    return Chat(model, schemas, {t.name: _answer(shop, t.name) for t in offered})


def _answer(shop: Shop, name: str) -> Callable[[Mapping[str, Any]], Told]:
    def answer(arguments: Mapping[str, Any]) -> Told:
        try:
            found = shop.run(name, **arguments)
        except OpsbotError as error:
            return tell_error(error)
        return {"say": found.say, "facts": found.facts} if isinstance(found, Result) else {}

    return answer


@pytest.mark.parametrize(
    ("words", "items", "quantity"),
    [
        ("take the lamp off order #1005", [LAMP], None),
        ("cancel just the lamp of order 1005", [LAMP], None),
        ("please remove the lamp and the sign from #1005", [LAMP, SIGN], None),
        ("remove one of the three mugs from #1005", [MUG], 1),
        ("cancel two of the mugs in order #1005", [MUG], 2),
        ("take a mug off my order #1005", [MUG], 1),
        ("cancel the sign from my order 1005 but keep the lamp and the mugs", [SIGN], None),
        ("please cancel everything in #1005 except the lamp", [MUG, SIGN], None),
        ("I don't need the sign in #1005 any more, please take it off my order", [SIGN], None),
        ("I want to cancel the mugs in #1005, the rest stays", [MUG], None),
        ("cancel the lamp only, order #1005", [LAMP], None),
        ("take the lamp off my order", [LAMP], None),
        ("Hi! Only cancel the sign of #1005 please, it was a mistake", [SIGN], None),
    ],
)
def test_words_that_take_something_off_an_order_mean_items(
    ada: Chat, words: str, items: list[str], quantity: int | None
) -> None:
    proposal = ada.say(words).proposal

    assert proposal is not None
    assert proposal[0] == "cancel_order"
    assert proposal[1]["items"] == items
    assert proposal[1].get("quantity") == quantity


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("cancel the order with the lamp and the sign", "#1005"),
        ("cancel my order of the engraved sign and the lamp", "#1005"),
        ("please cancel #1005", "1005"),
        ("cancel just order #1005", "1005"),
        ("I ordered the sign by mistake, please cancel order #1005", "1005"),
        ("Only cancel the order #1005 with the three mugs, please", "1005"),
        ("cancel order 1005 but keep #1001", "1005"),
    ],
)
def test_an_order_that_is_described_by_its_items_is_meant_whole(
    ada: Chat, words: str, number: str
) -> None:
    proposal = ada.say(words).proposal

    assert proposal is not None
    assert proposal[0] == "cancel_order"
    assert proposal[1]["order_number"] == number
    assert "items" not in proposal[1]
    assert "quantity" not in proposal[1]


def test_items_that_are_not_named_are_asked_for(ada: Chat) -> None:
    asked = ada.say("I want to remove an item from order #1005")
    done = ada.say("the sign")

    assert asked.proposal is None
    assert "Which of the items shall be cancelled?" in asked.text
    assert done.proposal is not None
    assert done.proposal[1]["items"] == [SIGN]


def test_what_was_shown_changes_from_the_whole_to_a_part_and_back(ada: Chat) -> None:
    whole = ada.say("cancel order #1005")
    part = ada.say("no, just the lamp")
    back = ada.say("no, the whole order")

    assert whole.proposal == ("cancel_order", {"order_number": "1005"})
    assert part.proposal == ("cancel_order", {"order_number": "1005", "items": [LAMP]})
    assert back.proposal == ("cancel_order", {"order_number": "1005"})


def test_the_only_item_of_an_order_is_the_whole_order(ada: Chat, shop: Shop) -> None:
    proposal = ada.say("take the mugs off order #1001").proposal

    assert proposal is not None
    assert shop.propose("cancel_order", **proposal[1]).title == "Cancel order #1001?"
