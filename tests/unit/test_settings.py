"""Settings refuse what they do not know, and say what is wrong."""

import os
from pathlib import Path

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
        (KEY | {"OPSBOT_LOCALE": "xx"}, "OPSBOT_LOCALE is wrong: there is no such language"),
        (KEY | {"OPSBOT_LOCALE": "../en"}, "OPSBOT_LOCALE is wrong: there is no such language"),
        (KEY | {"OPSBOT_KNOWLEDGE_DIR": "nowhere"}, "_DIR is wrong: there is no folder nowhere"),
        (KEY | {"OPSBOT_WEB_DIR": ".env"}, "OPSBOT_WEB_DIR is wrong: there is no folder .env"),
        (KEY | {"OPSBOT_TOOLS_DRI": "x"}, "OPSBOT_TOOLS_DRI is not a setting"),
        (KEY | {"OPSBOT_MAIL__IMPA_HOST": "x"}, "is not a setting. Did you mean .*IMAP_HOST"),
        (KEY | {"OPSBOT_MAIL__IMAP_PORT": "many"}, "OPSBOT_MAIL__IMAP_PORT is wrong"),
        (KEY | {"OPSBOT_MODEL_TIMEOUT_S": "-1"}, "OPSBOT_MODEL_TIMEOUT_S is wrong"),
    ],
    ids=[
        "missing",
        "too short",
        "no zone",
        "no currency",
        "no language",
        "no name of a language",
        "no folder",
        "a file",
        "misspelled",
        "misspelled in a group",
        "nested",
        "out of range",
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InvalidInputError, match=words):
        read_settings()


def test_a_language_is_known_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSBOT_SECRET_KEY", KEY["OPSBOT_SECRET_KEY"])
    monkeypatch.setenv("OPSBOT_LOCALE", "de-AT")

    assert read_settings().locale == "de_AT"


def test_a_misspelled_name_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPSBOT_SECRT_KEY=x\n", encoding="utf-8")

    with pytest.raises(
        InvalidInputError, match=r"^OPSBOT_SECRT_KEY is not a setting\. Did you mean"
    ):
        read_settings()


def test_the_secret_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSBOT_SECRET_KEY", KEY["OPSBOT_SECRET_KEY"])

    assert KEY["OPSBOT_SECRET_KEY"] not in repr(read_settings())
