"""Words are brought to their stems alike, however many turns do it at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsbot.conversation.local.classifier import stem

WORDS = [f"{root}{end}" for root in ("return", "deliver", "grind") for end in ("", "ing", "able")]
MANY = [f"{word}{n}ations" for n in range(400) for word in WORDS]


@pytest.fixture
def hurried() -> Iterator[None]:
    """Let threads take turns a thousand times as often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_do_not_disturb_each_others_stems(hurried: None) -> None:
    alone = [stem.__wrapped__(word) for word in MANY]

    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(stem, MANY))

    assert together == alone
