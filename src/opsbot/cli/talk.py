"""Talk to the assistant in a terminal."""

import secrets

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table as Grid

from opsbot.app import close_services, open_services
from opsbot.cli.common import caller_at_keyboard
from opsbot.conversation.replies import Reply
from opsbot.settings import Settings


def ask_once(
    console: Console, settings: Settings, question: str, *, customer: str, staff: str
) -> None:
    """Ask one question and print the reply."""
    services = open_services(settings)
    try:
        caller = caller_at_keyboard(services.database, customer=customer, staff=staff)
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
        caller = caller_at_keyboard(services.database, customer=customer, staff=staff)
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
