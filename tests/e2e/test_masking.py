"""What a language model's provider receives over HTTP, when personal data is to be masked."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from opsbot.app import create_app, open_services
from opsbot.conversation.models import ToolCall
from opsbot.settings import Settings
from tests.e2e.conftest import NOW, Shop
from tests.stubs.openai_server import serve_stub

pytestmark = pytest.mark.slow

ADA = (
    "ada", "brandt", "ada@example.com", "@example.com", "torstraße", "torstr", "sonnenallee",
    "2nd floor", "10119", "12047", "berlin", "1003", "1004", "c-1001", "0034043468668649567",
    "5550199", "555 0199", "9432",
)  # fmt: skip
"""What belongs to the customer, in small letters."""


@contextmanager
def masked_shop(data_dir: Path, stub: str, *, mask: bool = True) -> Iterator[Shop]:
    settings = Settings(
        secret_key=SecretStr("0123456789abcdef" * 2),
        data_dir=data_dir,
        demo=True,
        model="openai:placeholders",
        model_base_url=stub,
        model_api_key=SecretStr("sk-local"),
        model_timeout_s=5,
        model_mask_personal_data=mask,
        _env_file=None,
    )
    services = open_services(settings, clock=lambda: NOW)
    app = create_app(services, with_worker=False, with_warm_up=False)
    with TestClient(app) as client:
        yield Shop(client, services, [NOW])


def leaks(app: FastAPI) -> list[str]:
    """Return what of the customer stands in any byte the provider was sent."""
    received = app.state.received.decode().lower()
    return [one for one in ADA if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", received)]


def test_the_provider_receives_no_personal_data_and_the_customer_the_real_words(
    data_dir: Path,
) -> None:
    with serve_stub() as (url, app), masked_shop(data_dir, url) as shop:
        ada = shop.sign_in()

        first = shop.say(
            "I'm ada brandt from Torstr. 12, 10119 Berlin. Where is order 1003? "
            "My number is +49 30 555 0199, and the card ends in 9432.",
            ada,
        )
        second = shop.say("And #1003, once more?", ada, first["conversation_id"])

    assert len(app.state.requests) == 4
    assert leaks(app) == []
    for reply in (first, second):
        assert "Order **#1003** is on its way" in reply["text"]
        assert "Ada Brandt, Torstraße 12, 10119 Berlin" in reply["text"]
        assert "0034043468668649567" in reply["text"]
        assert "_" not in reply["text"]
    assert "Thank you, the name." in first["text"]


def test_a_tool_gets_the_real_values_for_the_placeholders_in_its_arguments(data_dir: Path) -> None:
    with serve_stub() as (url, app), masked_shop(data_dir, url) as shop:
        reply = shop.say("It is order #1003, my mail address is ada@example.com")
        with shop.services.database.read() as session:
            calls = session.scalars(select(ToolCall).order_by(ToolCall.id)).all()

    assert [(call.name, call.error) for call in calls] == [
        ("verify_order", None),
        ("order_status", None),
    ]
    assert calls[0].arguments == {"order_number": "#1003", "email": "ada@example.com"}
    assert "#1003** is on its way" in reply["text"]
    assert leaks(app) == []


def test_without_the_setting_the_provider_sees_what_was_said(data_dir: Path) -> None:
    with serve_stub() as (url, app), masked_shop(data_dir, url, mask=False) as shop:
        shop.say("I am Ada Brandt", shop.sign_in())

    assert leaks(app) == ["ada", "brandt"]
