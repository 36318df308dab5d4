"""The tools for other assistants, by the Model Context Protocol."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from opsbot.app import create_app, open_services
from opsbot.commerce.orders import OrderState, find_order
from opsbot.db import Database
from opsbot.staff import find_staff
from opsbot.staff_tokens import make_token
from tests.factories import NOON
from tests.integration.ways_in.conftest import MARA, Served, prepare, shop_settings

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream"}


def ask(served: Served, headers: dict[str, str], method: str, **params: Any) -> Any:
    """Send one request of the protocol; return its result."""
    answer = served.client.post(
        "/mcp",
        headers={**headers, **ACCEPT, "mcp-protocol-version": "2025-06-18"},
        json={"jsonrpc": "2.0", "id": 7, "method": method, "params": params},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def call(served: Served, headers: dict[str, str], name: str, **arguments: Any) -> Any:
    return ask(served, headers, "tools/call", name=name, arguments=arguments)


def test_a_client_is_greeted_and_told_what_never_to_say(served: Served) -> None:
    answer = served.client.post("/mcp", headers={**served.customer(), **ACCEPT}, json=INITIALIZE)

    result = answer.json()["result"]
    assert result["serverInfo"]["name"] == "opsbot"
    assert "tools" in result["capabilities"]
    assert "never say that it was done" in result["instructions"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer opsbot_forged"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Basic YTpi"},
        {"cookie": "opsbot_staff=forged"},
    ],
    ids=str,
)
def test_nobody_without_a_token_gets_in(served: Served, headers: dict[str, str]) -> None:
    answer = served.client.post("/mcp", headers={**headers, **ACCEPT}, json=INITIALIZE)

    assert answer.status_code in {401, 403}
    assert answer.json()["code"] == "forbidden"


def test_a_session_of_the_console_is_no_token(served: Served) -> None:
    headers = {**served.staff_session(), **ACCEPT}

    assert served.client.post("/mcp", headers=headers, json=INITIALIZE).status_code == 401


def test_each_caller_is_shown_the_tools_that_are_for_them(served: Served) -> None:
    customer = ask(served, served.customer(), "tools/list")["tools"]
    staff = ask(served, served.staff_token(), "tools/list")["tools"]
    by_name = {tool["name"]: tool for tool in customer}

    assert by_name.keys().isdisjoint(tool["name"] for tool in staff)
    assert by_name["order_status"]["annotations"]["readOnlyHint"] is True
    assert by_name["cancel_order"]["annotations"]["destructiveHint"] is True
    assert by_name["cancel_order"]["inputSchema"]["required"] == ["order_number"]


def test_a_read_answers_as_text_and_as_data(served: Served) -> None:
    result = call(served, served.customer(), "order_status", order_number="#1001")

    assert not result.get("isError")
    assert "#1001" in result["content"][0]["text"]
    assert result["structuredContent"]["facts"]["order_number"] == "#1001"
    assert ("customer:1", "read", "order_status") in served.audit()


def test_somebody_elses_order_does_not_exist(served: Served) -> None:
    result = call(served, served.customer(), "order_status", order_number="#2001")

    assert result["isError"]
    assert result["structuredContent"]["error"]["code"] == "not_found"


def test_no_argument_makes_the_caller_somebody_else(served: Served) -> None:
    result = call(served, served.customer(), "order_status", order_number="#2001", customer_id=2)

    assert result["structuredContent"]["error"]["code"] == "validation"


def test_a_change_is_only_proposed_and_a_person_is_asked(served: Served) -> None:
    result = call(served, served.customer(), "cancel_order", order_number="#1001")

    text = result["content"][0]["text"]
    assert "Nothing has been done yet" in text
    assert "We mailed a link to a…@example.com" in text
    assert result["structuredContent"]["code"] == "confirmation_required"
    with served.services.database.read() as session:
        assert find_order(session, "#1001", customer_id=None).state is OrderState.CONFIRMED


def test_what_an_assistant_proposed_stands_in_the_console_of_its_owner(served: Served) -> None:
    page = served.client.get("/console/proposals", headers=served.staff_session())

    assert page.status_code == 200
    assert "Nothing waits" in page.text


@pytest.fixture
def remote(
    filled_template: Path, data_folder: Path, tmp_path: Path
) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a shop on a port of its own, and the headers of a program of Mara's."""
    shutil.copy(filled_template, tmp_path / "shop.db")
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    prepare(database)
    services = open_services(shop_settings(data_folder), clock=lambda: NOON, database=database)
    with database.write() as session:
        token = make_token(session, find_staff(session, MARA), "client", now=NOON)
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(services, with_worker=False, with_warm_up=False)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    yield url, {"authorization": f"Bearer {token}"}
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()


def test_the_official_client_gets_on_with_it(remote: tuple[str, dict[str, str]]) -> None:
    address, headers = remote

    async def talk() -> tuple[list[str], str]:
        async with (
            create_mcp_http_client(headers=headers) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            tools = await client.list_tools()
            result = await client.call_tool("late_orders", {})
            return [tool.name for tool in tools.tools], str(result.content[0])

    names, text = asyncio.run(talk())

    assert "late_orders" in names
    assert "past their ship date" in text


def test_a_program_on_this_machine_talks_over_standard_input(
    filled_template: Path, data_folder: Path, tmp_path: Path
) -> None:
    shutil.copy(filled_template, tmp_path / "shop.db")
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    prepare(database)
    database.dispose()
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "opsbot", "mcp", "--as", "ada@example.com"],
        env={
            "PATH": os.environ["PATH"],  # noqa: TID251  (of the process to start)
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OPSBOT_SECRET_KEY": "0123456789abcdef" * 2,
            "OPSBOT_DATA_DIR": str(data_folder),
            "OPSBOT_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db",
        },
    )

    async def talk() -> tuple[list[str], str]:
        async with Client(stdio_client(server)) as client:
            tools = await client.list_tools()
            result = await client.call_tool("order_status", {"order_number": "#1001"})
            return [tool.name for tool in tools.tools], str(result.content[0])

    names, text = asyncio.run(talk())

    assert "cancel_order" in names
    assert "contact_person" not in names
    assert "#1001" in text


def test_starting_imports_nothing_of_the_protocol() -> None:
    asked = "import sys, opsbot.cli.main; print([m for m in sys.modules if m.startswith('mcp')])"
    done = subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
