"""The built wheel carries all it needs: installed on its own, it answers."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import opsbot

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_installed_wheel_answers_a_question(data_dir: Path, tmp_path: Path) -> None:
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, REPOSITORY)
    [wheel] = tmp_path.glob("*.whl")
    home = tmp_path / "clean"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel
    )
    _lend_dependencies(home)

    place = _run(python, "-c", "import opsbot; print(opsbot.__file__)", cwd=tmp_path)
    answer = _run(
        home / "bin" / "opsbot",
        "ask",
        "How do I clean the Tide grinder?",
        cwd=tmp_path,
        OPSBOT_SECRET_KEY="0123456789abcdef" * 2,
        OPSBOT_DATA_DIR=str(data_dir),
    )

    assert str(home) in place
    assert "hopper" in answer
    assert "/help/tide-electric-grinder#clean-the-tide" in answer.replace("\n", "")


def _run(*command: object, cwd: Path | None = None, **settings: str) -> str:
    done = subprocess.run(  # noqa: S603
        [str(part) for part in command],
        cwd=cwd,
        env=dict(os.environ) | settings,  # noqa: TID251  (handed to the process)
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _lend_dependencies(home: Path) -> None:
    """Let the clean environment see the packages that are installed here, but not this checkout.

    A `.pth` file adds the folder; the editable install's own `.pth` file in it is not read.
    """
    [packages] = (home / "lib").glob("python*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "dependencies.pth").write_text(here)
    assert Path(opsbot.__file__).is_relative_to(REPOSITORY)
