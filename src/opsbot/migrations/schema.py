"""The tables that all modules together define."""

from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from opsbot.db import Base

_PACKAGE = Path(__file__).parents[1]


def import_records() -> MetaData:
    """Import every module that defines a table, and return the metadata they share.

    The modules are found by their text, so that a new table needs no entry in a list that
    somebody forgets.
    """
    for path in sorted(_PACKAGE.rglob("*.py")):
        if "\n    __tablename__ = " in path.read_text(encoding="utf-8"):
            import_module(_module_name(path))
    return Base.metadata


def _module_name(path: Path) -> str:
    parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
    return ".".join(parts)
