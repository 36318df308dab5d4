"""`opsbot mcp`: the tools for a program on this machine, by standard input and output."""

import asyncio
from dataclasses import replace

from opsbot.app import close_services, open_services
from opsbot.channels.mcp import make_server
from opsbot.channels.services import Services
from opsbot.cli.common import caller_at_keyboard
from opsbot.errors import InvalidInputError
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller


def serve_stdio(settings: Settings, *, customer: str, staff: str) -> None:
    """Serve until standard input ends.

    Raises:
        InvalidInputError: it is not said for whom.
        NotFoundError: there is no such person.
    """
    if not customer and not staff:
        raise InvalidInputError("Say for whom: --staff EMAIL or --as EMAIL.")
    services = open_services(settings)
    try:
        caller = caller_at_keyboard(services.database, customer=customer, staff=staff)
        asyncio.run(_serve(services, replace(caller, channel="mcp", by_program=True)))
    finally:
        close_services(services)


async def _serve(services: Services, caller: Caller) -> None:
    from mcp.server.stdio import stdio_server  # noqa: PLC0415  (slow to import, rarely used)

    server = make_server(services, lambda _ctx: caller)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
