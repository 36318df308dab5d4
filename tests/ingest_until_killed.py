"""Ingest a folder again and again, and say how far it is, until somebody kills the process.

Run: python -m tests.ingest_until_killed DATABASE_URL FOLDER
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from opsbot.db import Database
from opsbot.retrieval.ingest import ingest
from tests.quick_encoder import QuickEncoder


def main() -> None:
    """Write a line for each file."""
    database, folder = Database(sys.argv[1]), Path(sys.argv[2])
    while True:
        ingest(
            database,
            folder,
            QuickEncoder(),
            now=datetime(2026, 11, 20, tzinfo=UTC),
            progress=lambda *step: print(*step, flush=True),  # noqa: T201  (to whoever kills it)
        )


if __name__ == "__main__":
    main()
