"""Time that passes between two moments, in SQL, the same on SQLite and PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from opsbot.db import UtcDateTime


class SecondsBetween(FunctionElement[float]):
    """Seconds from the first moment to the second; negative when it comes earlier."""

    name = "seconds_between"
    type = Float()
    inherit_cache = True


@compiles(SecondsBetween, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"round((julianday({last}) - julianday({first})) * 86400.0, 1)"


@compiles(SecondsBetween, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    moments = f"CAST({last} AS timestamptz) - CAST({first} AS timestamptz)"
    return f"CAST(extract(epoch FROM ({moments})) AS double precision)"


def seconds_between(first: Any, last: Any) -> ColumnElement[float]:
    """Return the seconds from one moment to another: columns, or points in time."""
    moments = [
        literal(one, UtcDateTime()) if isinstance(one, datetime) else one for one in (first, last)
    ]
    return SecondsBetween(*moments)
