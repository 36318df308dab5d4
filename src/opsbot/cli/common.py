"""What the commands share: the settings, the clock, and who sits at the keyboard."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from opsbot.channels.dependencies import staff_caller
from opsbot.cli.demo import open_demo
from opsbot.commerce.customers import find_customer
from opsbot.db import Database
from opsbot.settings import Settings, read_settings
from opsbot.staff import find_staff
from opsbot.toolkit.caller import Audience, Caller, Level

DemoData = Annotated[bool, typer.Option("--demo", help="Use the sample shop's data.")]
AsCustomer = Annotated[str, typer.Option("--as", help="E-mail of a customer to be.")]
AsStaff = Annotated[str, typer.Option("--staff", help="E-mail of a member of staff to be.")]


def settings_for(*, demo: bool) -> Settings:
    """Return the settings of this installation, or of the sample shop."""
    return open_demo() if demo else read_settings()


def now() -> datetime:
    """Return the time: the command line is an edge."""
    return datetime.now(UTC)  # noqa: TID251  (an edge: the command line)


def caller_at_keyboard(database: Database, *, customer: str, staff: str) -> Caller:
    """Return who the person at the keyboard is: they own the machine, so their word counts.

    Raises:
        NotFoundError: there is no such person.
    """
    with database.read() as session:
        if staff:
            return staff_caller(find_staff(session, staff), channel="terminal")
        visitor = Caller(Audience.CUSTOMER, "terminal", visitor=secrets.token_hex(8))
        if not customer:
            return visitor
        found = find_customer(session, customer)
    return replace(visitor, level=Level.SIGNED_IN, customer_id=found.id, visitor="")
