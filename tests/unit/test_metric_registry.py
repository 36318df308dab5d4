"""The registry of measures as a whole."""

from collections import Counter

import sqlalchemy as sa

from opsbot.metrics.elsewhere import TABLES
from opsbot.metrics.measures import Unit
from opsbot.metrics.phrases import PHRASES
from opsbot.metrics.registry import METRICS, SUBJECTS
from opsbot.migrations.schema import import_records


def test_every_measure_has_one_key_and_words_that_people_call_it_by() -> None:
    keys = Counter(metric.key for metrics in SUBJECTS.values() for metric in metrics)

    assert set(keys.values()) == {1}
    assert set(PHRASES) == set(METRICS)
    assert len(METRICS) >= 40


def test_no_phrase_means_two_measures() -> None:
    said = Counter(phrase for phrases in PHRASES.values() for phrase in phrases)

    assert [phrase for phrase, count in said.items() if count > 1] == []


def test_every_measure_says_what_it_means_and_what_it_counts() -> None:
    columns = [measure.key for metric in METRICS.values() for measure in metric.measures]

    assert len(set(columns)) == len(columns)
    for metric in METRICS.values():
        assert metric.definition.endswith("."), metric.key
        assert len(metric.definition) > 30, metric.key
        assert metric.counts, metric.key
        assert metric.dimensions, metric.key
        assert metric.key == metric.measures[0].key
        assert metric.by is None or metric.by in metric.dimensions
        if metric.adds_up:
            assert metric.unit in {Unit.MONEY, Unit.COUNT}, metric.key


def test_one_of_something_is_said_in_the_singular() -> None:
    words = {
        METRICS[key].count(1) for key in ("orders", "otif", "otif_lines", "fpy", "repeat_rate")
    }

    assert words == {
        "1 order",
        "1 order due",
        "1 line due",
        "1 unit made",
        "1 new customer",
    }


def test_the_tables_of_other_layers_are_as_the_measures_read_them() -> None:
    real = import_records().tables

    for table in TABLES:
        for column in table.columns:
            there = real[table.name].columns[column.name].type
            assert _family(column.type) == _family(there), f"{table.name}.{column.name}"


def _family(kind: sa.types.TypeEngine[object]) -> type:
    families = (sa.Boolean, sa.Integer, sa.JSON, sa.String)
    return next((one for one in families if isinstance(kind, one)), type(kind))
