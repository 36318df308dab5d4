"""The house stays as it was meant: small files, short functions, documents that are true."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("src", "tools", "tests", "benchmarks", "scripts")
    for path in (REPOSITORY / folder).rglob("*.py")
    if "versions" not in path.parts  # migrations are written by a program, once
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_file_has_at_most_500_lines_and_its_functions_50(path: Path) -> None:
    text = path.read_text("utf-8")

    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > 50
    ]

    assert text.count("\n") <= 500
    assert long == []


def test_the_readme_is_as_fresh_as_the_settings_and_tools() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/build_reference.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        total -= first.end_lineno - first.lineno + 1
    return total
