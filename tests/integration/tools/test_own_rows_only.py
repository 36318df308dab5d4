"""No tool for customers tells anybody a row that is somebody else's, whatever it is called with.

The tools and their arguments are read from their declarations: a new tool is covered at once.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from opsbot.commerce.loyalty import LoyaltyEntry, LoyaltyKind
from opsbot.commerce.payment_methods import MethodKind, PaymentMethod
from opsbot.content import content_root
from opsbot.db import Base, Database
from opsbot.errors import OpsbotError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Preview
from tests.factories import NOON
from tests.shop_fixtures import CANARY, Shop, fill_shop, open_shop

pytestmark = pytest.mark.slow

TOOLS = {
    name: tool
    for name, tool in load_tools(content_root() / "tools").items()
    if tool.audience is Audience.CUSTOMER and tool.role not in {"knowledge", "handoff"}
}
EVES_WRITES: list[tuple[str, dict[str, Any]]] = [
    ("give_feedback", {"text": f"A {CANARY} of a lamp", "order_number": "#2002", "rating": 5}),
    ("register_product", {"product": "Ember bedside lamp, terracotta", "serial": "CANARY20931",
                          "bought_on": "2026-10-03", "seller": f"The {CANARY} shop"}),
    ("change_my_address", {"address": f"{CANARY} lane 5, 12047 Berlin"}),
    ("report_problem", {"order_number": "#2002", "kind": "damaged",
                        "description": f"A {CANARY} sat on it"}),
    ("request_return", {"order_number": "#2002", "items": [f"Ember bedside lamp, {CANARY}"],
                        "reason": "changed_mind"}),
    ("privacy_request", {"request": "access"}),
]  # fmt: skip
POOL = [
    "#1001", "#1002", "#1003", "#1004", "#2001", "2002", "RMA-00001", "RMA-00002", "CS-00001",
    "CS-00002", "CS-00003", "CANARY20931", "eve@canary.example", "ada@example.com", "C-1002",
    "Eve", "everything", "lamp", "Ember bedside lamp, terracotta", "Kiln mug, moss", "10119",
    "France", "PayPal", "1", "open", "all", "changed_mind", "damaged",
    "Sonnenallee 5, 12047 Berlin",
]  # fmt: skip
VALUES = st.sampled_from(POOL)
EVES = re.compile(rf"{CANARY}|#200[12]|CANARY20931", re.IGNORECASE)


@st.composite
def calls(draw: st.DrawFn, tool: AnyTool) -> dict[str, Any]:
    """Arguments of the shape that a tool declares, filled with what its customers might say."""
    schema = tool.schema["function"]["parameters"]
    needed = schema.get("required", [])
    known = schema.get("properties", {})
    chosen = [name for name in known if name in needed or draw(st.booleans())]
    return {name: draw(_values(known[name], schema.get("$defs", {}))) for name in chosen}


def _values(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in shape:
        shape = definitions[shape["$ref"].rpartition("/")[2]]
    if choices := shape.get("anyOf"):
        return st.one_of([_values(one, definitions) for one in choices])
    if choices := shape.get("enum"):
        return st.sampled_from(choices)
    return _BY_TYPE.get(str(shape.get("type")), VALUES)


_BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "array": st.lists(VALUES, min_size=1, max_size=2),
    "integer": st.integers(1, 5),
    "number": st.integers(1, 5),
    "boolean": st.booleans(),
    "null": st.none(),
}


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, after Eve has used every kind of thing there is."""
    fill_shop(database)
    opened = open_shop(database, settings, tools, policies)
    eve = opened.eve.at_level(Level.FRESH_CODE)
    for name, arguments in EVES_WRITES:
        shown = opened.run(name, eve, conversation="eves", **arguments)
        if isinstance(shown, Preview):
            opened.executor.confirm(eve, shown.id, now=NOON)
    with database.write() as session:
        session.add_all(
            [
                LoyaltyEntry(customer_id=eve.customer_id, kind=LoyaltyKind.EARN, points=4711,
                             reference=CANARY, available_at=NOON - timedelta(days=9),
                             actor="system", at=NOON - timedelta(days=9)),
                PaymentMethod(customer_id=eve.customer_id, kind=MethodKind.CARD, currency="EUR",
                              reference=f"pm_{CANARY}", brand=CANARY, last4="4711",
                              source="test", created_at=NOON),
            ]
        )  # fmt: skip
    return opened


def told_to(shop: Shop, caller: Caller, name: str, arguments: dict[str, Any]) -> str:
    """Return all that a call tells, less what was said to it."""
    try:
        told = repr(shop.run(name, caller, conversation=None, **arguments))
    except OpsbotError as error:
        told = repr((str(error), vars(error)))
    given = [str(one) for v in arguments.values() for one in (v if isinstance(v, list) else [v])]
    for said in sorted(given, key=len, reverse=True):  # "Eve" is a part of "eve@…"
        told = re.sub(re.escape(said), "", told, flags=re.IGNORECASE)
        told = told.replace(f"#{said}", "")
    return told


def test_eve_has_left_rows_of_every_kind(shop: Shop) -> None:
    """Else the tests below would prove nothing."""
    kinds = ("orders", "returns", "cases", "feedback", "registrations", "addresses",
             "payment_methods", "loyalty_entries", "claims")  # fmt: skip
    with shop.database.read() as session:
        for kind in kinds:
            table = Base.metadata.tables[kind]
            count = sa.select(sa.func.count()).select_from(table)
            assert session.scalar(count), kind
    eve = shop.eve.at_level(Level.FRESH_CODE)
    seen = {name for name in TOOLS if _tells_eves(shop, eve, name)}
    assert {"my_orders", "order_status", "return_status", "my_payment_methods"} <= seen


def _tells_eves(shop: Shop, eve: Caller, name: str) -> bool:
    required = TOOLS[name].schema["function"]["parameters"].get("required", [])
    if TOOLS[name].writes or not set(required) <= {"order_number"}:
        return False
    arguments = {"order_number": "#2002"} if required else {}
    return bool(EVES.search(told_to(shop, eve, name, arguments)))


@pytest.mark.parametrize("examples", [10, pytest.param(30, marks=pytest.mark.slow)])
def test_no_tool_tells_a_row_of_somebody_else(shop: Shop, examples: int) -> None:
    signed_in, stranger = shop.ada, Caller(shop.ada.audience, "widget", visitor="v9")
    callers = [stranger, shop.prove("#1002"), signed_in, signed_in.at_level(Level.FRESH_CODE)]

    for name, tool in TOOLS.items():

        @limits(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(arguments=calls(tool), caller=st.sampled_from(callers))
        def tells_nothing(name: str, arguments: dict[str, Any], caller: Caller) -> None:
            told = told_to(shop, caller, name, arguments)
            assert not EVES.search(told), (name, arguments, told)

        tells_nothing(name)
