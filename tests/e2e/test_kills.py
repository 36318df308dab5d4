"""A server that is killed while customers confirm loses nothing and does nothing twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_few_kills_lose_and_double_nothing(backend: str, request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "benchmarks/records.py", "kills", "--kills", "4"]
    if backend == "postgresql":
        command += ["--database", request.getfixturevalue("postgres_url")]

    done = subprocess.run(  # noqa: S603  (a program of this repository)
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=280
    )

    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == 4
    assert found["acknowledged"] > 0
    wrong = ("lost", "doubled", "torn", "effects_lost", "effects_doubled", "other_words", "refused")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert found["audit_problem"] == ""
