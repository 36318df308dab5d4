"""Rules are tried from the command line."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from opsbot.cli.main import app
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.migrations import upgrade
from opsbot.settings import Settings
from tests.factories import DAY, NOON, make_customer, make_item, make_line, make_order

FACTS = {
    "country": "DE",
    "customer": "consumer",
    "channel": "web_store",
    "return_class": "standard",
    "reason": "changed_mind",
    "condition": "unopened",
    "paid_minor": 2400,
    "bought_on": "2026-09-07",
    "delivered_on": "2026-09-11",
}
SIMULATE = ["policy", "simulate", "--today", "2026-09-21"]


@pytest.fixture
def runner(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A command line with a fresh installation behind it."""
    monkeypatch.setenv("OPSBOT_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


@pytest.fixture
def cheaper(tmp_path: Path) -> Path:
    """The shop's rules with a cheaper label."""
    folder = Path(shutil.copytree(content_root() / "knowledge" / "policies", tmp_path / "policies"))
    rules = folder / "returns.yaml"
    text = rules.read_text("utf-8").replace("DE: 490", "DE: 290").replace("€4.90", "€2.90")
    rules.write_text(text, encoding="utf-8")
    return folder


def test_facts_are_decided_with_days_money_and_clauses(runner: CliRunner) -> None:
    pairs = [part for name, value in FACTS.items() for part in ("--fact", f"{name}={value}")]

    said = runner.invoke(app, [*SIMULATE, *pairs])

    assert said.exit_code == 0, said.output
    assert "By withdrawal until 25 September 2026." in said.output
    assert "By promise until 11 October 2026." in said.output
    assert "Refund €19.10: fee €0.00, postage €4.90." in said.output
    assert "To choose: refund €19.10, exchange, store credit €20.06." in said.output
    assert "returns.window: You may return unused" in said.output


def test_changed_files_are_compared_with_those_that_hold(runner: CliRunner, cheaper: Path) -> None:
    command = [*SIMULATE, "--json", json.dumps(FACTS), "--policies", str(cheaper), "--last", "0"]

    found = json.loads(runner.invoke(app, [*command, "--as-json"]).output)

    now, then = found["decisions"]
    assert now["decision"]["refund_minor"] == 1910
    assert then["decision"]["refund_minor"] == 2110
    assert now["policy_version"] != then["policy_version"]
    assert now["facts"] == then["facts"]


def test_an_order_gives_the_facts(runner: CliRunner, settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    upgrade(database)
    lamp = make_item("LL-LMP-02", "Ember lamp", return_class="electronics", price_minor=12000)
    with database.write() as session:
        order = make_order(make_customer(), lines=[make_line(lamp)], delivered_at=NOON - 20 * DAY)
        session.add(order)
    command = ["policy", "simulate", "--order", "1001", "--item", "lamp", "--today", "2026-11-20"]

    sealed = runner.invoke(app, command)
    opened = runner.invoke(app, [*command, "--opened"])
    faulty = runner.invoke(app, [*command, "--reason", "defective"])

    assert "Ember lamp" in sealed.output
    assert "Refund €115.10: fee €0.00" in sealed.output
    assert "Refund €97.10: fee €18.00" in opened.output
    assert "To choose: repair, exchange" in faulty.output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--fact", "country"], "NAME=VALUE"),
        (["--fact", "country=DE"], "The fact customer is missing"),
        (["--json", json.dumps(FACTS | {"colour": "red"})], "colour is no fact"),
        (["--json", json.dumps(FACTS | {"paid_minor": -1})], "cannot be negative"),
        (["--json", json.dumps(FACTS | {"reason": "boredom"})], "reason: Input should be"),
        (["--json", "[]"], "must be a JSON object"),
        (["--json", "@nowhere.json"], "cannot be read"),
        (["--order", "1001", "--reason", "boredom"], "boredom is no reason"),
    ],
)
def test_what_cannot_be_decided_is_said(
    runner: CliRunner, arguments: list[str], error: str
) -> None:
    said = runner.invoke(app, [*SIMULATE, *arguments])

    assert said.exit_code == 1
    assert error in str(said.exception)
