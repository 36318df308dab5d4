"""What a tool declares is what it does: whom it refuses, how it ends, what the reference says."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from opsbot.content import content_root
from opsbot.errors import CODES, NotAllowedError, OpsbotError
from opsbot.staff import Role
from opsbot.toolkit.audit import AuditEvent
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.reference import tools_page
from tests.shop_fixtures import Shop

TOOLS = load_tools(content_root() / "tools")
OPENS_ACCOUNTS = load_policies(content_root() / "knowledge" / "policies").identity.opens_accounts
"""Whether this shop lets people in by what they say of themselves; else the tool is off."""
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "tools.md"


def everybody(shop: Shop) -> Iterator[Caller]:
    """Yield a caller of each level, of each role, and without a role."""
    proved = shop.prove("#1001")
    for level in Level:
        yield replace(proved if level is Level.ORDER else shop.ada, level=level)
    for roles in (frozenset[str](), *(frozenset({role.value}) for role in Role)):
        yield Caller(Audience.STAFF, "console", staff_id=1, roles=roles)


def may(caller: Caller, tool: AnyTool) -> bool:
    """Tell from the declaration alone whether a caller may use a tool."""
    if caller.audience is not tool.audience:
        return False
    if caller.is_staff:
        return not tool.roles or bool(tool.roles & caller.roles)
    return caller.level >= tool.level and not is_off(tool)


def is_off(tool: AnyTool) -> bool:
    """Tell whether the shop's policy switches a tool off for everybody."""
    return tool.grants >= Level.SIGNED_IN and not OPENS_ACCOUNTS


def code_of(shop: Shop, caller: Caller, tool: AnyTool) -> str:
    try:
        shop.run(tool.name, caller)
    except OpsbotError as error:
        return error.code
    return ""


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_a_tool_refuses_each_role_and_level_that_it_should_and_no_other(
    shop: Shop, tool: AnyTool
) -> None:
    refused = {"forbidden", "not_verified"}
    wrong = []
    for caller in everybody(shop):
        code = code_of(shop, caller, tool)
        if (code in refused) is may(caller, tool):
            wrong.append((sorted(caller.roles) or caller.level.name, code))

    assert wrong == []


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_a_tool_is_offered_to_whom_it_may_serve_some_day(shop: Shop, tool: AnyTool) -> None:
    for caller in everybody(shop):
        offered = tool.name in {one.name for one in shop.executor.offered(caller)}
        can_prove_more = caller.audience is tool.audience is Audience.CUSTOMER and not is_off(tool)
        # Who has signed in has nothing to prove that a proof by order or name could show.
        has_proved = tool.role == "proof" and caller.level >= max(Level.SIGNED_IN, tool.grants)

        assert offered is ((may(caller, tool) or can_prove_more) and not has_proved)


def test_a_call_of_what_is_not_offered_leaves_a_row_in_the_audit(shop: Shop) -> None:
    with pytest.raises(NotAllowedError):
        shop.run("late_orders")

    with shop.database.read() as session:
        rows = [(row.actor, row.action, row.subject) for row in session.scalars(select(AuditEvent))]
    assert rows == [("customer:1", "refused", "late_orders")]


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_the_reference_tells_all_that_a_tool_declares(tool: AnyTool) -> None:
    page = REFERENCE.read_text("utf-8")
    section = page.partition(f"### `{tool.name}`\n")[2].partition("\n### ")[0]

    assert tool.description.splitlines()[0] in section
    assert all(example in section for example in tool.examples)
    assert all(f"| `{name}` |" in section for name in tool.arguments.model_fields)
    assert all(str(limit) in section for limit in tool.limits)
    assert all(role in section for role in tool.roles)


def test_the_reference_is_fresh() -> None:
    assert REFERENCE.read_text("utf-8") == tools_page(TOOLS.values())


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_a_declaration_agrees_with_itself(tool: AnyTool) -> None:
    described = tool.schema["function"]["parameters"].get("properties", {})

    assert tool.codes <= CODES.keys()
    assert tool.writes or tool.confirm == "none"
    assert tool.effect != "irreversible" or tool.confirm != "none"
    assert all("description" in str(one) for one in described.values())
    if tool.audience is Audience.STAFF:
        assert tool.level is Level.ANONYMOUS, "staff have roles, not levels"
    else:
        assert not tool.roles, "customers have levels, not roles"
        assert not tool.writes or tool.limits, "what strangers can make happen has a limit"
        assert tool.confirm == "none" or tool.level >= Level.ORDER


def endless(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a type has no bounds."""
    if "$ref" in shape:
        shape = definitions[shape["$ref"].rpartition("/")[2]]
    choices = shape.get("anyOf", ())
    is_number = any(one.get("type") == "number" for one in choices)
    for one in choices:
        # A decimal number may come as text; its value is held by the number's bounds.
        if not (is_number and one.get("type") == "string"):
            yield from endless(one, definitions)
    kind = shape.get("type")
    if kind == "string" and not {"maxLength", "pattern", "enum", "const"} & shape.keys():
        yield "a text without an end"
    if kind in {"integer", "number"}:
        least, most = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
        if not least & shape.keys() or not most & shape.keys():
            yield "a number without bounds"
    if kind == "array":
        yield from () if "maxItems" in shape else ("a list without an end",)
        yield from endless(shape.get("items", {}), definitions)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_every_argument_has_an_end(tool: AnyTool) -> None:
    schema = tool.schema["function"]["parameters"]

    found = {
        name: list(endless(shape, schema.get("$defs", {})))
        for name, shape in schema.get("properties", {}).items()
    }

    assert {name: problems for name, problems in found.items() if problems} == {}
