"""Give a member of staff their sign-in."""

from collections.abc import Sequence

from sqlalchemy import select

from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from opsbot.staff import Role, Staff, make_staff


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
    with database.write(durable=True) as session:
        known_one = session.scalar(select(Staff).where(Staff.email == made.email))
        if known_one is None:
            session.add(made)
        else:
            known_one.name, known_one.roles = made.name, made.roles
            known_one.password_hash, known_one.active = made.password_hash, True
            known_one.end_sessions()
    database.dispose()
    return known_one is None
