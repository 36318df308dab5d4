"""Every area of the work has offered tools, tables, measures and articles, as documented."""

import re
from pathlib import Path

import pytest

from opsbot.content import content_root
from opsbot.metrics.registry import METRICS
from opsbot.migrations.schema import import_records
from opsbot.staff import Role
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.loading import load_tools

AREAS = (
    "Manufacturing process",
    "Production capacity",
    "Supply chain",
    "Quality control",
    "Forecasting",
    "Just in time",
    "Inventory tracking",
    "Safety stock",
    "Direct sales",
    "Retail partnerships",
    "E-commerce platforms",
    "International distribution",
    "Order processing",
    "Packaging and shipping",
    "Reverse logistics",
    "Monitoring and optimisation",
    "Customer support",
    "Product documentation",
    "Post-purchase engagement",
    "Continuous improvement",
)
DOCUMENT = Path(__file__).parents[3] / "docs" / "coverage.md"
TOOLS = load_tools(content_root() / "tools")
CALLERS = [
    Caller(Audience.CUSTOMER, "widget", Level.FRESH_CODE, customer_id=1),
    *(Caller(Audience.STAFF, "console", staff_id=1, roles=frozenset({role})) for role in Role),
]


def rows() -> dict[str, list[list[str]]]:
    """Return the names in each cell of the table, by area."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split("|") for line in lines if line.startswith("| ")]
    return {
        area.strip(): [re.findall(r"`([^`]+)`", cell) for cell in others]
        for area, *others in cells[1:]
    }


def test_every_area_of_the_work_stands_in_the_table() -> None:
    assert sorted(rows()) == sorted(AREAS)
    for area, (tools, tables, *_) in rows().items():
        assert tools, area
        assert tables, area


@pytest.mark.parametrize("area", AREAS)
def test_what_the_table_names_exists_and_is_offered(area: str) -> None:
    tools, tables, measures, articles = (*rows()[area], [], [])[:4]

    for name in tools:
        assert name in TOOLS, f"there is no tool {name}"
        assert any(TOOLS[name].offered_to(caller) for caller in CALLERS), name
    assert set(tables) <= set(import_records().tables)
    assert set(measures) <= set(METRICS)
    for path in articles:
        assert (content_root() / "knowledge" / path).is_file(), path


def test_a_tool_that_vanishes_is_missed() -> None:
    named = {name for tools, *_ in rows().values() for name in tools}

    assert not named - TOOLS.keys()


def test_every_tool_serves_an_area() -> None:
    named = {name for tools, *_ in rows().values() for name in tools}

    assert sorted(TOOLS.keys() - named) == []
