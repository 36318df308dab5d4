"""What is wrong with a set-up is said in one sentence that names it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opsbot.content import content_root
from opsbot.settings import PREFIX

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def opsbot(tmp_path: Path) -> Run:
    """Return a function that runs the command line in an empty folder."""

    def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}  # noqa: TID251
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "opsbot", *arguments],
            cwd=tmp_path,
            env=plain | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


KEY = {"OPSBOT_SECRET_KEY": "0123456789abcdef" * 2}


def test_a_missing_setting_is_named(opsbot: Run) -> None:
    done = opsbot("check")

    assert done.returncode == 1
    assert "OPSBOT_SECRET_KEY must be set" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_at_once(opsbot: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        done = opsbot("demo", "--port", port)

    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_written_is_named(opsbot: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = opsbot("demo", "--load-only", OPSBOT_DATA_DIR=str(tmp_path / "file"))

    assert done.returncode == 1
    assert f"The data folder {tmp_path / 'file'} cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_nobody_can_reach_is_named(opsbot: Run) -> None:
    done = opsbot("check", **KEY, OPSBOT_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    assert done.returncode == 1
    assert "✗ database" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("broken.py", "def f(:\n", "broken.py, line 1"),
        ("missing.py", "import no_such_module\n", "missing.py"),
    ],
)
def test_a_tool_file_that_does_not_import_is_named(
    opsbot: Run, tmp_path: Path, file: str, text: str, words: str
) -> None:
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / file).write_text(text)

    done = opsbot("check", **KEY, OPSBOT_TOOLS_DIR=str(folder))

    assert done.returncode == 1
    assert words in done.stdout.replace("\n", "")
    assert "does not import" in done.stdout.replace("\n", " ")


def test_a_broken_article_or_policy_is_named_and_the_rest_goes_on(
    opsbot: Run, tmp_path: Path
) -> None:
    knowledge = tmp_path / "knowledge"
    shutil.copytree(content_root() / "knowledge" / "policies", knowledge / "policies")
    (knowledge / "good.md").write_text(
        "---\ntitle: Good\naudience: public\n---\n\n## One\n\nText.\n"
    )
    (knowledge / "bad.md").write_text("---\ntitle: [\n---\n\n## One\n\nText.\n")
    (knowledge / "bad.pdf").write_bytes(b"%PDF-1.7 this is not one")
    settings = KEY | {"OPSBOT_KNOWLEDGE_DIR": str(knowledge)}

    done = opsbot("ingest", **settings)
    policy = next((knowledge / "policies").glob("*.yaml"))
    policy.write_text(policy.read_text() + "\nnot_a_key: 1\n")
    checked = opsbot("check", **settings)

    said = done.stdout.replace("\n", " ")
    assert done.returncode == 1
    assert "bad.md" in said
    assert "bad.pdf" in said
    assert "added" in said
    assert policy.name in checked.stdout.replace("\n", "")
    assert "not_a_key" in checked.stdout.replace("\n", "")
