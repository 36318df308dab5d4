"""Talk to the assistant in a terminal."""

import secrets
from dataclasses import replace

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table as Grid

from opsbot.app import close_services, open_services
from opsbot.channels.dependencies import staff_caller
from opsbot.channels.services import Services
from opsbot.commerce.customers import find_customer
from opsbot.conversation.replies import Reply
from opsbot.settings import Settings
from opsbot.staff import find_staff
from opsbot.toolkit.caller import Audience, Caller, Level


def ask_once(
    console: Console, settings: Settings, question: str, *, customer: str, staff: str
) -> None:
    """Ask one question and print the reply."""
    services = open_services(settings)
    try:
        caller = _caller(services, customer, staff)
        reply = services.conversations.reply(
            caller, question, client_id=secrets.token_hex(8), now=services.clock()
        )
        _print(console, reply)
    finally:
        close_services(services)


def chat_on(console: Console, settings: Settings, *, customer: str, staff: str) -> None:
    """Hold a conversation until an empty line."""
    services = open_services(settings)
    try:
        caller = _caller(services, customer, staff)
        conversation_id: str | None = None
        console.print(f"{settings.shop_name}. An empty line ends the conversation.", style="dim")
        while text := _read(console):
            reply = services.conversations.reply(
                caller,
                text,
                client_id=secrets.token_hex(8),
                conversation_id=conversation_id,
                now=services.clock(),
            )
            conversation_id = reply.conversation_id
            _print(console, reply)
    finally:
        close_services(services)


def _read(console: Console) -> str:
    try:
        return console.input("[bold]> [/]").strip()
    except EOFError:
        return ""


def _caller(services: Services, customer: str, staff: str) -> Caller:
    """Return who the person at the keyboard is: they own the machine, so their word counts."""
    with services.database.read() as session:
        if staff:
            return staff_caller(find_staff(session, staff), channel="terminal")
        visitor = Caller(Audience.CUSTOMER, "terminal", visitor=secrets.token_hex(8))
        if not customer:
            return visitor
        found = find_customer(session, customer)
    return replace(visitor, level=Level.SIGNED_IN, customer_id=found.id, visitor="")


def _print(console: Console, reply: Reply) -> None:
    console.print(Markdown(reply.text))
    if reply.proposal:
        console.print(f"\n[bold]{reply.proposal['title']}[/]", highlight=False)
        for detail in reply.proposal["details"]:
            console.print(f"  • {detail}", highlight=False)
        if reply.proposal["clause"]:
            console.print(f"  “{reply.proposal['clause']['text']}”", style="dim", highlight=False)
        console.print("  Type yes to go ahead, or no.", style="dim")
    if reply.table:
        grid = Grid(*[column["label"] for column in reply.table["columns"]], box=None)
        for row in reply.table["rows"]:
            grid.add_row(*["" if value is None else str(value) for value in row])
        console.print(grid)
    for source in reply.citations:
        place = f"[{source['n']}] {source['title']}: {source['heading']}  {source['url']}"
        console.print(place, style="dim", markup=False, highlight=False)
    console.print()
