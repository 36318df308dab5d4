"""The server believes about an address what our own proxies say, and nobody else."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import SecretStr

from opsbot.cli.serving import server_config
from opsbot.errors import InvalidInputError
from opsbot.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        ([], "127.0.0.1"),
        (["10.0.0.7"], "127.0.0.1"),
        (["127.0.0.1"], "203.0.113.9"),
        (["127.0.0.0/8"], "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_who_is_asking(
    settings: Settings, proxies: list[str], seen: str
) -> None:
    app = FastAPI()

    @app.get("/who")
    def get_who(request: Request) -> str:
        return request.client.host if request.client else ""

    ours = read_settings(secret_key=SecretStr("0123456789abcdef" * 2), trusted_proxies=proxies)
    config = server_config(app, ours)
    config.load()
    client = TestClient(config.loaded_app, client=("127.0.0.1", 5000))

    answer = client.get("/who", headers={"x-forwarded-for": "203.0.113.9"})

    assert settings.trusted_proxies == []
    assert answer.json() == seen


def test_a_proxy_that_is_no_address_is_named(settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match="OPSBOT_TRUSTED_PROXIES__0 is wrong"):
        read_settings(secret_key=settings.secret_key, trusted_proxies=["everybody"])
