"""Staff get their sign-in from the command line."""

import pytest

from opsbot.cli.people import keep_staff
from opsbot.db import Database
from opsbot.errors import InvalidInputError
from opsbot.settings import Settings
from opsbot.staff import check_password, find_staff


def test_a_member_of_staff_can_sign_in_and_gets_a_new_password(settings: Settings) -> None:
    first = keep_staff(
        settings, email="Zoe@x.example", name="Zoe", password="a" * 12, roles=["ops"]
    )
    again = keep_staff(
        settings, email="zoe@x.example", name="Zoe", password="b" * 12, roles=["lead"]
    )

    database = Database(settings.resolved_database_url)
    with database.read() as session:
        zoe = find_staff(session, "zoe@x.example")
    database.dispose()
    assert (first, again) == (True, False)
    assert check_password(zoe, "b" * 12)
    assert zoe.roles == ["lead"]
    assert zoe.session_epoch == 1, "the sessions of the old password are over"


def test_an_unknown_role_is_named_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match=r"boss.*The roles are: agent, ops"):
        keep_staff(settings, email="z@x.example", name="Z", password="a" * 12, roles=["boss"])
