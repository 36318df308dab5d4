"""Which tool a message means, and what its requests are."""

import pytest

from opsbot.conversation.local.reading import read_message
from opsbot.conversation.local.requests import split_message
from opsbot.conversation.local.understand import Understanding

SHOP_PHRASES = [
    ("any news on 1004?", "order_status"),
    ("has my purchase been processed", "order_status"),
    ("did you ship #1002 already", "order_status"),
    ("is order #1005 packed", "order_status"),
    ("tracking for order 1004 please", "track_shipment"),
    ("has the courier got my parcel", "track_shipment"),
    ("my parcel is stuck in transit", "track_shipment"),
    ("what are my past orders", "my_orders"),
    ("list everything I've ordered", "my_orders"),
    ("show all my orders", "my_orders"),
    ("is the bud vase back in stock", "availability"),
    ("are any Ember lamps left in sage?", "availability"),
    ("is the Kiln mug sold out", "availability"),
    ("what's the price of the Loop kettle", "product_facts"),
    ("how heavy is the Arc floor lamp", "product_facts"),
    ("how much is the tote bag", "product_facts"),
    ("can I still return #1003", "return_options"),
    ("until when may I send back order 1002", "return_options"),
    ("I want to send back the notebook", "request_return"),
    ("please open a return for order #1003", "request_return"),
    ("I'd like to return both mugs from 1003", "request_return"),
    ("pls cancel 1004", "cancel_order"),
    ("call off order #1004", "cancel_order"),
    ("get rid of my order #1002", "cancel_order"),
    ("i need to cancel the order I placed this morning", "cancel_order"),
    ("deliver #1004 to my office address instead", "change_address"),
    ("update shipping address for 1002", "change_address"),
    ("I typed a wrong delivery address on #1004", "change_address"),
    ("the vase arrived cracked and damaged", "report_problem"),
    ("something is missing from my package", "report_problem"),
    ("you sent me the wrong item", "report_problem"),
    ("human please", "contact_person"),
    ("can I talk to customer support", "contact_person"),
    ("i'd rather speak to someone real", "contact_person"),
    ("my postcode is 10115 and my order is 1003", "verify_order"),
    ("how do i descale my kettle", "search_articles"),
    ("can I put the cup in the microwave", "search_articles"),
    ("what's the warranty on repairs", "search_articles"),
    ("do you ship to switzerland", "search_articles"),
    ("how do I cancel an order", "search_articles"),
    ("how can i return something", "search_articles"),
    ("who won the world cup", "search_articles"),
    ("tell me a joke", "search_articles"),
    ("good afternoon", "~hello"),
    ("thank you very much", "~thanks"),
    ("bye bye", "~bye"),
    ("what are you", "~about"),
]
WORKSHOP_PHRASES = [
    ("make an appointment for an inspection", "book_service"),
    ("can I bring my bike in on tuesday", "book_service"),
    ("schedule a check-up on Friday", "book_service"),
    ("how expensive is a cassette", "part_price"),
    ("price for a front wheel", "part_price"),
    ("what do new pedals cost", "part_price"),
    ("is R-310 done", "repair_status"),
    ("can I collect my bike yet", "repair_status"),
    ("what about repair R-115", "repair_status"),
    ("can I talk with someone", "ask_mechanic"),
    ("human please", "ask_mechanic"),
    ("how tight should spokes be", "search_guides"),
    ("do you guarantee your work", "search_guides"),
    ("how do I book a service", "search_guides"),
]


@pytest.mark.parametrize(("text", "tool"), SHOP_PHRASES, ids=[text for text, _ in SHOP_PHRASES])
def test_a_phrase_that_is_no_example_means_a_tool(
    text: str, tool: str, shop: Understanding
) -> None:
    requests = read_message(shop, text)

    assert [shop.choose(request) for request in requests] == [tool]


@pytest.mark.parametrize(
    ("text", "tool"), WORKSHOP_PHRASES, ids=[text for text, _ in WORKSHOP_PHRASES]
)
def test_tools_of_another_trade_are_understood_the_same_way(
    text: str, tool: str, workshop: Understanding
) -> None:
    requests = read_message(workshop, text)

    assert [workshop.choose(request) for request in requests] == [tool]


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("cancel #1004 and where is #1003?", ["cancel_order", "order_status"]),
        ("Is the Halo lamp in stock? And what does it cost?", ["availability", "product_facts"]),
        ("Track order 1003, then cancel order 1004", ["track_shipment", "cancel_order"]),
        ("Hi! Please cancel order #1004. Thanks", ["cancel_order"]),
        ("I bought a lamp last week. Can I return it?", ["return_options"]),
        ("Where is my parcel? I need it by Friday.", ["track_shipment"]),
        ("wheres my parcel", ["track_shipment"]),
        ("Where is #1003? My kettle shows H-12. What's that?", ["order_status", "search_articles"]),
        ("the display says F02", ["search_articles"]),
    ],
)
def test_a_message_is_cut_into_its_requests(
    text: str, tools: list[str], shop: Understanding
) -> None:
    requests = read_message(shop, text)

    assert [shop.choose(request) for request in requests] == tools


@pytest.mark.parametrize(
    ("text", "condition", "holds"),
    [
        ("cancel #1004 if it has not shipped", "it has not shipped", True),
        ("cancel #1004 unless it has shipped", "it has shipped", False),
        ("If it has not shipped yet, cancel order #1004.", "it has not shipped yet", True),
        ("cancel it, but only if it is not packed", "it is not packed", True),
        ("tell me if it has shipped", "", True),
    ],
)
def test_a_condition_is_told_from_what_it_guards(text: str, condition: str, *, holds: bool) -> None:
    clause = split_message(text, {"cancel"})[0]

    assert (clause.condition, clause.holds) == (condition, holds)


def test_no_word_of_a_long_message_is_lost() -> None:
    text = "Where is it? " * 40

    clauses = split_message(text, frozenset())

    assert " ".join(clause.text for clause in clauses).split() == text.split()


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂", "a" * 20_000, "1" * 400, "((((", "\n\n\n"])
def test_any_text_gets_some_request(text: str, shop: Understanding) -> None:
    requests = read_message(shop, text)

    assert len(requests) >= 1
