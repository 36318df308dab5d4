"""What is no message gets one clear sentence, and leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from opsbot.app import create_app, open_services
from opsbot.conversation.models import Conversation, Message
from tests.e2e.conftest import NOW, Shop, copy_shop, shop_settings


@pytest.fixture(scope="module")
def shop(shop_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all cases: none of them may change it."""
    folder = tmp_path_factory.mktemp("shop") / "data"
    copy_shop(shop_template, folder)
    services = open_services(shop_settings(folder), clock=lambda: NOW)
    with TestClient(create_app(services, with_worker=False, with_warm_up=False)) as client:
        yield Shop(client, services, [NOW])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"client_id": "1", "text": "  "}', 422, "The message is empty"),
        (b'{"client_id": "1", "text": "%s"}' % (b"x" * 20_000), 422, "20,000 characters"),
        (b'{"client_id": "1", "text": "\xff\xfe"}', 400, "UTF-8"),
        (b'{"client_id": "1", "text": "a\\u0000b"}', 422, "NUL"),
        (b'{"client_id": "1", "text": "\\ud800"}', 422, "Unicode"),
        (b'{"client_id": "1", "text": NaN}', 422, "text"),
        (b'{"client_id": "1"}', 422, "text"),
        (b'{"client_id": "", "text": "Hi"}', 422, "client_id"),
        (b'{"client_id": "1", "text": "Hi", "customer_id": 2}', 422, "customer_id"),
        (b"[[[[", 422, ""),
        (b"x" * 300_000, 413, "larger than"),
    ],
    ids=[
        "empty",
        "20,000 characters",
        "not UTF-8",
        "NUL",
        "lone surrogate",
        "NaN",
        "no text",
        "no id",
        "a field that is not one",
        "no JSON",
        "too large",
    ],
)
def test_what_is_no_message_is_refused(shop: Shop, body: bytes, status: int, words: str) -> None:
    answer = shop.client.post(
        "/v1/chat", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    with shop.services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        assert session.scalar(select(func.count()).select_from(Conversation)) == 0
