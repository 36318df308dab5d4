"""Other sites cannot use the cookie of a member of staff."""

from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from opsbot.channels import problems
from opsbot.channels.dependencies import STAFF_COOKIE, refuse_other_sites
from opsbot.settings import Settings

INSIDE = "http://10.0.0.7:8000"
"""How the proxy calls the server."""
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(settings: Settings) -> TestClient:
    """A browser with a staff cookie, in front of a proxy that speaks TLS."""
    app = FastAPI()
    problems.install(app)
    public = settings.model_copy(update={"public_url": "https://Shop.example/help"})
    app.state.services = SimpleNamespace(settings=public)

    @app.post("/")
    def post(request: Request) -> str:
        refuse_other_sites(request)
        return "done"

    return TestClient(app, base_url=INSIDE, cookies={STAFF_COOKIE: "x"})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://shop.example"},
        {"origin": INSIDE},
        {"sec-fetch-site": "same-origin"},
        JSON,
    ],
    ids=["public address", "own address", "fetch metadata", "JSON of a program"],
)
def test_our_own_pages_and_programs_may_change_things(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://shop.example"},
        {"origin": "https://shop.example.evil.example"},
        {"origin": "https://evil.example", **JSON},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site", **JSON},
        {"sec-fetch-site": "same-site"},
        {},
        FORM,
        {"content-type": "text/plain; x=application/json"},
    ],
)
def test_other_sites_and_those_that_do_not_say_may_not(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/", headers=headers).status_code == 403


def test_without_a_cookie_there_is_nothing_to_misuse(client: TestClient) -> None:
    client.cookies.clear()

    assert client.post("/", headers=FORM).status_code == 200
