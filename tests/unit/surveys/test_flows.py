"""A survey is a file; what is wrong with it is said with its name and field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from opsbot.errors import InvalidInputError
from opsbot.surveys.flows import QuestionKind, fill_fields, load_flows

SHIPPED = Path(__file__).parents[3] / "web" / "surveys"


def test_the_surveys_that_come_with_opsbot_load() -> None:
    flows = load_flows(SHIPPED)

    kinds = {name: flow.lead.kind for name, flow in flows.items()}
    assert kinds == {"delivery_csat": QuestionKind.CSAT, "product_nps": QuestionKind.NPS}


def test_the_version_changes_with_any_word_and_with_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, make_flow())
    before = load_flows(tmp_path)["check"].version
    write(tmp_path, dict(reversed(make_flow().items())))
    same = load_flows(tmp_path)["check"].version
    write(tmp_path, make_flow(thanks="Thanks!"))
    after = load_flows(tmp_path)["check"].version

    assert before == same != after


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"color": "red"}, "check.yaml: color: Extra inputs"),
        ({"title": ""}, "check.yaml: title: String should have at least 1"),
        ({"id": "other"}, "check.yaml: id must be check"),
        ({"questions": []}, "check.yaml: questions"),
        ({"questions": [{"id": "a", "kind": "stars", "text": "How?"}]}, "questions.0.kind"),
        ({"questions": [{"id": "a", "kind": "text", "text": "How?"}]}, "first question must be"),
        ({"questions": [{"id": "a", "kind": "nps", "text": "How?"}] * 2}, "same id"),
        ({"thanks": "Bye {customer}"}, "{customer} is not known"),
        ({"invite": {"subject": "Hi", "text": "Answer at {link}"}}, "must contain {stop_link}"),
        ({"timing": {"after_days": -1, "within_days": 1, "expires_days": 1}}, "after_days"),
    ],
)
def test_a_mistake_is_named_with_file_and_field(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    write(tmp_path, make_flow(**change))

    with pytest.raises(InvalidInputError) as caught:
        load_flows(tmp_path)

    assert words in str(caught.value)
    assert str(caught.value).startswith("check.yaml: ")


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"", b"- 1", b"!!python/object:os.x {}"])
def test_a_file_that_is_no_survey_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "check.yaml").write_bytes(content)

    with pytest.raises(InvalidInputError, match=r"^check\.yaml: "):
        load_flows(tmp_path)


def test_a_folder_without_surveys_asks_nothing(tmp_path: Path) -> None:
    assert load_flows(tmp_path / "nowhere") == {}


def test_what_is_put_into_a_text_is_not_read_again() -> None:
    assert fill_fields("Hello {name}: {link}", {"name": "{link}", "link": "L"}) == "Hello {link}: L"


@pytest.mark.parametrize(
    ("kind", "low", "fine"),
    [(QuestionKind.NPS, 6, 7), (QuestionKind.CSAT, 2, 3), (QuestionKind.CES, 3, 4)],
)
def test_low_scores_need_a_person(kind: QuestionKind, low: int, fine: int) -> None:
    assert kind.is_low(low)
    assert not kind.is_low(fine)


def make_flow(**values: Any) -> dict[str, Any]:
    defaults = {
        "id": "check",
        "title": "How was it?",
        "language": "en",
        "about": "order",
        "priority": 10,
        "timing": {"after_days": 2, "within_days": 10, "expires_days": 14},
        "invite": {"subject": "How was it?", "text": "{link} {stop_link}"},
        "questions": [{"id": "score", "kind": "csat", "text": "How was it?"}],
        "thanks": "Thank you.",
    }
    return {**defaults, **values}


def write(folder: Path, flow: dict[str, Any]) -> None:
    (folder / "check.yaml").write_text(yaml.safe_dump(flow, sort_keys=False), encoding="utf-8")
