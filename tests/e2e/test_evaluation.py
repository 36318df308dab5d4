"""Conversations held with copies of the sample shop: what is expected, and what must be seen."""

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner

from opsbot.cli.main import app
from opsbot.evaluation.files import load_script, load_scripts
from opsbot.evaluation.reports import print_outcomes, write_junit
from opsbot.evaluation.runner import Evaluation, Outcome
from opsbot.evaluation.shops import Template, apart
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.settings import PREFIX, TEST_PREFIX
from tests.e2e.conftest import NOW, shop_settings

pytestmark = pytest.mark.slow

OURS = Path(__file__).parents[2] / "evaluation"
CANCEL = """\
about: x
speaker: ada@example.com
turns:
  - say: "Cancel order #1004"
  - {answer}
"""
YES = CANCEL.format(answer='"yes"')

Hold = Callable[[str], Outcome]


@pytest.fixture
def evaluation(shop_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    for name in list(os.environ):  # noqa: TID251  (the developer's own settings must not matter)
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)
    settings = shop_settings(shop_template)
    template = Template(settings, MiniLmEncoder.open(shop_template))
    return Evaluation(template, tmp_path / "copies", as_of=NOW)


@pytest.fixture
def hold(evaluation: Evaluation, tmp_path: Path) -> Hold:
    """Holds the conversation that a text describes."""

    def hold_text(text: str) -> Outcome:
        path = tmp_path / "talk.yaml"
        path.write_text(text, encoding="utf-8")
        return evaluation.hold("talk", load_script(path))

    return hold_text


@pytest.mark.parametrize("name", sorted(path.stem for path in OURS.glob("*.yaml")))
def test_our_own_conversations_pass(evaluation: Evaluation, name: str) -> None:
    outcome = evaluation.hold(name, load_scripts(OURS)[name])

    assert outcome.problems == []


@pytest.mark.parametrize("answer", ['"yes"', "{press: confirm}"], ids=["by word", "by button"])
def test_a_change_is_confirmed_and_its_record_checked(hold: Hold, answer: str) -> None:
    text = CANCEL.format(answer=answer)

    right = hold(f"{text}records:\n  order 1004: {{status: cancelled, refunded: 97.00 EUR}}\n")
    wrong = hold(f"{text}records:\n  order 1004: {{status: confirmed}}\n")

    assert right.problems == []
    assert wrong.problems == ["order 1004: status is cancelled, not confirmed"]


def test_a_write_that_was_not_expected_fails(hold: Hold) -> None:
    [problem] = hold(YES).problems

    assert problem.startswith("order #1004 changed (")
    assert "state: confirmed → cancelled" in problem
    assert "was not expected" in problem


def test_what_is_only_proposed_changes_nothing(hold: Hold) -> None:
    assert hold(CANCEL.format(answer="{press: cancel}")).problems == []


def test_every_conversation_finds_the_shop_as_it_was(hold: Hold) -> None:
    hold(YES)

    assert hold(f"{YES}records:\n  order 1004: {{status: cancelled}}\n").problems == []


def test_a_person_who_takes_over_must_be_expected(hold: Hold) -> None:
    text = "about: x\nturns:\n  - say: I want to talk to a person\n"

    expected = hold(f"{text}    hands_over: yes\n")
    unexpected = hold(text)

    assert expected.problems == []
    [problem] = unexpected.problems
    assert problem.startswith("new case ")


def test_what_a_reply_has_is_found(hold: Hold) -> None:
    outcome = hold(
        """\
about: x
speaker: ada@example.com
turns:
  - say: "Where is my order #1003?"
    tools: [{order_status: {order_number: 1003}}]
    says: on its way
    says_any: [lost, on its way]
    sources: nothing
    proposes: nothing
    hands_over: no
"""
    )

    assert outcome.problems == []


def test_a_code_that_was_mailed_can_be_typed(hold: Hold) -> None:
    outcome = hold(
        """\
about: x
speaker: ada@example.com
turns:
  - say: Change the default address of my account to Lindenweg 4, 10115 Berlin, Germany
    says: We sent a 6-digit code
  - say: "{code}"
    proposes: Lindenweg 4
  - say: yes
records:
  customer ada@example.com: {address: "Lindenweg 4, 10115, Berlin"}
"""
    )

    assert outcome.problems == []


