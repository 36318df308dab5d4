"""The people who work at the shop, and how they prove who they are."""

from collections.abc import Sequence
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base
from opsbot.errors import InvalidInputError, NotFoundError

MIN_PASSWORD = 10
"""Fewest characters of a password."""

_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$vhNl0VE2VjWFjRChAtEHDg$tenfwOP5kdo0hdjuPASmDJ0ZFDqjb/3r048yr0CymEA"
)
"""The hash of a random text that nobody has: nothing matches it."""


class Role(StrEnum):
    """What a member of staff may do; a tool names the roles it is for."""

    AGENT = "agent"
    OPS = "ops"
    QUALITY = "quality"
    PLANNER = "planner"
    EDITOR = "editor"
    LEAD = "lead"
    MANAGER = "manager"


WRITERS = (Role.EDITOR, Role.QUALITY, Role.LEAD, Role.MANAGER)
"""Who may change the articles."""


class Staff(Base):
    """Somebody who works at the shop."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(default=list)
    """Values of `Role`."""
    active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)
    """A session of another number than this is over."""

    def has_role(self, *roles: str) -> bool:
        """Tell whether this person has one of the roles."""
        return not set(roles).isdisjoint(self.roles)

    def end_sessions(self) -> None:
        """Make this person sign in again, in every browser."""
        self.session_epoch += 1


def make_staff(*, email: str, name: str, password: str, roles: Sequence[Role]) -> Staff:
    """Return a new member of staff, not stored yet.

    Raises:
        InvalidInputError: the password is too short.
    """
    if len(password) < MIN_PASSWORD:
        raise InvalidInputError(f"A password needs at least {MIN_PASSWORD} characters.")
    return Staff(
        email=email.strip().lower(),
        name=name,
        password_hash=_hasher().hash(password),
        roles=[str(role) for role in roles],
    )


def find_staff(session: Session, email: str) -> Staff:
    """Return the active member of staff with this address.

    Raises:
        NotFoundError: there is none.
    """
    address = email.strip().lower()
    found = session.scalar(select(Staff).where(Staff.email == address, Staff.active))
    if found is None:
        raise NotFoundError("staff", address)
    return found


def check_password(staff: Staff | None, password: str) -> bool:
    """Tell whether the password is right.

    Takes as long for None as for a wrong password, so that the time does not tell which addresses
    belong to somebody.
    """
    try:
        _hasher().verify(_NOBODY if staff is None else staff.password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
    return staff is not None and staff.active


def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)
