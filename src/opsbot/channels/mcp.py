"""The tools by the Model Context Protocol, for assistants outside of opsbot.

The same executor as everywhere; who is asking tells the token, never an argument. A change is only
proposed: a person confirms it in a place that the model cannot reach. The `mcp` package is
imported when the first request comes.
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from opsbot import __version__
from opsbot.channels.confirmations import ask_person
from opsbot.channels.dependencies import token_caller
from opsbot.channels.door import at_the_door
from opsbot.channels.problems import describe, problem
from opsbot.channels.services import Services
from opsbot.errors import NotAllowedError, OpsbotError
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.results import Result
from opsbot.toolkit.wire import show_error, show_preview, show_result, without_extras

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel.server import Server
    from mcp_types import CallToolResult, Tool

PATH = "/mcp"
CALLER = "opsbot.caller"
"""Key of the ASGI scope that holds who is asking."""
_INSTRUCTIONS = (
    "Tools over the records and articles of a shop. Say amounts, dates and sources as they come. "
    "A tool that changes something only proposes it: a person confirms it outside of this "
    "conversation, so never say that it was done."
)

WhoAsks = Callable[["ServerRequestContext[Any, Any]"], Caller]


def make_server(services: Services, who: WhoAsks) -> "Server[Any]":
    """Return an MCP server over the tools.

    Args:
        services: the running parts.
        who: tells who is asking, from the context of a request.
    """
    from mcp.server.lowlevel.server import Server  # noqa: PLC0415  (slow to import, rarely used)
    from mcp_types import (  # noqa: PLC0415
        CallToolRequestParams,
        CallToolResult,
        ListToolsResult,
        PaginatedRequestParams,
    )

    async def list_tools(
        ctx: "ServerRequestContext[Any, Any]", _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        offered = services.executor.offered(who(ctx))
        return ListToolsResult(tools=[_declare(tool) for tool in offered])

    async def call_tool(
        ctx: "ServerRequestContext[Any, Any]", params: CallToolRequestParams
    ) -> CallToolResult:
        call = partial(run_call, services, who(ctx), params.name, params.arguments or {})
        return await run_in_threadpool(call)

    return Server(
        "opsbot",
        version=__version__,
        title=services.settings.shop_name,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def run_call(
    services: Services, caller: Caller, name: str, arguments: dict[str, Any]
) -> "CallToolResult":
    """Run one call; an error is a result that says so."""
    now = services.clock()
    try:
        outcome = services.executor.run(caller, name, arguments, now=now)
        if isinstance(outcome, Result):
            return _answer(outcome.say, show_result(outcome))
        asked = ask_person(services, caller, outcome, now=now)
    except OpsbotError as error:
        return _answer(str(error), {"error": show_error(error)}, is_error=True)
    lines = [outcome.title, *(f"- {detail}" for detail in outcome.details), asked]
    told = {"code": "confirmation_required", "proposal": show_preview(outcome)}
    return _answer("\n".join(lines), told)


class McpEndpoint:
    """The ASGI application behind `/mcp`: streamable HTTP, without sessions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._manager: Any = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell who is asking, then hand the request to the protocol."""
        try:
            caller = await run_in_threadpool(self._caller, Request(scope))
        except OpsbotError as error:
            await describe(error)(scope, receive, send)
            return
        if caller is None:
            detail = "Send a token: `Authorization: Bearer TOKEN`."
            refused = problem(
                401,
                "Not allowed",
                detail,
                code="forbidden",
                headers={"www-authenticate": "Bearer"},
            )
            await refused(scope, receive, send)
            return
        manager = await self._open()
        await manager.handle_request({**scope, CALLER: caller}, receive, send)

    async def close(self) -> None:
        """Let the running requests end."""
        self._stop.set()
        if self._task is not None:
            await self._task

    def _caller(self, request: Request) -> Caller | None:
        header = request.headers.get("authorization")
        if not header:
            return None
        now = self._services.clock()
        with at_the_door(request):
            return token_caller(self._services, header, channel="mcp", now=now)

    async def _open(self) -> Any:
        async with self._opening:
            if self._manager is None:
                self._manager = await asyncio.to_thread(self._make_manager)
                ready = asyncio.Event()
                # What runs the requests must be opened and closed by one task.
                self._task = asyncio.create_task(self._hold(ready))
                await ready.wait()
        return self._manager

    def _make_manager(self) -> Any:
        from mcp.server.streamable_http_manager import (  # noqa: PLC0415
            StreamableHTTPSessionManager,
        )

        server = make_server(self._services, _caller_of)
        return StreamableHTTPSessionManager(server, json_response=True, stateless=True)

    async def _hold(self, ready: asyncio.Event) -> None:
        async with self._manager.run():
            ready.set()
            await self._stop.wait()


def _caller_of(ctx: "ServerRequestContext[Any, Any]") -> Caller:
    if ctx.request is None:
        raise NotAllowedError("Nobody says who is asking.")
    caller: Caller = ctx.request.scope[CALLER]
    return caller


def _declare(tool: AnyTool) -> "Tool":
    from mcp_types import Tool, ToolAnnotations  # noqa: PLC0415

    return Tool(
        name=tool.name,
        title=tool.name.replace("_", " ").capitalize(),
        description=tool.description,
        input_schema=without_extras(tool.schema["function"]["parameters"]),
        annotations=ToolAnnotations(
            read_only_hint=not tool.writes,
            destructive_hint=tool.effect == "irreversible",
            idempotent_hint=not tool.writes,
            open_world_hint=False,
        ),
    )


def _answer(text: str, told: dict[str, Any], *, is_error: bool = False) -> "CallToolResult":
    from mcp_types import CallToolResult, TextContent  # noqa: PLC0415

    plain = json.loads(json.dumps(told, default=str))
    return CallToolResult(
        content=[TextContent(text=text)], structured_content=plain, is_error=is_error
    )
