"""Settings refuse what they do not know, and say what is wrong."""

import os

import pytest

from opsbot.errors import InvalidInputError
from opsbot.settings import PREFIX, read_settings

KEY = {"OPSBOT_SECRET_KEY": "0123456789abcdef" * 2}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in list(os.environ):  # noqa: TID251  (the developer's own settings must not matter)
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "OPSBOT_SECRET_KEY must be set"),
        ({"OPSBOT_SECRET_KEY": "short"}, "OPSBOT_SECRET_KEY is wrong: .* at least 32 characters"),
        (KEY | {"OPSBOT_TIME_ZONE": "Berlin"}, "OPSBOT_TIME_ZONE is wrong: there is no such"),
        (KEY | {"OPSBOT_CURRENCY": "EURO"}, "OPSBOT_CURRENCY is wrong"),
        (KEY | {"OPSBOT_TOOLS_DRI": "x"}, "OPSBOT_TOOLS_DRI is not a setting"),
        (KEY | {"OPSBOT_MAIL__IMAP_PORT": "many"}, "OPSBOT_MAIL__IMAP_PORT is wrong"),
        (KEY | {"OPSBOT_MODEL_TIMEOUT_S": "-1"}, "OPSBOT_MODEL_TIMEOUT_S is wrong"),
    ],
    ids=["missing", "too short", "no zone", "no currency", "misspelled", "nested", "out of range"],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InvalidInputError, match=words):
        read_settings()


def test_the_secret_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSBOT_SECRET_KEY", KEY["OPSBOT_SECRET_KEY"])

    assert KEY["OPSBOT_SECRET_KEY"] not in repr(read_settings())
