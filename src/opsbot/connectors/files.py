"""Importing a file: line by line, batch by batch, with every refused line and its reason."""

import csv
import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session

from opsbot.connectors.tables import Row, Table
from opsbot.connectors.writing import Deed, Outcome
from opsbot.errors import InvalidInputError, OpsbotError

BATCH = 500
"""Records that are written in one transaction."""
HEADER = ("line", "record", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Begin = Callable[[], AbstractContextManager[Session]]
"""Opens a transaction."""
Progress = Callable[[float], None]
"""Told how much of the file is done, from 0 to 1."""


@dataclass(frozen=True)
class Refusal:
    """A line that was not taken over."""

    row: Row
    record: str
    """What it belongs to, such as an order's number."""
    reason: str


class LineError(InvalidInputError):
    """One line of a record is wrong."""

    def __init__(self, row: Row, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True)
class Group:
    """The lines of one record, and what they were read into."""

    key: str
    rows: Sequence[Row]
    record: Any


class Format(Protocol):
    """How one kind of file is read, and where its records go."""

    what: str
    """What a record is, such as "order"."""
    needs: Sequence[str]
    """Columns it cannot do without."""

    def key(self, row: Row) -> str:
        """Tell which record a line belongs to. Lines of one record stand together.

        Raises:
            InvalidInputError: the line does not say.
        """
        ...

    def read(self, rows: Sequence[Row], refuse: Callable[[Row, str], None]) -> Any:
        """Return the record these lines make; None when nothing of them is taken over.

        Args:
            rows: all its lines.
            refuse: told a line that is not taken over although the record is, and why.

        Raises:
            InvalidInputError: the record cannot be taken over; a `LineError` says by which line.
        """
        ...

    def store(
        self, session: Session, groups: Sequence[Group], refuse: Callable[[Row, str], None]
    ) -> list[Outcome]:
        """Write a batch of records down; return what became of each, in order."""
        ...


@dataclass
class ImportReport:
    """What an import did, or would do."""

    what: str
    lines: int = 0
    """Of data; the header is none."""
    deeds: Counter[Deed] = field(default_factory=Counter)
    """Records by what became of them."""
    refused_lines: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Refused lines by reason."""
    notes: list[str] = field(default_factory=list)
    """What a person should know beside that."""


class Rejects:
    """The file of refused lines; made when there is the first one."""

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = columns
        self._file: Any = None
        self._writer: Any = None

    def add(self, refusal: Refusal) -> None:
        """Append a line."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*HEADER, *self._columns])
        cells = [_harmless(cell) for cell in refusal.row.cells]
        record = _harmless(refusal.record)
        self._writer.writerow([refusal.row.line, record, refusal.reason, *cells])

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _check_lines(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.problem is not None:
            raise LineError(row, row.problem)


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula; amounts stay as they are."""
    if cell.startswith(_FORMULA) and not cell.lstrip("+-").replace(".", "").isdigit():
        return f"'{cell}"
    return cell


class FileImport:
    """One run over one file."""

    def __init__(self, table: Table, form: Format, begin: Begin, rejects: Rejects) -> None:
        """Prepare the run.

        Args:
            table: the file.
            form: how it is read.
            begin: opens a transaction for each batch.
            rejects: told every refused line.
        """
        table.need(*form.needs)
        self._table = table
        self._form = form
        self._begin = begin
        self._rejects = rejects
        self._written: set[str] = set()
        """Keys whose batch is closed: their lines may not come again."""
        self.report = ImportReport(form.what)

    def run(self, progress: Progress) -> ImportReport:
        """Read the file to its end.

        Raises:
            OpsbotError: the database or the file is not there any more; what was written stays.
        """
        batches = self._batches()
        while self._store_next(batches):
            progress(self._table.done)
        self._rejects.close()
        return self.report

    def _store_next(self, batches: Iterator[dict[str, list[Row]]]) -> bool:
        """Read and store a batch; tell whether there was one."""
        with _collector_held():
            batch = next(batches, None)
            if batch is not None:
                self._store(batch)
        return batch is not None

    def _batches(self) -> Iterator[dict[str, list[Row]]]:
        batch: dict[str, list[Row]] = {}
        last = ""
        for row in self._table:
            self.report.lines += 1
            key = self._key(row, last)
            if key is None:
                continue
            if len(batch) >= BATCH and key not in batch:
                yield batch
                self._written.update(batch)
                batch = {}
            batch.setdefault(key, []).append(row)
            last = key
        if batch:
            yield batch

    def _key(self, row: Row, last: str) -> str | None:
        """Return the record a line belongs to; one that cannot be read, to the one before."""
        try:
            key = self._form.key(row)
        except OpsbotError as error:
            if row.problem and last:
                return last
            self._refuse(row, "", row.problem or str(error))
            return None
        if key in self._written:
            self._refuse(row, key, "Its other lines stand further up; they must be together.")
            return None
        return key

    def _store(self, batch: dict[str, list[Row]]) -> None:
        groups = []
        for key, rows in batch.items():
            record = self._read(key, rows)
            if record is not None:
                groups.append(Group(key, rows, record))
        if not groups:
            return
        keys = {row.line: group.key for group in groups for row in group.rows}
        held: list[Refusal] = []
        with self._begin() as session:
            outcomes = self._form.store(
                session,
                groups,
                lambda row, reason: held.append(Refusal(row, keys.get(row.line, ""), reason)),
            )
        for refusal in held:
            self._refuse(refusal.row, refusal.record, refusal.reason)
        for group, outcome in zip(groups, outcomes, strict=True):
            self.report.deeds[outcome.deed] += 1
            if outcome.deed is Deed.REFUSED and outcome.reason:
                for row in group.rows:
                    self._refuse(row, group.key, outcome.reason)

    def _read(self, key: str, rows: Sequence[Row]) -> Any:
        refused: list[Refusal] = []
        try:
            _check_lines(rows)
            record = self._form.read(
                rows, lambda row, reason: refused.append(Refusal(row, key, reason))
            )
        except OpsbotError as error:
            self._refuse_all(key, rows, error)
            return None
        for refusal in refused:
            self._refuse(refusal.row, refusal.record, refusal.reason)
        if record is None:
            self.report.deeds[Deed.REFUSED] += 1
        return record

    def _refuse_all(self, key: str, rows: Sequence[Row], error: OpsbotError) -> None:
        """Refuse a record whole: never half an order."""
        self.report.deeds[Deed.REFUSED] += 1
        guilty = error.row if isinstance(error, LineError) else rows[0]
        for row in rows:
            reason = str(error)
            if row is not guilty:
                reason = f"Line {guilty.line} of the same {self._form.what}: {reason}"
            self._refuse(row, key, reason)

    def _refuse(self, row: Row, record: str, reason: str) -> None:
        self.report.refused_lines += 1
        self.report.reasons[_kind_of(reason)] += 1
        self._rejects.add(Refusal(row, record, reason))


def _kind_of(reason: str) -> str:
    """Return a reason without what differs from line to line."""
    plain = reason.split(": ", 1)[1] if reason.startswith("Line ") and ": " in reason else reason
    return " ".join("…" if any(c.isdigit() for c in word) else word for word in plain.split())


@contextmanager
def _collector_held() -> Iterator[None]:
    """Keep Python from looking for cycles among a hundred thousand rows: a quarter of the time.

    A batch has none; it is let go when the next one begins.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
