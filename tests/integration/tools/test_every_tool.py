"""What holds for every tool, whoever wrote it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from opsbot.content import content_root
from opsbot.errors import NotAllowedError, NotVerifiedError, OpsbotError
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool, load_tools
from tests.shop_fixtures import Shop

TOOLS = load_tools(content_root() / "tools")
FOR_CUSTOMERS = {name: t for name, t in TOOLS.items() if t.audience is Audience.CUSTOMER}
IDENTITY = re.compile(r"customer|user|role|verified|approved|actor|(?<!service_)level|owner|staff")
STAFF = Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({"nothing"}))
VALUES: Mapping[str, Any] = {
    "order_number": "#1001",
    "items": ["Kiln mug, moss"],
    "reason": "changed_mind",
    "address": "Sonnenallee 5, 12047 Berlin",
    "kind": "damaged",
    "product": "mug",
    "new_items": ["ink"],
    "payment_method": "PayPal",
    "expression": "1 + 1",
    "question": "how?",
    "case_number": "CS-00001",
    "country": "France",
    "text": "The new lamp is wonderful",
    "topic": "surveys",
    "request": "access",
    "return_number": "RMA-00001",
    "serial": "TIDE20931",
    "bought_on": "2026-10-03",
    "seller": "A partner",
    "answer": "5",
}


def arguments_of(tool: AnyTool) -> dict[str, Any]:
    required = tool.schema["function"]["parameters"].get("required", [])
    return {name: VALUES[name] for name in required}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_a_tool_says_what_it_is(tool: AnyTool) -> None:
    assert len(set(tool.examples)) >= 8
    assert len({example.split()[0].lower() for example in tool.examples}) >= 4
    assert len(tool.description) > 30
    assert tool.label
    assert re.fullmatch(r"[a-z_]{3,40}", tool.name)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_no_argument_of_a_tool_tells_who_is_asking(tool: AnyTool) -> None:
    properties = tool.schema["function"]["parameters"].get("properties", {})

    named = [name for name in properties if IDENTITY.search(name)]
    if tool.audience is Audience.STAFF:  # staff may name whom they ask about
        named = [name for name in named if not name.startswith("customer")]
    assert not named
    assert "ctx" not in properties
    assert tool.schema["function"]["parameters"]["additionalProperties"] is False


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_every_argument_says_how_it_is_filled(tool: AnyTool) -> None:
    properties = tool.schema["function"]["parameters"].get("properties", {})

    for name, described in properties.items():
        assert "x-argument" in repr(described), name


def test_the_assistant_has_one_tool_of_each_special_kind() -> None:
    roles = sorted(tool.role for tool in FOR_CUSTOMERS.values() if tool.role)

    assert roles == ["danger", "handoff", "knowledge", "list", "proof", "proof"]


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_not_for_the_other_audience(shop: Shop, name: str) -> None:
    caller = STAFF if TOOLS[name].audience is Audience.CUSTOMER else shop.ada

    with pytest.raises(NotAllowedError, match="not something I can do here"):
        shop.run(name, caller)
    assert name not in {tool.name for tool in shop.executor.offered(caller)}


@pytest.mark.parametrize("name", [n for n, t in TOOLS.items() if t.roles])
def test_a_tool_for_some_staff_is_not_for_others(shop: Shop, name: str) -> None:
    with pytest.raises(NotAllowedError):
        shop.run(name, STAFF)


LEVELS = [(n, level) for n, t in FOR_CUSTOMERS.items() for level in Level if level < t.level]


@pytest.mark.parametrize(
    ("name", "level"), LEVELS, ids=[f"{name} at {level}" for name, level in LEVELS]
)
def test_a_tool_needs_its_level(shop: Shop, name: str, level: Level) -> None:
    caller = replace(shop.prove("#1001"), level=level)

    with pytest.raises(NotVerifiedError) as raised:
        shop.run(name, caller, **arguments_of(TOOLS[name]))

    assert raised.value.level == TOOLS[name].level


@pytest.mark.parametrize(
    "name",
    [n for n, t in FOR_CUSTOMERS.items() if "order_number" in arguments_of(t) and not t.role],
)
def test_an_order_of_somebody_else_reads_like_one_that_does_not_exist(
    shop: Shop, name: str
) -> None:
    fresh = shop.ada.at_level(Level.FRESH_CODE)
    texts = []
    for number in ("#2001", "#9001"):
        arguments = {**arguments_of(TOOLS[name]), "order_number": number}
        with pytest.raises(OpsbotError) as raised:
            shop.run(name, fresh, **arguments)
        texts.append(str(raised.value).replace(number, "#N"))

    assert texts[0] == texts[1] == "I could not find order #N."
