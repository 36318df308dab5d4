"""Random calls that nobody may make, and the judge of what came of them.

Every kind builds calls of which it is known beforehand that they must be refused. Whether one got
through is judged by the records before and after, not by its status alone.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from illegal_values import break_argument, fill_arguments
from illegal_world import Person, World

from opsbot.db import Base, Database
from opsbot.errors import CODES, OpsbotError
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.proposals import Confirmation, Preview, Proposal, ProposalState

REQUESTS_OWN = frozenset({
    "audit_events", "audit_heads", "proof_attempts", "proposals", "tool_uses",
})  # fmt: skip
"""Tables that a refused request may write; everything else is the shop's."""
STEP = timedelta(seconds=1)
"""The clock moves on between two calls, so that no limit on calls hides what is behind it."""


@dataclass
class Tally:
    """What came of the calls."""

    calls: int = 0
    succeeded: int = 0
    server_errors: int = 0
    outside_error_set: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    """The first that went wrong, in words."""

    def add(self, kind: str, outcome: "Outcome") -> None:
        """Judge one call."""
        self.calls += 1
        self.codes[outcome.code or "none"] += 1
        problem = ""
        if outcome.broke:
            self.server_errors += 1
            problem = "broke"
        elif outcome.done:
            self.succeeded += 1
            problem = "succeeded"
        elif outcome.code and (outcome.code not in CODES or outcome.undeclared):
            self.outside_error_set += 1
            problem = "outside the error set"
        if problem and len(self.examples) < 20:  # noqa: PLR2004  (enough to read)
            self.examples.append(f"{kind}: {problem}: {outcome}")


