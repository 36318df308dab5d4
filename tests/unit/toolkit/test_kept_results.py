"""Facts that are kept with a preview, and compared when it is confirmed."""

from opsbot.toolkit.kept_results import hash_of, plain


def test_facts_have_one_hash_before_and_after_they_are_kept_as_json() -> None:
    """By the key of a row: 9 comes before 10 as a number, and after it as text."""
    facts = {"units": {9: 1, 10: 2, 101: 3}}

    assert hash_of(facts) == hash_of(plain(facts))


def test_the_order_of_keys_does_not_matter() -> None:
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": 2})
