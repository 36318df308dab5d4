"""What is expected of replies, held against what was heard."""

from pathlib import Path

import pytest

from opsbot.evaluation.checks import Heard, HeardCall, check_heard
from opsbot.evaluation.files import load_script

CLAUSES = {"returns.window": "Goods may come back within 30 days."}
STATUS = HeardCall("order_status", {"order_number": "#1003"}, "", "")
REFUSED = HeardCall("start_return", {}, "policy_denied", "returns.window")


def heard(**values: list[object]) -> Heard:
    reply: dict[str, object] = {"texts": ["It is **on its way**."], "calls": [STATUS]}
    return Heard(**(reply | values))  # type: ignore[arg-type]  # of many kinds


def problems(folder: Path, expectation: str, what: Heard) -> list[str]:
    path = folder / "talk.yaml"
    path.write_text(f"about: x\nturns:\n  - say: hello\n    {expectation}\n", encoding="utf-8")
    return check_heard(load_script(path).turns[0], what, CLAUSES)


@pytest.mark.parametrize(
    ("expectation", "problem"),
    [
        ("tools: [cancel_order]", "it does not call cancel_order there; it calls order_status"),
        ("tools: [order_status, order_status]", "it does not call order_status there"),
        ("tools: nothing", "it calls order_status, and was to call nothing"),
        ("tools: [{order_status: {order_number: 1004}}]", "it does not call order_status (order_n"),
        ("tools_not: [order_status]", "it calls order_status"),
        ("says: [on its way, cancelled]", "it does not say “cancelled”"),
        ("says_any: [lost, cancelled]", "it says none of “lost”, “cancelled”"),
        ("says_not: [On  its way]", "it says “On  its way”"),
        (
            "sources: [tide-electric-grinder]",
            "it does not cite tide-electric-grinder; it cites",
        ),
        ("proposes: Cancel", "it does not propose “Cancel”; it proposes nothing"),
        ("refuses: returns.window", "it does not refuse by returns.window"),
        ("hands_over: yes", "no person takes over"),
    ],
)
def test_what_a_reply_lacks_is_told(tmp_path: Path, expectation: str, problem: str) -> None:
    [told] = problems(tmp_path, expectation, heard())

    assert told.startswith(problem)


@pytest.mark.parametrize(
    ("expectation", "what"),
    [
        ("tools: [{order_status: {order_number: 1003}}]", heard()),
        ("tools: [order_status, start_return]", heard(calls=[STATUS, STATUS, REFUSED])),
        ("says: [ON its way]", heard()),
        ("says_any: [lost, on its way]", heard()),
        ("says_not: [lost]", heard()),
        ("sources: nothing", heard()),
        ("sources: tide#clean", heard(sources=[frozenset({"tide", "tide#clean"})])),
        ("proposes: nothing", heard()),
        ("proposes: oak lamp", heard(proposals=["Cancel it? · 1 x Oak lamp · cancel_order"])),
        ("proposes: cancel_order", heard(proposals=["Cancel it? · 1 x Oak lamp · cancel_order"])),
        ("refuses: returns.window", heard(calls=[REFUSED])),
        ("refuses: policy_denied", heard(calls=[REFUSED])),
        ("refuses: returns.window", heard(texts=["Sorry: goods may come back within 30 days."])),
        ("hands_over: yes", heard(cases=["K-1"])),
        ("hands_over: no", heard()),
    ],
)
def test_what_a_reply_has_is_found(tmp_path: Path, expectation: str, what: Heard) -> None:
    assert problems(tmp_path, expectation, what) == []


@pytest.mark.parametrize(
    ("expectation", "what", "problem"),
    [
        ("sources: nothing", heard(sources=[frozenset({"tide"})]), "it cites tide, and was"),
        ("proposes: nothing", heard(proposals=["Cancel it?"]), "it proposes “Cancel it?”, and"),
        ("hands_over: no", heard(cases=["K-1"]), "a person takes over"),
        (
            "refuses: returns.window",
            heard(calls=[REFUSED], proposals=["Return it?"]),
            "it was to refuse by returns.window, and proposes “Return it?”",
        ),
    ],
)
def test_what_a_reply_has_too_much_is_told(
    tmp_path: Path, expectation: str, what: Heard, problem: str
) -> None:
    [told] = problems(tmp_path, expectation, what)

    assert told.startswith(problem)
