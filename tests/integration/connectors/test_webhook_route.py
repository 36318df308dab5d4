"""What the route lets in: what is signed and new, and nothing else."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from opsbot.channels import problems, webhooks
from opsbot.channels.guard import LARGEST_WEBHOOK, BodyGuard
from opsbot.channels.services import Services
from opsbot.connectors.inbox import InboxEvent
from opsbot.db import Database
from opsbot.settings import ConnectorSettings, Settings
from tests.factories import NOON
from tests.integration.connectors import deliveries as made
from tests.unit.connectors.test_signatures import SECRET, sign


@pytest.fixture
def client(shop: Database, settings: Settings) -> TestClient:
    """The route alone, with secrets for every sender but Shippo."""
    secrets = [SecretStr("an older one"), SecretStr(SECRET)]
    senders = ("shopify", "woocommerce", "easypost", "aftership")
    connectors = ConnectorSettings(**{f"{name}_secrets": secrets for name in senders})
    parts: Any = Services.__new__(Services)
    for name, value in {
        "settings": settings.model_copy(update={"connectors": connectors}),
        "database": shop,
        "clock": lambda: NOON,
    }.items():
        object.__setattr__(parts, name, value)
    app = FastAPI()
    app.state.services = parts
    app.add_middleware(BodyGuard)
    problems.install(app)
    app.include_router(webhooks.router)
    return TestClient(app, raise_server_exceptions=False)


def events_in(database: Database) -> list[InboxEvent]:
    with database.read() as session:
        return list(session.scalars(sa.select(InboxEvent)))


def test_a_signed_delivery_is_kept_once(shop: Database, client: TestClient) -> None:
    body = made.encode(made.shopify_order())
    headers = sign("shopify", body) | {
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "w1",
        "content-type": "application/json",
    }

    first = client.post("/v1/webhooks/shopify", content=body, headers=headers)
    again = client.post("/v1/webhooks/shopify", content=body, headers=headers)

    assert (first.status_code, first.json()) == (200, {"status": "kept"})
    assert (again.status_code, again.json()) == (200, {"status": "known"})
    (event,) = events_in(shop)
    assert (event.delivery_id, event.topic) == ("w1", "orders/create")
    assert event.body.encode() == body


@pytest.mark.parametrize(
    ("source", "headers", "body", "status"),
    [
        ("shopify", {}, b"{}", 403),
        ("shopify", sign("shopify", b"{} "), b"{}", 403),
        ("easypost", sign("easypost", b"[]"), b"[]", 422),
        ("easypost", sign("easypost", b"\xff\xfe"), b"\xff\xfe", 422),
        ("aftership", sign("aftership", b'{"a":NaN}'), b'{"a":NaN}', 422),
        ("shippo", sign("shippo", b"{}"), b"{}", 404),
        ("exports", {}, b"{}", 404),
        ("stripe", {}, b"{}", 404),
        ("shopify", {}, b"x" * (LARGEST_WEBHOOK + 1), 413),
    ],
    ids=["unsigned", "changed", "list", "no text", "nan", "no secret", "field", "unknown", "large"],
)
def test_what_is_not_right_is_refused_and_not_kept(
    shop: Database,
    client: TestClient,
    source: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    kind = {"content-type": "application/octet-stream"}

    answer = client.post(f"/v1/webhooks/{source}", content=body, headers=headers | kind)

    assert answer.status_code == status
    assert events_in(shop) == []


def test_woocommerces_unsigned_ping_is_answered_and_not_kept(
    shop: Database, client: TestClient
) -> None:
    answer = client.post("/v1/webhooks/woocommerce", content=b"webhook_id=12")

    assert answer.status_code == 200
    assert events_in(shop) == []


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("2026-11-20T09:59:58.123456789Z", NOON.replace(hour=9, minute=59, second=58)),
        ("2031-01-01T00:00:00Z", NOON),
        ("yesterday", None),
        ("", None),
    ],
    ids=["before", "later than now", "no time", "none"],
)
def test_when_it_happened_is_kept_and_is_never_later_than_it_came(
    shop: Database, client: TestClient, header: str, kept: datetime | None
) -> None:
    body = made.encode(made.ended("closed"))
    headers = sign("shopify", body) | {
        "x-shopify-topic": "returns/close",
        "x-shopify-webhook-id": "w1",
        "x-shopify-triggered-at": header,
    }

    answer = client.post("/v1/webhooks/shopify", content=body, headers=headers)

    assert answer.json() == {"status": "kept"}
    [event] = events_in(shop)
    happened = event.happened_at and event.happened_at.replace(microsecond=0)
    assert happened == kept
