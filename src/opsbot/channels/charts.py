"""From a chart's columns to a drawing: a closed part of Vega-Lite version 6.

Bars and lines only. Values stand in the specification; nothing in it can load a file, follow a
link or run an expression. Colours, fonts and widths are the page's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.errors import InvalidInputError

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MAX_VALUES = 500
LONG_LABEL = 12
"""Characters from which labels do not fit under upright bars; the bars then lie down."""
BAR_STEP = 24
HEIGHT = 260
"""Pixels, as the page counts them."""

Json = dict[str, Any]


def draw(chart: Mapping[str, Any], table: Mapping[str, Any]) -> Json:
    """Return the Vega-Lite specification of a chart.

    Args:
        chart: fields of `opsbot.toolkit.results.Chart`.
        table: fields of `opsbot.toolkit.results.Table`, whose columns the chart names.

    Returns:
        A specification whose values are the rows of the table, in their order: one value for each
        row and measure, at most 500.

    Raises:
        InvalidInputError: the chart is neither bar nor line, or names a column that is not there.
    """
    kind, unit = str(chart["kind"]), str(chart.get("unit") or "")
    if kind not in {"bar", "line"}:
        raise InvalidInputError(f"A chart is a bar or a line chart, not {kind[:40]!r}.")
    columns = _columns(table)
    x, measures = str(chart["x"]), [str(key) for key in chart["y"]]
    for key in (x, *measures):
        if key not in columns:
            raise InvalidInputError(f"The chart {chart['title']!r} names no column {key!r}.")
    values = _values(table, columns, x, measures)
    measure = columns[measures[0]][1] if len(measures) == 1 else ""
    return {
        "$schema": SCHEMA,
        "description": str(chart["summary"]),
        "data": {"values": values},
        "mark": {"type": kind},
        **_layout(
            kind, values, x_title=columns[x][1], y_title=_title(measure, unit), many=not measure
        ),
    }


def _columns(table: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Return place and label of each column by its key."""
    return {
        str(column["key"]): (place, str(column["label"]))
        for place, column in enumerate(table["columns"])
    }


def _values(
    table: Mapping[str, Any],
    columns: Mapping[str, tuple[int, str]],
    x: str,
    measures: Sequence[str],
) -> list[Json]:
    rows = [
        {
            "x": str(row[columns[x][0]]),
            "y": row[columns[measure][0]],
            "series": columns[measure][1],
        }
        for row in table["rows"]
        for measure in measures
    ]
    return rows[:MAX_VALUES]


def _layout(kind: str, values: Sequence[Json], *, x_title: str, y_title: str, many: bool) -> Json:
    """Return encoding and height."""
    # "sort: null" keeps the order of the rows; the labels along the axis are words, never dates.
    along: Json = {"field": "x", "type": "nominal", "sort": None, "title": None}
    upward: Json = {"field": "y", "type": "quantitative", "title": y_title}
    if kind == "line":
        upward["scale"] = {"zero": False}
    encoding: Json = {
        "tooltip": [
            {"field": "x", "type": "nominal", "title": x_title},
            *([{"field": "series", "type": "nominal", "title": "Measure"}] if many else []),
            {"field": "y", "type": "quantitative", "title": y_title or "Value"},
        ]
    }
    lies = kind == "bar" and any(len(value["x"]) > LONG_LABEL for value in values)
    if many:
        encoding["color"] = {"field": "series", "type": "nominal", "sort": None, "title": None}
        if kind == "bar":
            offset = "yOffset" if lies else "xOffset"
            encoding[offset] = {"field": "series", "type": "nominal", "sort": None}
    if lies:
        return {"height": {"step": BAR_STEP}, "encoding": {"y": along, "x": upward, **encoding}}
    return {"height": HEIGHT, "encoding": {"x": along, "y": upward, **encoding}}


def _title(measure: str, unit: str) -> str:
    if not unit or unit.casefold() in measure.casefold():
        return measure
    return f"{measure} ({unit})" if measure else unit
