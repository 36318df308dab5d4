"""`opsbot staff`: sign-ins of people, and tokens of the programs that act for them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from typer.core import TyperGroup

from opsbot.cli.common import DemoData, now, settings_for
from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from opsbot.staff import Role, Staff, find_staff, make_staff
from opsbot.staff_tokens import make_token, revoke_token, tokens_of
from opsbot.toolkit.audit import record_audit


class _AddByDefault(TyperGroup):
    """`opsbot staff EMAIL …` means `opsbot staff add EMAIL …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front that was left out."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["add", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_AddByDefault, no_args_is_help=True, help="Sign-ins of staff, and tokens for programs."
)
console = Console()

Name = Annotated[str, typer.Option(help="What it is for, such as `nightly report`.")]


@app.command()
def add(
    email: str,
    name: Annotated[str, typer.Option(help="How customers and colleagues know this person.")],
    role: Annotated[list[str], typer.Option(help="May be given several times.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    *,
    demo: DemoData = False,
) -> None:
    """Give a member of staff a sign-in for the console. Asks for the password."""
    settings = settings_for(demo=demo)
    new = keep_staff(settings, email=email, name=name, password=password, roles=role)
    console.print(
        f"{email} {'can sign in now' if new else 'has the new name, password and roles'}."
    )


@app.command()
def token(
    email: str,
    name: Name = "",
    days: Annotated[int, typer.Option(min=1, max=3660, help="How long it is valid.")] = 365,
    *,
    revoke: Annotated[bool, typer.Option(help="End the token of this name at once.")] = False,
    demo: DemoData = False,
) -> None:
    """Make a token for a program that acts as this person; without a name, list the tokens.

    It may read what this person may, and propose changes; only the person confirms them.
    """
    database = Database(settings_for(demo=demo).resolved_database_url)
    upgrade(database)
    moment = now()
    with database.write(durable=True) as session:
        staff = find_staff(session, email)
        if not name:
            table = Table("token", "made", "valid until", box=None)
            for one in tokens_of(session, staff.id, now=moment):
                until = one.expires_at.date().isoformat() if one.expires_at else "revoked"
                table.add_row(one.name, one.created_at.date().isoformat(), until)
            console.print(table)
            return
        text = ""
        if revoke:
            revoke_token(session, staff, name, now=moment)
        else:
            until_when = moment + timedelta(days=days)
            text = make_token(session, staff, name, now=moment, expires_at=until_when)
        action = "token_revoked" if revoke else "token_made"
        subject = f"staff:{staff.id}"
        record_audit(
            session, actor="terminal", action=action, subject=subject, at=moment, token=name
        )
    database.dispose()
    if revoke:
        console.print(f"The token {name} of {email} is revoked.", highlight=False)
        return
    console.print("Keep it now; it is not shown again:", style="dim")
    typer.echo(text)


def keep_staff(
    settings: Settings, *, email: str, name: str, password: str, roles: Sequence[str]
) -> bool:
    """Store a member of staff; somebody known gets the new name, password and roles.

    Returns:
        Whether this person is new.

    Raises:
        InvalidInputError: a role does not exist, or the password is too short.
    """
    try:
        given = [Role(role) for role in roles]
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise InvalidInputError(f"{error}. The roles are: {known}.") from error
    made = make_staff(email=email, name=name, password=password, roles=given)
    database = Database(settings.resolved_database_url)
    upgrade(database)
    moment = now()
    with database.write(durable=True) as session:
        known_one = session.scalar(select(Staff).where(Staff.email == made.email))
        if known_one is None:
            session.add(made)
        else:
            known_one.name, known_one.roles = made.name, made.roles
            known_one.password_hash, known_one.active = made.password_hash, True
            known_one.end_sessions()
        session.flush()
        subject = f"staff:{(known_one or made).id}"
        action = "staff_added" if known_one is None else "staff_changed"
        record_audit(
            session, actor="terminal", action=action, subject=subject, at=moment, roles=made.roles
        )
    database.dispose()
    return known_one is None
