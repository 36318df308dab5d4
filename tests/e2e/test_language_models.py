"""A remote language model over real HTTP: it words; when it fails, the embedded model answers."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from opsbot.app import create_app, open_services
from opsbot.conversation.models import Message
from opsbot.errors import InvalidInputError
from opsbot.settings import Settings
from tests.e2e.conftest import NOW, Shop
from tests.e2e.processes import Process
from tests.stubs.openai_server import serve_stub

pytestmark = pytest.mark.slow


@pytest.fixture
def stub() -> Iterator[tuple[str, FastAPI]]:
    """A server that speaks OpenAI's protocol."""
    with serve_stub() as served:
        yield served


@pytest.fixture
def shop_with(data_dir: Path, stub: tuple[str, FastAPI]) -> Iterator[Callable[[str], Shop]]:
    """Return a function that opens the sample shop with one model of the stub."""
    opened: list[TestClient] = []

    def open_shop(model: str) -> Shop:
        settings = Settings(
            secret_key=SecretStr("0123456789abcdef" * 2),
            data_dir=data_dir,
            demo=True,
            model=f"openai:{model}",
            model_base_url=stub[0],
            model_api_key=SecretStr("sk-local"),
            model_timeout_s=1,
            _env_file=None,
        )
        services = open_services(settings, clock=lambda: NOW)
        client = TestClient(create_app(services, with_worker=False, with_warm_up=False))
        opened.append(client)
        client.__enter__()
        return Shop(client, services, [NOW])

    yield open_shop
    for client in opened:
        client.__exit__(None, None, None)


def model_of(shop: Shop, reply: dict[str, str]) -> str:
    with shop.services.database.read() as session:
        return str(session.get_one(Message, reply["message_id"]).trace["model"])


def test_a_remote_model_calls_tools_and_words_the_answer(
    shop_with: Callable[[str], Shop], stub: tuple[str, FastAPI]
) -> None:
    shop = shop_with("tools")

    reply = shop.say("Where is my parcel?", shop.sign_in())

    assert "on its way" in reply["text"]
    assert model_of(shop, reply) == "openai:tools"
    offered = {tool["function"]["name"] for tool in stub[1].state.requests[0]["tools"]}
    assert "order_status" in offered
    assert not any(name.startswith("staff") for name in offered)
    assert "x-tool" not in str(stub[1].state.requests[0]["tools"])


@pytest.mark.parametrize("model", ["error500", "timeout", "malformed", "cut"])
def test_a_failing_model_is_stood_in_for(shop_with: Callable[[str], Shop], model: str) -> None:
    shop = shop_with(model)

    reply = shop.say("Where is my order #1003?", shop.sign_in())

    assert "on its way" in reply["text"]
    assert model_of(shop, reply) == "embedded"


def test_what_a_model_invents_is_not_said(shop_with: Callable[[str], Shop]) -> None:
    shop = shop_with("invents")

    reply = shop.say("Where is my money?", shop.sign_in())

    assert "999" not in reply["text"]
    assert "refunded" not in reply["text"]
    assert "Good day." in reply["text"]


def test_a_wrong_model_setting_is_named(data_dir: Path) -> None:
    settings = Settings(
        secret_key=SecretStr("0" * 32), data_dir=data_dir, model="openai", _env_file=None
    )

    with pytest.raises(InvalidInputError, match="OPSBOT_MODEL"):
        open_services(settings)


def test_a_server_killed_in_the_middle_of_an_answer_loses_and_doubles_nothing(
    data_dir: Path, stub: tuple[str, FastAPI]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Process(
        data_dir,
        port,
        OPSBOT_MODEL="openai:slow",
        OPSBOT_MODEL_BASE_URL=stub[0],
        OPSBOT_MODEL_API_KEY="sk-local",
    )
    server.start()
    try:
        token = server.request("GET", "/demo/token")[1]["token"]
        who = {"authorization": f"Bearer {token}"}
        body = {"client_id": "one", "text": "Where is my order #1003?"}
        seen = []
        for number, kind, data in server.stream("POST", "/v1/chat", body, who):
            seen.append((number, kind, data))
            if kind == "message_delta":
                server.kill()
                break
        server.start()
        conversation = seen[0][2]["conversation_id"]
        last = seen[-1][0]
        path = f"/v1/conversations/{conversation}/events?after={last}"
        seen += list(server.stream("GET", path, None, who))
        again = server.request("POST", "/v1/chat", body | {"conversation_id": conversation}, who)
        path = f"/v1/conversations/{conversation}/messages"
        messages = server.request("GET", path, None, who)[1]["messages"]
    finally:
        server.kill()

    numbers = [number for number, _, _ in seen[1:]]
    text = shown(seen)
    assert numbers == list(range(1, len(numbers) + 1))
    assert [message["author"] for message in messages] == ["customer", "assistant"]
    assert text.strip() == messages[1]["text"] == again[1]["text"]
    assert "on its way" in text


def shown(events: list[tuple[int, str, dict[str, str]]]) -> str:
    """Return what a page shows after these events."""
    texts: dict[str, str] = {}
    for _, kind, data in events:
        if kind == "message_start":
            if "replaces" in data:
                texts.pop(data["replaces"], None)
            texts[data["message_id"]] = ""
        elif kind == "message_delta":
            texts[data["message_id"]] += data["text"]
    return "\n".join(texts.values())
