"""Files are imported and compared from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from opsbot.cli.main import app
from opsbot.settings import Settings

PRODUCTS = 'sku,title,price\nLL-MUG-01,Kiln mug,24.00\nLL-MUG-02,Ash mug,"26,505"\n'


@pytest.fixture
def runner(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A command line with a fresh installation behind it."""
    monkeypatch.setenv("OPSBOT_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(settings.data_dir))
    return CliRunner()


def test_an_import_says_what_it_did_and_why_not(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    command = ["import", str(tmp_path / "products.csv"), "--format", "products"]

    early = runner.invoke(app, [*command, "--dry-run"])
    runner.invoke(app, ["migrate"])
    rehearsal = runner.invoke(app, [*command, "--dry-run"])
    first = runner.invoke(app, [*command, "--rejects", str(tmp_path / "rejects.csv")])
    second = runner.invoke(app, command)

    assert "opsbot migrate" in str(early.exception)
    assert "2 lines, products: 1 would be added, 1 would be refused." in rehearsal.output
    assert "nothing was written" in rehearsal.output
    assert "2 lines, products: 1 added, 1 refused." in first.output
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert "1 unchanged" in second.output
    assert "two ways" in (tmp_path / "rejects.csv").read_text("utf-8")


def test_what_differs_and_what_failed_is_listed(
    runner: CliRunner, settings: Settings, tmp_path: Path
) -> None:
    exports = settings.data_dir / "exports"
    exports.mkdir(parents=True)
    good = PRODUCTS.splitlines()[:2]
    (tmp_path / "products.csv").write_text("\n".join(good), encoding="utf-8")
    (exports / "products.csv").write_text(
        "\n".join(good).replace("24.00", "25.00"), encoding="utf-8"
    )
    runner.invoke(app, ["import", str(tmp_path / "products.csv"), "--format", "products"])

    compared = runner.invoke(app, ["reconcile"])
    failed = runner.invoke(app, ["webhooks"])

    assert compared.exit_code == 1
    assert "products.csv: 0 products agree, 1 differ." in compared.output
    assert "€24.00" in compared.output
    assert "€25.00" in compared.output
    assert (failed.exit_code, failed.output) == (0, "No webhook has failed.\n")
