"""CSV files as other programs write them: any usual encoding and separator, line by line."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from opsbot.errors import InvalidInputError, UnavailableError

_CHUNK = 1 << 20
_SEPARATORS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file."""

    line: int
    """Where it begins in the file; the header is line 1."""
    cells: Sequence[str]
    columns: Mapping[str, int]
    problem: str | None = None
    """Why it cannot be read, in words."""

    def get(self, name: str) -> str:
        """Return a cell without outer white space; empty when the file has no such column."""
        place = self.columns.get(name)
        return "" if place is None else self.cells[place].strip()


class Table:
    """A CSV file that is read once, from the top, without holding it in memory."""

    def __init__(self, path: Path) -> None:
        """Open `path` and read its header.

        Raises:
            InvalidInputError: it is empty, or has two columns of one name.
            UnavailableError: it cannot be read.
        """
        try:
            self.size = path.stat().st_size
            self._raw = path.open("rb")
        except OSError as error:
            raise UnavailableError(f"{path} cannot be read: {error.strerror}.") from error
        self._encoding = _encoding_of(self._raw)
        self._raw.seek(0)
        self._text = io.TextIOWrapper(self._raw, encoding=self._encoding, newline="")
        first = next(iter(self._text), "")
        self._reader = csv.reader(
            _from(first, self._text), delimiter=_separator(first), strict=True
        )
        try:
            self.columns = _columns(next(self._reader, []))
        except (csv.Error, InvalidInputError) as error:
            self.close()
            raise InvalidInputError(str(error)) from error

    def __enter__(self) -> Self:
        """Use the file; it is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def done(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._raw.tell() / self.size if self.size else 1.0

    def need(self, *names: str) -> None:
        """Refuse a file that lacks one of these columns.

        Raises:
            InvalidInputError: the text names what is missing.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise InvalidInputError(f"The file has no column {' and none '.join(missing)}.")

    def __iter__(self) -> Iterator[Row]:
        """Yield every record that is not blank; one that cannot be read says why."""
        width = len(self.columns)
        line = self._reader.line_num + 1
        while True:
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                yield Row(line, [""] * width, self.columns, f"It is not CSV: {error}.")
                cells = []
            if cells is None:
                return
            if any(cells):
                yield Row(line, *self._fit(cells))
            line = self._reader.line_num + 1

    def _fit(self, cells: list[str]) -> tuple[list[str], Mapping[str, int], str | None]:
        width = len(self.columns)
        if "\0" in "".join(cells):
            return [""] * width, self.columns, "It contains a NUL character, which is not text."
        if len(cells) == width:
            return cells, self.columns, None
        problem = f"It has {len(cells)} cells, and the header has {width}."
        return (cells + [""] * width)[:width], self.columns, problem

    def close(self) -> None:
        """Close the file."""
        self._text.close()


def _encoding_of(file: IO[bytes]) -> str:
    """Tell UTF-8 from UTF-16 by the mark, and from Windows' Latin by reading all of it."""
    start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # Latin 1 where Windows has no letter: every byte is one, so nothing can fail later.
        return "latin-1" if _has_unused(file) else "cp1252"
    return "utf-8"


def _has_unused(file: IO[bytes]) -> bool:
    file.seek(0)
    unused = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
    while chunk := file.read(_CHUNK):
        if any(byte in chunk for byte in unused):
            return True
    return False


def _separator(header: str) -> str:
    counts = {sign: header.count(sign) for sign in _SEPARATORS}
    return max(_SEPARATORS, key=counts.__getitem__)


def _from(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _columns(header: Sequence[str]) -> dict[str, int]:
    names = [" ".join(name.split()) for name in header]
    if not any(names):
        raise InvalidInputError("The file is empty: its first line must name the columns.")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise InvalidInputError(f"The file has two columns {min(twice)!r}.")
    return {name or f"column {place + 1}": place for place, name in enumerate(names)}
