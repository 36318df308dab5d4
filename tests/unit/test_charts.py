"""Charts as closed Vega-Lite specifications."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from opsbot.channels.charts import MAX_VALUES, draw
from opsbot.errors import InvalidInputError
from opsbot.toolkit.results import Chart, Column, Table

ALLOWED_KEYS = {
    "$schema",
    "description",
    "data",
    "values",
    "mark",
    "type",
    "height",
    "step",
    "encoding",
    "x",
    "y",
    "xOffset",
    "yOffset",
    "color",
    "tooltip",
    "field",
    "sort",
    "title",
    "scale",
    "zero",
    "series",
}
"""Every key that may occur: none that loads, links, computes or listens."""


def make_table(rows: list[list[str | float | None]]) -> Table:
    columns = [
        Column("month", "Month"),
        Column("median", "Median", numeric=True),
        Column("p90", "90 % within", numeric=True),
    ]
    return Table("Days to delivery", columns, rows)


def make_chart(kind: Any = "line", y: tuple[str, ...] = ("median",), **values: Any) -> Chart:
    summary = "Delivery became faster: from 4.5 to 3.9 days."
    given = {"title": "Days to delivery", "summary": summary, "x": "month", "unit": "days"}
    return Chart(kind=kind, y=y, **{**given, **values})


def spec_of(chart: Chart, table: Table) -> dict[str, Any]:
    return draw(asdict(chart), asdict(table))


def keys_of(value: Any) -> set[str]:
    """Return every key at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for part in value.values() for key in keys_of(part)}
    if isinstance(value, list):
        return {key for part in value for key in keys_of(part)}
    return set()


ROWS: list[list[str | float | None]] = [["Sep 2026", 4.5, 9], ["Oct 2026", None, 8.2]]


def test_the_values_are_the_tables_rows_in_their_order() -> None:
    spec = spec_of(make_chart(), make_table(ROWS))

    values = [(value["x"], value["y"]) for value in spec["data"]["values"]]
    assert values == [("Sep 2026", 4.5), ("Oct 2026", None)]
    assert spec["encoding"]["x"]["sort"] is None


def test_several_measures_are_told_apart_by_colour() -> None:
    spec = spec_of(make_chart("bar", ("median", "p90")), make_table(ROWS))

    assert [(value["series"], value["y"]) for value in spec["data"]["values"]] == [
        ("Median", 4.5),
        ("90 % within", 9),
        ("Median", None),
        ("90 % within", 8.2),
    ]
    assert spec["encoding"]["color"]["field"] == "series"
    assert spec["encoding"]["xOffset"]["field"] == "series"
    assert spec["encoding"]["y"]["title"] == "days"


def test_bars_with_long_labels_lie_down() -> None:
    rows: list[list[str | float | None]] = [["Damaged in transit", 7, 0], ["Changed mind", 12, 0]]

    spec = spec_of(make_chart("bar"), make_table(rows))

    assert spec["encoding"]["y"]["field"] == "x"
    assert spec["encoding"]["x"] == {"field": "y", "type": "quantitative", "title": "Median (days)"}
    assert spec["height"] == {"step": 24}


@pytest.mark.parametrize("kind", ["bar", "line"])
@pytest.mark.parametrize("y", [("median",), ("median", "p90")], ids=["one", "two"])
def test_nothing_in_a_chart_loads_links_or_computes(kind: str, y: tuple[str, ...]) -> None:
    hostile: list[list[str | float | None]] = [["datum.url='https://evil.example'", 1, 2]]

    spec = spec_of(make_chart(kind, y), make_table([*ROWS, *hostile]))

    assert keys_of(spec) <= ALLOWED_KEYS
    assert spec["$schema"].endswith("/vega-lite/v6.json")
    assert spec["mark"] == {"type": kind}
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec


def test_colours_and_fonts_are_left_to_the_page() -> None:
    text = json.dumps(spec_of(make_chart("bar", ("median", "p90")), make_table(ROWS)))

    assert "#" not in text
    assert "font" not in text
    assert "config" not in text


def test_the_summary_is_kept_for_those_who_do_not_see_the_picture() -> None:
    spec = spec_of(make_chart(), make_table(ROWS))

    assert spec["description"] == "Delivery became faster: from 4.5 to 3.9 days."


def test_a_chart_never_carries_more_than_its_limit() -> None:
    rows: list[list[str | float | None]] = [[str(n), n, n] for n in range(MAX_VALUES)]

    spec = spec_of(make_chart("line", ("median", "p90")), make_table(rows))

    assert len(spec["data"]["values"]) == MAX_VALUES


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        (make_chart(x="week"), "names no column 'week'"),
        (make_chart(y=("mean",)), "names no column 'mean'"),
        (make_chart("pie"), "a bar or a line chart, not 'pie'"),
    ],
    ids=["axis", "measure", "kind"],
)
def test_a_chart_that_does_not_fit_its_table_is_refused(chart: Chart, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        spec_of(chart, make_table(ROWS))