@dataclass(frozen=True)
class Outcome:
    """What one call came to."""

    what: str
    code: str = ""
    done: bool = False
    """It was let through."""
    broke: bool = False
    undeclared: bool = False
    """The tool does not say that it may end with this code."""


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the shop's tables, and which proposals were executed."""
    with database.read() as session:
        rows = {
            table.name: sorted((tuple(row) for row in session.execute(sa.select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in REQUESTS_OWN
        }
        executed = sa.select(Proposal.id).where(Proposal.state == ProposalState.EXECUTED)
        rows["executed"] = sorted((one,) for one in session.scalars(executed))
    return rows


def differences(
    before: Mapping[str, Sequence[tuple[Any, ...]]], after: Mapping[str, Sequence[tuple[Any, ...]]]
) -> int:
    """Return how many rows were added, removed or changed."""
    return sum(len(set(map(repr, before[name])) ^ set(map(repr, after[name]))) for name in before)


def attack(world: World, calls: int, tally: Tally, progress: Callable[[], None]) -> None:
    """Make so many illegal calls, each by a way in chosen at random."""
    kinds = list(KINDS.items())
    for _ in range(calls):
        kind, make = world.rng.choice(kinds)
        tally.add(kind, make(world))
        world.moment[0] += STEP
        progress()


def wrong_owner(world: World) -> Outcome:
    """Name an order of somebody else."""
    person, other = world.rng.sample(world.customers, 2)
    tool = world.pick(lambda t: t.audience is Audience.CUSTOMER and _takes_order(t))
    number = world.rng.choice(other.orders).number
    arguments = {**fill_arguments(world.rng, tool, number), "order_number": number}
    return _call(world, tool, person, arguments)


def wrong_proof(world: World) -> Outcome:
    """Prove one order, and ask for another."""
    person, other = world.rng.sample(world.customers, 2)
    tool = world.pick(lambda t: t.audience is Audience.CUSTOMER and _takes_order(t))
    proved = world.rng.choice(person.orders)
    caller = replace(
        person.caller, level=Level.ORDER, proved_order_id=proved.id, visitor="x", channel="widget"
    )
    wanted = [o.number for o in (*person.orders, *other.orders) if o.id != proved.id]
    number = world.rng.choice(wanted)
    arguments = {**fill_arguments(world.rng, tool, number), "order_number": number}
    return _run(world, tool, caller, arguments)


def wrong_level(world: World) -> Outcome:
    """Have proved too little."""
    person = world.rng.choice(world.customers)
    tool = world.pick(lambda t: t.audience is Audience.CUSTOMER and t.level > Level.ORDER)
    arguments = fill_arguments(world.rng, tool, world.rng.choice(person.orders).number)
    if tool.level is Level.FRESH_CODE and world.rng.random() < 0.5:  # noqa: PLR2004
        return _call(world, tool, person, arguments)
    level = world.rng.choice([Level.ANONYMOUS, Level.ORDER])
    caller = replace(person.caller, level=level, visitor="x", channel="widget")
    return _run(world, tool, caller, arguments)


def wrong_role(world: World) -> Outcome:
    """Be of the other audience, or without the role."""
    person = world.rng.choice([*world.customers, *world.staff, *world.staff])
    tool = world.pick(lambda t: not t.offered_to(person.caller))
    arguments = fill_arguments(world.rng, tool, world.rng.choice(world.customers[0].orders).number)
    return _call(world, tool, person, arguments)


def wrong_state(world: World) -> Outcome:
    """Change an order that is too far on, or send back what has not come."""
    name = world.rng.choice(["cancel_order", "change_address", "request_return"])
    tool = world.tools[name]
    ended = {"completed", "cancelled"}
    for _ in range(200):
        person = world.rng.choice(world.customers)
        order = world.rng.choice(person.orders)
        too_early = name == "request_return" and order.state in {"pending", "confirmed"}
        if too_early or (name != "request_return" and order.state in ended):
            break
    caller = replace(person.caller, level=Level.FRESH_CODE, channel="widget")
    return _run(world, tool, caller, fill_arguments(world.rng, tool, order.number))


def wrong_arguments(world: World) -> Outcome:
    """Send arguments of which one is unknown, missing, of a wrong type, or out of bounds."""
    person = world.rng.choice([*world.customers, *world.staff])
    tool = world.pick(lambda t: t.offered_to(person.caller))
    order = world.rng.choice(person.orders or world.customers[0].orders)
    arguments = fill_arguments(world.rng, tool, order.number)
    return _call(world, tool, person, break_argument(world.rng, tool, arguments))


def no_such_tool(world: World) -> Outcome:
    """Call what there is not."""
    names = (
        "drop_tables",
        "__class__",
        "../orders",
        "confirm",
        "\0",
        "x" * 500,
        "cancel_order ",
        "",
    )
    person = world.rng.choice([*world.customers, *world.staff])
    name, caller = world.rng.choice(names), person.caller
    try:
        world.services.executor.run(caller, name, {}, now=world.moment[0])
    except OpsbotError as error:
        return Outcome(name, error.code)
    except Exception as error:  # noqa: BLE001  (that is what is counted)
        return Outcome(f"{name}: {error!r}", broke=True)
    return Outcome(name, done=True)


def others_proposal(world: World) -> Outcome:
    """Confirm or drop what somebody else was shown, or what never was."""
    kept = world.rng.choice(world.proposals)
    person = world.rng.choice([*world.customers, *world.staff])
    made_up = world.rng.random() < 0.2  # noqa: PLR2004
    if made_up or person.caller.owner == kept.person.caller.owner:
        made = (
            "x" * 22,
            "%",
            "\0",
            "a%00b",
            "\ud800",
            "' OR 1=1 --",
            kept.id[:-1],
            kept.id + "A",
            kept.id.swapcase(),
        )
        return _decide(world, person, world.rng.choice(made))
    return _decide(world, person, kept.id)


def dead_proposal(world: World) -> Outcome:
    """Confirm, as its owner, what is stale, expired, dropped, done, or was tampered with."""
    kept = world.rng.choice([one for one in world.proposals if one.state != "open"])
    return _decide(world, kept.person, kept.id, own=True, replay=kept.state == "executed")


def forged(world: World) -> Outcome:
    """Come with a token, cookie or visitor's id that is not ours, over, or of another kind."""
    headers = world.forge()
    path, method, body = world.rng.choice(_DOORS)
    answer = world.client.request(method, path, headers=headers, json=body)
    return _judge(f"{method} {path} {sorted(headers)}", answer)


def wrong_body(world: World) -> Outcome:
    """Send what is no call at all."""
    person = world.rng.choice([*world.customers, *world.staff])
    headers = {**world.headers(person), "content-type": "application/json"}
    body = world.rng.choice(_BODIES)
    path = world.rng.choice(("/v1/tools/order_status", "/v1/tools/cancel_order"))
    if person.caller.is_staff:
        path = "/v1/tools/late_orders"
    return _judge(f"{path} {body[:30]!r}", world.client.post(path, headers=headers, content=body))


def _takes_order(tool: AnyTool) -> bool:
    return "order_number" in tool.arguments.model_fields and tool.role != "proof"


def _call(world: World, tool: AnyTool, person: Person, arguments: Mapping[str, Any]) -> Outcome:
    """Call a tool by a way in chosen at random."""
    way = world.rng.choice(("executor", "http", "mcp"))
    text = repr(arguments)
    if way == "executor" or not person.sendable:
        return _run(world, tool, person.caller, arguments)
    headers = world.headers(person)
    if way == "http":
        answer = _post(world, f"/v1/tools/{tool.name}", headers, {"arguments": arguments})
        return _judge(f"http {tool.name} {text[:80]}", answer, tool)
    return _call_mcp(world, tool, headers, arguments)


def _post(world: World, path: str, headers: Mapping[str, str], body: object) -> Any:
    """Send JSON in plain ASCII: escapes say what no UTF-8 can."""
    more = {**headers, "content-type": "application/json"}
    return world.client.post(path, headers=more, content=json.dumps(body))


def _call_mcp(
    world: World, tool: AnyTool, headers: Mapping[str, str], arguments: Mapping[str, Any]
) -> Outcome:
    envelope = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool.name, "arguments": arguments},
    }
    more = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    answer = _post(world, "/mcp", {**headers, **more}, envelope)
    what = f"mcp {tool.name} {str(arguments)[:80]}"
    if answer.status_code == 400 and "jsonrpc" in answer.text:  # noqa: PLR2004
        return Outcome(what, "validation")  # the protocol's own: it was no call
    if answer.status_code != 200:  # noqa: PLR2004
        return _judge(what, answer, tool)
    result = answer.json().get("result", {})
    code = str(result.get("structuredContent", {}).get("error", {}).get("code", ""))
    if not result.get("isError"):
        return Outcome(what, done=bool(result), broke=not result)
    return Outcome(what, code, undeclared=code not in _codes(tool))


def _run(world: World, tool: AnyTool, caller: Caller, arguments: Mapping[str, Any]) -> Outcome:
    what = f"{tool.name} {str(arguments)[:80]!r} by {caller.actor} at {int(caller.level)}"
    try:
        world.services.executor.run(caller, tool.name, arguments, now=world.moment[0])
    except OpsbotError as error:
        undeclared = error.code not in _codes(tool)
        return Outcome(what, error.code, broke=error.code == "unavailable", undeclared=undeclared)
    except Exception as error:  # noqa: BLE001  (that is what is counted)
        return Outcome(f"{what}: {error!r}", broke=True)
    return Outcome(what, done=True)


def _decide(
    world: World, person: Person, proposal_id: str, *, own: bool = False, replay: bool = False
) -> Outcome:
    """Confirm or drop a proposal by a way in chosen at random."""
    deed = "confirm" if own else world.rng.choice(("confirm", "cancel", "confirm"))
    what = f"{deed} {proposal_id[:24]!r} by {person.caller.actor}"
    if world.rng.random() < 0.5 and person.sendable and proposal_id != "\ud800":  # noqa: PLR2004
        path = f"/v1/proposals/{quote(proposal_id, safe='%')}/{deed}"
        answer = world.client.post(path, headers=world.headers(person), json={})
        if own and answer.status_code == 200:  # noqa: PLR2004
            executed = answer.json()["proposal"]["state"] == "executed"
            return Outcome(what, done=executed and not replay)
        return _judge(what, answer)
    executor = world.services.executor
    act: Callable[..., Confirmation | Preview] = (
        executor.confirm if deed == "confirm" else executor.cancel
    )
    try:
        outcome = act(person.caller, proposal_id, now=world.moment[0])
    except OpsbotError as error:
        return Outcome(what, error.code, broke=error.code == "unavailable")
    except Exception as error:  # noqa: BLE001  (that is what is counted)
        return Outcome(f"{what}: {error!r}", broke=True)
    preview = outcome.preview if isinstance(outcome, Confirmation) else outcome
    return Outcome(what, done=not own or (preview.state == "executed" and not replay))


def _judge(what: str, answer: Any, tool: AnyTool | None = None) -> Outcome:
    if answer.status_code >= 500:  # noqa: PLR2004
        return Outcome(f"{what}: {answer.status_code} {answer.text[:200]}", broke=True)
    if answer.status_code < 400:  # noqa: PLR2004
        return Outcome(f"{what}: {answer.status_code} {answer.text[:200]}", done=True)
    kind = answer.headers.get("content-type", "")
    code = str(answer.json().get("code", "none")) if "json" in kind else "no problem document"
    return Outcome(what, code, undeclared=tool is not None and code not in _codes(tool))


def _codes(tool: AnyTool) -> frozenset[str]:
    return tool.codes | {"validation"}  # what is no text is refused everywhere


_DOORS: tuple[tuple[str, str, Any], ...] = (
    ("/v1/tools", "GET", None),
    ("/v1/tools/my_orders", "POST", {}),
    ("/v1/tools/late_orders", "POST", {}),
    ("/v1/chat", "POST", {"text": "cancel order #1004", "client_id": "x"}),
    ("/v1/proposals/abc/confirm", "POST", {}),
    ("/v1/conversations/abc/messages", "GET", None),
    ("/mcp", "POST", {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}),
)
_BODIES = (
    b"{",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"{}" * 200_000,
    b"[" * 100_000,
    b'{"arguments": 1}',
    b'{"arguments": {}, "caller": 1}',
    b'{"arguments": {"order_number": NaN}}',
    b'{"conversation_id": 5}',
    b'{"arguments": {"order_number": "#1001", "order_number": "\\u0000"}}',
    b'{"arguments": 1e999}',
    b'{"arguments": {"order_number": ' + b"9" * 6000 + b"}}",
)
KINDS: Mapping[str, Callable[[World], Outcome]] = {
    make.__name__: make
    for make in (
        wrong_owner, wrong_proof, wrong_level, wrong_role, wrong_state, wrong_arguments,
        no_such_tool, others_proposal, dead_proposal, forged, wrong_body,
    )
}  # fmt: skip


def told(tally: Tally) -> Iterator[str]:
    """Yield the tally in words, what went wrong first."""
    yield from tally.examples
    yield ", ".join(f"{code} {count}" for code, count in tally.codes.most_common())
