"""Addresses in the words of a model from outside."""

import pytest

from opsbot.conversation.links import drop_foreign_links, known_addresses

KNOWN = known_addresses(
    ["shop.example"], lambda: ["Follow it at https://track.example/p?n=12 or ask."]
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "See [the page](https://shop.example/help).",
            "See [the page](https://shop.example/help).",
        ),
        ("See [returns](/help/returns#how).", "See [returns](/help/returns#how)."),
        ("It is at https://track.example/p?n=12.", "It is at https://track.example/p?n=12."),
        ("See [this](https://evil.example/?d=ada).", "See this."),
        ("![x](https://evil.example/?d=ada) Bye.", "x Bye."),
        ("![x](/help/y?d=ada) Bye.", "x Bye."),
        ("Go to https://evil.example/ada now.", "Go to  now."),
        ("Go to www.evil.example/ada now.", "Go to  now."),
        ("Go to //evil.example/ada now.", "Go to  now."),
        ('<img src="https://evil.example/ada"> Bye.', " Bye."),
        ('<a href="https://evil.example/ada">Bye</a>.', "Bye."),
        ("[x](javascript:alert(1))", "x)"),
        ("It is at https://track.example/p?n=12&d=ada.", "It is at ."),
        ("It is at https://shop.example@evil.example/.", "It is at ."),
        ("Half a [link](https://evil.example/?d=a", "Half a link"),
        ("[1]: https://evil.example/?d=a", "[1]: "),
    ],
)
def test_only_the_shops_own_and_those_a_tool_named_stay(text: str, left: str) -> None:
    assert drop_foreign_links(text, KNOWN) == left
