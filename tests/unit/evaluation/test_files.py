"""Files of conversations: what may be written, and what is said of mistakes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsbot.errors import InvalidInputError
from opsbot.evaluation.files import load_script, load_scripts
from opsbot.evaluation.schema import Script

WHOLE = """\
about: Everything at once
speaker: ada@example.com
as_of: 2026-11-20 12:00
turns:
  - Where is order 1004?
  - say: yes
    after: 20 minutes
    tools: [order_status, {cancel_order: {order_number: 1004}}]
    says: cancelled
    says_any: [today, tomorrow]
    sources: nothing
  - press: confirm
    hands_over: no
records:
  order 1004: {status: cancelled, items: {LL-MUG-01: 2}}
  new return: [{order: 1001}, {order: 1002}]
  customer ada@example.com:
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "talk.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Script:
    return load_script(write(folder, text))


def test_words_are_read_as_they_are_written(tmp_path: Path) -> None:
    script = read(tmp_path, WHOLE)

    where, yes, press = script.turns
    assert where.say == "Where is order 1004?"
    assert yes.say == "yes"
    assert yes.after == timedelta(minutes=20)
    assert [(one.name, one.arguments) for one in yes.tools] == [
        ("order_status", {}),
        ("cancel_order", {"order_number": "1004"}),
    ]
    assert yes.says == ("cancelled",)
    assert press.press == "confirm"
    assert press.hands_over is False
    assert script.as_of == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert script.records["order 1004"][0]["items"] == {"LL-MUG-01": "2"}
    assert len(script.records["new return"]) == 2
    assert script.records["customer ada@example.com"] == ({},)


@pytest.mark.parametrize(
    ("speaker", "customer", "staff"),
    [
        ("anonymous", "", ""),
        ("ada@example.com", "ada@example.com", ""),
        ("staff mara@lumenandloom.example", "", "mara@lumenandloom.example"),
    ],
)
def test_a_speaker_is_a_visitor_a_customer_or_staff(
    tmp_path: Path, speaker: str, customer: str, staff: str
) -> None:
    script = read(tmp_path, f"about: x\nspeaker: {speaker}\nturns: [hello]\n")

    assert (script.customer, script.staff) == (customer, staff)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("about: x\nturns: [hello]\nrecord: {}\n", "line 3: record: there is no such key"),
        ("about: x\nturns:\n  - say: hello\n    sayz: hi\n", "line 4: turn 1, sayz: there is no"),
        ("about: x\nturns:\n  - tools: nothing\n", "line 3: turn 1: a turn needs `say` or `press`"),
        ("about: x\n", "line 1: turns: this key is missing"),
        ("turns: [hello]\n", "about: this key is missing"),
        (
            "about: x\nturns:\n  - say: Cancel order #1004\n",
            "line 3: YAML takes '#1004'",
        ),
        ("about: x\nturns:\n  - say: I said: no\n", "line 3: this is not YAML"),
        ("about: x\nabout: y\nturns: [hello]\n", "line 2: the key about occurs twice"),
        ("about: x\nspeaker: Ada\nturns: [hello]\n", "speaker is `anonymous`, an e-mail address"),
        ("about: x\nturns:\n  - {say: hi, after: soon}\n", "turn 1, after: write a length of time"),
        ("about: x\nas_of: noon\nturns: [hello]\n", "line 2: as_of: write a day and a time"),
        ("- hello\n", "a conversation is a mapping"),
        (
            "about: x\nturns: [hello]\nrecords:\n  ordr 1004: {}\n",
            "line 4: records: 'ordr 1004' names no record",
        ),
        ("about: x\nturns: [hello]\nrecords:\n  order: {}\n", "line 4: records: which order?"),
        (
            "about: x\nturns: [hello]\nrecords:\n  order 1004:\n    colour: red\n",
            "line 5: records: an order has no colour; it has address,",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(tmp_path, text)

    assert words in str(caught.value)
    assert "talk.yaml" in str(caught.value)


def test_a_comment_with_a_space_is_a_comment(tmp_path: Path) -> None:
    script = read(tmp_path, "about: x  # what for\nturns:\n  - hello  # to begin\n")

    assert script.turns[0].say == "hello"


def test_a_folder_is_read_with_those_below_it(tmp_path: Path) -> None:
    (tmp_path / "returns").mkdir()
    for folder in (tmp_path, tmp_path / "returns"):
        write(folder, "about: x\nturns: [hello]\n")

    assert sorted(load_scripts(tmp_path)) == ["returns/talk", "talk"]


def test_a_file_is_a_folder_of_one(tmp_path: Path) -> None:
    path = write(tmp_path, "about: x\nturns: [hello]\n")

    assert list(load_scripts(path)) == ["talk"]


def test_a_folder_without_conversations_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"there is no file \*\.yaml"):
        load_scripts(tmp_path)
    with pytest.raises(InvalidInputError, match="There is no folder or file"):
        load_scripts(tmp_path / "nowhere")
