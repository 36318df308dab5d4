"""Exactly once: many presses, several processes, and a crash between the commit and the reply."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from opsbot.commerce.effects import Effect
from opsbot.commerce.orders import OrderState
from opsbot.commerce.payments import PaymentKind, payments_of
from opsbot.db import Database
from opsbot.mail import OutgoingMail
from opsbot.settings import Settings
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.proposals import Preview
from tests.integration.toolkit.confirming import press
from tests.shop_fixtures import Shop, fill_shop, open_shop

REPOSITORY = Path(__file__).parents[3]
PRESSES = 50


@pytest.fixture
def shop(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """Ada's and Eve's shop, on SQLite and on PostgreSQL."""
    fill_shop(database)
    return open_shop(database, settings, tools, policies)


@pytest.fixture
def preview(shop: Shop) -> Preview:
    """Ada was shown what cancelling #1001 does."""
    return shop.propose("cancel_order", order_number="#1001")


def traces(shop: Shop) -> dict[str, int]:
    """Count what one cancellation leaves behind."""
    order = shop.order("#1001")
    assert order.state is OrderState.CANCELLED
    with shop.database.read() as session:
        assert verify(session).problem == ""
        refunds = [
            line for line in payments_of(session, order.id) if line.kind is PaymentKind.REFUND
        ]
        executed = select(func.count()).where(AuditEvent.action == "executed")
        return {
            "refunds": len(refunds),
            "executed": session.scalar(executed) or 0,
            "mails": session.scalar(select(func.count()).select_from(OutgoingMail)) or 0,
            "effects": session.scalar(select(func.count()).select_from(Effect)) or 0,
        }


ONCE = {"refunds": 1, "executed": 1, "mails": 1, "effects": 1}


def test_fifty_confirmations_at_once_change_once_and_say_the_same(
    shop: Shop, preview: Preview
) -> None:
    outcomes = press(shop.executor, shop.ada, preview.id, PRESSES)

    assert len(outcomes) == PRESSES
    [(state, words)] = set(outcomes)
    assert (state, words[:17]) == ("executed", "Order **#1001** i")
    assert traces(shop) == ONCE


@pytest.mark.slow
def test_fifty_confirmations_from_two_processes_change_once(
    shop: Shop, preview: Preview, settings: Settings
) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.integration.toolkit.confirming",
        shop.database.url,
        str(settings.data_dir),
        preview.id,
        str(shop.ada.customer_id),
        str(PRESSES // 2),
    ]
    processes = [
        subprocess.Popen(  # noqa: S603  (this suite's own program)
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]

    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=120)
        answers += [tuple(pair) for pair in json.loads(out)]

    assert len(answers) == PRESSES
    assert {state for state, _words in answers} == {"executed"}
    assert len(set(answers)) == 1
    assert traces(shop) == ONCE
