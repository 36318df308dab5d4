"""Arguments that a tool refuses, and the words it does so in."""

from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import Field

from opsbot.commerce.returns import ReturnReason
from opsbot.errors import InvalidInputError
from opsbot.toolkit.arguments import Items, OrderNumber, Quantity, Reason
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool


class Colour(StrEnum):
    """What a thing is painted in."""

    RED = "red"


@tool(examples=["one"], label="Trying")
def try_arguments(
    _ctx: ToolContext,
    order_number: OrderNumber,
    items: Items,
    quantity: Quantity = 1,
    reason: Reason = ReturnReason.CHANGED_MIND,
    colour_of_lid: Colour = Colour.RED,
    price: Annotated[float, Field(gt=0, lt=10)] = 1,
    note: Annotated[str, Field(min_length=2, pattern="^[a-z]")] = "none",
) -> Result:
    """Take arguments of every kind."""
    return Result(f"{order_number}{items}{quantity}{reason}{colour_of_lid}{price}{note}")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"order_number": "1" * 21}, "The order number is too long."),
        ({"order_number": 1001}, "I could not read the order number."),
        ({"order_number": None}, "I could not read the order number."),
        ({"items": []}, "I still need the items."),
        ({"items": ["mug"] * 21}, "There are too many items."),
        ({"items": ["mug", "m" * 121]}, "One of the items is too long."),
        ({"items": "mug"}, "I could not read the items."),
        ({"quantity": 0}, "The quantity must be at least 1."),
        ({"quantity": 1001}, "The quantity must be at most 1000."),
        ({"quantity": "many"}, "The quantity must be a whole number."),
        ({"quantity": 1.5}, "The quantity must be a whole number."),
        ({"reason": "spite"}, "I do not know that reason."),
        ({"colour_of_lid": "mauve"}, "I do not know that colour of lid."),
        ({"price": 0}, "The price must be more than 0.0."),
        ({"price": 10}, "The price must be less than 10.0."),
        ({"note": "x"}, "The note is too short."),
        ({"note": "XX"}, "I could not read the note."),
        ({"customer_id": 2}, "I have no use for the customer_id."),
    ],
    ids=str,
)
def test_a_wrong_argument_is_named_in_words_a_person_understands(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        try_arguments.check({"order_number": "#1001", "items": ["mug"], **wrong})

    assert str(raised.value) == words


def test_text_that_no_database_keeps_is_refused_in_words() -> None:
    with pytest.raises(InvalidInputError, match="I could not read that: it has characters"):
        try_arguments.check({"order_number": "1\0", "items": ["mug"]})


def test_an_argument_that_lacks_is_asked_for() -> None:
    with pytest.raises(InvalidInputError) as raised:
        try_arguments.check({"items": ["mug"]})

    assert str(raised.value) == "I still need the order number."


def test_braces_in_a_name_that_a_model_made_up_change_nothing() -> None:
    with pytest.raises(InvalidInputError) as raised:
        try_arguments.check({"order_number": "1", "items": ["mug"], "{the}": 1})

    assert str(raised.value) == "I have no use for the {the}."