def test_a_preview_expires_while_time_goes_by(hold: Hold) -> None:
    outcome = hold(CANCEL.format(answer="{press: confirm, after: 20 minutes}"))

    assert outcome.problems == []
    assert "cancelled" not in outcome.turns[1].answered


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        ("{press: confirm}", "turn 1: no answer: there is no preview to confirm"),
        ("{press: maybe}", "turn 1: no answer: no quick reply says “maybe”; there is none"),
        ('"{code}"', "turn 1: no answer: no code was mailed"),
    ],
)
def test_what_cannot_be_played_fails(hold: Hold, turn: str, problem: str) -> None:
    assert hold(f"about: x\nturns: [{turn}]\n").problems == [problem]


def test_a_speaker_whom_nobody_knows_fails(hold: Hold) -> None:
    outcome = hold("about: x\nspeaker: nobody@example.com\nturns: [hello]\n")

    assert outcome.problems == ["I could not find customer nobody@example.com."]


def test_the_junit_file_names_what_failed(hold: Hold, tmp_path: Path) -> None:
    passed, failed = hold(CANCEL.format(answer='"no"')), hold(YES)

    write_junit(tmp_path / "out" / "junit.xml", [passed, failed])

    suite = ET.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314  (written just above)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    [failure] = suite.iter("failure")
    assert "order #1004" in (failure.get("message") or "")
    assert "> yes" in (failure.text or "")


def test_the_example_of_the_documentation_passes(hold: Hold) -> None:
    example, *_ = _examples()

    assert hold(example).problems == []


def test_the_records_of_the_documentation_can_be_written(tmp_path: Path) -> None:
    _, records = _examples()
    path = tmp_path / "talk.yaml"
    path.write_text(f"about: x\nturns: [hello]\n{records}", encoding="utf-8")

    assert len(load_script(path).records) == 5


def _examples() -> list[str]:
    page = (OURS.parent / "docs" / "evaluation.md").read_text("utf-8")
    return re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)


def test_what_was_done_before_a_talk_broke_off_is_looked_at(hold: Hold) -> None:
    outcome = hold(YES + "  - {press: confirm}\n  - hello\n")

    assert len(outcome.turns) == 3
    assert outcome.problems[0] == "turn 3: no answer: there is no preview to confirm"
    assert outcome.problems[1].startswith("order #1004 changed (")


def test_the_transcript_shows_previews_and_choices(hold: Hold) -> None:
    console = Console(record=True, width=200)

    print_outcomes(console, [hold(YES)], transcripts=False)

    told = console.export_text()
    assert "> Cancel order #1004" in told
    assert "    Cancel order #1004?" in told
    assert "✗ order #1004 changed" in told
    assert "0 of 1 conversations passed." in told


def test_own_records_are_copied_and_only_read(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSBOT_SECRET_KEY", "0123456789abcdef" * 2)
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(data_dir))
    (tmp_path / "talks").mkdir()
    right, wrong = tmp_path / "talks" / "right.yaml", tmp_path / "talks" / "wrong.yaml"
    right.write_text(YES + "records:\n  order 1004: {status: cancelled}\n", encoding="utf-8")
    arguments = ["evaluate", str(tmp_path / "talks"), "--own", "--as-of", "2026-11-20T12:00"]
    before = dump(data_dir)

    passed = CliRunner().invoke(app, [*arguments, "--junit", str(tmp_path / "out.xml")])
    wrong.write_text(YES, encoding="utf-8")
    failed = CliRunner().invoke(app, arguments)

    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert 'failures="0"' in (tmp_path / "out.xml").read_text("utf-8")
    assert "1 of 2 conversations passed." in failed.output
    assert dump(data_dir) == before


def dump(data_dir: Path) -> list[str]:
    connection = sqlite3.connect(data_dir / "opsbot.db")
    rows = list(connection.iterdump())
    connection.close()
    return rows


def test_the_template_stays_as_it_was(evaluation: Evaluation, shop_template: Path) -> None:
    before = (shop_template / "opsbot.db").read_bytes()

    evaluation.hold("cancel", load_scripts(OURS)["cancel-an-order"])

    assert (shop_template / "opsbot.db").read_bytes() == before


def test_a_copy_reaches_nobody(tmp_path: Path, shop_template: Path) -> None:
    live = shop_settings(shop_template).model_copy(
        update={
            "chroma_url": "http://chroma:8000",
            "ports": {"payments": "our_shop.stripe:open_port"},
            "data_dir": tmp_path / "live",
        }
    )

    copy = apart(live, tmp_path / "copy")

    assert copy.data_dir == tmp_path / "copy"
    assert (copy.chroma_url, copy.ports, copy.mail.smtp_host) == ("", {}, None)
    assert copy.resolved_database_url == f"sqlite:///{tmp_path}/copy/opsbot.db"
