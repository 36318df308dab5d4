"""CSV is read as other programs write it."""

from pathlib import Path

import pytest

from opsbot.connectors.tables import Row, Table
from opsbot.errors import InvalidInputError, UnavailableError


def read(path: Path) -> list[Row]:
    """Return every row of a file."""
    with Table(path) as table:
        return list(table)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_encodings_and_separators_do_not_matter(tmp_path: Path, encoding: str, sign: str) -> None:
    text = f"sku{sign}title\r\nLL-MUG-01{sign}Becher für Käthe\r\n"
    path = tmp_path / "items.csv"
    path.write_bytes(text.encode(encoding))

    (row,) = read(path)

    assert (row.get("sku"), row.get("title"), row.line) == ("LL-MUG-01", "Becher für Käthe", 2)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n3,x\u2028y\n', encoding="utf-8")

    rows = read(path)

    assert [(row.line, row.get("a")) for row in rows] == [(2, "1"), (5, "3")]
    assert rows[1].get("b") == "x\u2028y"


def test_a_line_of_another_width_says_so(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("a,b\n1,2,3\n4\n5,6\n", encoding="utf-8")

    problems = [row.problem for row in read(path)]

    assert problems == [
        "It has 3 cells, and the header has 2.",
        "It has 1 cells, and the header has 2.",
        None,
    ]


def test_a_nul_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "nul.csv"
    path.write_bytes(b"a,b\n1,x\0y\n")

    assert ["NUL" in (row.problem or "") for row in read(path)] == [True]


def test_a_quote_that_never_ends_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "quote.csv"
    path.write_text('a,b\n1,"never\n2,3\n', encoding="utf-8")

    assert ["not CSV" in (row.problem or "") for row in read(path)] == [True]


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("a,b,a\n", "two columns 'a'")], ids=["empty", "twice"]
)
def test_a_header_that_names_nothing_or_twice_is_refused(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInputError, match=why):
        Table(path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "thin.csv"
    path.write_text("sku\nA\n", encoding="utf-8")

    with (
        Table(path) as table,
        pytest.raises(InvalidInputError, match="no column title and none price"),
    ):
        table.need("sku", "title", "price")


def test_a_file_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        Table(tmp_path / "none.csv")
