"""Policy files: strict, and with words that name what is enforced."""

import shutil
from pathlib import Path

import pytest

from opsbot.content import content_root
from opsbot.errors import InvalidInputError
from opsbot.toolkit.policy import load_policies

SHIPPED = content_root() / "knowledge" / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies, to break."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "policies"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_clause_is_found_by_its_id() -> None:
    policies = load_policies(SHIPPED)

    assert len(policies.clauses()) > 20
    assert policies.clause("returns.window").text.startswith("You may return")
    with pytest.raises(KeyError):
        policies.clause("returns.forever")


def test_the_version_changes_with_any_value(folder: Path) -> None:
    before = load_policies(folder).version

    replace(folder / "returns.yaml", "store_credit_bonus_pct: 5", "store_credit_bonus_pct: 6")
    replace(folder / "returns.yaml", "we add 5%", "we add 6%")

    assert load_policies(folder).version != before


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("window_days: 30, clause", "window_dayz: 30, clause", r"line 7: .*spelling"),
        ("send_within_days: 21\n", "", r"send_within_days: this key is missing"),
        ("send_within_days: 21", "send_within_days: '21'", r"line \d+: send_within_days"),
        ("send_within_days: 21", "send_within_days: -1", r"send_within_days"),
        ("label_minor: {DE: 490", "label_minor: {NO: 900, DE: 490", r'quotes \("NO"\)'),
        ("business: {", "title: twice\nbusiness: {", r"the key title occurs twice"),
        ("within 21 days", "within 20 days", r"returns.send does not name send_within_days"),
        ("within 21 days", "within 21 days or 5", r"names 5, which none of its values is"),
        ("id: returns.window", "id: returns.widow", r"no clause returns.window"),
        ("id: returns.send", "id: returns.window", r"returns.window occurs twice"),
        ("  changed_mind: {fault: customer, postage: customer}\n", "", r"lacks changed_mind"),
        ("[send_within_days,", "[send_within_weeks,", r"send_within_weeks, which is no value"),
        ("classes:", "classes: [", r"not YAML"),
    ],
    ids=[
        "misspelled key",
        "missing key",
        "text for a number",
        "negative days",
        "Norway as a key",
        "key twice",
        "text and value differ",
        "text promises more",
        "clause missing",
        "clause twice",
        "reason missing",
        "unknown value",
        "not YAML",
    ],
)
def test_a_mistake_is_named_with_its_file(folder: Path, old: str, new: str, complaint: str) -> None:
    replace(folder / "returns.yaml", old, new)

    with pytest.raises(InvalidInputError, match=complaint) as raised:
        load_policies(folder)

    assert str(folder) in str(raised.value)


def test_norway_in_a_list_of_countries_needs_quotes(folder: Path) -> None:
    replace(folder / "rights.yaml", "MT, NL", "MT, NO, NL")

    with pytest.raises(InvalidInputError, match=r'rights.yaml, line \d+: .*quotes \("NO"\)'):
        load_policies(folder)


def test_a_missing_or_unknown_file_is_named(folder: Path) -> None:
    (folder / "extra.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"extra.yaml is not a policy file"):
        load_policies(folder)

    (folder / "extra.yaml").unlink()
    (folder / "loyalty.yaml").unlink()
    with pytest.raises(InvalidInputError, match=r"loyalty.yaml cannot be read"):
        load_policies(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("rights", "exempt_classes: [made_to_order]", "exempt_classes: [bespoke]", "class bespoke"),
        ("loyalty", "[gift_card]", "[gift_cards]", "no return class gift_cards"),
        ("loyalty", "from_points: 500", "from_points: 0", "must begin at 0 and rise"),
        ("refunds", "lead: 50000, manager: null", "lead: 50000", "one role must have no limit"),
        ("refunds", "limits_minor: {assistant: 0", "limits_minor: {assistant: 1", "must be 0"),
        ("refunds", "agent: 10000", "agents: 10000", "limits_minor.agents"),
        ("refunds", "clause: approvals.lot", "clause: approvals.lots", "no clause approvals.lots"),
        ("refunds", "audience: staff", "audience: public", "audience"),
        ("refunds", "result: rejected, roles", "roles", "either over_minor or result"),
        ("delivery", "[trace]", "[trase]", "claims.late.steps"),
        ("rights", "reject_days: 30", "reject_days: 31", "guarantee.reject does not name"),
    ],
    ids=[
        "exempt class",
        "class without points",
        "tiers",
        "no manager",
        "assistant pays",
        "unknown role",
        "clause of an approval",
        "refunds for customers",
        "approval without condition",
        "unknown step",
        "text and law differ",
    ],
)
def test_a_mistake_in_the_other_files_is_named_too(
    folder: Path, name: str, old: str, new: str, complaint: str
) -> None:
    replace(folder / f"{name}.yaml", old, new)

    with pytest.raises(InvalidInputError, match=complaint):
        load_policies(folder)


def test_the_shop_cannot_give_less_time_to_send_goods_back_than_the_law(folder: Path) -> None:
    replace(folder / "returns.yaml", "send_within_days: 21", "send_within_days: 10")
    replace(folder / "returns.yaml", "within 21 days", "within 10 days")

    with pytest.raises(InvalidInputError, match=r"shorter than the law of EU allows: 14 days"):
        load_policies(folder)
